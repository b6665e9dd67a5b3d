#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "forebay/cache/purge_order.hpp"
#include "forebay/config/route_table.hpp"
#include "forebay/http/target.hpp"

// What people name to be purged, and the store's order for it.

namespace forebay::proxy {

struct Runtime;

/// Names as they are written in requests and on command lines.
struct PurgeNames {
  std::vector<std::string> urls;      ///< `http://shop.example.com/p/42`; a path alone is for every host.
  std::vector<std::string> prefixes;  ///< The beginning of one of these.
  std::vector<std::string> globs;     ///< The same with `*` for any text.
  std::vector<std::string> tags, routes;
  std::vector<std::string> ids;  ///< `Key::id` as 32 hex digits.
  bool all = false;

  std::size_t count() const noexcept;
};
inline constexpr std::size_t kMostPurgeNames = 1000;
/// Those among them that all entries are compared with: prefixes, globs, routes, ids, and URLs without a host.
inline constexpr std::size_t kMostSearchedNames = 100;

/// An order that has been checked.
struct PreparedPurge {
  cache::PurgeOrder order;                       ///< Without mode, `dry_run` and `now`, which are the caller's.
  std::array<bool, cache::kPurgeKinds> kinds{};  ///< What it names.
  std::string what;                              ///< For the log: `url http://shop.example.com/p/42, tag a`.
};
/// Why there is no order.
struct PurgeFault {
  std::string why;             ///< A sentence that says what to write instead.
  bool no_such_route = false;  ///< A route is not in the configuration.
};
/// URLs are normalised as those of requests are, and looked for under the key of each route that may have them.
std::variant<PreparedPurge, PurgeFault> prepare_purge(const PurgeNames& names, const Runtime& runtime);

/// The result of an order.
struct PurgeDone {
  cache::Purged purged;
  Duration took{0};
  bool failed = false;  ///< There was no memory for it; a part of it may be done.
};
/// `{"purged":3,"by":{"url":3},"mode":"hard","dry_run":false,"took_ms":0.2}`
std::string to_json(const PreparedPurge& purge, const PurgeDone& done);
/// `hard purge of url /p/42: 3 entries`
std::string outcome_text(const PreparedPurge& purge, const PurgeDone& done);

/// Adds the `Key::resource` of a URL under each cacheable route that may have it, and under the key of no route in
/// particular. `host` in normal form.
void add_resources(const config::RouteTable& routes, std::string_view scheme, std::string_view host,
                   const http::Target& target, std::vector<Digest>& out);

}  // namespace forebay::proxy
