#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/content/json.hpp"

namespace forebay::content {

/// What a GraphQL document is, as far as a key needs it (the GraphQL specification of October 2021, section 2).
struct GraphqlDocument {
  /// Its tokens, put together with what is insignificant (white space, commas, comments, byte order marks) gone: one
  /// space between two tokens only where they would run together otherwise. Strings and block strings stand as written.
  std::string normal;
  unsigned operations = 0;
  bool reads_only = true;  ///< Neither a mutation nor a subscription in it, whichever operation is chosen.
  std::string only_name;   ///< Of its operation, when there is exactly one and it has a name.
};
/// `Malformed` when it cannot be read as a list of definitions: an unknown token, an unterminated string, brackets that
/// do not match, something other than an executable definition at the top level, no operation at all, invalid UTF-8.
/// Not a validation: what a server would refuse is the server's to refuse. `out` is overwritten, its memory used again.
Result<void> read_graphql(std::string_view text, GraphqlDocument& out);

class JsonTree;
struct JsonTreeDeleter {
  void operator()(JsonTree* tree) const noexcept;
};

/// A request of GraphQL over HTTP, in parts that a key can be made of. Filled anew for each request: once its buffers
/// have grown, reading allocates nothing.
struct GraphqlRequest {
  std::optional<std::string> query;  ///< The document as sent.
  std::string operation_name;        ///< Empty when absent, null or "".
  std::string variables;             ///< Canonical JSON; empty when absent, null or {}.
  std::string hash;                  ///< extensions.persistedQuery.sha256Hash in lower case; empty when absent.
  std::string rest;                  ///< Canonical JSON of all else: other extensions, other members; empty when none.
  std::unique_ptr<JsonTree, JsonTreeDeleter> tree{};  ///< This and the next are kept for their memory.
  std::string buffer;
};
/// Of a POST. `content_type` as sent: application/json (or a +json type) holds an object with `query`, `operationName`,
/// `variables`, `extensions`; application/graphql is the document itself. `Malformed` for other types, for what is no
/// such object (a batch is none), for members of the wrong type, for a hash that is not 64 hex digits, for members
/// whose names differ from one of these in their case alone, and for what `CanonicalJson` refuses. `ignored`:
/// extensions
/// (`tracing`), or members of one (`persistedQuery.miss`), that are no part of `rest`.
Result<void> read_graphql_content(std::string_view content_type, std::string_view content, Numbers numbers,
                                  std::span<const std::string> ignored, GraphqlRequest& out);
/// Of a GET: the same parts as query parameters, with `variables` and `extensions` as JSON. `Malformed` also when one
/// of the four stands twice or its percent-encoding is broken, and when another parameter may be taken for one of them.
/// All others are left alone.
Result<void> read_graphql_query(std::string_view query, Numbers numbers, std::span<const std::string> ignored,
                                GraphqlRequest& out);
/// `query`, `operationName`, `variables` and `extensions`.
bool is_graphql_parameter(std::string_view name) noexcept;
/// Whether some readers take a parameter that is sent under this name for one of the four. `buffer` is overwritten.
bool resembles_graphql_parameter(std::string_view name, std::string& buffer);

/// Watches a response's content as it streams: whether it is a GraphQL response that may be stored.
class GraphqlAnswer {
 public:
  /// `content_encoding` as in the response, empty for none; it is undone on the way.
  explicit GraphqlAnswer(std::string_view content_encoding);
  ~GraphqlAnswer();
  void feed(std::string_view bytes);
  /// After the last byte: a JSON object (or a list of them is not) whose `errors` is absent, null or empty. What cannot
  /// be read is not clean.
  bool clean();

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::content
