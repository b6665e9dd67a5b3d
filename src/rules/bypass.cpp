#include "rules/bypass.hpp"

#include <algorithm>

#include "forebay/content/form.hpp"
#include "forebay/http/cookie.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/target.hpp"

namespace forebay::rules {
namespace {

using Globs = std::vector<std::string>;

bool any_matches(const Globs& globs, std::string_view name, bool icase) noexcept {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return http::glob_match(glob, name, icase); });
}

// Fields of the connection say nothing about the resource; they are gone before rules are asked.
bool by_header(const Globs& globs, http::FieldsView fields) noexcept {
  return std::any_of(fields.begin(), fields.end(), [&](const http::Field& f) {
    return !http::is_hop_by_hop(f.id) && any_matches(globs, f.name, true);
  });
}

bool by_cookie(const Globs& globs, http::FieldsView fields) {
  bool found = false;
  http::for_each_cookie(fields, [&](const http::CookiePair& c) { found = found || any_matches(globs, c.name, false); });
  return found;
}

// As an origin reads it, so that `%70review` does not slip past `preview`. What no reader of forms can decode matches
// as it was sent.
std::string_view decoded(std::string_view name, std::string& buffer) {
  if (name.find_first_of("%+") == std::string_view::npos) return name;
  buffer.clear();
  return content::append_form_decoded(name, buffer) ? std::string_view(buffer) : name;
}

bool by_query(const Globs& globs, std::string_view query) {
  thread_local std::string buffer;
  bool found = false;
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    found = found || any_matches(globs, decoded(pair.name, buffer), false);
  });
  return found;
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
