#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/config/config.hpp"
#include "forebay/config/route_table.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/proxy/runtime.hpp"

namespace forebay::proxy {

/// A request to be explained, and perhaps a response to be judged.
struct ExplainRequest {
  std::string method = "GET";
  std::string url;  ///< `http://shop.example.com/api/search?q=1`; a path alone has the host of a Host field, or none.
  http::Fields fields;
  std::optional<std::string> content;
  struct Response {
    int status = 200;
    http::Fields fields;
    std::optional<std::string> content{};  ///< For routes that look into it (GraphQL).
  };
  std::optional<Response> response{};
};

/// The context of an explanation. Without a store, `stored` is absent.
struct ExplainContext {
  const config::Config& config;
  const config::RouteTable& routes;
  const cache::Store* store = nullptr;
  Shared* shared = nullptr;  ///< Shared learned state; null: an empty table for this request.
  Now now;
};

/// What would happen to it, and why.
struct Explanation {
  std::string method, url;
  struct MatchedRoute {
    std::string name;
    std::size_t index = 0;
    std::string file;
    int line = 0;
    std::string policy, origin;
    std::vector<std::string> methods;
    std::string target;  ///< What the origin is asked for: path and query, after rewrites.
  };
  std::optional<MatchedRoute> route;
  /// Routes that match by host and path but not this request: those before the selected route, or all.
  struct TriedRoute {
    std::string name;
    std::size_t index = 0;
    std::string why;
  };
  std::vector<TriedRoute> tried;
  bool has_key = false;
  std::string key_text, key_id;
  std::vector<cache::KeyPart> parts;
  bool looked_up = false;
  rules::Reason lookup_reason = rules::Reason::None;
  struct Stored {
    bool found = false;
    std::string tier = "l1";
    std::string origin;  ///< Which gave it.
    std::string
        state;  ///< `fresh`, `stale_while_revalidate`, `stale_if_error`, `stale`, `must_validate`, `not_for_this`.
    std::int64_t age_s = 0, ttl_s = 0, lifetime_s = 0, swr_s = 0, sie_s = 0;
    std::uint64_t size = 0, hits = 0;
    std::size_t variants = 0;
    std::vector<std::string> tags{};
    std::string secondary{};  ///< Of what was found, as `cache::Listed` has it.
  };
  /// Pass memory of the key: a recent response could not be shared.
  struct PassMemory {
    rules::Reason cause = rules::Reason::None;
    std::int64_t left_s = 0;
  };
  std::optional<PassMemory> pass_memory;  ///< Nothing without a store, or where none is set.
  std::optional<Stored> stored;           ///< Nothing without a store, or without a look-up.
  struct Judged {
    bool storable = false;
    rules::Reason reason = rules::Reason::None;
    std::int64_t ttl_s = 0, swr_s = 0, sie_s = 0;
    std::string ttl_source;   ///< `s-maxage`, `default`, ... of rules::TtlSource.
    std::string ttl_setting;  ///< Who set it: `routes.search.ttl.default`, `response Cache-Control`, `built-in`.
    std::string swr_setting, sie_setting;
    std::vector<std::string> tags{};  ///< That it would be stored with.
    std::size_t tags_dropped = 0;     ///< Further ones: beyond `tags.max`, or too long.
  };
  std::optional<Judged> response;
  /// As far as known: `hit`, `stale`, `miss`, `bypass`, `error`; `coalesced` if a fetch is in progress. With a response
  /// to judge also `revalidated` and `stale_error`.
  std::string result;
  int own_status = 0;        ///< Of what Forebay would answer itself: an error, `redirect` or `respond`; 0: nothing.
  std::string cache_status;  ///< The member of Cache-Status that the answer would carry; empty for none.
  std::string x_cache;
  std::vector<std::string> notes;  ///< Sentences about other effects (a rewrite, a refused refresh, guarded cookies).
};

/// Why this request cannot be sent (method, URL, a field), such as `the URL is empty`; empty if it can be sent.
std::string_view unsendable(const ExplainRequest& request);

/// `Malformed` when the request cannot be sent.
Result<Explanation> explain(const ExplainRequest& request, const ExplainContext& context);

/// A sentence for a reason; empty where there is none to give.
std::string_view sentence_of(rules::Reason reason) noexcept;

}  // namespace forebay::proxy
