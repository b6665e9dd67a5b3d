#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/hash.hpp"
#include "forebay/content/json.hpp"
#include "forebay/http/message.hpp"
#include "forebay/http/target.hpp"
#include "forebay/rules/no_vary_search.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::cache {

class PersistedQueries;

/// Which parts of the path and of the query count.
enum class PathMode : std::uint8_t { All, None, Captures };
enum class QueryMode : std::uint8_t { All, None, Only, Except };
/// Which parts of the content count. Unset: All for methods that have content, None for GET, HEAD and OPTIONS.
enum class BodyMode : std::uint8_t { Unset, None, All, Pointers };

/// Which parts of a request make its key.
struct KeySpec {
  bool host = true;
  bool scheme = true;
  PathMode path = PathMode::All;
  std::vector<std::string> captures{};  ///< Names, for Captures, in the order of the config.
  QueryMode query = QueryMode::All;
  std::vector<std::string> query_names{};  ///< Globs, for Only and Except.
  std::optional<bool> query_sort{};        ///< Unset: only under a list of names.
  bool sorts_query() const noexcept { return query_sort.value_or(query == QueryMode::Only); }
  std::vector<std::string> headers{};  ///< Lower case, in the order of the config.
  std::vector<std::string> cookies{};  ///< Globs, in the order of the config.
  bool authorization = false;          ///< `authorization: key`.
  BodyMode body = BodyMode::Unset;
  std::vector<content::JsonPointer> pointers{};  ///< For Pointers.
  std::vector<std::string> form{};               ///< Names of form fields; not empty: the content is a form.
  bool graphql = false;                          ///< The content, or the query of a GET, is a GraphQL request.
  bool graphql_accept = true;                    ///< Accept is one of `headers` then (the loader puts it there).
  /// Extensions, or members of them, that do not affect the response.
  std::vector<std::string> graphql_ignore{"persistedQuery.miss", "clientLibrary", "tracing"};
  content::Numbers numbers = content::Numbers::Written;
  bool decode = true;                  ///< Decode Content-Encoding before reading pointers, forms and GraphQL.
  std::uint64_t body_max = 64 * 1024;  ///< Content that may be keyed, and what it may inflate to; bytes.
  /// Fingerprint of the settings that make stored responses unusable when they change: key, authorization, vary,
  /// set_cookie, request_cookies, origin, rewrites. Stored with each entry; an entry with another value is a miss.
  std::uint64_t fingerprint = 0;
};

/// Whether this query parameter is part of the key (not for GraphQL parameters). `buffer` is reusable scratch memory.
bool counts_in_key(const KeySpec& spec, const http::QueryPair& pair, std::string& buffer);

/// The use of a request's content in its key.
enum class ContentUse : std::uint8_t {
  None,        ///< No content, or not needed.
  Keyed,       ///< The complete content must be read before the key is built.
  Declared,    ///< Not in the key because of the route (`key.body: none` on a method with content).
  Unexpected,  ///< Content on GET, HEAD or OPTIONS of a route without content in the key.
};
ContentUse content_use(const KeySpec& spec, http::Method method, bool has_content) noexcept;
/// The same in the words of `rules::may_look_up`.
rules::UnkeyedContent unkeyed(ContentUse use) noexcept;

/// A request's content as decoded UTF-8 text, for pointers; in `content` itself or in `buffer`. Nothing if it is longer
/// than `body_max` or ambiguous: several Content-Type or Content-Encoding lines, an invalid type, another charset, an
/// unsupported or ambiguous coding (deflate).
std::optional<std::string_view> readable_text(const KeySpec& spec, const http::RequestView& request,
                                              std::string_view content, std::string& buffer);

/// One capture of the route's path pattern; borrowed.
struct Capture {
  std::string_view name;
  std::string_view value;
};

/// The facts of a request for its key; borrowed.
struct KeyInput {
  std::string_view route;
  const http::RequestView& request;
  const http::Target& target;
  std::string_view scheme;  ///< Of a trusted X-Forwarded-Proto, else the listener's.
  std::string_view host;    ///< Normal form (http::append_normal_host).
  bool claims = false;      ///< The peer's claims about host, port and prefix are forwarded, so they are in the key.
  std::span<const Capture> captures{};          ///< Of the route's pattern; used only for Captures.
  std::optional<std::string_view> content{};    ///< Complete, as sent; present if `content_use` is Keyed.
  PersistedQueries* persisted = nullptr;        ///< For GraphQL; null: hashes are not resolved.
  const rules::NoVarySearch* search = nullptr;  ///< Build the key under this rule of stored responses.
};

/// One part of a key as explain shows it.
struct KeyPart {
  std::string kind;   ///< `route`, `method`, `scheme`, `host`, `path`, `capture`, `query`, `header`, `cookie`,
                      ///< `authorization`, `body`, `form`, `graphql`, `content_type`, `search`.
  std::string name;   ///< Of the capture, parameter, field, cookie or pointer; in `graphql` of the piece; else empty.
  std::string value;  ///< As in the text, unless a digest replaces the whole part; empty when absent.
  bool present = true;
};

/// Where the parts of a URL are in the text of a key, without separators. From 0 to 0: not in the key.
struct UrlSpans {
  std::uint32_t host_from = 0, host_to = 0;
  std::uint32_t path_from = 0, path_to = 0;
  std::uint32_t query_to = 0;  ///< The query follows the path, with its `|q:`.
};

/// The canonical text and its hashes: `ROUTE|METHOD|scheme|host|path|q:...|h:...|c:...|a:...|b:...|f:...|m:...|n:...`,
/// without unused parts; different lists of parts have different texts. A worker reuses it for all requests, so that
/// building a key allocates nothing in the steady state.
class Key {
 public:
  /// Under GET for GET and HEAD, under GRAPHQL for a GraphQL request. None, or why there is no key: BodyTooLarge (over
  /// `body_max` as sent or inflated), BodyUnparsable (malformed, ambiguous or of another type than the route's key
  /// needs; a QUERY without Content-Type), GraphqlOperation (a mutation or subscription, or on POST the hash of an
  /// unknown document). Then text and `id` are unspecified, but the resource is valid. `parts`, if given, gets the
  /// parts of the text, and those of the route that the request lacks.
  rules::Reason build(const KeySpec& spec, const KeyInput& input, std::vector<KeyPart>* parts = nullptr);

  /// Only `resource()`, which needs no content: for writes to this target. The rest is unspecified then.
  void build_resource(const KeySpec& spec, const KeyInput& input);

  std::string_view text() const noexcept { return text_; }
  const Digest& id() const noexcept { return id_; }
  /// Digest of host, path and the keyed part of the query: equal for every method, header and variant of one URL, so
  /// that a write can find what it makes stale.
  const Digest& resource() const noexcept { return resource_; }
  const UrlSpans& url() const noexcept { return url_; }
  /// What follows the host, which is in the key, to the end of the query: equal for one URL of every host. After
  /// `build_resource` too.
  std::string_view after_host() const noexcept {
    return std::string_view(text_).substr(url_.host_to, query_to_ - url_.host_to);
  }
  /// The `resource` of every key of this path that was built under a No-Vary-Search rule, for any query: many URLs
  /// share such a key, so a write to any of them makes all of these stale. After `build_resource` too.
  Digest searched_resource() const noexcept;
  /// Digest of the text without `q:` and `n:`, for `SearchRules`: independent of a rule.
  Digest base() const noexcept;

 private:
  friend class KeyBuilder;
  std::string text_;
  Digest id_;
  Digest resource_;
  UrlSpans url_;
  // Positions in the text: host and path, `q:`, and `n:` or the end.
  std::size_t resource_from_ = 0, query_from_ = 0, query_to_ = 0, rule_from_ = 0;
};

}  // namespace forebay::cache
