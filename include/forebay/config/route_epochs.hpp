#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "forebay/config/config.hpp"

namespace forebay::config {

/// Tells what is stored under an earlier form of a route from what is stored under the same form later. A purge or a
/// write finds what it names by the routes that there are; so a route whose key, hosts or path change, and come back
/// later, must not find what was stored before. Used by one thread.
class RouteEpochs {
 public:
  /// Takes the routes of the next configuration, and makes the fingerprints of their keys differ from those of earlier
  /// forms. Stored responses of routes that have not changed stay.
  void enter(Config& next);

 private:
  struct Route {
    std::uint64_t form = 0;   // of what purges and writes find it by
    std::uint64_t since = 0;  // the configuration that brought it
  };
  std::map<std::string, Route> routes_;
  std::uint64_t count_ = 0;
};

}  // namespace forebay::config
