#include "rules/bypass.hpp"

#include <algorithm>

#include "forebay/http/cookie.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "rules/condition_value.hpp"

namespace forebay::rules {
namespace {

using Asked = std::vector<NamedCondition>;
using http::NameKind;

template <class F>
bool any(const Asked& asked, F&& bypasses) {
  return std::any_of(asked.begin(), asked.end(), bypasses);
}

bool may_meet(const ValueCondition& asked, std::string_view text) noexcept {
  return text_meets(asked.globs, text) != Verdict::No;
}

bool asks_for_value(const NamedCondition& asked) noexcept { return !asked.value.globs.empty(); }
bool asks_to_be_there(const NamedCondition& asked) noexcept { return asked.value.present || asks_for_value(asked); }

// Fields of the connection are removed before rules apply. Other spellings of a name are never forwarded. Members of a
// list in one line are also checked.
bool by_header(const NamedCondition& asked, http::FieldsView fields) {
  bool there = false, meets = false;
  for (const auto& f : fields) {
    if (http::is_hop_by_hop(f.id) || !http::glob_match(asked.name, f.name, true)) continue;
    there = true;
    meets = meets || asked.value.present;
    if (!asks_for_value(asked) || meets) continue;
    meets = may_meet(asked.value, f.value);
    http::for_each_piece(f.value, [&](std::string_view piece) { meets = meets || may_meet(asked.value, piece); });
  }
  return meets || (!there && asked.value.absent);
}

// Whether some parser finds a cookie in the line that bypasses by its presence. In a line that parsers disagree on, any
// value is possible.
bool by_cookie_name(const Asked& asked, std::string_view line) {
  const bool plain = http::is_plain_cookie_line(line);
  return http::any_cookie_name(line, [&](std::string_view name) {
    std::string buffer;
    const http::NameReadings sent(NameKind::Cookie, name, buffer);
    return any(asked, [&](const auto& a) {
      return (a.value.present || (asks_for_value(a) && !plain)) && sent.may_be(a.name);
    });
  });
}

bool may_meet_in_cookie(const ValueCondition& asked, std::string_view value) {
  if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  if (may_meet(asked, value)) return true;
  if (value.find_first_of("%+") == std::string_view::npos) return false;
  std::string decoded;  // as PHP and Express read it
  return !decode_value({{}, value}, decoded) || may_meet(asked, decoded);
}

bool by_cookie_value(const NamedCondition& asked, http::FieldsView fields) {
  bool meets = false;
  http::for_each_cookie(fields, [&](const http::CookiePair& cookie) {
    meets = meets || (http::may_be_read_as(NameKind::Cookie, cookie.name, asked.name) &&
                      may_meet_in_cookie(asked.value, cookie.value));
  });
  return meets;
}

bool has_cookie(const NamedCondition& asked, http::FieldsView fields) {
  const auto is = [&](std::string_view name) { return http::may_be_read_as(NameKind::Cookie, name, asked.name); };
  return std::any_of(fields.begin(), fields.end(), [&](const http::Field& f) {
    return f.id == http::FieldId::Cookie && http::any_cookie_name(f.value, is);
  });
}

bool by_cookie(const Asked& asked, http::FieldsView fields) {
  const bool named = std::any_of(fields.begin(), fields.end(), [&](const http::Field& f) {
    return f.id == http::FieldId::Cookie && by_cookie_name(asked, f.value);
  });
  return named || any(asked, [&](const auto& a) {
           return (asks_for_value(a) && by_cookie_value(a, fields)) || (a.value.absent && !has_cookie(a, fields));
         });
}

bool has_parameter(const NamedCondition& asked, std::string_view query) {
  return http::any_parameter_name(
      query, [&](std::string_view name) { return http::may_be_read_as(NameKind::Parameter, name, asked.name); });
}

bool by_query(const Asked& asked, std::string_view query) {
  bool meets = false;
  std::string buffer, value;
  const auto is_asked = [&](std::string_view name) {
    const http::NameReadings sent(NameKind::Parameter, name, buffer);
    return any(asked, [&](const auto& a) { return asks_to_be_there(a) && sent.may_be(a.name); });
  };
  const auto may_be_asked = [&](const NamedCondition& a, const http::QueryPair& pair) {
    return a.value.present || (asks_for_value(a) && (!decode_value(pair, value) || may_meet(a.value, value)));
  };
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    if (meets) return;
    const http::NameReadings sent(NameKind::Parameter, pair.name, buffer);
    meets = any(asked, [&](const auto& a) { return sent.may_be(a.name) && may_be_asked(a, pair); }) ||
            http::any_name_between_semicolons(http::whole_pair(pair), is_asked);
  });
  return meets || any(asked, [&](const auto& a) { return a.value.absent && !has_parameter(a, query); });
}

}  // namespace

Reason bypass_reason(const http::RequestView& request, std::optional<std::string_view> query,
                     const Policy::Bypass& bypass) {
  if (any(bypass.headers, [&](const auto& a) { return by_header(a, request.fields); })) return Reason::RuleHeader;
  if (!bypass.cookies.empty() && by_cookie(bypass.cookies, request.fields)) return Reason::RuleCookie;
  if (!bypass.query.empty() && by_query(bypass.query, query.value_or(std::string_view()))) return Reason::RuleQuery;
  return Reason::None;
}

}  // namespace forebay::rules
