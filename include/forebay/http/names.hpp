#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "forebay/http/target.hpp"

// The spellings of names. Forebay decides by names: for keys, bypasses and forwarding. Applications (PHP, Rack,
// Express, Spring, Django, ASP.NET, CGI) accept other spellings of some names. Only this file knows which.

namespace forebay::http {

enum class NameKind : std::uint8_t {
  Field,      ///< Of a header field or trailer field.
  Parameter,  ///< Of a query or an urlencoded form, as sent.
  Cookie,     ///< As sent.
};

/// All names that applications may read one sent name as. Fields: CGI writes `_` for each byte that is not a letter or
/// digit and ignores case, so `X_Tenant` and `X.Tenant` may be read as `X-Tenant`. Parameters and cookies, in any case
/// and after percent-decoding:
///   - PHP drops leading blanks, and replaces a blank, `.` and an unclosed `[` by `_`;
///   - PHP, Rack, Express, Spring, ASP.NET: a name with brackets or dots is a path, so `f[x]` and `f.x` are parts of
///     `f`; some read `[f]` and `f]` as `f`; ASP.NET also finds `f` under `x.f` and `x[f]`;
///   - Spring reads `_f` and `!f` as `f`;
///   - http_parser (PHP's built-in server, old Node.js) drops leading question marks of a query: `??f` is `f`;
///   - a `%` without two hex digits is kept by most, and dropped by classic ASP; ASP.NET decodes `%u006c`.
/// Names with control bytes (a NUL ends a name for some) or with more than 16 steps may be read as any name.
class ListedNames;

class NameReadings {
 public:
  /// Borrows `sent` and `buffer`, which is overwritten if decoding changes something.
  NameReadings(NameKind kind, std::string_view sent, std::string& buffer);

  /// Whether some parser may read it as a name that `listed` (a glob) matches.
  bool may_be(std::string_view listed) const noexcept;
  template <class Names>
  bool may_be_any(const Names& listed) const noexcept {
    return std::any_of(std::begin(listed), std::end(listed), [this](std::string_view one) { return may_be(one); });
  }
  /// Which names of the list it may be read as; see `ListedNames`. Not for fields.
  std::uint64_t among(const ListedNames& listed) const noexcept;

 private:
  struct Step {
    std::size_t from, to;
  };
  // Decoded, and as PHP writes it; and the positions of its steps.
  struct Reading {
    std::string_view text;
    std::array<Step, 16> steps;
    std::size_t count = 0;
    bool is(std::string_view listed) const noexcept;
    std::uint64_t among(const ListedNames& listed) const noexcept;
  };
  void decode(std::string& buffer);
  static bool fold(std::string& buffer, std::size_t begin, std::size_t end, Reading& out);

  NameKind kind_;
  bool unclear_ = false;
  std::string_view sent_;
  Reading usual_, broken_;
  bool has_broken_ = false;
};

/// A list of names (globs) to compare with many sent names; most differ by a letter or their length. Built for each
/// use; up to 24 names allocate nothing.
class ListedNames {
 public:
  /// Borrows the names.
  explicit ListedNames(std::span<const std::string> names);
  /// The names of the list that some parser may read a parameter or cookie as: bit i for name i; the last bit for all
  /// names from 63 on. Agrees with `NameReadings::may_be`.
  std::uint64_t read_as(std::string_view sent, std::string& buffer) const;
  static constexpr std::size_t kLast = 63;

 private:
  friend class NameReadings;
  struct Name {
    std::string_view text;
    std::size_t length;  // of this and the next the folded name, where it has no star
    std::uint32_t hash;
    std::uint64_t bit;
    char first;  // folded
    bool glob;
  };
  void add(std::string_view text, std::size_t index);
  bool has_length(std::size_t n) const noexcept { return lengths_.test(std::min(n, lengths_.size() - 1)); }
  boost::container::small_vector<Name, 24> names_;
  std::bitset<256> first_;   // letters that some name begins with, or its run after a star
  std::bitset<64> lengths_;  // of names without stars; the last is for all beyond
  std::bitset<256> hashes_;  // of names without stars
  std::size_t longest_ = 0;  // that a run may be; no end where a name has a star
  std::uint64_t all_ = 0;
};

/// Whether some parser may read `sent` as a name that `listed` (a glob) matches.
bool may_be_read_as(NameKind kind, std::string_view sent, std::string_view listed);
/// The same for a list; false for an empty one.
bool may_be_read_as_any(NameKind kind, std::string_view sent, std::span<const std::string> listed);
/// Whether every parser reads the parameter or cookie as a name of the list, exactly by its decoded text: required to
/// leave it out of a key.
bool is_read_as_one_of(std::string_view sent, std::span<const std::string> listed);

/// Appends the decoded name of a parameter up to its first `[`. False if parsers disagree on it: an invalid escape, a
/// control byte, a leading question mark (relevant only at the start of the query), no name before the bracket, or an
/// unmatched bracket.
bool append_base_name(std::string_view sent, std::string& out);
/// Appends `text` from `from` on in a form in which two base names are equal if some parser reads them as one: as PHP
/// writes it, in lower case.
void append_folded_name(std::string& text, std::size_t from);

/// Whether there are more parameters than some parsers read (PHP and Express stop after 1000): then each may change the
/// response by its presence.
inline constexpr std::size_t kCrowd = 256;
bool is_crowded(std::string_view query) noexcept;

/// Some parsers also split at `;`. Calls `is(name)` for the undecoded names that they find in `piece`, one `name=value`
/// between two `&`, until it returns true; returns whether it did. Without a `;` there is no call.
template <class F>
bool any_name_between_semicolons(std::string_view piece, F&& is) {
  auto end = piece.find(';');
  if (end == std::string_view::npos) return false;
  while (true) {
    const auto part = piece.substr(0, end);
    if (!part.empty() && is(part.substr(0, part.find('=')))) return true;
    if (end == std::string_view::npos) return false;
    piece.remove_prefix(end + 1);
    end = piece.find(';');
  }
}

/// Calls `is(name)` for each undecoded name that some parser finds in a query or form, until it returns true; returns
/// whether it did.
template <class F>
bool any_parameter_name(std::string_view query, F&& is) {
  bool found = false;
  for_each_query_pair(query, [&](const QueryPair& pair) {
    found = found || is(pair.name) || any_name_between_semicolons(whole_pair(pair), is);
  });
  return found;
}

/// Calls `is(name)` for each name that some parser finds in a Cookie line, until it returns true; returns whether it
/// did. Besides `;`, parsers split at commas, blanks and quotes, and trim white space outside of ASCII.
template <class F>
bool any_cookie_name(std::string_view line, F&& is) {
  const auto blank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7F || c == '"';
  };
  const auto name_of = [](std::string_view piece) { return piece.substr(0, piece.find('=')); };
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(";,"), line.size());
    auto piece = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    // With its blanks, as in PHP; then word by word.
    auto whole = name_of(piece);
    while (!whole.empty() && blank(whole.front())) whole.remove_prefix(1);
    while (!whole.empty() && blank(whole.back())) whole.remove_suffix(1);
    if (!whole.empty() && is(whole)) return true;
    if (std::none_of(piece.begin(), piece.end(), blank)) continue;
    while (!piece.empty()) {
      const auto from = static_cast<std::size_t>(std::find_if_not(piece.begin(), piece.end(), blank) - piece.begin());
      piece.remove_prefix(from);
      const auto to = static_cast<std::size_t>(std::find_if(piece.begin(), piece.end(), blank) - piece.begin());
      if (const auto name = name_of(piece.substr(0, to)); !name.empty() && is(name)) return true;
      piece.remove_prefix(to);
    }
  }
  return false;
}

/// Whether every parser finds the same cookies in the line: it follows RFC 6265 section 4.2.1 (values may be quoted),
/// and no name is an attribute of RFC 2109 (`$Version`, `Path`).
bool is_plain_cookie_line(std::string_view line) noexcept;
/// The same for all Cookie lines. (Parsers join several in different ways; the origin gets one line.)
bool are_plain_cookies(FieldsView fields) noexcept;

}  // namespace forebay::http
