#include "forebay/rules/invalidation.hpp"

#include <algorithm>

#include "forebay/http/target.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules {

bool is_write(http::Method method, std::string_view method_text, const Policy& policy) noexcept {
  return policy.invalidate_on_write && !http::is_safe(method) && !lists_method(policy, method, method_text);
}

std::vector<std::string> invalidated_targets(http::Method method, std::string_view scheme, std::string_view host,
                                             std::string_view target, const http::ResponseView& response) {
  std::vector<std::string> targets;
  if (http::is_safe(method) || response.status < 200 || response.status >= 400) return targets;
  targets.emplace_back(target);
  for (const http::Field& f : response.fields) {
    if (f.id != http::FieldId::Location && f.id != http::FieldId::ContentLocation) continue;
    auto other = http::same_origin_target(f.value, scheme, host, target);
    if (other && std::find(targets.begin(), targets.end(), *other) == targets.end()) {
      targets.push_back(std::move(*other));
    }
  }
  return targets;
}

}  // namespace forebay::rules
