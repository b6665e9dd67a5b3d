#include "support/content.hpp"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <openssl/sha.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace forebay::test {
namespace {

constexpr int kGzipWindow = MAX_WBITS + 16;  // as deflateInit2 has it: a gzip wrapper instead of zlib's

std::string deflated(std::string_view text, int window) {
  z_stream z{};
  if (::deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string out(::deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const auto result = ::deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  ::deflateEnd(&z);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

constexpr const char* kBroken = "(broken)";
constexpr std::size_t kMostDecoded = std::size_t{4} << 20;

std::string inflated(std::string_view bytes) {
  z_stream z{};
  if (::inflateInit2(&z, kGzipWindow) != Z_OK) throw std::runtime_error("inflateInit2");
  std::string out;
  std::array<char, 64 * 1024> buffer{};
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  int result = Z_OK;
  while (result == Z_OK) {
    z.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z.avail_out = static_cast<uInt>(buffer.size());
    result = ::inflate(&z, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - z.avail_out);
  }
  const bool whole = result == Z_STREAM_END && z.avail_in == 0;
  ::inflateEnd(&z);
  return whole ? out : kBroken;
}

std::string unbrotlied(std::string_view bytes) {
  std::string out(kMostDecoded, '\0');
  std::size_t size = out.size();
  if (::BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                                reinterpret_cast<std::uint8_t*>(out.data())) != BROTLI_DECODER_RESULT_SUCCESS)
    return kBroken;
  out.resize(size);
  return out;
}

std::string unzstded(std::string_view bytes) {
  const auto size = ::ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > kMostDecoded) return kBroken;
  std::string out(size, '\0');
  const auto made = ::ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  return ::ZSTD_isError(made) || made != size ? kBroken : out;
}

bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

std::string gzip(std::string_view text) { return deflated(text, kGzipWindow); }
std::string decoded(std::string_view coding, std::string_view bytes) {
  if (coding.empty()) return std::string(bytes);
  if (coding == "gzip") return inflated(bytes);
  if (coding == "br") return unbrotlied(bytes);
  return coding == "zstd" ? unzstded(bytes) : kBroken;
}

std::string zlib_deflate(std::string_view text) { return deflated(text, MAX_WBITS); }

std::string brotli(std::string_view text) {
  std::size_t size = ::BrotliEncoderMaxCompressedSize(text.size()) + 16;
  std::string out(size, '\0');
  if (::BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, text.size(),
                              reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                              reinterpret_cast<std::uint8_t*>(out.data())) != BROTLI_TRUE)
    throw std::runtime_error("brotli");
  out.resize(size);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  const auto size = ::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  if (::ZSTD_isError(size)) throw std::runtime_error("zstd");
  out.resize(size);
  return out;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const auto byte : digest) {
    std::array<char, 3> two;
    std::snprintf(two.data(), two.size(), "%02x", byte);
    hex += two.data();
  }
  return hex;
}

std::string chunked(std::string_view body, std::size_t chunk) {
  std::string all;
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    const auto piece = body.substr(0, chunk);
    std::array<char, 32> size;
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    all.append(size.data()).append(piece).append("\r\n");
  }
  return all + "0\r\n\r\n";
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    std::array<char, 4> three;
    std::snprintf(three.data(), three.size(), "%%%02X", static_cast<unsigned char>(c));
    out += three.data();
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace forebay::test
