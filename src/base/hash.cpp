#include "forebay/base/hash.hpp"

// OpenSSL 3 calls the plain functions of a digest deprecated in favour of EVP, whose dispatch costs 0.2 us more each
// time: on a key over a small body that is a tenth of all.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "forebay/base/text.hpp"

namespace forebay {
namespace {

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
  auto at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const auto b : bytes) {
    out[at++] = kLowerHex[b >> 4];
    out[at++] = kLowerHex[b & 15];
  }
}

void fill_random(std::span<unsigned char> out) {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    // Only on a kernel without the call; a predictable seed is worse than a failed start.
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

using Sha256 = Hmac;

Sha256 sha256(std::string_view bytes) noexcept {
  Sha256 out;
  SHA256_CTX context;
  // They fail only for the length of another digest.
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(out.data(), &context);
  return out;
}

}  // namespace

Digest digest_of(std::string_view bytes) noexcept {
  const auto h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

std::uint64_t table_hash(std::string_view bytes) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), kSeed);
}

void append_hex(std::string& out, const Digest& d) {
  std::array<unsigned char, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(d.hi >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(d.lo >> (56 - 8 * i));
  }
  append_hex(out, bytes);
}

std::string to_hex(const Digest& d) {
  std::string out;
  out.reserve(32);
  append_hex(out, d);
  return out;
}

void append_sha256_hex(std::string& out, std::string_view bytes, std::size_t digits) {
  const auto hash = sha256(bytes);
  const auto whole = std::min(digits, 2 * hash.size());
  append_hex(out, std::span(hash).first((whole + 1) / 2));
  if (whole % 2 != 0) out.pop_back();
}

std::string sha256_hex(std::string_view bytes, std::size_t digits) {
  std::string out;
  append_sha256_hex(out, bytes, digits);
  return out;
}

Digest sha256_digest(std::string_view bytes) {
  const auto hash = sha256(bytes);
  Digest d;
  for (std::size_t i = 0; i < 8; ++i) {
    d.hi = d.hi << 8 | hash[i];
    d.lo = d.lo << 8 | hash[8 + i];
  }
  return d;
}

Hmac hmac_sha256(std::string_view key, std::string_view bytes) noexcept {
  constexpr std::size_t kBlock = 64;
  std::array<unsigned char, kBlock> padded{};
  if (key.size() > kBlock) {
    const auto hash = sha256(key);
    std::copy(hash.begin(), hash.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  const auto digest = [&padded](unsigned char pad, std::string_view message) {
    auto block = padded;
    for (auto& b : block) b ^= pad;
    Sha256 out;
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, block.data(), block.size());
    SHA256_Update(&context, message.data(), message.size());
    SHA256_Final(out.data(), &context);
    return out;
  };
  return digest(0x5c, bytes_of(digest(0x36, bytes)));
}

std::string to_hex(const Hmac& hmac) {
  std::string out;
  out.reserve(2 * hmac.size());
  append_hex(out, hmac);
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
