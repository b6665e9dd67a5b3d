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

using Sha256 = std::array<unsigned char, 32>;

// Fetching an algorithm and making a context cost more than hashing a short text does, so a thread does both once.
class Sha256Context {
 public:
  Sha256Context() : md_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {}
  Sha256Context(const Sha256Context&) = delete;
  ~Sha256Context() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(md_);
  }
  bool hash(std::string_view bytes, Sha256& out) noexcept {
    return md_ && context_ && EVP_DigestInit_ex2(context_, md_, nullptr) == 1 &&
           EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1 &&
           EVP_DigestFinal_ex(context_, out.data(), nullptr) == 1;
  }

 private:
  EVP_MD* md_;
  EVP_MD_CTX* context_;
};

Sha256 sha256(std::string_view bytes) {
  thread_local Sha256Context context;
  Sha256 out{};
  if (!context.hash(bytes, out)) throw std::system_error(std::make_error_code(std::errc::not_enough_memory), "SHA-256");
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
