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

/// The parts of a GraphQL document that a key needs (GraphQL specification of October 2021, section 2).
struct GraphqlDocument {
  /// Its tokens without insignificant text (white space, commas, comments, byte order marks), with one space between
  /// two tokens only where needed. Strings and block strings are unchanged.
  std::string normal;
  unsigned operations = 0;
  bool reads_only = true;  ///< It has neither a mutation nor a subscription.
  std::string only_name;   ///< Of its operation, when there is exactly one and it has a name.
};
/// `Malformed` when it cannot be read as a list of definitions: an unknown token, an unterminated string, brackets that
/// do not match, something other than an executable definition at the top level, no operation at all, invalid UTF-8.
/// This is no validation; the server does that. `out` is overwritten; its memory is reused.
Result<void> read_graphql(std::string_view text, GraphqlDocument& out);

class JsonTree;
struct JsonTreeDeleter {
  void operator()(JsonTree* tree) const noexcept;
};

/// A request of GraphQL over HTTP, split into the parts of a key. Reused for each request: once its buffers have grown,
/// reading allocates nothing.
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
/// `variables`, `extensions`; application/graphql is the document itself. `Malformed` for other types, for content that
/// is not such an object (for example a batch), for members of the wrong type, for a hash that is not 64 hex digits,
/// for members whose names differ from these only in case, and for what `CanonicalJson` refuses. `ignored`: extensions
/// (`tracing`), or members of one (`persistedQuery.miss`), that are not part of `rest`.
Result<void> read_graphql_content(std::string_view content_type, std::string_view content, Numbers numbers,
                                  std::span<const std::string> ignored, GraphqlRequest& out);
/// Of a GET: the same parts as query parameters, with `variables` and `extensions` as JSON. `Malformed` also when one
/// of the four appears twice or has invalid percent-encoding, and when another parameter may be read as one of them.
/// Other parameters are ignored.
Result<void> read_graphql_query(std::string_view query, Numbers numbers, std::span<const std::string> ignored,
                                GraphqlRequest& out);
/// `query`, `operationName`, `variables` and `extensions`.
bool is_graphql_parameter(std::string_view name) noexcept;
/// Whether some parsers read a parameter of this name as one of the four. `buffer` is overwritten.
bool resembles_graphql_parameter(std::string_view name, std::string& buffer);

/// Checks the content of a response as it streams: whether it is a GraphQL response that may be stored.
class GraphqlAnswer {
 public:
  /// `content_encoding` as in the response, empty for none; the content is decoded first.
  explicit GraphqlAnswer(std::string_view content_encoding);
  ~GraphqlAnswer();
  void feed(std::string_view bytes);
  /// After the last byte: whether it is a JSON object (not a list) whose `errors` is absent, null or empty. Unreadable
  /// content is not clean.
  bool clean();

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::content
