#pragma once

#include <string>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/yaml_tree.hpp"

namespace forebay::config {

/// The tree of a configuration with the files that its `include` names: their routes stand before its own, in the
/// order of the list and of the files' names, and their policies beside its own. `file` is the configuration's path;
/// without one (empty, or `-`) the names are relative to the working directory.
NodePtr with_included(const NodePtr& root, const std::string& file, const Variables& variables, Report& report);

}  // namespace forebay::config
