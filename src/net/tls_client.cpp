#include "forebay/net/tls_client.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <optional>

#include "forebay/base/guarded.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/forwarding.hpp"
#include "openssl.hpp"
#include "tls_certificate.hpp"
#include "tls_limits.hpp"
#include "tls_sessions.hpp"

namespace forebay::net {
namespace {

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

/// Whether the system has a trust store: OpenSSL reads it when it verifies.
bool system_trusts_anybody() {
  const auto place = [](const char* variable, const char* otherwise) {
    const char* set = std::getenv(variable);
    return set != nullptr ? set : otherwise;
  };
  struct stat found {};
  return ::stat(place(X509_get_default_cert_file_env(), X509_get_default_cert_file()), &found) == 0 ||
         ::stat(place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()), &found) == 0;
}

/// Whether a file's name is one by which OpenSSL finds a certificate in a directory: `1234abcd.0`.
bool is_hashed_name(std::string_view name) {
  constexpr std::size_t kHash = 8;
  return name.size() > kHash + 1 && name[kHash] == '.' &&
         std::all_of(name.begin(), name.begin() + kHash,
                     [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }) &&
         std::all_of(name.begin() + kHash + 1, name.end(), is_digit);
}

class Client final : public TlsClient {
 public:
  Client(const config::Origin& origin, const Clock& clock)
      : settings_(origin.tls), clock_(clock), name_(origin.tls.sni.empty() ? origin.url.host : origin.tls.sni) {
    if (name_.ends_with('.')) name_.pop_back();
    is_address_ = http::parse_ip(name_).has_value();
  }

  bool load(TlsFindings& findings);
  std::unique_ptr<TlsClientSession> session() const override;
  std::size_t resumable() const override { return sessions_.size(); }
  const std::string& name() const override { return name_; }

 private:
  static const Client& of(const SSL* ssl) {
    return *static_cast<const Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }
  bool trust(TlsFindings& findings);
  bool trust_file(X509_STORE* store, TlsFindings& findings);
  bool trust_directory(X509_STORE* store, TlsFindings& findings);
  void check_name();
  bool use_certificate(TlsFindings& findings);
  static int keep_session(SSL* ssl, SSL_SESSION* session);

  const config::OriginTls settings_;
  const Clock& clock_;
  std::string name_;
  bool is_address_ = false;
  openssl::ContextPtr context_;
  mutable TlsSessions sessions_;
};

bool Client::load(TlsFindings& findings) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = context_.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_app_data(context, this);
  limit_tls(context, settings_.min_version == config::TlsVersion::Tls13);
  constexpr unsigned char kProtocols[] = "\x08http/1.1";  // behind its length (RFC 7301 section 3.1)
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  const bool trusts = !settings_.verify || trust(findings);
  if (settings_.verify) check_name();
  return use_certificate(findings) && trusts;
}

bool Client::trust(TlsFindings& findings) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
  X509_VERIFY_PARAM* const how = SSL_CTX_get0_param(context_.get());
  // What the operator trusts need not be a root.
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  findings.about("ca");
  if (!settings_.ca.empty()) {
    std::error_code ignored;
    const bool directory = std::filesystem::is_directory(settings_.ca, ignored);
    return directory ? trust_directory(store, findings) : trust_file(store, findings);
  }
  if (X509_STORE_set_default_paths(store) != 1) throw std::bad_alloc();
  ERR_clear_error();
  if (!system_trusts_anybody())
    findings.warning(2055, "this machine has no certificates of authorities, so no origin is trusted",
                     "install ca-certificates, or name a file by tls.ca");
  return true;
}

// A revocation list in the file is used: then the origin's issuer has to have one.
bool Client::trust_file(X509_STORE* store, TlsFindings& findings) {
  const auto text = read_tls_file(settings_.ca, findings);
  if (!text) return false;
  const auto bio = openssl::reader_of(*text);
  const auto free_all = [](STACK_OF(X509_INFO) * all) { sk_X509_INFO_pop_free(all, X509_INFO_free); };
  const std::unique_ptr<STACK_OF(X509_INFO), decltype(free_all)> parts(
      PEM_X509_INFO_read_bio(bio.get(), nullptr, nullptr, nullptr), free_all);
  int count = 0;
  bool added = parts != nullptr;
  for (int i = 0; added && i < sk_X509_INFO_num(parts.get()); ++i) {
    const X509_INFO* part = sk_X509_INFO_value(parts.get(), i);
    if (part->x509 != nullptr) {
      ++count;
      added = X509_STORE_add_cert(store, part->x509) == 1;
    }
    if (part->crl != nullptr) {
      added = added && X509_STORE_add_crl(store, part->crl) == 1;
      X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_CRL_CHECK);
    }
  }
  if (added && count != 0) return true;
  findings.error(1021,
                 in_quotes(settings_.ca) + " has " + (added ? "no" : "a damaged") + " certificate in PEM" +
                     (added ? "" : " (" + std::string(openssl::take_error()) + ')'),
                 "it begins with -----BEGIN CERTIFICATE-----");
  ERR_clear_error();
  return false;
}

bool Client::trust_directory(X509_STORE* store, TlsFindings& findings) {
  std::error_code error;
  std::filesystem::directory_iterator each(settings_.ca, error);
  if (error) {
    findings.error(1020, in_quotes(settings_.ca) + " cannot be read: " + error.message());
    return false;
  }
  bool any = false;
  for (; !any && !error && each != std::filesystem::directory_iterator(); each.increment(error))
    any = is_hashed_name(each->path().filename().string());
  if (!any) {
    findings.error(1021, in_quotes(settings_.ca) + " has no certificate under the hash of its name",
                   "openssl rehash " + settings_.ca);
    return false;
  }
  if (X509_STORE_load_path(store, settings_.ca.c_str()) != 1) throw std::bad_alloc();
  return true;
}

// RFC 9110 section 4.3.4, RFC 9525: the common name does not count, and a wildcard stands for a whole label.
void Client::check_name() {
  X509_VERIFY_PARAM* const how = SSL_CTX_get0_param(context_.get());
  X509_VERIFY_PARAM_set_hostflags(how, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const int done = is_address_ ? X509_VERIFY_PARAM_set1_ip_asc(how, name_.c_str())
                               : X509_VERIFY_PARAM_set1_host(how, name_.data(), name_.size());
  if (done != 1) throw std::bad_alloc();
}

bool Client::use_certificate(TlsFindings& findings) {
  if (settings_.cert.empty()) return true;
  const auto loaded = load_certificate({settings_.cert, settings_.key, {}}, 0, CertificateUse::Client, findings);
  if (findings.failed()) return false;
  if (SSL_CTX_use_cert_and_key(context_.get(), loaded.leaf.get(), loaded.key.get(), loaded.chain.get(), 1) == 1)
    return true;
  findings.about("cert");
  findings.error(1023, in_quotes(settings_.cert) + " cannot be used: " + std::string(openssl::take_error()));
  return false;
}

// A copy: the connection goes on to use its own.
int Client::keep_session(SSL* ssl, SSL_SESSION* session) {
  openssl::SessionPtr copy(SSL_SESSION_dup(session));
  if (copy && SSL_SESSION_is_resumable(copy.get()) == 1)
    guarded([&] { of(ssl).sessions_.put(std::move(copy)); }, [] {});
  return 0;
}

std::unique_ptr<TlsClientSession> Client::session() const {
  openssl::SslPtr ssl(SSL_new(context_.get()));
  const bool named = ssl && (is_address_ || SSL_set_tlsext_host_name(ssl.get(), name_.c_str()) == 1);
  if (!named) {
    ERR_clear_error();
    throw std::bad_alloc();
  }
  if (const auto known = sessions_.take(whole_seconds(clock_.now().wall.time_since_epoch())))
    SSL_set_session(ssl.get(), known.get());
  ERR_clear_error();  // without memory for a session the handshake is a full one
  auto made = std::make_unique<TlsClientSession>(shared_from_this(), ssl.get());
  (void)ssl.release();
  return made;
}

std::string problem_of_certificate(long verdict, const std::string& name) {
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "its certificate is not for " + in_quotes(name);
    case X509_V_ERR_CERT_HAS_EXPIRED: return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "its certificate is not valid yet";
    case X509_V_ERR_CERT_REVOKED: return "its certificate has been revoked";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "its certificate is self-signed, and not a trusted one";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return "the issuer of its certificate is not trusted";
    default: return "its certificate is not valid: " + std::string(X509_verify_cert_error_string(verdict));
  }
}

/// The alert's name in what OpenSSL says: "sslv3 alert handshake failure".
std::string_view alert_in(std::string_view words) {
  constexpr std::string_view kMark = "alert ";
  const auto at = words.find(kMark);
  return at == std::string_view::npos ? words : words.substr(at + kMark.size());
}

}  // namespace

TlsClientSession::TlsClientSession(std::shared_ptr<const TlsClient> client, ssl_st* ssl)
    : TlsEndpoint(Side::Client, ssl, {}), client_(std::move(client)) {}

std::string TlsClientSession::problem() const {
  switch (result()) {
    case TlsHandshake::PeerCertificate: return problem_of_certificate(SSL_get_verify_result(ssl()), client_->name());
    case TlsHandshake::Alert: return "it refuses with the alert \"" + std::string(alert_in(why())) + '"';
    case TlsHandshake::Version: return "it has no version of TLS in common with us";
    case TlsHandshake::Cipher: return "it has no cipher in common with us";
    case TlsHandshake::Alpn: return "it does not speak http/1.1 (ALPN)";
    case TlsHandshake::PlainHttp: return "it speaks HTTP without TLS";
    case TlsHandshake::Closed: return "it closed the connection in the handshake";
    default: return "what it sends is not TLS (" + std::string(why()) + ')';
  }
}

std::shared_ptr<const TlsClient> TlsClient::make(const config::Origin& origin, const Clock& clock,
                                                 std::vector<TlsFinding>& findings) {
  TlsFindings found(findings, clock.now().wall);
  const auto client = std::make_shared<Client>(origin, clock);
  return client->load(found) && !found.failed() ? client : nullptr;
}

}  // namespace forebay::net
