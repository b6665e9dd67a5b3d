#include "tls_sessions.hpp"

#include <utility>

namespace forebay::net {
namespace {

/// A session does not outlive what its server has allowed, nor the server's certificate.
bool too_old(const SSL_SESSION* session, std::time_t now) {
  if (now - SSL_SESSION_get_time(session) >= SSL_SESSION_get_timeout(session)) return true;
  const X509* server = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  return server != nullptr && X509_cmp_time(X509_get0_notAfter(server), &now) <= 0;
}

}  // namespace

void TlsSessions::put(openssl::SessionPtr session) {
  openssl::SessionPtr dropped;
  const MutexLock lock(mutex_);
  if (kept_.size() == kMost) {
    dropped = std::move(kept_.front());
    kept_.erase(kept_.begin());
  }
  kept_.push_back(std::move(session));
}

openssl::SessionPtr TlsSessions::take(std::time_t now) {
  std::vector<openssl::SessionPtr> dropped;
  const MutexLock lock(mutex_);
  if (kept_.empty()) return nullptr;
  if (too_old(kept_.back().get(), now)) {  // and so are the older ones
    std::swap(dropped, kept_);
    return nullptr;
  }
  if (SSL_SESSION_get_protocol_version(kept_.back().get()) == TLS1_3_VERSION) {
    auto newest = std::move(kept_.back());
    kept_.pop_back();
    return newest;
  }
  // OpenSSL writes to a session that a connection uses, so no two connections get the same object.
  return openssl::SessionPtr(SSL_SESSION_dup(kept_.back().get()));
}

std::size_t TlsSessions::size() const {
  const MutexLock lock(mutex_);
  return kept_.size();
}

}  // namespace forebay::net
