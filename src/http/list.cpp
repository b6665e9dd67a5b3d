#include "forebay/http/list.hpp"

#include <algorithm>
#include <array>

#include "forebay/http/fields.hpp"
#include "http/chars.hpp"

namespace forebay::http {
namespace {

// A qvalue (RFC 9110 section 12.4.2) that is above zero. What is no qvalue accepts nothing.
bool accepts(std::string_view parameters) noexcept {
  bool acceptable = true;
  while (!parameters.empty()) {
    const auto end = parameters.find(';');
    const auto one = trim(parameters.substr(0, end));
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
    if (one.size() < 2 || to_lower(one[0]) != 'q' || one[1] != '=') continue;
    const auto q = one.substr(2);
    if (q.empty() || q.size() > 5 || (q[0] != '0' && q[0] != '1') || (q.size() > 1 && q[1] != '.')) return false;
    bool above_zero = q[0] == '1';
    for (std::size_t i = 2; i < q.size(); ++i) {
      if (!is_digit(q[i])) return false;
      if (q[0] == '1' && q[i] != '0') return false;
      above_zero |= q[i] != '0';
    }
    acceptable = above_zero;
  }
  return acceptable;
}

constexpr std::array<std::string_view, 5> kCodings{"gzip", "br", "zstd", "deflate", "identity"};
constexpr std::size_t kIdentity = 4;

}  // namespace

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
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  // Only the last star is ever tried again: what an earlier one took cannot matter any more.
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
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

void append_normal_accept_encoding(std::string_view value, std::string& out) {
  enum class Say : std::uint8_t { Nothing, Yes, No };
  std::array<Say, kCodings.size()> said{};
  Say star = Say::Nothing;
  for_each_member(value, [&](std::string_view member) {
    const auto semicolon = member.find(';');
    auto coding = trim(member.substr(0, semicolon));
    const auto rest = semicolon == std::string_view::npos ? std::string_view{} : member.substr(semicolon + 1);
    const Say say = accepts(rest) ? Say::Yes : Say::No;
    if (coding == "*") {
      if (star == Say::Nothing) star = say;
      return;
    }
    if (iequals(coding, "x-gzip")) coding = "gzip";  // RFC 9110 section 8.4.1.3
    for (std::size_t i = 0; i < kCodings.size(); ++i) {
      if (said[i] == Say::Nothing && iequals(coding, kCodings[i])) said[i] = say;
    }
  });
  const auto before = out.size();
  const auto append = [&](std::string_view text) {
    if (out.size() > before) out.append(", ");
    out.append(text);
  };
  for (std::size_t i = 0; i < kIdentity; ++i) {
    if ((said[i] == Say::Nothing ? star : said[i]) == Say::Yes) append(kCodings[i]);
  }
  // identity is acceptable unless it is excluded, by name or by "*" (RFC 9110 section 12.5.3): only that is told.
  if ((said[kIdentity] == Say::Nothing ? star : said[kIdentity]) == Say::No) append("identity;q=0");
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
