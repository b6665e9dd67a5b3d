#pragma once

#include <string>

namespace forebay::admin {

/// What this program was made of.
struct Build {
  std::string version, revision, compiler, boost;
};
const Build& build();
/// {"version":...,"revision":...,"compiler":...,"boost":...}
std::string build_json();

}  // namespace forebay::admin
