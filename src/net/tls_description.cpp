#include "tls_description.hpp"

#include <array>
#include <string>

#include "forebay/base/base64.hpp"
#include "forebay/base/text.hpp"

namespace forebay::net {
namespace {

std::string subject_of(const X509* certificate) {
  const openssl::BioPtr out(BIO_new(BIO_s_mem()));
  if (!out) return {};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string out;
  for (unsigned i = 0; i < size; ++i) append_hex(out, digest[i]);
  return out;
}

/// A Byte Sequence (RFC 8941 section 3.3.5) of the certificate's DER.
std::string field_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owner(der);
  return ':' + to_base64({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}) + ':';
}

/// The certificates by which the client's was verified, between it and the CA at their end: nothing else that the
/// client has sent. RFC 9440 section 2.3 has the client's own in Client-Cert alone, and lets the root be left out.
std::string chain_field_of(const SSL* ssl) {
  std::string out;
  const auto* chain = SSL_get0_verified_chain(ssl);
  for (int i = 1; i + 1 < sk_X509_num(chain); ++i) {
    if (!out.empty()) out += ", ";
    out += field_of(sk_X509_value(chain, i));
  }
  return out;
}

void describe_client(const SSL* ssl, bool with_field, TlsPeer& peer) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) {
    peer.client_verify = "none";
    return;
  }
  const long verdict = SSL_get_verify_result(ssl);
  peer.client_verify = verdict == X509_V_OK ? "ok" : X509_verify_cert_error_string(verdict);
  auto client = std::make_unique<TlsClientCertificate>();
  client->subject = subject_of(certificate);
  client->fingerprint = fingerprint_of(certificate);
  if (with_field && verdict == X509_V_OK) {
    client->field = field_of(certificate);
    client->chain_field = chain_field_of(ssl);
  }
  peer.client = std::move(client);
}

}  // namespace

std::unique_ptr<TlsPeer> describe_tls_peer(const SSL* ssl, bool with_field) {
  auto peer = std::make_unique<TlsPeer>();
  peer->version = SSL_get_version(ssl);
  if (const auto* cipher = SSL_get_current_cipher(ssl); cipher != nullptr)
    if (const char* name = SSL_CIPHER_standard_name(cipher); name != nullptr) peer->cipher = name;
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name); name != nullptr)
    peer->server_name = lower_case(name);
  peer->resumed = SSL_session_reused(ssl) == 1;
  if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0) describe_client(ssl, with_field, *peer);
  ERR_clear_error();
  return peer;
}

}  // namespace forebay::net
