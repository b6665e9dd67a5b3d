#pragma once

#include <cstdint>
#include <memory>
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
  /// Extensions, or members of them, that are no input.
  std::vector<std::string> graphql_ignore{"persistedQuery.miss", "clientLibrary", "tracing"};
  content::Numbers numbers = content::Numbers::Written;
  bool decode = true;                  ///< Undo Content-Encoding before pointers, forms and GraphQL are read.
  std::uint64_t body_max = 64 * 1024;  ///< Content that may be keyed, and what it may inflate to; bytes.
  /// Changes whenever anything changes that makes stored answers unfit: key, authorization, vary, set_cookie,
  /// request_cookies, origin, rewrites. Stored with each entry; under another one it is a miss.
  std::uint64_t fingerprint = 0;
};

/// Whether this parameter of a query is part of the key (GraphQL apart, which keeps its parameters elsewhere). `buffer`
/// is scratch that is used again.
bool counts_in_key(const KeySpec& spec, const http::QueryPair& pair, std::string& buffer);

/// What building a key does with a request's content.
enum class ContentUse : std::uint8_t {
  None,        ///< There is none, or none is needed.
  Keyed,       ///< It has to be read, whole, before the key can be built.
  Declared,    ///< It stays out of the key because the route says so (`key.body: none` on a method with content).
  Unexpected,  ///< Content on GET, HEAD or OPTIONS of a route that does not key it.
};
ContentUse content_use(const KeySpec& spec, http::Method method, bool has_content) noexcept;
/// The same in the words of `rules::may_look_up`.
rules::UnkeyedContent unkeyed(ContentUse use) noexcept;

/// A request's content as UTF-8 text, with its coding undone, as pointers read it; in `content` itself or in `buffer`.
/// Nothing where it is longer than `body_max`, or readers could take it for different things: several Content-Type or
/// Content-Encoding lines, a type that is none, another charset, a coding that is not undone or that some undo
/// differently (deflate).
std::optional<std::string_view> readable_text(const KeySpec& spec, const http::RequestView& request,
                                              std::string_view content, std::string& buffer);

/// One capture of the route's path pattern; borrowed.
struct Capture {
  std::string_view name;
  std::string_view value;
};

/// The facts of one request that a key is made of; borrowed.
struct KeyInput {
  std::string_view route;
  const http::RequestView& request;
  const http::Target& target;
  std::string_view scheme;  ///< Of a trusted X-Forwarded-Proto, else the listener's.
  std::string_view host;    ///< Normal form (http::append_normal_host).
  bool claims = false;      ///< What the peer claims of host, port and prefix goes to the origin, so it counts.
  std::span<const Capture> captures{};          ///< Of the route's pattern; looked at under Captures alone.
  std::optional<std::string_view> content{};    ///< Whole, as sent; there when `content_use` says Keyed.
  PersistedQueries* persisted = nullptr;        ///< For GraphQL; null: hashes are not resolved.
  const rules::NoVarySearch* search = nullptr;  ///< Build the key under this rule of stored responses.
};

/// One part of a key as explain shows it.
struct KeyPart {
  std::string kind;   ///< `route`, `method`, `scheme`, `host`, `path`, `capture`, `query`, `header`, `cookie`,
                      ///< `authorization`, `body`, `form`, `graphql`, `content_type`, `search`.
  std::string name;   ///< Of the capture, parameter, field, cookie or pointer; in `graphql` of the piece; else empty.
  std::string value;  ///< As it stands in the text, unless a digest stands for the whole part; empty when absent.
  bool present = true;
};

/// The canonical text and its hashes: `ROUTE|METHOD|scheme|host|path|q:...|h:...|c:...|a:...|b:...|f:...|m:...|n:...`,
/// parts that are out of use left out, and no two different lists of parts with one text. Kept by a worker and filled
/// anew for each request, so that building one allocates nothing in the steady state.
class Key {
 public:
  Key();
  ~Key();
  Key(const Key&);
  Key& operator=(const Key&);
  Key(Key&&) noexcept;
  Key& operator=(Key&&) noexcept;

  /// Under GET for GET and HEAD, under GRAPHQL for a GraphQL request. None, or why there is no key: BodyTooLarge (over
  /// `body_max` as sent or inflated), BodyUnparsable (not what the route keys on, or ambiguous; a QUERY without
  /// Content-Type), GraphqlOperation (a mutation or subscription, or on POST the hash of a document that nobody has
  /// shown yet). Then the text and `id` mean nothing; the resource is right all the same. `parts`, where given, is
  /// filled with what the text is made of, and with what the route names and the request lacks.
  rules::Reason build(const KeySpec& spec, const KeyInput& input, std::vector<KeyPart>* parts = nullptr);

  /// `resource()` alone, for which no content is needed: what a write to this target makes stale. The rest means
  /// nothing then.
  void build_resource(const KeySpec& spec, const KeyInput& input);

  std::string_view text() const noexcept { return text_; }
  const Digest& id() const noexcept { return id_; }
  /// Digest of host, path and the keyed part of the query: the same for every method, header and variant of one URL, so
  /// that a write can find what it makes stale.
  const Digest& resource() const noexcept { return resource_; }
  /// The `resource` of every key of this path that was built under a No-Vary-Search rule, whatever its query: many URLs
  /// share such a key, so that a write to any of them makes all of these stale. After `build_resource` too.
  Digest searched_resource() const noexcept;
  /// Digest of the text without `q:` and `n:`, for `SearchRules`: the same whether or not it was built under a rule.
  Digest base() const noexcept;

 private:
  friend class KeyBuilder;
  std::string text_;
  Digest id_;
  Digest resource_;
  // Where the text has its parts: host and path, `q:`, and `n:` or the end.
  std::size_t resource_from_ = 0, query_from_ = 0, query_to_ = 0, rule_from_ = 0;
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;  ///< Reused buffers; made at the first build, not copied.
};

}  // namespace forebay::cache
