#include "tls_names.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"

namespace forebay::net {
namespace {

bool has(const NamedCertificate& certificate, std::string_view name) {
  return std::find(certificate.names.begin(), certificate.names.end(), name) != certificate.names.end();
}

/// `*.example.com` for `www.example.com`; empty for a name of one label.
std::string wildcard_of(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos || dot == 0 ? std::string() : '*' + std::string(name.substr(dot));
}

/// The best certificate of each type of key for a name or a wildcard.
std::vector<std::size_t> best_for(std::span<const NamedCertificate> certificates, const std::string& name) {
  std::map<int, std::size_t> best;  // by type of key
  const auto wildcard = name.starts_with("*.") ? std::string() : wildcard_of(name);
  for (const auto* wanted : {&name, &wildcard})
    for (std::size_t i = 0; i < certificates.size() && !wanted->empty(); ++i)
      if (has(certificates[i], *wanted)) best.emplace(certificates[i].key_type, i);
  std::vector<std::size_t> set;
  set.reserve(best.size());
  for (const auto& [type, index] : best) set.push_back(index);
  std::sort(set.begin(), set.end());
  return set;
}

}  // namespace

CertificateNames::CertificateNames(std::span<const NamedCertificate> certificates) : count_(certificates.size()) {
  if (certificates.empty()) return;
  const auto& first = certificates.front().names;
  sets_.push_back(first.empty() ? std::vector<std::size_t>{0} : best_for(certificates, first.front()));
  for (const auto& certificate : certificates)
    for (const auto& name : certificate.names)
      if (!by_name_.contains(name)) by_name_.emplace(name, index_of(best_for(certificates, name)));
}

std::size_t CertificateNames::index_of(std::vector<std::size_t> set) {
  const auto known = std::find(sets_.begin(), sets_.end(), set);
  if (known != sets_.end()) return static_cast<std::size_t>(known - sets_.begin());
  sets_.push_back(std::move(set));
  return sets_.size() - 1;
}

std::optional<std::size_t> CertificateNames::find(std::string_view name) const {
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto low = lower_case(name);
  auto found = low.starts_with('*') ? by_name_.end() : by_name_.find(low);
  if (found == by_name_.end()) found = by_name_.find(wildcard_of(low));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::size_t> CertificateNames::never_chosen() const {
  std::vector<bool> chosen(count_, false);
  for (const auto& set : sets_)
    for (const auto index : set) chosen[index] = true;
  std::vector<std::size_t> never;
  for (std::size_t i = 0; i < count_; ++i)
    if (!chosen[i]) never.push_back(i);
  return never;
}

}  // namespace forebay::net
