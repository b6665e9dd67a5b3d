#include "forebay/config/secrecy.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "config/node.hpp"
#include "config/scalar.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/query_secrets.hpp"

namespace forebay::config {
namespace {

/// Whether one glob is for a name that the other is for, too. What it finds is true; it may miss some.
bool meet(std::string_view one, std::string_view other) {
  return http::glob_match(one, other, true) || http::glob_match(other, one, true);
}

bool redacts(const std::vector<std::string>& globs, std::string_view name) {
  return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return meet(glob, name); });
}

/// A glob over names that takes in secrets.
bool takes_in_secrets(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kUsual{"token",  "access_token", "api_key",
                                                          "apikey", "password",     "secret"};
  if (name.find('*') == std::string_view::npos) return looks_secret(name);
  return std::any_of(kUsual.begin(), kUsual.end(), [&](auto usual) { return http::glob_match(name, usual, true); });
}

bool is_credential(std::string_view field) {
  static const auto usual = rules::Policy().credentials;
  return redacts(usual, field);
}

bool has_secret_step(std::string_view pointer) {
  while (!pointer.empty()) {
    const auto end = std::min(pointer.find('/'), pointer.size());
    if (end > 0 && looks_secret(pointer.substr(0, end))) return true;
    pointer.remove_prefix(std::min(end + 1, pointer.size()));
  }
  return false;
}

}  // namespace

bool looks_secret(std::string_view name) {
  if (is_users_own(name) || name.starts_with("X-")) name.remove_prefix(2);
  return rules::names_secret(name) || lower_case(name).ends_with("token");
}

bool shows_value(const AccessLog& access, Named kind, std::string_view name) {
  switch (kind) {
    case Named::Field: return !takes_in_secrets(name) && !is_credential(name) && !redacts(access.redact_headers, name);
    case Named::Parameter: return !takes_in_secrets(name) && !redacts(access.redact_query, name);
    case Named::Cookie: return !takes_in_secrets(name) && !redacts(access.redact_headers, "Cookie");
    case Named::Member: return !has_secret_step(name);
  }
  return false;
}

}  // namespace forebay::config
