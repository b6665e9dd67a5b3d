#pragma once

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// Certificates for tests, made as they run: no key is in the repository.

namespace forebay::test {

inline constexpr std::time_t kDay = 24 * 60 * 60;
/// Valid for the clock of the machine, and for a ManualClock, which begins with 2024.
inline constexpr std::time_t kLongAgo = 1672531200;  // 2023-01-01
inline constexpr std::time_t kFarAway = 4102444800;  // 2100-01-01

enum class KeyKind { Ecdsa, Rsa, ShortRsa };

struct Identity;

struct CertificateOf {
  std::vector<std::string> names = {};  ///< DNS names, and IP addresses behind `IP:`; none: no subjectAltName.
  std::string common_name = "test";
  KeyKind key = KeyKind::Ecdsa;
  std::time_t from = kLongAgo, until = kFarAway;
  const Identity* issuer = nullptr;  ///< Null: itself.
  bool is_ca = false;
};

struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
  std::string cert_pem, key_pem;
};

namespace making {

inline void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

inline std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

inline void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  check(made != nullptr && X509_add_ext(certificate, made, -1) == 1, value.c_str());
  X509_EXTENSION_free(made);
}

inline EVP_PKEY* make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::Ecdsa: return EVP_EC_gen("P-256");
    case KeyKind::Rsa: return EVP_RSA_gen(2048);
    case KeyKind::ShortRsa: return EVP_RSA_gen(1024);
  }
  return nullptr;
}

inline std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + (name.starts_with("IP:") ? name : "DNS:" + name);
  return out;
}

}  // namespace making

inline Identity make_identity(const CertificateOf& wanted) {
  using making::check;
  Identity made;
  made.key.reset(making::make_key(wanted.key), EVP_PKEY_free);
  made.certificate.reset(X509_new(), X509_free);
  check(made.key && made.certificate, "a key");
  X509* const c = made.certificate.get();
  static long serial = static_cast<long>(std::time(nullptr)) * 1000;
  X509_set_version(c, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(c), wanted.from);
  ASN1_TIME_set(X509_getm_notAfter(c), wanted.until);
  X509_set_pubkey(c, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "O", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("Forebay tests"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
  X509* const issuer = wanted.issuer ? wanted.issuer->certificate.get() : c;
  X509_set_issuer_name(c, X509_get_subject_name(issuer));
  making::add_extension(c, issuer, NID_basic_constraints, wanted.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wanted.names.empty()) making::add_extension(c, issuer, NID_subject_alt_name, making::joined(wanted.names));
  const auto& signer = wanted.issuer ? wanted.issuer->key : made.key;
  check(X509_sign(c, signer.get(), EVP_sha256()) > 0, "a signature");

  const std::unique_ptr<BIO, decltype(&BIO_free)> cert(BIO_new(BIO_s_mem()), BIO_free),
      key(BIO_new(BIO_s_mem()), BIO_free);
  check(PEM_write_bio_X509(cert.get(), c) == 1, "a certificate");
  check(PEM_write_bio_PrivateKey(key.get(), made.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "a key");
  made.cert_pem = making::text_of(cert.get());
  made.key_pem = making::text_of(key.get());
  return made;
}

/// The key in PEM, enciphered.
inline std::string enciphered_key(const Identity& of) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  unsigned char passphrase[] = "secret";
  making::check(
      PEM_write_bio_PrivateKey(out.get(), of.key.get(), EVP_aes_256_cbc(), passphrase, 6, nullptr, nullptr) == 1,
      "a key");
  return making::text_of(out.get());
}

/// A list (PEM) of what an issuer has revoked.
inline std::string revocation_list(const Identity& issuer, const Identity& revoked) {
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> list(X509_CRL_new(), X509_CRL_free);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> from(ASN1_TIME_set(nullptr, kLongAgo), ASN1_TIME_free),
      until(ASN1_TIME_set(nullptr, kFarAway), ASN1_TIME_free);
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
  X509_CRL_set1_lastUpdate(list.get(), from.get());
  X509_CRL_set1_nextUpdate(list.get(), until.get());
  X509_REVOKED* entry = X509_REVOKED_new();
  X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked.certificate.get()));
  X509_REVOKED_set_revocationDate(entry, from.get());
  making::check(X509_CRL_add0_revoked(list.get(), entry) == 1, "a revoked certificate");
  making::check(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) > 0, "a signature");
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  making::check(PEM_write_bio_X509_CRL(out.get(), list.get()) == 1, "a revocation list");
  return making::text_of(out.get());
}

/// An OCSP response (DER) about a certificate.
inline std::string ocsp_response(const Identity& about, const Identity& issuer, std::time_t until = kFarAway,
                                 int status = V_OCSP_CERTSTATUS_GOOD) {
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), about.certificate.get(), issuer.certificate.get());
  ASN1_TIME* from = ASN1_TIME_set(nullptr, kLongAgo);
  ASN1_TIME* next = ASN1_TIME_set(nullptr, until);
  ASN1_GENERALIZEDTIME* from_g = ASN1_TIME_to_generalizedtime(from, nullptr);
  ASN1_GENERALIZEDTIME* next_g = ASN1_TIME_to_generalizedtime(next, nullptr);
  making::check(
      OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_UNSPECIFIED,
                             status == V_OCSP_CERTSTATUS_REVOKED ? from_g : nullptr, from_g, next_g) != nullptr &&
          OCSP_basic_sign(basic, issuer.certificate.get(), issuer.key.get(), EVP_sha256(), nullptr, 0) == 1,
      "an OCSP response");
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(from);
  ASN1_TIME_free(next);
  ASN1_GENERALIZEDTIME_free(from_g);
  ASN1_GENERALIZEDTIME_free(next_g);
  return out;
}

}  // namespace forebay::test
