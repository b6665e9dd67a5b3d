#include "support/tls_layer.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>

namespace forebay::test {
namespace {

std::mutex ports_mutex;
std::set<std::uint16_t> tls_ports;

std::string last_words() {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  const char* words = code ? ERR_reason_error_string(code) : nullptr;
  return words ? words : "the connection has ended";
}

void apply(SSL_CTX* context, const TlsOptions& options) {
  if (options.min_version) SSL_CTX_set_min_proto_version(context, options.min_version);
  if (options.max_version) SSL_CTX_set_max_proto_version(context, options.max_version);
  if (options.identity) {
    SSL_CTX_use_certificate(context, options.identity->certificate.get());
    SSL_CTX_use_PrivateKey(context, options.identity->key.get());
  }
  if (options.trusts) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.trusts->certificate.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
}

}  // namespace

bool over_tls() {
  const char* transport = std::getenv("FOREBAY_TEST_TRANSPORT");
  return transport && std::string_view(transport) == "tls";
}

void speak_tls(std::uint16_t port, bool tls) {
  const std::lock_guard lock(ports_mutex);
  if (tls)
    tls_ports.insert(port);
  else
    tls_ports.erase(port);
}

bool is_tls(std::uint16_t port) {
  const std::lock_guard lock(ports_mutex);
  return tls_ports.contains(port);
}

TlsLayer::~TlsLayer() = default;

// Whether what OpenSSL waits for came in time.
bool TlsLayer::wait(int result, Clock::time_point until) const {
  const int why = SSL_get_error(ssl_.get(), result);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return false;
  pollfd p{fd_, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count();
    const int n = ::poll(&p, 1, left > 0 ? static_cast<int>(left) : 0);
    if (n >= 0 || errno != EINTR) return n > 0;
  }
}

std::unique_ptr<TlsLayer> TlsLayer::connect(int fd, const TlsOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  std::unique_ptr<TlsLayer> made(new TlsLayer);
  made->fd_ = fd;
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  made->context_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* const context = made->context_.get();
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, made.get());
  SSL_CTX_sess_set_new_cb(context, [](SSL* of, SSL_SESSION* session) {
    static_cast<TlsLayer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)))->session_.reset(session, SSL_SESSION_free);
    return 1;
  });
  apply(context, options);
  made->ssl_.reset(SSL_new(context), SSL_free);
  SSL* const ssl = made->ssl_.get();
  SSL_set_fd(ssl, fd);
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl, options.server_name.c_str());
    if (options.trusts) SSL_set1_host(ssl, options.server_name.c_str());
  }
  if (!options.alpn.empty())
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  if (options.resume) SSL_set_session(ssl, options.resume.get());
  const auto until = Clock::now() + kPatience;
  int n = 0;
  while ((n = SSL_connect(ssl)) != 1)
    if (!made->wait(n, until)) throw std::runtime_error("TLS: " + last_words());
  return made;
}

Socket::Got TlsLayer::receive(std::string& into, Clock::duration limit, std::size_t max) {
  const auto until = Clock::now() + limit;
  const auto before = into.size();
  into.resize(before + max);
  for (;;) {
    std::size_t got = 0;
    errno = 0;
    const int n = SSL_read_ex(ssl_.get(), into.data() + before, max, &got);
    if (n == 1) {
      into.resize(before + got);
      return Socket::Got::Data;
    }
    const int why = SSL_get_error(ssl_.get(), n);
    if ((why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) && wait(n, until)) continue;
    into.resize(before);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return Socket::Got::Timeout;
    ended_ = why == SSL_ERROR_ZERO_RETURN;
    const bool eof = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    ERR_clear_error();
    return ended_ || eof ? Socket::Got::End : Socket::Got::Reset;
  }
}

bool TlsLayer::send(std::string_view bytes, Clock::duration limit) {
  const auto until = Clock::now() + limit;
  while (!bytes.empty()) {
    std::size_t sent = 0;
    const int n = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
    if (n == 1) {
      bytes.remove_prefix(sent);
    } else if (!wait(n, until)) {
      ERR_clear_error();
      return false;
    }
  }
  return true;
}

void TlsLayer::say_end() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool TlsLayer::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
std::string TlsLayer::version() const { return SSL_get_version(ssl_.get()); }
std::string TlsLayer::cipher() const { return SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get())); }

std::string TlsLayer::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsLayer::server() const {
  const std::unique_ptr<X509, decltype(&X509_free)> cert(SSL_get1_peer_certificate(ssl_.get()), X509_free);
  char text[256] = "";
  if (cert) X509_NAME_get_text_by_NID(X509_get_subject_name(cert.get()), NID_commonName, text, sizeof text);
  return text;
}

}  // namespace forebay::test
