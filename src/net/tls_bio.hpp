#pragma once

#include <string>

#include "forebay/net/tls_session.hpp"
#include "openssl.hpp"

namespace forebay::net {

/// Between OpenSSL and a session: reads what the session has from the wire, and writes to a buffer of the thread, which
/// the session sends after each call of OpenSSL. So an idle session has no buffer for what it sends.
struct TlsBio {
  /// What OpenSSL has written since the last time that a session of this thread has taken it.
  static std::string& wire() noexcept;
  static void attach(TlsEndpoint& session, SSL* ssl);

 private:
  static int read(BIO* bio, char* into, std::size_t most, std::size_t* got);
  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* taken);
  static long control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* method();
};

}  // namespace forebay::net
