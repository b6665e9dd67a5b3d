#include "forebay/base/hash.hpp"

#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace forebay {
namespace {

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const auto b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
}

void fill_random(std::span<unsigned char> out) {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    // Possible only on a kernel without the call; a predictable seed would be worse than no start.
    if (n < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

std::uint64_t draw_seed() {
  std::array<unsigned char, 8> bytes{};
  fill_random(bytes);
  std::uint64_t seed = 0;
  for (const auto b : bytes) seed = seed << 8 | b;
  return seed;
}

const std::uint64_t kSeed = draw_seed();

}  // namespace

Digest digest_of(std::string_view bytes) noexcept {
  const auto h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

std::uint64_t table_hash(std::string_view bytes) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), kSeed);
}

std::string to_hex(const Digest& d) {
  std::array<unsigned char, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(d.hi >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(d.lo >> (56 - 8 * i));
  }
  std::string out;
  out.reserve(32);
  append_hex(out, bytes);
  return out;
}

std::string sha256_hex(std::string_view bytes, std::size_t digits) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> md{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), md.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::system_error(std::make_error_code(std::errc::not_enough_memory), "SHA-256");
  std::string out;
  append_hex(out, std::span(md).first(size));
  out.resize(std::min(digits, out.size()));
  return out;
}

std::string random_hex(std::size_t n) {
  std::string raw(n, '\0');
  const std::span bytes(reinterpret_cast<unsigned char*>(raw.data()), n);
  fill_random(bytes);
  std::string out;
  out.reserve(2 * n);
  append_hex(out, bytes);
  return out;
}

}  // namespace forebay
