#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "forebay/base/text.hpp"

namespace forebay::http {

/// Calls `f(member)` for each member of a comma-separated list (RFC 9110 section 5.6.1): trimmed, empty ones skipped,
/// commas inside quoted strings respected. `f` may return false to stop.
template <class F>
void for_each_member(std::string_view list, F&& f) {
  std::size_t i = 0;
  while (i < list.size()) {
    std::size_t start = i;
    bool quoted = false;
    for (; i < list.size(); ++i) {
      const char c = list[i];
      if (quoted) {
        if (c == '\\' && i + 1 < list.size())
          ++i;
        else if (c == '"')
          quoted = false;
      } else if (c == '"') {
        quoted = true;
      } else if (c == ',') {
        break;
      }
    }
    const auto member = trim(list.substr(start, i - start));
    ++i;
    if (member.empty()) continue;
    if constexpr (std::is_same_v<decltype(f(member)), bool>) {
      if (!f(member)) return;
    } else {
      f(member);
    }
  }
}

/// Whether all parsers find the same members: each quote begins a value directly after "=", is closed, and is followed
/// by a separator. Otherwise `for_each_piece` finds the members that another parser may see.
bool quotes_hold(std::string_view list) noexcept;

/// Calls `f(piece)` for each text between two commas, inside quotes too; without the blanks and quotes at its ends,
/// empty ones skipped. For lists whose members have no quotes, and for restrictive members of a list with unbalanced
/// quotes.
template <class F>
void for_each_piece(std::string_view list, F&& f) {
  constexpr std::string_view kAround = " \t\"\\";
  while (!list.empty()) {
    const auto end = list.find(',');
    auto piece = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    piece.remove_prefix(std::min(piece.find_first_not_of(kAround), piece.size()));
    piece = piece.substr(0, piece.find_last_not_of(kAround) + 1);
    if (!piece.empty()) f(piece);
  }
}

/// Whether the list has this member, case-insensitively.
bool has_member(std::string_view list, std::string_view member) noexcept;
/// Whether `for_each_piece` finds it, case-insensitively.
bool has_piece(std::string_view list, std::string_view piece) noexcept;
/// The content of a quoted-string, unescaped; nothing when it is not exactly one quoted-string.
bool unquote(std::string_view text, std::string& out);
/// Matches `*`-only globs; `icase` for field names.
bool glob_match(std::string_view pattern, std::string_view text, bool icase = false) noexcept;
/// Decimal digits only, at most `max` (values above are clamped to it); false for other text.
bool parse_decimal(std::string_view text, std::uint64_t max, std::uint64_t& out) noexcept;
/// Whether an Upgrade to this protocol (`h2c`, `TLS/1.0`) must end at a proxy: requests in it would reach the origin
/// unseen.
bool never_upgrades_to(std::string_view protocol) noexcept;
/// Whether challenges (WWW-Authenticate) or credentials (Authorization) have a scheme that authenticates the connection
/// rather than the request: NTLM, Negotiate (RFC 4559), Kerberos.
bool authenticates_connection(std::string_view value) noexcept;

}  // namespace forebay::http
