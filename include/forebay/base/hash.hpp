#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace forebay {

/// A 128-bit hash (XXH3). Not collision resistant: for untrusted data, compare the data as well.
struct Digest {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

Digest digest_of(std::string_view bytes) noexcept;
/// Seeded with a random number at start, so that clients cannot choose collisions.
std::uint64_t table_hash(std::string_view bytes) noexcept;
/// 32 lower-case hex digits.
std::string to_hex(const Digest& d);
void append_hex(std::string& out, const Digest& d);
/// The first `digits` (at most 64) lower-case hex digits of the SHA-256 of `bytes`.
std::string sha256_hex(std::string_view bytes, std::size_t digits = 64);
/// Appends the same to `out`.
void append_sha256_hex(std::string& out, std::string_view bytes, std::size_t digits = 64);
/// A keyed digest (HMAC, RFC 2104) with SHA-256: 32 bytes, not text.
using Hmac = std::array<unsigned char, 32>;
Hmac hmac_sha256(std::string_view key, std::string_view bytes) noexcept;
/// Its bytes as a key or a text for the next one.
inline std::string_view bytes_of(const Hmac& hmac) noexcept {
  return {reinterpret_cast<const char*>(hmac.data()), hmac.size()};
}
/// 64 lower-case hex digits.
std::string to_hex(const Hmac& hmac);
/// The first 128 bits of the SHA-256: collision resistant, also for untrusted data.
Digest sha256_digest(std::string_view bytes);
/// `n` unpredictable bytes as lower-case hex; from the operating system.
std::string random_hex(std::size_t n);

}  // namespace forebay
