#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace forebay::content {

// A byte is plain when it is ASCII and needs no escape in a JSON string: from 0x20 to 0x7F, neither `"` nor `\`.
// `plain_run` gives how many of the kPlainBlock bytes from `at` on are plain before the first that is not.

#if defined(__SSE2__)

inline constexpr unsigned kPlainBlock = 16;

inline unsigned plain_run(const char* at) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  // As signed numbers bytes from 0x80 on are below 0x20 too; the mask is made of the signs.
  const __m128i low = _mm_subs_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const int found = _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
  return static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(found) | 1U << kPlainBlock));
}

#else

inline constexpr unsigned kPlainBlock = 8;

inline unsigned plain_run(const char* at) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
  // The high bit of each byte that is not plain. Bits above the lowest one that is set may be wrong, as subtracting
  // borrows from the bytes above.
  const auto zero = [](std::uint64_t x) { return (x - kOnes) & ~x; };
  const std::uint64_t found =
      (bytes | (bytes - kOnes * 0x20) | zero(bytes ^ kOnes * '"') | zero(bytes ^ kOnes * '\\')) & kHighs;
  return found == 0 ? kPlainBlock : static_cast<unsigned>(std::countr_zero(found)) / 8;
}

#endif

}  // namespace forebay::content
