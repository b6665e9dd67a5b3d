#include "config_hash.hpp"

#include "forebay/base/hash.hpp"
#include "forebay/config/load.hpp"

namespace forebay::admin {

const std::string& ConfigHash::of(const config::ConfigPtr& config) {
  const bool same = !made_of_.owner_before(config) && !config.owner_before(made_of_);
  if (!same || hash_.empty()) {
    hash_ = sha256_hex(config::print(*config));
    made_of_ = config;
  }
  return hash_;
}

}  // namespace forebay::admin
