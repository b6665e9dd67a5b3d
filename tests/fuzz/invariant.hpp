#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace forebay::fuzz {

/// Ends the program, also in a release build, when something that always holds does not. (std::source_location is not
/// there for clang 14 with the library of g++ 12.)
inline void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: an invariant does not hold\n", file, line);
  std::abort();
}

/// Bytes in a block of exactly their size, so that AddressSanitizer sees the first one read behind them.
class Exact {
 public:
  explicit Exact(std::string_view bytes) : block_(new char[bytes.size()]), size_(bytes.size()) {
    if (size_ > 0) std::memcpy(block_.get(), bytes.data(), size_);
  }
  std::string_view view() const noexcept { return {block_.get(), size_}; }

 private:
  std::unique_ptr<char[]> block_;
  std::size_t size_;
};

inline bool lies_within(std::string_view part, std::string_view whole) noexcept {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

inline std::string_view as_text(const unsigned char* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace forebay::fuzz
