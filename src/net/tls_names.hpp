#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::net {

struct NamedCertificate {
  int key_type = 0;
  std::vector<std::string> names;  ///< In lower case; `*.example.com` is for names with one label more.
};

/// Which certificates a client gets by the name that it asks for: of each type of key the first that has exactly this
/// name, else the first whose wildcard fits.
class CertificateNames {
 public:
  CertificateNames() = default;
  explicit CertificateNames(std::span<const NamedCertificate> certificates);

  /// Indexes of certificates with different types of keys. The first set is for clients that ask for no known name; the
  /// first certificate is in it.
  const std::vector<std::vector<std::size_t>>& sets() const noexcept { return sets_; }
  /// The set for a name, in any case, with or without a dot at its end.
  std::optional<std::size_t> find(std::string_view name) const;
  /// Certificates that are in no set.
  std::vector<std::size_t> never_chosen() const;

 private:
  std::size_t index_of(std::vector<std::size_t> set);

  std::size_t count_ = 0;
  std::vector<std::vector<std::size_t>> sets_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace forebay::net
