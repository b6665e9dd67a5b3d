#pragma once

#include <string>
#include <vector>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/yaml_tree.hpp"

namespace forebay::config {

/// The tree of a configuration with the files that its `include` names: their routes stand before its own, in the
/// order of the list and of the files' names, and their policies beside its own. `file` is the configuration's path;
/// without one (empty, or `-`) the names are relative to the working directory.
NodePtr with_included(const NodePtr& root, const std::string& file, const Variables& variables, Report& report);

/// The files that a pattern matches, by name in the order of their bytes. Directories and what begins with a dot are
/// left out. False where a folder is missing or cannot be read.
bool files_of(const std::string& pattern, std::vector<std::string>& files);

}  // namespace forebay::config
