#include "forebay/net/source.hpp"

#include "forebay/net/stream.hpp"

namespace forebay::net {

void Sink::on_switch(const http::ResponseView&, Stream&&, std::string_view) {
  on_failure(FetchError::Protocol, "101 without a request for it");
}

std::string_view to_string(FetchError e) noexcept {
  switch (e) {
    case FetchError::Dns: return "dns";
    case FetchError::DnsTimeout: return "dns_timeout";
    case FetchError::Connect: return "connect";
    case FetchError::ConnectTimeout: return "connect_timeout";
    case FetchError::Tls: return "tls";
    case FetchError::TlsTimeout: return "tls_timeout";
    case FetchError::Reset: return "reset";
    case FetchError::FirstByteTimeout: return "first_byte_timeout";
    case FetchError::BetweenBytesTimeout: return "between_bytes_timeout";
    case FetchError::TotalTimeout: return "total_timeout";
    case FetchError::Protocol: return "protocol";
    case FetchError::TooLarge: return "too_large";
    case FetchError::Queue: return "queue";
    case FetchError::CircuitOpen: return "circuit_open";
    case FetchError::Credentials: return "credentials";
    case FetchError::ClientBody: return "client_body";
    case FetchError::ClientStalled: return "client_stalled";
    case FetchError::Memory: return "memory";
    case FetchError::kCount: break;
  }
  return "unknown";
}

bool is_the_origins(FetchError e) noexcept {
  return e != FetchError::ClientBody && e != FetchError::ClientStalled && e != FetchError::Memory;
}

bool says_something_of_the_url(FetchError e) noexcept {
  return is_the_origins(e) && e != FetchError::Queue && e != FetchError::CircuitOpen && e != FetchError::Credentials;
}

bool is_timeout(FetchError e) noexcept {
  return e == FetchError::DnsTimeout || e == FetchError::ConnectTimeout || e == FetchError::TlsTimeout ||
         e == FetchError::FirstByteTimeout || e == FetchError::BetweenBytesTimeout || e == FetchError::TotalTimeout;
}

}  // namespace forebay::net
