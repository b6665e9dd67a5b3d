#include "forebay/base/text.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "key_builder.hpp"

// The part of a key that is made of a GraphQL request, by GET or by POST: equivalent requests have equal text.

namespace forebay::cache {
namespace {

using rules::Reason;
using Document = PersistedQueries::Document;

bool is_sha256_hex(std::string_view s) noexcept { return s.size() == 64 && is_lower_hex(s); }

// Whether the query of a POST has one of the four parameters, or one that may be read as such: it is not clear which
// counts.
bool has_graphql_parameter(std::string_view query, std::string& buffer) {
  const auto resembles = [&](std::string_view name) { return content::resembles_graphql_parameter(name, buffer); };
  return http::any_parameter_name(query, resembles);
}

}  // namespace

Reason KeyBuilder::graphql_content() {
  const auto& request = input_.request;
  if (const auto query = input_.target.query(); query && has_graphql_parameter(*query, scratch_.text))
    return Reason::BodyUnparsable;
  auto content = input_.content.value_or(std::string_view{});
  if (content.size() > spec_.body_max) return Reason::BodyTooLarge;
  // Some read deflate without its zlib wrapper; there is no `m:` to distinguish the codings.
  const auto coding = request.fields.value(http::FieldId::ContentEncoding);
  if (coding && http::has_member(*coding, "deflate")) return Reason::BodyUnparsable;
  if (const auto reason = decoded(content); reason != Reason::None) return reason;
  const auto read =
      content::read_graphql_content(scratch_.type, content, spec_.numbers, spec_.graphql_ignore, scratch_.graphql);
  return read ? Reason::None : Reason::BodyUnparsable;
}

Reason KeyBuilder::read_graphql() {
  if (input_.request.method == http::Method::Post) return graphql_content();
  const auto query = input_.target.query().value_or(std::string_view{});
  const auto read = content::read_graphql_query(query, spec_.numbers, spec_.graphql_ignore, scratch_.graphql);
  return read ? Reason::None : Reason::BodyUnparsable;
}

// The document of the request; nothing when it has only a hash that is not known.
Result<std::optional<Document>> KeyBuilder::graphql_document() {
  auto& sent = scratch_.graphql;
  auto* const known = input_.persisted;
  if (!sent.query) {
    if (!is_sha256_hex(sent.hash)) return Errc::Malformed;
    return known ? known->find(sent.hash) : std::nullopt;
  }
  auto& hash = scratch_.text;
  hash.clear();
  append_sha256_hex(hash, *sent.query);
  if (!sent.hash.empty() && sent.hash != hash) return Errc::Malformed;
  // A known document is not parsed again.
  if (const auto found = known ? known->find(hash) : std::nullopt) return found;
  auto& read = scratch_.document;
  if (const auto done = content::read_graphql(*sent.query, read); !done) return done.error();
  Document document;
  document.normal = sha256_digest(read.normal);
  if (!read.only_name.empty()) document.only_name = sha256_digest(read.only_name);
  document.reads_only = read.reads_only;
  if (known) known->learn(hash, document);
  return std::optional(document);
}

Reason KeyBuilder::graphql() {
  if (const auto reason = read_graphql(); reason != Reason::None) return reason;
  const auto read = graphql_document();
  if (!read) return Reason::BodyUnparsable;
  const auto& document = *read;
  // A GET is safe; a hash sent by POST may be that of a mutation.
  const bool may_write = document ? !document->reads_only : input_.request.method == http::Method::Post;
  if (may_write) return Reason::GraphqlOperation;

  const auto& sent = scratch_.graphql;
  text_ += "|b:";
  const auto piece = [&](std::string_view name, std::string_view value, const ByteSet& escaped) {
    if (value.empty()) return note_absent("graphql", name);
    text_.append(" ").append(name).append("=");
    const auto from = text_.size();
    append_value(text_, value, escaped);
    note("graphql", name, from);
  };
  const auto first = text_.size();
  text_ += document ? "query=" : "hash=";
  const auto from = text_.size();
  if (document)
    append_hex(text_, document->normal);
  else
    text_ += sent.hash;
  note("graphql", std::string_view(text_).substr(first, from - first - 1), from);
  // The name of the only operation selects nothing (GraphQL specification, section 6.1).
  const bool chooses = !sent.operation_name.empty() && !(document && document->only_name != Digest{} &&
                                                         sha256_digest(sent.operation_name) == document->only_name);
  piece("operationName", chooses ? std::string_view(sent.operation_name) : std::string_view{}, kInPiece);
  piece("variables", sent.variables, kInPart);
  piece("rest", sent.rest, kInPart);
  return Reason::None;
}

}  // namespace forebay::cache
