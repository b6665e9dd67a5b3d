#pragma once

#include "config/node.hpp"
#include "config/report.hpp"

// What the lines that diagnostics show must not tell. A value beside a key that Forebay does not know may be a secret
// whose key is mistyped, whatever its shape; so none of them is shown.

namespace forebay::config {

/// Hides the values of secrets, of unknown keys, of keys that stand twice, of keys of later versions and of what has
/// the wrong shape, wherever they stand in the tree.
void hide_values(const Node& root, Report& report);

/// The same for a text that could not be read as YAML, from this line on; by the look of its lines. Hides rather too
/// much: the value of every name that is no key of the table.
void hide_unread(Report& report, int first_line = 1);

}  // namespace forebay::config
