#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"
#include "forebay/net/tls_finding.hpp"
#include "openssl.hpp"

// The files of TLS settings.

namespace forebay::net {

/// What is found about one `tls` map, with the file that it is about.
class TlsFindings {
 public:
  TlsFindings(std::vector<TlsFinding>& into, WallTime now) : into_(into), now_(now) {}
  /// The file that the next findings are about.
  void about(std::string key, std::size_t certificate = 0) {
    key_ = std::move(key);
    certificate_ = certificate;
  }
  void error(int code, std::string message, std::string hint = {}) {
    failed_ = true;
    add(config::Severity::Error, code, std::move(message), std::move(hint));
  }
  void warning(int code, std::string message, std::string hint = {}) {
    add(config::Severity::Warning, code, std::move(message), std::move(hint));
  }
  bool failed() const noexcept { return failed_; }
  WallTime now() const noexcept { return now_; }

 private:
  void add(config::Severity severity, int code, std::string message, std::string hint) {
    into_.push_back({severity, code, key_, certificate_, std::move(message), std::move(hint)});
  }
  std::vector<TlsFinding>& into_;
  WallTime now_;
  std::string key_;
  std::size_t certificate_ = 0;
  bool failed_ = false;
};

/// An OCSP response that fits its certificate.
struct Staple {
  std::string der;
  WallTime until{};  ///< Not stapled afterwards.
};

/// A certificate that has been read, with its key.
struct LoadedCertificate {
  openssl::X509Ptr leaf;
  openssl::ChainPtr chain;  ///< Without the leaf.
  openssl::KeyPtr key;
  int key_type = 0;                ///< EVP_PKEY_RSA, EVP_PKEY_EC, ...
  std::vector<std::string> names;  ///< DNS names of its SAN, in lower case; `*.` for a wildcard.
  WallTime ends{};
  Staple staple;
};

enum class CertificateUse : std::uint8_t { Server, Client };

/// Reads the files of one certificate; without `leaf` or `key` where there is an error among the findings.
LoadedCertificate load_certificate(const config::ListenerTls::Certificate& files, std::size_t index, CertificateUse use,
                                   TlsFindings& findings);
/// The text of a file of reasonable size; an error else.
std::optional<std::string> read_tls_file(const std::string& path, TlsFindings& findings);

}  // namespace forebay::net
