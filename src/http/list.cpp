#include "forebay/http/list.hpp"

#include <algorithm>

#include "forebay/http/chars.hpp"
#include "forebay/http/fields.hpp"
#include "http/glob.hpp"

namespace forebay::http {

bool has_member(std::string_view list, std::string_view member) noexcept {
  bool found = false;
  for_each_member(list, [&](std::string_view m) {
    found = iequals(m, member);
    return !found;
  });
  return found;
}

bool has_piece(std::string_view list, std::string_view piece) noexcept {
  bool found = false;
  for_each_piece(list, [&](std::string_view p) { found = found || iequals(p, piece); });
  return found;
}

bool quotes_hold(std::string_view list) noexcept {
  for (auto i = list.find('"'); i != std::string_view::npos; i = list.find('"', i)) {
    if (i == 0 || list[i - 1] != '=') return false;
    for (++i; i < list.size() && list[i] != '"'; ++i)
      if (list[i] == '\\') ++i;
    if (i >= list.size()) return false;
    i = std::min(list.find_first_not_of(" \t", i + 1), list.size());
    if (i < list.size() && list[i] != ',' && list[i] != ';') return false;
  }
  return true;
}

bool unquote(std::string_view text, std::string& out) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return false;
    if (text[i] == '\\' && ++i == text.size()) return false;
    if (!is_class(text[i], kText)) return false;
    out.push_back(text[i]);
  }
  return true;
}

bool glob_match(std::string_view pattern, std::string_view text, bool icase) noexcept {
  const auto same = [icase](char a, char b) { return a == b || (icase && to_lower(a) == to_lower(b)); };
  return match_glob(pattern, text, same, [](char) { return false; });
}

bool parse_decimal(std::string_view text, std::uint64_t max, std::uint64_t& out) noexcept {
  if (text.empty()) return false;
  std::uint64_t n = 0;
  bool over = false;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    over = over || n > (max - (digit < max ? digit : max)) / 10;
    if (!over) n = n * 10 + digit;
  }
  out = over || n > max ? max : n;
  return true;
}

bool never_upgrades_to(std::string_view protocol) noexcept {
  const auto name = protocol.substr(0, protocol.find('/'));
  constexpr std::string_view kNever[] = {"h2c", "h2", "h3", "HTTP", "TLS", "connect-udp", "connect-ip"};
  return std::any_of(std::begin(kNever), std::end(kNever),
                     [&](std::string_view never) { return iequals(name, never); });
}

bool authenticates_connection(std::string_view value) noexcept {
  bool found = false;
  for_each_member(value, [&found](std::string_view member) {
    const auto scheme = member.substr(0, member.find_first_of(" \t"));
    found = found || iequals(scheme, "NTLM") || iequals(scheme, "Negotiate") || iequals(scheme, "Kerberos");
  });
  return found;
}

}  // namespace forebay::http
