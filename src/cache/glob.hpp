#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::cache {

/// A pattern in which `*` stands for any text, for many long texts of strangers: a comparison takes time for each byte
/// of the text once, whatever both are.
class Glob {
 public:
  Glob() = default;
  explicit Glob(std::string_view pattern);
  bool matches(std::string_view text) const noexcept;

 private:
  /// A literal part, and how much of it is still there after a byte that does not fit (Knuth, Morris and Pratt).
  struct Piece {
    std::string text;
    std::vector<std::uint32_t> rest;
    /// The place behind its first occurrence; npos: there is none.
    std::size_t end_in(std::string_view in) const noexcept;
  };

  bool starred_ = false;
  std::string first_, last_;  // anchored; without a star all is in `first_`
  std::vector<Piece> between_;
};

}  // namespace forebay::cache
