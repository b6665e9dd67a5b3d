#include "forebay/base/suggest.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/text.hpp"

namespace forebay {
namespace {

constexpr std::size_t kLongestWord = 64;

}  // namespace

std::string snake_case(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size() && i < kLongestWord; ++i) {
    const char c = word[i];
    if (is_upper(c) && i > 0 && (is_lower(word[i - 1]) || is_digit(word[i - 1]))) out += '_';
    out += c == '-' || c == ' ' ? '_' : to_lower(c);
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestWord);
  b = b.substr(0, kLongestWord);
  // Three rows suffice for the swap of neighbours (optimal string alignment).
  std::array<std::array<std::size_t, kLongestWord + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  const auto written = snake_case(word);
  const auto limit = std::max<std::size_t>(1, written.size() / 3);
  std::optional<std::string> best;
  auto best_distance = limit + 1;
  for (const auto candidate : candidates) {
    const auto distance = edit_distance(written, snake_case(candidate));
    if (distance >= best_distance || candidate == word) continue;
    best_distance = distance;
    best = std::string(candidate);
  }
  return best;
}

}  // namespace forebay
