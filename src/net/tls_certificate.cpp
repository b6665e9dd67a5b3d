#include "tls_certificate.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>

#include "forebay/base/text.hpp"

namespace forebay::net {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;
constexpr int kMostIntermediates = 16;

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

WallTime wall_time(const ASN1_TIME* at) {
  std::tm parts{};
  if (at == nullptr || ASN1_TIME_to_tm(at, &parts) != 1) return {};
  return WallTime{std::chrono::seconds{::timegm(&parts)}};
}

std::string date_of(WallTime at) {
  const std::time_t seconds = whole_seconds(at.time_since_epoch());
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts)};
}

std::string key_type_text(int type) {
  const char* name = OBJ_nid2sn(type);
  return type == EVP_PKEY_EC ? "ECDSA" : type == EVP_PKEY_RSA ? "RSA" : name != nullptr ? name : "unknown";
}

void read_chain(const std::string& path, const std::string& pem, LoadedCertificate& out, TlsFindings& findings) {
  const auto bio = openssl::reader_of(pem);
  out.leaf.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (!out.leaf) {
    const auto why = openssl::take_error();
    findings.error(1021, in_quotes(path) + " has no certificate in PEM (" + std::string(why) + ')',
                   "it begins with -----BEGIN CERTIFICATE-----");
    return;
  }
  out.chain.reset(sk_X509_new_null());
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    sk_X509_push(out.chain.get(), next);
    if (sk_X509_num(out.chain.get()) > kMostIntermediates) {
      findings.error(1021,
                     in_quotes(path) + " has more than " + std::to_string(kMostIntermediates + 1) + " certificates",
                     "a certificate is followed by its intermediate ones alone");
      break;
    }
  }
  // No further PEM block is the end of the file; anything else is a damaged one.
  const auto code = ERR_peek_last_error();
  if (code != 0 && !(ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE))
    findings.error(1021, in_quotes(path) + ": a certificate behind the first cannot be read (" +
                             std::string(openssl::take_error()) + ')');
  ERR_clear_error();
}

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

void read_key(const std::string& path, const std::string& pem, LoadedCertificate& out, TlsFindings& findings) {
  const auto bio = openssl::reader_of(pem);
  bool encrypted = false;
  out.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &encrypted));
  if (out.key) return;
  const auto why = openssl::take_error();
  if (encrypted)
    findings.error(1021, in_quotes(path) + " is encrypted, and nobody is there to give the passphrase",
                   "write the key without one, readable by Forebay alone: openssl pkey -in KEY -out KEY.plain");
  else
    findings.error(1021, in_quotes(path) + " has no private key in PEM (" + std::string(why) + ')',
                   "it begins with -----BEGIN PRIVATE KEY-----");
}

void check_permissions(const std::string& path, TlsFindings& findings) {
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0 && (file.st_mode & S_IROTH) != 0)
    findings.warning(2053, in_quotes(path) + " can be read by every user of this machine",
                     "chmod 640 it, with the group that Forebay runs as");
}

void check_dates(const std::string& path, CertificateUse use, LoadedCertificate& out, TlsFindings& findings) {
  const auto begins = wall_time(X509_get0_notBefore(out.leaf.get()));
  out.ends = wall_time(X509_get0_notAfter(out.leaf.get()));
  const auto left = out.ends - findings.now();
  const std::string refuse = use == CertificateUse::Server ? "clients refuse it" : "the origin refuses it";
  // Certificates for a few days are renewed late in their life.
  const auto soon = std::min<Duration>(std::chrono::hours{24 * 14}, (out.ends - begins) / 3);
  if (begins > findings.now())
    findings.warning(2051, in_quotes(path) + " is not valid before " + date_of(begins), refuse + " until then");
  else if (left <= Duration{0})
    findings.warning(2051, in_quotes(path) + " has expired: it was valid until " + date_of(out.ends),
                     refuse + "; renew it and reload");
  else if (left < soon)
    findings.warning(2051, in_quotes(path) + " expires soon: it is valid until " + date_of(out.ends),
                     "renew it and reload");
}

void read_names(const std::string& path, LoadedCertificate& out, TlsFindings& findings) {
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(out.leaf.get(), NID_subject_alt_name, nullptr, nullptr));
  const bool any = names != nullptr && sk_GENERAL_NAME_num(names) > 0;
  for (int i = 0; any && i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type != GEN_DNS) continue;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (!text.empty() && text.find('\0') == std::string_view::npos) out.names.push_back(lower_case(text));
  }
  GENERAL_NAMES_free(names);
  ERR_clear_error();
  if (!any)
    findings.warning(2052, in_quotes(path) + " has no subjectAltName",
                     "browsers refuse it, and it is not chosen by the client's server name");
}

/// Each certificate is signed by the next; clients cannot be expected to sort them.
void check_order(const std::string& path, const LoadedCertificate& out, TlsFindings& findings) {
  X509* below = out.leaf.get();
  for (int i = 0; i < sk_X509_num(out.chain.get()); ++i) {
    X509* const above = sk_X509_value(out.chain.get(), i);
    if (X509_check_issued(above, below) != X509_V_OK)
      return findings.warning(2052,
                              in_quotes(path) + ": certificate " + std::to_string(i + 2) +
                                  " has not signed certificate " + std::to_string(i + 1),
                              "the certificate comes first, then the one that signed it, and so on");
    below = above;
  }
}

/// What OpenSSL would refuse when the certificate is put into use (its security level 2).
void check_strength(const std::string& path, const LoadedCertificate& out, TlsFindings& findings) {
  const openssl::ContextPtr trial(SSL_CTX_new(TLS_server_method()));
  if (!trial) return;
  SSL_CTX_set_security_level(trial.get(), 2);
  if (SSL_CTX_use_cert_and_key(trial.get(), out.leaf.get(), out.key.get(), out.chain.get(), 1) == 1) return;
  findings.error(1023, in_quotes(path) + " cannot be used: " + std::string(openssl::take_error()),
                 "RSA keys have 2048 bits and more, signatures are by SHA-256 and better");
}

/// The answer of an OCSP response about this certificate; null: there is none.
OCSP_SINGLERESP* answer_about(OCSP_BASICRESP* basic, X509* leaf) {
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    auto* single = OCSP_resp_get0(basic, i);
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
    if (serial != nullptr && ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) == 0) return single;
  }
  return nullptr;
}

WallTime generalized(const ASN1_GENERALIZEDTIME* at) { return wall_time(reinterpret_cast<const ASN1_TIME*>(at)); }

void read_staple(const std::string& path, LoadedCertificate& out, TlsFindings& findings) {
  const auto der = read_tls_file(path, findings);
  if (!der) return;
  const auto* at = reinterpret_cast<const unsigned char*>(der->data());
  const openssl::OcspPtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der->size())));
  const openssl::OcspBasicPtr basic(response && OCSP_response_status(response.get()) == OCSP_RESPONSE_STATUS_SUCCESSFUL
                                        ? OCSP_response_get1_basic(response.get())
                                        : nullptr);
  ERR_clear_error();
  if (!basic)
    return findings.error(1021, in_quotes(path) + " is no successful OCSP response in DER",
                          "such as openssl ocsp -respout writes");
  auto* single = answer_about(basic.get(), out.leaf.get());
  if (single == nullptr)
    return findings.error(1022, in_quotes(path) + " says nothing about this certificate", "ask for its own response");
  ASN1_GENERALIZEDTIME* next = nullptr;
  ASN1_GENERALIZEDTIME* since = nullptr;
  int reason = 0;
  const int status = OCSP_single_get0_status(single, &reason, nullptr, &since, &next);
  const auto until = next != nullptr ? generalized(next) : WallTime::max();
  if (status != V_OCSP_CERTSTATUS_GOOD)
    return findings.warning(2051, in_quotes(path) + " does not say that the certificate is good; it is not stapled",
                            "the certificate may have been revoked: renew it");
  if (until <= findings.now())
    return findings.warning(2051, in_quotes(path) + " has expired (" + date_of(until) + "); it is not stapled",
                            "fetch a new one and reload");
  out.staple = {*der, until};
}

}  // namespace

std::optional<std::string> read_tls_file(const std::string& path, TlsFindings& findings) {
  const auto refuse = [&](const std::string& why) {
    std::string hint;
    if (why == std::strerror(EACCES)) hint = "Forebay runs as user " + std::to_string(::geteuid());
    std::error_code error;
    const auto whole = std::filesystem::absolute(path, error);
    findings.error(1020, in_quotes(error ? path : whole.string()) + " cannot be read: " + why, std::move(hint));
    return std::nullopt;
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return refuse("it is no regular file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse(errno != 0 ? std::strerror(errno) : "it cannot be opened");
  std::string text(kLargestFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return refuse("it cannot be read to its end");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLargestFile) return refuse("it has more than 1 MiB");
  if (text.empty()) return refuse("it is empty");
  return text;
}

LoadedCertificate load_certificate(const config::ListenerTls::Certificate& files, std::size_t index, CertificateUse use,
                                   TlsFindings& findings) {
  LoadedCertificate out;
  findings.about("cert", index);
  if (const auto pem = read_tls_file(files.cert, findings)) read_chain(files.cert, *pem, out, findings);
  if (out.leaf) {
    check_dates(files.cert, use, out, findings);
    if (use == CertificateUse::Server) read_names(files.cert, out, findings);
    check_order(files.cert, out, findings);
  }
  findings.about("key", index);
  if (auto pem = read_tls_file(files.key, findings)) {
    read_key(files.key, *pem, out, findings);
    OPENSSL_cleanse(pem->data(), pem->size());
    check_permissions(files.key, findings);
  }
  if (!out.leaf || !out.key) return out;
  out.key_type = EVP_PKEY_get_base_id(out.key.get());
  if (X509_check_private_key(out.leaf.get(), out.key.get()) != 1) {
    ERR_clear_error();
    EVP_PKEY* const own = X509_get0_pubkey(out.leaf.get());
    const int wanted = own != nullptr ? EVP_PKEY_get_base_id(own) : 0;
    findings.error(1022,
                   "the key in " + in_quotes(files.key) + " does not fit the certificate in " + in_quotes(files.cert),
                   wanted != out.key_type
                       ? "the key is " + key_type_text(out.key_type) + ", the certificate's " + key_type_text(wanted)
                       : "write both files, then reload");
    return out;
  }
  findings.about("cert", index);
  check_strength(files.cert, out, findings);
  if (files.ocsp.empty()) return out;
  findings.about("ocsp", index);
  read_staple(files.ocsp, out, findings);
  return out;
}

}  // namespace forebay::net
