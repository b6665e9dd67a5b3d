#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/http/names.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::rules {

using http::FieldId;

CredentialGuard::CredentialGuard(std::span<const std::string> names) {
  for (const std::string& name : names) {
    if (name.empty()) continue;
    const auto id = http::field_id(name);
    if (id != FieldId::Other) {
      known_.set(static_cast<std::size_t>(id));
      continue;
    }
    auto low = lower_case(name);
    // A name that does not begin with a letter may have other spellings.
    if (is_lower(low.front()))
      first_letters_.set(static_cast<unsigned char>(low.front()));
    else
      first_letters_.set();
    if (std::find(others_.begin(), others_.end(), low) == others_.end()) others_.push_back(std::move(low));
  }
}

bool CredentialGuard::has(const http::Field& field) const {
  if (field.id != FieldId::Other) return has(field.id);
  const auto first = static_cast<unsigned char>(field.name.empty() ? '\0' : to_lower(field.name.front()));
  return first_letters_.test(first) && http::may_be_read_as_any(http::NameKind::Field, field.name, others_);
}

std::vector<std::string> CredentialGuard::names() const {
  std::vector<std::string> all = others_;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (!known_.test(i)) continue;
    all.push_back(lower_case(http::field_name(static_cast<FieldId>(i))));
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace forebay::rules
