#pragma once

#include <string>

namespace forebay::config {

/// The configuration, or a file that `include` names.
enum class SchemaOf { Configuration, IncludedFile };

/// The JSON Schema (draft 2020-12) of a file, made from the tables of keys. Editors check and complete by it. It
/// accepts what the parser accepts and more: bounds of durations and sizes, names and references are only described.
std::string json_schema(SchemaOf what);

}  // namespace forebay::config
