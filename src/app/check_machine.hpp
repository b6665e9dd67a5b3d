#pragma once

#include "config_source.hpp"
#include "forebay/base/clock.hpp"

namespace forebay::app {

/// The configuration with everything that `forebay check` finds without asking an origin: what is wrong with it, with
/// the certificates that it names, and what this machine lacks. May be called on any thread.
config::LoadResult check_on_this_machine(ConfigSource& source, const Clock& clock);

}  // namespace forebay::app
