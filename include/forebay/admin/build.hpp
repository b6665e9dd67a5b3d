#pragma once

#include <string>

namespace forebay::admin {

/// Version and build information of this program.
struct Build {
  std::string version, revision, compiler, boost;
};
const Build& build();
/// {"version":...,"revision":...,"compiler":...,"boost":...}
std::string build_json();

}  // namespace forebay::admin
