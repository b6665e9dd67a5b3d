#include "tls_bio.hpp"

#include <new>

namespace forebay::net {

std::string& TlsBio::wire() noexcept {
  thread_local std::string buffer;
  return buffer;
}

int TlsBio::read(BIO* bio, char* into, std::size_t most, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  *got = static_cast<TlsEndpoint*>(BIO_get_data(bio))->take(into, most);
  if (*got != 0) return 1;
  BIO_set_retry_read(bio);
  return 0;
}

int TlsBio::write(BIO*, const char* bytes, std::size_t size, std::size_t* taken) {
  *taken = 0;
  try {
    wire().append(bytes, size);
  } catch (const std::bad_alloc&) {
    return 0;  // OpenSSL is C: the call fails, and with it the connection
  }
  *taken = size;
  return 1;
}

long TlsBio::control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* TlsBio::method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "forebay");
    if (method == nullptr) throw std::bad_alloc();
    BIO_meth_set_read_ex(method, read);
    BIO_meth_set_write_ex(method, write);
    BIO_meth_set_ctrl(method, control);
    return method;
  }();
  return made;
}

void TlsBio::attach(TlsEndpoint& session, SSL* ssl) {
  BIO* bio = BIO_new(method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &session);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

}  // namespace forebay::net
