#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/hash.hpp"
#include "forebay/http/message.hpp"
#include "forebay/http/target.hpp"

namespace forebay::cache {

/// Which parts of the query count.
enum class QueryMode : std::uint8_t { All, None, Only, Except };

/// Which parts of a request make its key. A list of parts, so that cookies, captures, bodies and the rest find their
/// place here.
struct KeySpec {
  bool host = true;
  bool scheme = true;
  QueryMode query = QueryMode::All;
  std::vector<std::string> query_names{};  ///< Globs, for Only and Except.
  bool query_sort = true;
  std::vector<std::string> headers{};  ///< Lower case, in the order of the config.
  bool authorization = false;          ///< `authorization: key`.
  /// Changes whenever anything changes that makes stored answers unfit: key, authorization, vary, set_cookie,
  /// request_cookies, origin, rewrites. Stored with each entry; under another one it is a miss.
  std::uint64_t fingerprint = 0;
};

/// The facts of one request that a key is made of; borrowed.
struct KeyInput {
  std::string_view route;
  const http::RequestView& request;
  const http::Target& target;
  std::string_view scheme;  ///< Of a trusted X-Forwarded-Proto, else the listener's.
  std::string_view host;    ///< Normal form (http::append_normal_host).
};

/// The canonical text and its hashes: `ROUTE|METHOD|scheme|host|path|q:...|h:...|a:...`, parts that are out of use left
/// out, and no two different lists of parts with one text. Kept by a worker and filled anew for each request, so that
/// building one allocates nothing in the steady state.
class Key {
 public:
  /// Under GET for GET and HEAD.
  void build(const KeySpec& spec, const KeyInput& input);

  std::string_view text() const noexcept { return text_; }
  const Digest& id() const noexcept { return id_; }
  /// Digest of host, path and the keyed part of the query: the same for every method, header and variant of one URL, so
  /// that a write can find what it makes stale.
  const Digest& resource() const noexcept { return resource_; }

 private:
  void append_query(const KeySpec& spec, std::string_view query);
  void append_headers(const KeySpec& spec, const http::RequestView& request);

  std::string text_;
  std::vector<http::QueryPair> pairs_;
  std::string scratch_;
  Digest id_;
  Digest resource_;
};

}  // namespace forebay::cache
