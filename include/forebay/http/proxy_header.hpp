#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::http {

/// The header that a load balancer sends before a connection's own bytes, to name the client (HAProxy's
/// proxy-protocol.txt, versions 1 and 2).
struct ProxyHeader {
  /// Where the connection came from that the balancer passes on.
  enum class Source : std::uint8_t {
    Balancer,  ///< LOCAL: from the balancer itself, such as a health check. Its own address counts.
    Ip,        ///< TCP over IPv4 or IPv6: `ip` and `port`.
    Unknown,   ///< UNKNOWN, UNSPEC or a Unix socket: of somebody without an address.
  };
  Source source = Source::Unknown;
  std::array<std::uint8_t, 16> ip{};  ///< IPv4 mapped.
  std::uint16_t port = 0;
  bool tls = false;      ///< The client speaks TLS with the balancer (PP2_TYPE_SSL).
  std::size_t size = 0;  ///< Bytes of the header; the connection's own follow.
};

/// A longer header is refused. Version 1 has at most 107 bytes; the additions of version 2 are certificates at most.
inline constexpr std::size_t kMostProxyHeader = 16 * 1024;

/// Reads the header at the front of `bytes`. Incomplete: more bytes are needed, and it may still be valid. Malformed:
/// it is none. TooLarge: longer than `kMostProxyHeader`. A checksum (PP2_TYPE_CRC32C) must be right; other additions
/// are skipped.
Result<ProxyHeader> read_proxy_header(std::string_view bytes) noexcept;

}  // namespace forebay::http
