#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

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
    std::string_view member = list.substr(start, i - start);
    ++i;
    while (!member.empty() && (member.front() == ' ' || member.front() == '\t')) member.remove_prefix(1);
    while (!member.empty() && (member.back() == ' ' || member.back() == '\t')) member.remove_suffix(1);
    if (member.empty()) continue;
    if constexpr (std::is_same_v<decltype(f(member)), bool>) {
      if (!f(member)) return;
    } else {
      f(member);
    }
  }
}

/// Whether the list has this member, case-insensitively.
bool has_member(std::string_view list, std::string_view member) noexcept;
/// A quoted-string without its quotes and escapes; nothing when it is not exactly one quoted-string.
bool unquote(std::string_view text, std::string& out);
/// Matches `*`-only globs; `icase` for field names.
bool glob_match(std::string_view pattern, std::string_view text, bool icase = false) noexcept;
/// Decimal digits only, at most `max` (values above are clamped to it); false when there is anything else or nothing.
bool parse_decimal(std::string_view text, std::uint64_t max, std::uint64_t& out) noexcept;

/// An Accept-Encoding value in one normal form for variant selection (K11): the codings gzip, br, zstd, deflate and
/// identity that are acceptable (q > 0), lower case, in a fixed order, with explicit "identity;q=0" kept. Unknown
/// codings are dropped. Equal normal forms accept the same stored codings.
void append_normal_accept_encoding(std::string_view value, std::string& out);

}  // namespace forebay::http
