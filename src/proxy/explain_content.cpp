#include <algorithm>

#include "explain_case.hpp"
#include "forebay/content/coding.hpp"
#include "forebay/content/form.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/content/json.hpp"
#include "forebay/content/media_type.hpp"
#include "forebay/http/list.hpp"

// Why content has no key, in words. The order of the checks is that of building keys.

namespace forebay::proxy {
namespace {

using http::FieldId;
using http::Method;

/// Whether it is JSON by its grammar, ignoring duplicate names.
bool is_json_text(std::string_view text) {
  content::GraphqlAnswer parser("");
  parser.feed("{\"content\":");
  parser.feed(text);
  parser.feed("}");
  return parser.clean();
}

std::string json_cause(std::string_view text, std::span<const content::JsonPointer> pointers, content::Numbers numbers,
                       std::string_view option) {
  if (text.empty()) return "it is empty, not JSON";
  if (text.starts_with("\xef\xbb\xbf")) return "it starts with a byte order mark";
  content::CanonicalJson json;
  if (!json.read(text, {}, content::Numbers::Written)) {
    if (!is_json_text(text)) return "it is not valid JSON";
    return "an object in it has a name twice, or it has more than 64 levels";
  }
  if (!pointers.empty() && !json.read(text, pointers, content::Numbers::Written))
    return "a name in it differs only in case from one of `" + std::string(option) + "`";
  if (!json.read(text, pointers, numbers)) return "a number in it has an exponent of more than 15 digits";
  return {};
}

bool is_utf8(content::Charset charset) noexcept {
  using content::Charset;
  return charset == Charset::Unsaid || charset == Charset::Utf8 || charset == Charset::Ascii;
}

bool is_graphql_post(const ExplainCase& c) { return c.route().key.graphql && c.request.method == Method::Post; }

/// What Content-Type says; `is_read`: the content is taken apart.
std::string type_cause(const ExplainCase& c, bool is_read) {
  const auto& fields = c.request.fields;
  const auto& spec = c.route().key;
  const auto lines = fields.count(FieldId::ContentType);
  if (lines > 1) return "there are several Content-Type fields";
  if (lines == 0) {
    if (!spec.form.empty())
      return "`key.form` requires Content-Type: application/x-www-form-urlencoded, and there is none";
    if (is_graphql_post(c)) return "`key.graphql` requires Content-Type: application/json, and there is none";
    return c.request.method == Method::Query ? "a QUERY needs a Content-Type, and there is none" : "";
  }
  const auto sent = *fields.value(FieldId::ContentType);
  std::string normal;
  const auto charset = content::append_normal_type(normal, sent);
  if (!charset) return "Content-Type is not a media type: " + std::string(sent);
  const bool ascii = *charset == content::Charset::Ascii && is_graphql_post(c);
  if (is_read && (!is_utf8(*charset) || ascii)) return "the charset of Content-Type is not UTF-8: " + std::string(sent);
  if (!spec.form.empty() && !content::is_type(sent, "application/x-www-form-urlencoded"))
    return "`key.form` requires Content-Type: application/x-www-form-urlencoded, not " + std::string(sent);
  if (is_graphql_post(c) && !content::is_json(sent) && !content::is_type(sent, "application/graphql"))
    return "`key.graphql` requires Content-Type: application/json, not " + std::string(sent);
  return {};
}

/// What Content-Encoding says; else `plain` is the content without it.
std::string coding_cause(const ExplainCase& c, std::string& plain) {
  const auto& spec = c.route().key;
  plain = c.content();
  if (c.request.fields.count(FieldId::ContentEncoding) > 1) return "there are several Content-Encoding fields";
  const auto coding = c.request.fields.value(FieldId::ContentEncoding);
  if (!coding || coding->empty() || http::iequals(*coding, "identity")) return {};
  const auto named = "Content-Encoding: " + std::string(*coding);
  if (coding->find(',') != std::string_view::npos)
    return "it has several codings, and only one can be decoded: " + named;
  if (is_graphql_post(c) && http::has_member(*coding, "deflate"))
    return "`key.graphql` does not decode deflate, since programs disagree on its format";
  if (!spec.decode) return "it has a coding, and `key.decode` is false: " + named;
  const auto done = content::decode(*coding, c.content(), static_cast<std::size_t>(spec.body_max), plain);
  if (done) return {};
  return done.error() == Errc::Unsupported ? "its coding is not supported: " + named : "it cannot be decoded: " + named;
}

std::string form_cause(std::string_view text) {
  std::string buffer;
  std::vector<content::FormField> fields;
  if (!content::read_form(text, buffer, fields)) return "a % in the form is not followed by two hex digits";
  return {};
}

}  // namespace

std::string unreadable_because(const ExplainCase& c) {
  const auto& spec = c.route().key;
  if (!is_graphql_post(c) && spec.graphql) return {};  // it stands in the query
  const bool is_read = spec.graphql || !spec.form.empty() || spec.body == cache::BodyMode::Pointers;
  if (auto cause = type_cause(c, is_read); !cause.empty()) return cause;
  std::string text;
  if (!is_read) return {};
  if (auto cause = coding_cause(c, text); !cause.empty()) return cause;
  if (!spec.form.empty()) return form_cause(text);
  const auto type = c.request.fields.value(FieldId::ContentType).value_or("");
  const bool document = spec.graphql && content::is_type(type, "application/graphql");
  return document ? std::string() : json_cause(text, spec.pointers, spec.numbers, "key.body");
}

std::string unreadable_because(const ExplainCase& c, std::span<const content::JsonPointer> pointers,
                               std::string_view option) {
  const auto& fields = c.request.fields;
  if (c.content().size() > c.route().key.body_max) return "it is longer than `key.body_max`";
  if (fields.count(FieldId::ContentType) > 1) return "there are several Content-Type fields";
  if (const auto sent = fields.value(FieldId::ContentType)) {
    std::string normal;
    const auto charset = content::append_normal_type(normal, *sent);
    if (!charset) return "Content-Type is not a media type: " + std::string(*sent);
    if (!is_utf8(*charset)) return "the charset of Content-Type is not UTF-8: " + std::string(*sent);
  }
  std::string text;
  if (auto cause = coding_cause(c, text); !cause.empty()) return cause;
  if (http::has_member(fields.value(FieldId::ContentEncoding).value_or(""), "deflate"))
    return "deflate is not decoded, since programs disagree on its format";
  return json_cause(text, pointers, content::Numbers::Value, option);
}

void note_unkeyed_content(ExplainCase& c) {
  const auto of_content = [](const cache::KeyPart& p) {
    return p.present && (p.kind == "body" || p.kind == "form" || p.kind == "graphql");
  };
  if (c.content().empty()) return;
  const bool keyed = c.reading.content == cache::ContentUse::Keyed;
  if (keyed && std::any_of(c.out.parts.begin(), c.out.parts.end(), of_content)) return;
  c.note("nothing of the content is in the key: requests that differ only in their content share a response");
}

}  // namespace forebay::proxy
