#include <algorithm>
#include <utility>

#include "forebay/content/coding.hpp"
#include "forebay/content/media_type.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "forebay/rules/cache_control.hpp"
#include "key_builder.hpp"

// The parts of a key that are made of a request's content.

namespace forebay::cache {
namespace {

using http::FieldId;
using rules::Reason;

// As configured, or the default.
BodyMode body_mode(const KeySpec& spec, http::Method method) noexcept {
  if (spec.body != BodyMode::Unset) return spec.body;
  return is_bodiless(method) || !spec.form.empty() ? BodyMode::None : BodyMode::All;
}

bool keys_content(const KeySpec& spec, http::Method method) noexcept {
  if (spec.graphql && method == http::Method::Post) return true;
  // A GraphQL request by GET is in the query.
  if (spec.graphql && (method == http::Method::Get || method == http::Method::Head)) return false;
  return !spec.form.empty() || body_mode(spec, method) != BodyMode::None;
}

Reason reason_of(Errc error) noexcept {
  return error == Errc::TooLarge ? Reason::BodyTooLarge : Reason::BodyUnparsable;
}

bool is_coded(const http::RequestView& request) noexcept {
  const auto coding = request.fields.value(FieldId::ContentEncoding);
  return coding && !coding->empty() && !http::iequals(*coding, "identity");
}

// Decodes the Content-Encoding, as the origin does.
Reason undo_coding(const KeySpec& spec, const http::RequestView& request, std::string_view& content,
                   std::string& buffer) {
  if (!is_coded(request)) return Reason::None;
  if (!spec.decode) return Reason::BodyUnparsable;
  const auto coding = *request.fields.value(FieldId::ContentEncoding);
  const auto done = content::decode(coding, content, static_cast<std::size_t>(spec.body_max), buffer);
  if (!done) return reason_of(done.error());
  content = buffer;
  return Reason::None;
}

bool is_utf8(content::Charset charset) noexcept {
  return charset == content::Charset::Unsaid || charset == content::Charset::Utf8;
}

}  // namespace

std::optional<std::string_view> readable_text(const KeySpec& spec, const http::RequestView& request,
                                              std::string_view content, std::string& buffer) {
  const auto& fields = request.fields;
  if (content.size() > spec.body_max || fields.count(FieldId::ContentType) > 1 ||
      fields.count(FieldId::ContentEncoding) > 1)
    return std::nullopt;
  if (const auto type = fields.value(FieldId::ContentType)) {
    std::string normal;
    const auto charset = content::append_normal_type(normal, *type);
    if (!charset || !(is_utf8(*charset) || *charset == content::Charset::Ascii)) return std::nullopt;
  }
  if (is_coded(request) && http::has_member(*fields.value(FieldId::ContentEncoding), "deflate")) return std::nullopt;
  if (undo_coding(spec, request, content, buffer) != Reason::None) return std::nullopt;
  return content;
}

ContentUse content_use(const KeySpec& spec, http::Method method, bool has_content) noexcept {
  if (!has_content) return ContentUse::None;
  if (keys_content(spec, method)) return ContentUse::Keyed;
  return is_bodiless(method) ? ContentUse::Unexpected : ContentUse::Declared;
}

rules::UnkeyedContent unkeyed(ContentUse use) noexcept {
  switch (use) {
    case ContentUse::Declared: return rules::UnkeyedContent::Declared;
    case ContentUse::Unexpected: return rules::UnkeyedContent::Unexpected;
    case ContentUse::None:
    case ContentUse::Keyed: break;
  }
  return rules::UnkeyedContent::None;
}

KeyBuilder::Content KeyBuilder::what_counts() const {
  Content what;
  const auto& request = input_.request;
  what.graphql = is_graphql();
  if (what.graphql) return what;
  const bool query = request.method == http::Method::Query;
  what.typed = query;
  if (is_bodiless(request.method) && input_.content.value_or(std::string_view{}).empty()) return what;
  const auto mode = body_mode(spec_, request.method);
  what.fields = !spec_.form.empty();
  what.body = mode == BodyMode::All ? Form::Raw : mode == BodyMode::Pointers ? Form::Pointers : Form::None;
  what.typed |= what.fields || what.body != Form::None;
  // RFC 10008 section 2.7: no-transform forbids to normalise a query, also for the key alone.
  const bool normalises = what.fields || what.body == Form::Pointers;
  if (query && normalises && rules::read_request_directives(request.fields).no_transform) {
    what.fields = false;
    what.body = Form::Raw;
  }
  return what;
}

// The fields that describe the content must not be ambiguous.
Reason KeyBuilder::check_description(const Content& what) {
  const auto& request = input_.request;
  const bool graphql = what.graphql && request.method == http::Method::Post;
  const bool is_read = graphql || what.fields || what.body == Form::Pointers;
  if (!what.typed && !is_read) return Reason::None;
  const auto lines = request.fields.count(FieldId::ContentType);
  const bool needs_type = request.method == http::Method::Query || what.fields || graphql;
  if (lines > 1 || (lines == 0 && needs_type)) return Reason::BodyUnparsable;
  if (request.fields.count(FieldId::ContentEncoding) > 1) return Reason::BodyUnparsable;
  if (lines == 0) return Reason::None;
  scratch_.type.clear();
  const auto charset = content::append_normal_type(scratch_.type, *request.fields.value(FieldId::ContentType));
  if (!charset) return Reason::BodyUnparsable;
  // JSON, forms and GraphQL are read as UTF-8. The type of a GraphQL request is not in the key.
  const bool utf8 = is_utf8(*charset);
  const bool ascii = *charset == content::Charset::Ascii && !graphql;
  return is_read && !utf8 && !ascii ? Reason::BodyUnparsable : Reason::None;
}

Reason KeyBuilder::content(const Content& what) {
  if (what.body == Form::None && !what.fields) return Reason::None;
  auto content = input_.content.value_or(std::string_view{});
  if (content.size() > spec_.body_max) return Reason::BodyTooLarge;
  if (what.body == Form::Raw) raw(content);
  if (what.body != Form::Pointers && !what.fields) return Reason::None;
  if (const auto reason = decoded(content); reason != Reason::None) return reason;
  if (what.body == Form::Pointers)
    if (const auto reason = pointers(content); reason != Reason::None) return reason;
  return what.fields ? form(content) : Reason::None;
}

// The bytes as sent, with their codings.
void KeyBuilder::raw(std::string_view content) {
  text_ += "|b:";
  const auto from = text_.size();
  members(FieldId::ContentEncoding);
  if (text_.size() != from) text_ += ':';
  append_sha256_hex(text_, content, 32);
  note("body", {}, from);
}

Reason KeyBuilder::decoded(std::string_view& content) {
  return undo_coding(spec_, input_.request, content, scratch_.content);
}

Reason KeyBuilder::pointers(std::string_view content) {
  auto& json = scratch_.json;
  if (const auto read = json.read(content, spec_.pointers, spec_.numbers); !read) return Reason::BodyUnparsable;
  text_ += "|b:";
  bool first = true;
  for (std::size_t i = 0; i < spec_.pointers.size(); ++i) {
    const auto value = json.value(i);
    if (!value) {
      note_absent("body", spec_.pointers[i].text());
      continue;
    }
    if (!std::exchange(first, false)) text_ += ' ';
    pointer(i);
    text_ += '=';
    const auto from = text_.size();
    append_value(text_, *value, kInPart);
    note("body", spec_.pointers[i].text(), from);
  }
  if (first) whole(content);
  return Reason::None;
}

// No pointer found anything: a misspelt pointer, or another kind of content. Such requests share a response only for
// equal content, so that a mistake costs hits but gives no wrong responses.
void KeyBuilder::whole(std::string_view content) {
  const auto from = text_.size();
  append_sha256_hex(text_, content, 32);
  note("body", {}, from);
}

// The pointer, with `{}` after each step that could be an array index but was the name of a member.
void KeyBuilder::pointer(std::size_t i) {
  auto rest = std::string_view(spec_.pointers[i].text());
  for (auto through = scratch_.json.through_objects(i); through != 0; through >>= 1) {
    const auto end = std::min(rest.find('/', 1), rest.size());
    append_escaped(text_, rest.substr(0, end), kInPointer);
    if ((through & 1) != 0) text_ += "{}";
    rest.remove_prefix(end);
  }
  append_escaped(text_, rest, kInPointer);
}

Reason KeyBuilder::form(std::string_view content) {
  if (!content::is_type(scratch_.type, "application/x-www-form-urlencoded")) return Reason::BodyUnparsable;
  auto& fields = scratch_.fields;
  if (!content::read_form(content, scratch_.form, fields)) return Reason::BodyUnparsable;
  const http::ListedNames listed(spec_.form);
  for (const auto& field : fields)
    if (hides_field(listed, field.sent)) return Reason::BodyUnparsable;
  const auto from = text_.size();
  const auto name_of = [](const content::FormField& field) { return field.sent.substr(0, field.sent.find('=')); };
  // Some parsers stop after 1000 fields: fields that do not count could hide one that does.
  auto& read_as = scratch_.read_as;
  read_as.clear();
  bool crowded = false;
  for (auto field = fields.begin(); field != fields.end() && !crowded; ++field) {
    read_as.push_back(listed.read_as(name_of(*field), scratch_.text));
    crowded = read_as.back() == 0 && fields.size() > http::kCrowd;
  }
  for (std::size_t i = 0; i < spec_.form.size() && !crowded; ++i) {
    const auto bit = std::uint64_t{1} << std::min(i, http::ListedNames::kLast);
    bool found = false;
    for (std::size_t n = 0; n < fields.size(); ++n) {
      if ((read_as[n] & bit) == 0) continue;
      if (i >= http::ListedNames::kLast && !may_be(spec_.form[i], name_of(fields[n]))) continue;
      found = true;
      text_ += text_.size() == from ? "|f:" : "&";
      pair("form", fields[n].name, fields[n].value);
    }
    if (!found) note_absent("form", spec_.form[i]);
  }
  if (text_.size() == from && !fields.empty()) {
    text_ += "|b:";
    whole(content);
    return Reason::None;
  }
  // The key stays short for any number of fields of a name.
  constexpr std::size_t kTag = 3;
  if (text_.size() - from > kTag + kLongestValue) {
    const auto pairs = std::string_view(text_).substr(from + kTag);
    scratch_.text.clear();
    append_digest(scratch_.text, pairs);
    text_.replace(from + kTag, pairs.size(), scratch_.text);
  }
  return Reason::None;
}

// Whether some origin may read a name as a name of the list; some ignore case.
bool KeyBuilder::may_be(std::string_view listed, std::string_view name) const {
  return http::NameReadings(http::NameKind::Parameter, name, scratch_.text).may_be(listed);
}

// Whether parsers that split at `;` find a field of the list inside of another field.
bool KeyBuilder::hides_field(const http::ListedNames& listed, std::string_view sent) const {
  return http::any_name_between_semicolons(
      sent, [&](std::string_view name) { return listed.read_as(name, scratch_.text) != 0; });
}

// Whether the coding is in the key: a reader that ignores codings sees a form without fields, and some read deflate
// without its zlib wrapper. JSON that is not decoded is not JSON.
bool KeyBuilder::counts_coding(const Content& what) const {
  if (!is_coded(input_.request)) return false;
  const auto coding = *input_.request.fields.value(FieldId::ContentEncoding);
  return what.fields || (what.body == Form::Pointers && http::has_member(coding, "deflate"));
}

// RFC 10008 section 2: the type of a QUERY's content is as much a part of the query as the content is, and so are its
// other representation metadata. Their places stand even when they are empty.
void KeyBuilder::content_type(const Content& what) {
  const auto& fields = input_.request.fields;
  const bool typed = fields.has(FieldId::ContentType), coded = counts_coding(what);
  if (!typed && !coded) return note_absent("content_type", {});
  text_ += "|m:";
  const auto from = text_.size();
  if (typed) append_escaped(text_, scratch_.type, kInPart);
  if (input_.request.method == http::Method::Query) {
    text_ += ';';
    members(FieldId::ContentEncoding);
    text_ += ';';
    members(FieldId::ContentLanguage);
  } else if (coded) {
    // Behind `;` a type has no word without `=`.
    text_ += ';';
    members(FieldId::ContentEncoding);
  }
  note("content_type", {}, from);
}

}  // namespace forebay::cache
