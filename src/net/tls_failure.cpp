#include "tls_failure.hpp"

#include <array>

#include "openssl.hpp"

namespace forebay::net {
namespace {

TlsHandshake result_of(int reason) noexcept {
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_INAPPROPRIATE_FALLBACK: return TlsHandshake::Version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: return TlsHandshake::Cipher;
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_APPLICATION_PROTOCOL: return TlsHandshake::Alpn;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return TlsHandshake::PeerCertificate;
    default: break;
  }
  return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256 ? TlsHandshake::Alert
                                                                               : TlsHandshake::Malformed;
}

}  // namespace

// The first error is the cause; later ones tell only what it led to.
TlsFailure take_tls_failure() noexcept {
  TlsFailure failure{TlsHandshake::Malformed, "unknown error"};
  const auto code = ERR_peek_error();
  if (code != 0) {
    const char* words = ERR_reason_error_string(code);
    failure.why = words != nullptr ? words : "unknown error";
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) failure.result = result_of(ERR_GET_REASON(code));
  }
  ERR_clear_error();
  return failure;
}

std::string_view to_string(TlsHandshake result) noexcept {
  constexpr std::array<std::string_view, kTlsHandshakes> kWords{
      "full",  "resumed",  "closed", "timeout", "plain_http", "version", "cipher", "alpn", "client_certificate",
      "alert", "malformed"};
  return kWords[static_cast<std::size_t>(result)];
}

std::string_view origin_word(TlsHandshake result) noexcept {
  return result == TlsHandshake::PeerCertificate ? "certificate" : to_string(result);
}

}  // namespace forebay::net
