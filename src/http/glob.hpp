#pragma once

#include <string_view>

namespace forebay::http {

/// Whether the glob matches the text: `*` is any text. `same(a, b)` compares a character of the pattern with one of the
/// text; a character of the pattern that is `dropped(c)` does not count.
template <class Same, class Dropped>
bool match_glob(std::string_view pattern, std::string_view text, const Same& same, const Dropped& dropped) noexcept {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  const auto skip = [&] {
    while (p < pattern.size() && dropped(pattern[p])) ++p;
  };
  // Only the last star is retried: earlier ones cannot change the result.
  for (skip(); t < text.size(); skip()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && (pattern[p] == '*' || dropped(pattern[p]))) ++p;
  return p == pattern.size();
}

}  // namespace forebay::http
