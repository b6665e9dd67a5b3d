#include "forebay/rules/invalidation.hpp"

#include <algorithm>

#include "forebay/http/target.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules {

bool is_write(http::Method method, std::string_view method_text, Reason not_looked_up, const Policy& policy) noexcept {
  if (!policy.invalidate_on_write || http::is_safe(method)) return false;
  const bool bypassed =
      not_looked_up == Reason::RuleHeader || not_looked_up == Reason::RuleCookie || not_looked_up == Reason::RuleQuery;
  const bool read = policy.cache && !bypassed && lists_method(policy, method, method_text);
  return !read;
}

std::vector<std::string> invalidated_targets(http::Method method, std::string_view scheme, std::string_view host,
                                             std::string_view target, const http::ResponseView& response) {
  std::vector<std::string> targets;
  if (http::is_safe(method) || response.status < 200 || response.status >= 400) return targets;
  targets.emplace_back(target);
  for (const http::Field& f : response.fields) {
    // The Location of a redirect only says where to go next: a login that leads to the front page changes nothing
    // there.
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
