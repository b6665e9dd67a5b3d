#include <utility>

#include "forebay/content/coding.hpp"
#include "forebay/content/media_type.hpp"
#include "forebay/rules/cache_control.hpp"
#include "key_builder.hpp"

// The parts of a key that are made of a request's content.

namespace forebay::cache {
namespace {

using http::FieldId;
using rules::Reason;

// As the configuration says it, or as it is understood where it says nothing.
BodyMode body_mode(const KeySpec& spec, http::Method method) noexcept {
  if (spec.body != BodyMode::Unset) return spec.body;
  return is_bodiless(method) || !spec.form.empty() ? BodyMode::None : BodyMode::All;
}

bool keys_content(const KeySpec& spec, http::Method method) noexcept {
  if (spec.graphql && method == http::Method::Post) return true;
  // A GraphQL request by GET stands in the query.
  if (spec.graphql && (method == http::Method::Get || method == http::Method::Head)) return false;
  return !spec.form.empty() || body_mode(spec, method) != BodyMode::None;
}

// The one Content-Type; nothing without one, with several, and for an empty one.
std::optional<std::string_view> only_type(http::FieldsView fields) noexcept {
  const auto* type = fields.find(FieldId::ContentType);
  if (!type || type->value.empty() || fields.count(FieldId::ContentType) != 1) return std::nullopt;
  return type->value;
}

Reason reason_of(Errc error) noexcept {
  return error == Errc::TooLarge ? Reason::BodyTooLarge : Reason::BodyUnparsable;
}

}  // namespace

ContentUse content_use(const KeySpec& spec, http::Method method, bool has_content) noexcept {
  if (!has_content) return ContentUse::None;
  if (keys_content(spec, method)) return ContentUse::Keyed;
  return is_bodiless(method) ? ContentUse::Unexpected : ContentUse::Declared;
}

rules::UnkeyedContent unkeyed(ContentUse use) noexcept {
  switch (use) {
    case ContentUse::Declared:
      return rules::UnkeyedContent::Declared;
    case ContentUse::Unexpected:
      return rules::UnkeyedContent::Unexpected;
    case ContentUse::None:
    case ContentUse::Keyed:
      break;
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

Reason KeyBuilder::content(const Content& what) {
  if (input_.request.method == http::Method::Query && !only_type(input_.request.fields)) return Reason::BodyUnparsable;
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

// The bytes as sent, under the codings that they are sent in.
void KeyBuilder::raw(std::string_view content) {
  text_ += "|b:";
  const auto from = text_.size();
  members(FieldId::ContentEncoding);
  if (text_.size() != from) text_ += ':';
  append_sha256_hex(text_, content, 32);
  note("body", {}, from);
}

// Undoes the Content-Encoding: what is read is what the origin reads.
Reason KeyBuilder::decoded(std::string_view& content) {
  const auto coding = input_.request.fields.combined(FieldId::ContentEncoding, scratch_.text);
  if (!coding || coding->empty() || http::iequals(*coding, "identity")) return Reason::None;
  if (!spec_.decode) return Reason::BodyUnparsable;
  const auto done = content::decode(*coding, content, static_cast<std::size_t>(spec_.body_max), scratch_.content);
  if (!done) return reason_of(done.error());
  content = scratch_.content;
  return Reason::None;
}

Reason KeyBuilder::pointers(std::string_view content) {
  auto& json = scratch_.json;
  if (const auto read = json.read(content, spec_.pointers, spec_.numbers); !read) return Reason::BodyUnparsable;
  text_ += "|b:";
  bool first = true;
  for (std::size_t i = 0; i < spec_.pointers.size(); ++i) {
    const auto& pointer = spec_.pointers[i].text();
    const auto value = json.value(i);
    if (!value) {
      note_absent("body", pointer);
      continue;
    }
    if (!std::exchange(first, false)) text_ += ' ';
    append_escaped(text_, pointer, kInPiece);
    text_ += '=';
    const auto from = text_.size();
    append_escaped(text_, *value, kInPart);
    note("body", pointer, from);
  }
  return Reason::None;
}

Reason KeyBuilder::form(std::string_view content) {
  const auto type = only_type(input_.request.fields);
  if (!type || !content::is_type(*type, "application/x-www-form-urlencoded")) return Reason::BodyUnparsable;
  auto& fields = scratch_.fields;
  if (!content::read_form(content, scratch_.form, fields)) return Reason::BodyUnparsable;
  bool first = true;
  for (const auto& name : spec_.form) {
    bool found = false;
    for (const auto& field : fields) {
      if (field.name != name) continue;
      found = true;
      text_ += std::exchange(first, false) ? "|f:" : "&";
      pair("form", field.name, field.value);
    }
    if (!found) note_absent("form", name);
  }
  return Reason::None;
}

}  // namespace forebay::cache
