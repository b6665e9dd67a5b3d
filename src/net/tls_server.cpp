#include "forebay/net/tls_server.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <new>
#include <optional>
#include <string_view>

#include "forebay/base/hash.hpp"
#include "forebay/base/text.hpp"
#include "openssl.hpp"
#include "tls_certificate.hpp"
#include "tls_limits.hpp"
#include "tls_names.hpp"

namespace forebay::net {
namespace {

class Server final : public TlsServer {
 public:
  Server(const config::ListenerTls& settings, const Facts& facts)
      : TlsServer(settings.client_cert_header), settings_(settings), facts_(facts) {}

  bool load(TlsFindings& findings);
  std::unique_ptr<TlsServerSession> session(std::string early) const override;
  WallTime first_expiry() const override;

 private:
  static const Server& of(const SSL* ssl) {
    return *static_cast<const Server*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }
  openssl::ContextPtr make_context(const std::vector<std::size_t>& certificates, TlsFindings& findings) const;
  void use_tickets(SSL_CTX* context) const;
  bool ask_for_clients(SSL_CTX* context, TlsFindings& findings) const;
  std::string session_scope() const;

  static int choose_certificate(SSL* ssl, int* alert, void*);
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char* in,
                             unsigned in_size, void*);
  static int staple(SSL* ssl, void*);
  static int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                        int seal);
  static SSL_TICKET_RETURN may_resume(SSL* ssl, SSL_SESSION* session, const unsigned char* name, std::size_t size,
                                      SSL_TICKET_STATUS status, void*);

  const config::ListenerTls settings_;
  const Facts facts_;
  std::string client_ca_;  // the file's text
  std::vector<LoadedCertificate> certificates_;
  std::vector<openssl::ContextPtr> contexts_;  // the first is for unknown names
  CertificateNames names_;
};

bool Server::load(TlsFindings& findings) {
  for (std::size_t i = 0; i < settings_.certificates.size(); ++i)
    certificates_.push_back(load_certificate(settings_.certificates[i], i, CertificateUse::Server, findings));
  if (!settings_.client_ca.empty()) {
    findings.about("client_ca");
    if (auto text = read_tls_file(settings_.client_ca, findings)) client_ca_ = std::move(*text);
  }
  if (findings.failed()) return false;

  std::vector<NamedCertificate> named;
  for (const auto& c : certificates_) named.push_back({c.key_type, c.names});
  names_ = CertificateNames(named);
  for (const auto never : names_.never_chosen()) {
    findings.about("cert", never);
    findings.warning(2052, "\"" + settings_.certificates[never].cert + "\" is never used",
                     "each of its names is in a certificate before it that has a key of the same type");
  }
  for (const auto& set : names_.sets()) {
    auto context = make_context(set, findings);
    if (!context) return false;
    contexts_.push_back(std::move(context));
  }
  return true;
}

openssl::ContextPtr Server::make_context(const std::vector<std::size_t>& certificates, TlsFindings& findings) const {
  openssl::ContextPtr made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = made.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_app_data(context, const_cast<Server*>(this));
  limit_tls(context, settings_.min_version == config::TlsVersion::Tls13);
  for (const auto index : certificates) {
    const auto& c = certificates_[index];
    if (SSL_CTX_use_cert_and_key(context, c.leaf.get(), c.key.get(), c.chain.get(), 1) == 1) continue;
    findings.about("cert", index);
    findings.error(
        1023, "\"" + settings_.certificates[index].cert + "\" cannot be used: " + std::string(openssl::take_error()));
    return nullptr;
  }
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_tlsext_status_cb(context, staple);
  use_tickets(context);
  return client_ca_.empty() || ask_for_clients(context, findings) ? std::move(made) : nullptr;
}

/// A session made on one listener is of no use on another: it might ask clients for nothing.
std::string Server::session_scope() const {
  const auto all = std::to_string(facts_.listener.size()) + ':' + facts_.listener +
                   (settings_.client_auth == config::ListenerTls::ClientAuth::Require ? "require:" : "request:") +
                   client_ca_;
  return sha256_hex(all, SSL_MAX_SID_CTX_LENGTH);
}

void Server::use_tickets(SSL_CTX* context) const {
  const auto scope = session_scope();
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(scope.data()),
                                 static_cast<unsigned>(scope.size()));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, static_cast<long>(whole_seconds(settings_.session_timeout)));
  if (!settings_.session_tickets || !facts_.tickets) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
  SSL_CTX_set_session_ticket_cb(
      context, [](SSL*, void*) { return 1; }, may_resume, nullptr);
}

bool Server::ask_for_clients(SSL_CTX* context, TlsFindings& findings) const {
  findings.about("client_ca");
  const auto bio = openssl::reader_of(client_ca_);
  auto* const store = SSL_CTX_get_cert_store(context);
  // Who lists an intermediate one alone trusts whom it has signed, and nobody else.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  int count = 0;
  bool signs = false;
  while (const openssl::X509Ptr ca{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    ++count;
    signs = signs || X509_check_ca(ca.get()) != 0;
    if (X509_STORE_add_cert(store, ca.get()) != 1 || SSL_CTX_add_client_CA(context, ca.get()) != 1) {
      findings.error(1021, "a certificate in \"" + settings_.client_ca +
                               "\" cannot be used: " + std::string(openssl::take_error()));
      return false;
    }
  }
  const auto code = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  const auto why = std::string(openssl::take_error());
  if (count == 0 || !at_end) {
    findings.error(1021, "\"" + settings_.client_ca + "\" has " + (count == 0 ? "no" : "a damaged") +
                             " certificate in PEM (" + why + ')');
    return false;
  }
  // A client and a few intermediate certificates need much less; OpenSSL's limit is 100 KB.
  constexpr long kMostOfClients = 16 * 1024;
  SSL_CTX_set_max_cert_list(context, kMostOfClients);
  if (!signs)
    findings.warning(2073, "\"" + settings_.client_ca + "\" has no certificate of a CA",
                     "only clients that have these very certificates are let in; name the CA that signs theirs");
  if (settings_.client_auth == config::ListenerTls::ClientAuth::Require)
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  else
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  return true;
}

std::unique_ptr<TlsServerSession> Server::session(std::string early) const {
  SSL* const ssl = SSL_new(contexts_.front().get());
  if (ssl == nullptr) {
    ERR_clear_error();
    throw std::bad_alloc();
  }
  return std::make_unique<TlsServerSession>(shared_from_this(), ssl, std::move(early));
}

WallTime Server::first_expiry() const {
  WallTime first = WallTime::max();
  for (const auto& c : certificates_) first = std::min(first, c.ends);
  return first;
}

int Server::choose_certificate(SSL* ssl, int*, void*) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto& server = of(ssl);
  const auto set = server.names_.find(name);
  if (!set) return SSL_TLSEXT_ERR_NOACK;
  if (*set != 0) SSL_set_SSL_CTX(ssl, server.contexts_[*set].get());
  return SSL_TLSEXT_ERR_OK;
}

int Server::choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char* in,
                            unsigned in_size, void*) {
  // Lists of names, each behind its length (RFC 7301 section 3.1), in the order of our preference.
  constexpr std::string_view kAll = "\x02h2\x08http/1.1\x08http/1.0";
  const auto ours = of(ssl).facts_.http2 ? kAll : kAll.substr(3);
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned>(ours.size()), in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// The certificate that goes to the client is known here: its key fits the client's signature algorithms.
int Server::staple(SSL* ssl, void*) {
  const auto& server = of(ssl);
  const X509* const used = SSL_get_certificate(ssl);
  for (const auto& c : server.certificates_) {
    if (c.leaf.get() != used || c.staple.der.empty()) continue;
    if (c.staple.until <= server.facts_.clock->now().wall) break;
    auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(c.staple.der.data(), c.staple.der.size()));
    if (copy == nullptr) break;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(c.staple.der.size()));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

// Tickets are enciphered with AES-256-CBC and authenticated with HMAC-SHA-256.
int Server::ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int seal) {
  static EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  auto& keys = *of(ssl).facts_.tickets;
  constexpr int kBlock = 16;
  TicketKeys::Key key;
  bool renew = false;
  if (seal == 1) {
    const auto newest = keys.newest();
    if (!newest || RAND_bytes(iv, kBlock) != 1) return -1;
    key = *newest;
    std::copy(key.name.begin(), key.name.end(), name);
  } else {
    const auto found = keys.find({name, key.name.size()});
    if (!found) return 0;
    key = found->key;
    renew = !found->newest;
  }
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters.data()) != 1 ||
      EVP_CipherInit_ex2(cipher, kCipher, key.cipher.data(), iv, seal, nullptr) != 1)
    return -1;
  return renew ? 2 : 1;
}

// A session does not outlive the client's certificate.
SSL_TICKET_RETURN Server::may_resume(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                                     SSL_TICKET_STATUS status, void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  if (const X509* client = SSL_SESSION_get0_peer(session); client != nullptr) {
    std::time_t now = whole_seconds(of(ssl).facts_.clock->now().wall.time_since_epoch());
    if (X509_cmp_time(X509_get0_notAfter(client), &now) <= 0) return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  // Clients of TLS 1.3 use a ticket once (RFC 8446 appendix C.4).
  const bool renew = status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) == TLS1_3_VERSION;
  return renew ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

}  // namespace

std::shared_ptr<const TlsServer> TlsServer::make(const config::ListenerTls& settings, const Facts& facts,
                                                 std::vector<TlsFinding>& findings) {
  TlsFindings found(findings, facts.clock->now().wall);
  const auto server = std::make_shared<Server>(settings, facts);
  return server->load(found) && !found.failed() ? server : nullptr;
}

}  // namespace forebay::net
