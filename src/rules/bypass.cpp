#include "rules/bypass.hpp"

#include <algorithm>

#include "forebay/content/form.hpp"
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

// Readers do not agree where one cookie ends: some take a comma for a separator, some know quotes and some do not.
// Every name that one of them finds is a name here.
bool by_cookie(const Globs& globs, http::FieldsView fields) {
  for (const auto& field : fields) {
    if (field.id != http::FieldId::Cookie) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find_first_of(";,"), rest.size());
      auto name = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      name = http::trim(name.substr(0, name.find('=')));
      if (any_matches(globs, name, false)) return true;
    }
  }
  return false;
}

// Under each name that an origin may read it as, so that `%70review` does not slip past `preview`, nor
// `utm=1;preview=1`.
bool by_query(const Globs& globs, std::string_view query) {
  thread_local std::string buffer;
  const auto bypasses = [&](std::string_view name) {
    const content::NameReadings readings(name, buffer);
    return std::any_of(readings.begin(), readings.end(),
                       [&](std::string_view reading) { return any_matches(globs, reading, false); });
  };
  bool found = false;
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    found = found || bypasses(pair.name) || content::any_name_between_semicolons(http::whole_pair(pair), bypasses);
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
