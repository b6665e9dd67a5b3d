#pragma once

#include <memory>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "forebay/config/config.hpp"

namespace forebay::config {

/// One segment of a path pattern.
struct PatternSegment {
  enum class Kind : std::uint8_t {
    Literal,
    Glob,        ///< `*.png`: zero or more bytes within the segment for each `*`.
    Capture,     ///< `{id}`: one segment, not empty.
    Rest,        ///< `{rest+}`: one or more segments, up to the end.
    AnySegments  ///< `**`: zero or more segments.
  };
  Kind kind = Kind::Literal;
  std::string text;  ///< Of literals and globs, in the normal form of request paths.

  bool matches(std::string_view segment) const noexcept;
};

struct PathPattern::Compiled {
  std::string text;
  std::vector<std::string> captures;
  std::vector<PatternSegment> segments;  ///< Empty for a regular expression.
  std::unique_ptr<re2::RE2> regex;
  std::vector<int> groups;  ///< Of the regular expression: the number of each capture.
};

/// What the route table sorts by.
struct PatternView {
  const std::vector<PatternSegment>* segments;  ///< Null for a regular expression.
  static PatternView of(const PathPattern& pattern) noexcept;
};

}  // namespace forebay::config
