#include "forebay/http/proxy_header.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "forebay/http/forwarding.hpp"

namespace forebay::http {
namespace {

using namespace std::string_view_literals;

constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr auto kWord = "PROXY "sv;
constexpr std::size_t kLongestLine = 107;  // with its CRLF
constexpr std::size_t kFixed = 16;         // of version 2

constexpr unsigned char kTypeCrc32c = 0x03, kTypeSsl = 0x20, kClientSsl = 0x01;

unsigned byte_at(std::string_view bytes, std::size_t i) noexcept { return static_cast<unsigned char>(bytes[i]); }
unsigned two_bytes(std::string_view bytes, std::size_t i) noexcept {
  return byte_at(bytes, i) << 8 | byte_at(bytes, i + 1);
}

// --- version 1 ---

// The text up to the next space, which is taken too; nothing where there is no space.
std::optional<std::string_view> take_word(std::string_view& rest) noexcept {
  const auto space = rest.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto word = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return word;
}

std::optional<std::uint16_t> read_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65535 ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
}

Result<ProxyHeader> read_line(std::string_view bytes) noexcept {
  const auto end = bytes.substr(0, kLongestLine).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() >= kLongestLine ? Errc::Malformed : Errc::Incomplete;
  ProxyHeader header;
  header.size = end + 2;
  auto rest = bytes.substr(kWord.size(), end - kWord.size());
  // What follows UNKNOWN is to be ignored.
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) return header;
  const auto family = take_word(rest), source = take_word(rest), destination = take_word(rest),
             source_port = take_word(rest);
  if (!source_port || (*family != "TCP4" && *family != "TCP6")) return Errc::Malformed;
  const bool v6 = *family == "TCP6";
  const auto fits = [v6](std::string_view text) { return (text.find(':') != std::string_view::npos) == v6; };
  const auto from = parse_ip(*source), to = parse_ip(*destination);
  const auto port = read_port(*source_port);
  if (!from || !to || !fits(*source) || !fits(*destination) || !port || !read_port(rest)) return Errc::Malformed;
  header.source = ProxyHeader::Source::Ip;
  header.ip = *from;
  header.port = *port;
  return header;
}

// --- version 2 ---

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}();

// CRC32C of the header, whose checksum at `zeroed` counts as zeros.
std::uint32_t crc32c(std::string_view header, std::size_t zeroed) noexcept {
  std::uint32_t crc = ~std::uint32_t{0};
  for (std::size_t i = 0; i < header.size(); ++i) {
    const unsigned byte = i >= zeroed && i < zeroed + 4 ? 0 : byte_at(header, i);
    crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xFF];
  }
  return ~crc;
}

// The additions, each a type, a length and a value. False when they do not fill the header exactly, or the checksum is
// wrong.
bool read_additions(std::string_view whole, std::size_t at, ProxyHeader& header) noexcept {
  bool summed = false;
  while (at < whole.size()) {
    if (whole.size() - at < 3) return false;
    const unsigned type = byte_at(whole, at);
    const std::size_t length = two_bytes(whole, at + 1), value = at + 3;
    if (whole.size() - value < length) return false;
    at = value + length;
    if (type == kTypeCrc32c) {
      if (length != 4 || summed) return false;
      summed = true;
      const auto sum = std::uint32_t{two_bytes(whole, value)} << 16 | two_bytes(whole, value + 2);
      if (sum != crc32c(whole, value)) return false;
    } else if (type == kTypeSsl) {
      if (length < 5) return false;
      header.tls = (byte_at(whole, value) & kClientSsl) != 0;
    }
  }
  return true;
}

Result<ProxyHeader> read_binary(std::string_view bytes) noexcept {
  if (bytes.size() < kFixed) {
    // A wrong version is told at once.
    return bytes.size() > 12 && byte_at(bytes, 12) >> 4 != 2 ? Errc::Malformed : Errc::Incomplete;
  }
  const unsigned version = byte_at(bytes, 12) >> 4, command = byte_at(bytes, 12) & 15;
  if (version != 2 || command > 1) return Errc::Malformed;
  const std::size_t length = two_bytes(bytes, 14);
  if (kFixed + length > kMostProxyHeader) return Errc::TooLarge;
  if (bytes.size() < kFixed + length) return Errc::Incomplete;
  const auto whole = bytes.substr(0, kFixed + length);
  ProxyHeader header;
  header.size = whole.size();
  if (command == 0) {
    header.source = ProxyHeader::Source::Balancer;
    return header;
  }
  // Family and transport: UNSPEC, or a stream over IPv4, IPv6 or a Unix socket.
  std::size_t addresses = 0;
  switch (byte_at(whole, 13)) {
    case 0x00: return header;
    case 0x11: addresses = 12; break;
    case 0x21: addresses = 36; break;
    case 0x31: addresses = 216; break;
    default: return Errc::Malformed;
  }
  if (length < addresses) return Errc::Malformed;
  if (addresses == 12) {
    header.ip[10] = header.ip[11] = 0xFF;
    std::memcpy(header.ip.data() + 12, whole.data() + kFixed, 4);
    header.port = static_cast<std::uint16_t>(two_bytes(whole, kFixed + 8));
  } else if (addresses == 36) {
    std::memcpy(header.ip.data(), whole.data() + kFixed, 16);
    header.port = static_cast<std::uint16_t>(two_bytes(whole, kFixed + 32));
  }
  if (addresses != 216) header.source = ProxyHeader::Source::Ip;
  if (!read_additions(whole, kFixed + addresses, header)) return Errc::Malformed;
  return header;
}

}  // namespace

Result<ProxyHeader> read_proxy_header(std::string_view bytes) noexcept {
  const auto may_be = [bytes](std::string_view front) {
    const auto n = std::min(bytes.size(), front.size());
    return bytes.substr(0, n) == front.substr(0, n);
  };
  if (may_be(kSignature)) return bytes.size() < kSignature.size() ? Errc::Incomplete : read_binary(bytes);
  if (may_be(kWord)) return bytes.size() < kWord.size() ? Errc::Incomplete : read_line(bytes);
  return Errc::Malformed;
}

}  // namespace forebay::http
