#include "glob.hpp"

#include <cstring>

namespace forebay::cache {

Glob::Glob(std::string_view pattern) {
  auto star = pattern.find('*');
  starred_ = star != std::string_view::npos;
  first_ = pattern.substr(0, star);
  while (star != std::string_view::npos) {
    pattern.remove_prefix(star + 1);
    star = pattern.find('*');
    if (star == std::string_view::npos) break;
    if (star == 0) continue;
    auto& piece = between_.emplace_back();
    piece.text = pattern.substr(0, star);
    piece.rest.resize(star);
    for (std::size_t i = 1, same = 0; i < star; ++i) {
      while (same != 0 && piece.text[i] != piece.text[same]) same = piece.rest[same - 1];
      if (piece.text[i] == piece.text[same]) ++same;
      piece.rest[i] = static_cast<std::uint32_t>(same);
    }
  }
  if (starred_) last_ = pattern;
}

std::size_t Glob::Piece::end_in(std::string_view in) const noexcept {
  std::size_t same = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (same == 0) {
      const void* const next = std::memchr(in.data() + i, text[0], in.size() - i);
      if (!next) break;
      i = static_cast<std::size_t>(static_cast<const char*>(next) - in.data());
    } else {
      while (same != 0 && text[same] != in[i]) same = rest[same - 1];
    }
    if (text[same] == in[i]) ++same;
    if (same == text.size()) return i + 1;
  }
  return std::string_view::npos;
}

bool Glob::matches(std::string_view text) const noexcept {
  if (!starred_) return text == first_;
  if (text.size() < first_.size() + last_.size() || !text.starts_with(first_) || !text.ends_with(last_)) return false;
  auto left = text.substr(first_.size(), text.size() - first_.size() - last_.size());
  for (const auto& piece : between_) {
    const auto end = piece.end_in(left);
    if (end == std::string_view::npos) return false;
    left.remove_prefix(end);
  }
  return true;
}

}  // namespace forebay::cache
