#include "forebay/rules/invalidation.hpp"

#include <algorithm>

#include "forebay/http/target.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules {
namespace {

// Not a read by the route's rules: `bypass`, or an unclear `match`.
bool is_of_rules(Reason not_looked_up) noexcept {
  switch (not_looked_up) {
    case Reason::RuleHeader:
    case Reason::RuleCookie:
    case Reason::RuleQuery:
    case Reason::RuleBody:
    case Reason::MatchHeader:
    case Reason::MatchQuery:
    case Reason::MatchBody: return true;
    default: return false;
  }
}

}  // namespace

bool may_change(http::Method method, std::string_view method_text, Reason not_looked_up,
                const Policy& policy) noexcept {
  if (http::is_safe(method)) return false;
  const bool read = policy.cache && !is_of_rules(not_looked_up) && lists_method(policy, method, method_text);
  return !read;
}

bool is_write(http::Method method, std::string_view method_text, Reason not_looked_up, const Policy& policy) noexcept {
  return policy.invalidate_on_write && may_change(method, method_text, not_looked_up, policy);
}

std::vector<std::string> invalidated_targets(http::Method method, std::string_view scheme, std::string_view host,
                                             std::string_view target, const http::ResponseView& response) {
  std::vector<std::string> targets;
  if (http::is_safe(method) || response.status < 200 || response.status >= 400) return targets;
  targets.emplace_back(target);
  for (const http::Field& f : response.fields) {
    // The Location of a redirect is not invalidated: a login that redirects to the front page does not change it.
    const bool names =
        f.id == http::FieldId::ContentLocation || (f.id == http::FieldId::Location && response.status < 300);
    if (!names) continue;
    auto other = http::same_origin_target(f.value, scheme, host, target);
    if (other && std::find(targets.begin(), targets.end(), *other) == targets.end()) {
      targets.push_back(std::move(*other));
    }
  }
  return targets;
}

}  // namespace forebay::rules
