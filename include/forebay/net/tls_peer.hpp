#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace forebay::net {

/// How a handshake has ended; the label `result` of forebay_tls_handshakes_total and of
/// forebay_origin_tls_handshakes_total. The peer is the client of a listener, or an origin.
enum class TlsHandshake : std::uint8_t {
  Full,
  Resumed,
  Closed,           ///< The peer has left before its end.
  Timeout,          ///< It took longer than `server.timeouts.header`, or than `timeouts.connect` of an origin.
  PlainHttp,        ///< The peer speaks HTTP without TLS.
  Version,          ///< No version of TLS in common.
  Cipher,           ///< No cipher, group or signature in common.
  Alpn,             ///< No protocol in common (RFC 7301).
  PeerCertificate,  ///< It is missing or not valid.
  Alert,            ///< The peer has refused, such as our certificate.
  Malformed,        ///< What came is no TLS.
  kCount
};
inline constexpr std::size_t kTlsHandshakes = static_cast<std::size_t>(TlsHandshake::kCount);
/// With a client: its certificate is `client_certificate`.
std::string_view to_string(TlsHandshake result) noexcept;
/// With an origin: its certificate is `certificate`.
std::string_view origin_word(TlsHandshake result) noexcept;

/// The client's certificate, as the log and origins get it.
struct TlsClientCertificate {
  std::string subject;      ///< RFC 2253.
  std::string fingerprint;  ///< SHA-256, in hex.
  /// Values of Client-Cert and Client-Cert-Chain (RFC 9440); empty where they are not sent. The chain is that of the
  /// handshake; a resumed session has none.
  std::string field, chain_field;
};

/// What a handshake has agreed on. Immutable; lives as long as the connection's `Peer`.
struct TlsPeer {
  std::string_view version;  ///< "TLSv1.3"
  std::string_view cipher;   ///< By its standard name.
  std::string server_name;   ///< As the client has sent it (SNI), in lower case; empty: none.
  bool resumed = false;
  /// Of the client's certificate: `ok`, `none`, or why it is not valid. Empty where none is asked for.
  std::string_view client_verify;
  std::unique_ptr<const TlsClientCertificate> client;  ///< Null: it has sent none.
};

}  // namespace forebay::net
