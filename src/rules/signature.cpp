#include "forebay/rules/signature.hpp"

#include <algorithm>

#include "forebay/http/list.hpp"
#include "forebay/http/target.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;

bool has_signed_scheme(std::string_view credentials, const Policy& policy) noexcept {
  const auto scheme = credentials.substr(0, credentials.find_first_of(" \t"));
  return std::any_of(policy.signed_schemes.begin(), policy.signed_schemes.end(),
                     [&](const std::string& glob) { return http::glob_match(glob, scheme, true); });
}

// Names in a SignedHeaders parameter are separated by semicolons, usually written `%3B`.
bool names_condition(std::string_view value) noexcept {
  while (!value.empty()) {
    const auto end = std::min(value.find_first_of(";%"), value.size());
    if (is_condition(http::field_id(value.substr(0, end)))) return true;
    value.remove_prefix(end);
    const bool escaped = value.size() >= 3 && value[0] == '%' && value[1] == '3' && (value[2] | 0x20) == 'b';
    value.remove_prefix(std::min<std::size_t>(escaped ? 3 : 1, value.size()));
  }
  return false;
}

bool is_query_signed_over_conditions(std::string_view target) noexcept {
  const auto query = target.find('?');
  if (query == std::string_view::npos) return false;
  bool is_signed = false;
  http::for_each_query_pair(target.substr(query + 1), [&](const http::QueryPair& pair) {
    const bool names =
        http::iequals(pair.name, "X-Amz-SignedHeaders") || http::iequals(pair.name, "X-Goog-SignedHeaders");
    is_signed = is_signed || (names && names_condition(pair.value.value_or("")));
  });
  return is_signed;
}

}  // namespace

bool is_condition(FieldId id) noexcept {
  switch (id) {
    case FieldId::Range:
    case FieldId::IfRange:
    case FieldId::IfMatch:
    case FieldId::IfNoneMatch:
    case FieldId::IfModifiedSince:
    case FieldId::IfUnmodifiedSince: return true;
    default: return false;
  }
}

bool is_signed(const http::RequestView& request, const Policy& policy) noexcept {
  bool conditional = false;
  for (const http::Field& f : request.fields) {
    if (f.id == FieldId::Authorization && has_signed_scheme(f.value, policy)) return true;
    if (f.id == FieldId::Other && (http::iequals(f.name, "Signature-Input") || http::iequals(f.name, "Signature")))
      return true;
    conditional = conditional || is_condition(f.id);
  }
  return conditional && is_query_signed_over_conditions(request.target);
}

}  // namespace forebay::rules
