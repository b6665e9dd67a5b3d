#include "rules/bypass.hpp"

#include <algorithm>

#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"

namespace forebay::rules {
namespace {

using Globs = std::vector<std::string>;
using http::NameKind;

// Fields of the connection say nothing about the resource; they are gone before rules are asked. Other spellings of a
// name reach no origin.
bool by_header(const Globs& globs, http::FieldsView fields) noexcept {
  return std::any_of(fields.begin(), fields.end(), [&](const http::Field& f) {
    return !http::is_hop_by_hop(f.id) && std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
      return http::glob_match(glob, f.name, true);
    });
  });
}

bool by_cookie(const Globs& globs, http::FieldsView fields) {
  const auto bypasses = [&](std::string_view name) { return http::may_be_read_as_any(NameKind::Cookie, name, globs); };
  return std::any_of(fields.begin(), fields.end(), [&](const http::Field& f) {
    return f.id == http::FieldId::Cookie && http::any_cookie_name(f.value, bypasses);
  });
}

bool by_query(const Globs& globs, std::string_view query) {
  return http::any_parameter_name(
      query, [&](std::string_view name) { return http::may_be_read_as_any(NameKind::Parameter, name, globs); });
}

}  // namespace

Reason bypass_reason(const http::RequestView& request, std::optional<std::string_view> query,
                     const Policy::Bypass& bypass) {
  if (!bypass.headers.empty() && by_header(bypass.headers, request.fields)) return Reason::RuleHeader;
  if (!bypass.cookies.empty() && by_cookie(bypass.cookies, request.fields)) return Reason::RuleCookie;
  if (!bypass.query.empty() && query && by_query(bypass.query, *query)) return Reason::RuleQuery;
  return Reason::None;
}

}  // namespace forebay::rules
