#pragma once

#include <memory>
#include <string>

#include "forebay/config/config.hpp"

namespace forebay::admin {

/// The hash of the configuration in force as `GET /api/v1/config` shows it: secrets are not in it. Kept, since making
/// it prints the whole configuration.
class ConfigHash {
 public:
  const std::string& of(const config::ConfigPtr& config);

 private:
  std::weak_ptr<const config::Config> made_of_;
  std::string hash_;
};

}  // namespace forebay::admin
