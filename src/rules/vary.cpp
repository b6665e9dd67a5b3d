#include "forebay/rules/vary.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "forebay/base/text.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "forebay/http/list.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;

// Marks in a secondary key. A field value has no control byte except the tab, so these need no escapes.
constexpr char kAbsent = '\x01';
constexpr char kPresent = '\x02';
constexpr char kEnd = '\n';
constexpr char kNormal = '\x03';  // a normal form follows, which no client can send as such

// The value without white space around commas; inside quoted strings nothing changes.
void append_without_list_blanks(std::string_view value, std::string& out) {
  bool quoted = false;
  bool behind_comma = true;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quoted) {
      out.push_back(c);
      if (c == '\\' && i + 1 < value.size())
        out.push_back(value[++i]);
      else if (c == '"')
        quoted = false;
      continue;
    }
    if (is_blank(c) && behind_comma) continue;
    if (c == ',') {
      while (!out.empty() && is_blank(out.back())) out.pop_back();
    }
    out.push_back(c);
    quoted = c == '"';
    behind_comma = c == ',';
  }
  while (!out.empty() && is_blank(out.back())) out.pop_back();
}

// Accept-Language in one form: lower case, by falling weight, then by name. Among equal weights order means nothing
// (RFC 9110 section 12.5.4). False for too many members, or an invalid language range.
bool append_normal_languages(std::string_view value, std::string& out) {
  std::array<http::Weighted, 32> languages;
  std::size_t n = 0;
  bool usual = true;
  http::for_each_member(value, [&](std::string_view member) {
    const auto language = n < languages.size() ? http::read_weighted(member) : std::nullopt;
    usual = language.has_value();
    if (usual) languages[n++] = *language;
    return usual;
  });
  if (!usual) return false;
  out.push_back(kNormal);
  const auto first = languages.begin();
  std::sort(first, first + static_cast<std::ptrdiff_t>(n), http::preferred);
  const auto last = std::unique(first, first + static_cast<std::ptrdiff_t>(n), [](const auto& a, const auto& b) {
    return a.weight == b.weight && http::iequals(a.token, b.token);
  });
  for (auto l = first; l != last; ++l) {
    if (l != first) out.push_back(',');
    append_lower(out, l->token);
    if (l->weight != 1000) out.append(";").append(std::to_string(l->weight));
  }
  return true;
}

bool append_normal_codings(std::string_view value, std::string& out) {
  out.push_back(kNormal);
  if (http::append_normal_accept_encoding(value, out)) return true;
  out.pop_back();
  return false;
}

void append_value(FieldId id, std::string_view value, std::string& out) {
  if (id == FieldId::AcceptEncoding && append_normal_codings(value, out)) return;
  if (id == FieldId::AcceptLanguage && append_normal_languages(value, out)) return;
  append_without_list_blanks(value, out);
}

}  // namespace

VaryList read_vary(http::FieldsView response_fields) {
  VaryList list;
  for (const http::Field& f : response_fields) {
    if (f.id != FieldId::Vary) continue;
    http::for_each_member(f.value, [&](std::string_view member) {
      // An invalid field name cannot be compared, so it is treated like "*".
      if (member == "*" || !http::is_token(member)) {
        list.any = true;
        return;
      }
      list.names.push_back(lower_case(member));
    });
  }
  std::sort(list.names.begin(), list.names.end());
  list.names.erase(std::unique(list.names.begin(), list.names.end()), list.names.end());
  if (list.names.size() > kMostVaryNames) list.any = true;
  return list;
}

std::vector<std::optional<std::string>> secondary_values(std::string_view secondary) {
  std::vector<std::optional<std::string>> values;
  while (!secondary.empty()) {
    const bool present = secondary.front() == kPresent;
    const auto end = std::min(secondary.find(kEnd), secondary.size());
    auto value = secondary.substr(1, end - 1);
    if (value.starts_with(kNormal)) value.remove_prefix(1);
    values.push_back(present ? std::optional(std::string(value)) : std::nullopt);
    secondary.remove_prefix(std::min(end + 1, secondary.size()));
  }
  return values;
}

void append_secondary_key(const std::vector<std::string>& names, http::FieldsView request_fields, std::string& out) {
  std::string scratch;
  for (const std::string& name : names) {
    const FieldId id = http::field_id(name);
    const auto value =
        id == FieldId::Other ? request_fields.combined(name, scratch) : request_fields.combined(id, scratch);
    out.push_back(value ? kPresent : kAbsent);
    if (value) append_value(id, *value, out);
    out.push_back(kEnd);
  }
}

}  // namespace forebay::rules
