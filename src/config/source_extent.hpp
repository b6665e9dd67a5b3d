#pragma once

#include <string_view>

#include "config/node.hpp"

namespace forebay::config {

/// How far the caret underlines. yaml-cpp tells where a node begins (its anchor and tag included), not where it ends,
/// so the line is read once more. `text` is the scalar as yaml-cpp gave it. Columns in bytes from 1.
Place extent_of_scalar(std::string_view line, Place begin, std::string_view text);
Place extent_of_collection(std::string_view line, Place begin);
Place extent_of_alias(std::string_view line, Place begin);

}  // namespace forebay::config
