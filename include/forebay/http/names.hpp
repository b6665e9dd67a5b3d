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

// What a name may be read as. Forebay decides by names: what is keyed, what makes a bypass, what is not forwarded.
// Other readers of a request (PHP, Rack, Express, Spring, Django, ASP.NET, CGI and their like) find some of these names
// under other spellings. This file is the only place that says under which.

namespace forebay::http {

enum class NameKind : std::uint8_t {
  Field,      ///< Of a header field or trailer field.
  Parameter,  ///< Of a query or an urlencoded form, as sent.
  Cookie,     ///< As sent.
};

/// All that readers may take one sent name for. Of a field: CGI and its heirs write `_` for each byte that is no letter
/// or digit, and take no notice of case, so `X_Tenant` and `X.Tenant` may be read as `X-Tenant`. Of a parameter or a
/// cookie, in any case and after percent-decoding:
///   - PHP: blanks in front are dropped; a blank, `.` and an unclosed `[` are `_`;
///   - PHP, Rack, Express, Spring, ASP.NET: a name with brackets or dots is a path, so `f[x]` and `f.x` are parts of
///   `f`;
///     some take `[f]` and `f]` for `f`; ASP.NET looks for `f` under `x.f` and `x[f]` too;
///   - Spring: `_f` and `!f` stand in for `f`;
///   - http_parser (PHP's built-in server, old Node.js) drops question marks in front of a query: `??f` is `f`.
///   - where a `%` has no two hex digits behind it, it stays for most, and is dropped by classic ASP; ASP.NET reads
///   `%u006c`.
/// Names with control bytes in them (NUL ends a name for some) or with more than 16 steps may be read as any name.
class ListedNames;

class NameReadings {
 public:
  /// Borrows `sent` and `buffer`, which is overwritten where decoding changes something.
  NameReadings(NameKind kind, std::string_view sent, std::string& buffer);

  /// Whether some reader may take it for a name that `listed` (a glob) matches.
  bool may_be(std::string_view listed) const noexcept;
  template <class Names>
  bool may_be_any(const Names& listed) const noexcept {
    return std::any_of(std::begin(listed), std::end(listed), [this](std::string_view one) { return may_be(one); });
  }
  /// Which of the list it may be taken for; see `ListedNames`. Not for fields.
  std::uint64_t among(const ListedNames& listed) const noexcept;

 private:
  struct Step {
    std::size_t from, to;
  };
  // Decoded, and as PHP writes it; and where its steps are.
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

/// A list of names (globs) that many sent ones are compared with: most show by a letter or their length that they are
/// none of them. Built for each use; up to 24 names allocate nothing.
class ListedNames {
 public:
  /// Borrows the names.
  explicit ListedNames(std::span<const std::string> names);
  /// For which names of the list some reader may take a parameter or cookie: bit i for the one at i; the last bit for
  /// those from 63 on together. Agrees with `NameReadings::may_be`.
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
  std::bitset<64> lengths_;  // of names without stars; the last stands for all beyond
  std::bitset<256> hashes_;  // of names without stars
  std::size_t longest_ = 0;  // that a run may be; no end where a name has a star
  std::uint64_t all_ = 0;
};

/// Whether some reader may take `sent` for a name that `listed` (a glob) matches.
bool may_be_read_as(NameKind kind, std::string_view sent, std::string_view listed);
/// The same for a list; false for an empty one.
bool may_be_read_as_any(NameKind kind, std::string_view sent, std::span<const std::string> listed);
/// Whether every reader takes the parameter or cookie for one that the list names by its decoded text, letter for
/// letter: what is left out of a key must be.
bool is_read_as_one_of(std::string_view sent, std::span<const std::string> listed);

/// Appends the decoded name of a parameter up to its first `[`. False where readers do not agree on it: there is an
/// escape that is none, a control byte, a question mark in front (it counts only in front of the whole query), no name
/// in front of the bracket, or a bracket without its other one.
bool append_base_name(std::string_view sent, std::string& out);
/// Appends what stands in `text` from `from` on in a form in which two base names are equal if some reader takes them
/// for one: as PHP writes it, without case.
void append_folded_name(std::string& text, std::size_t from);

/// Whether there are so many parameters that some readers stop before the last one (PHP and Express after 1000): then
/// each may change the answer by being there.
inline constexpr std::size_t kCrowd = 256;
bool is_crowded(std::string_view query) noexcept;

/// Some readers take `;` for a separator too. Calls `is(name)` for the undecoded names that they find in `piece`, one
/// `name=value` between two `&`, until it returns true; gives whether it did. Nothing is called when there is no `;`.
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

/// Calls `is(name)` for each undecoded name that some reader finds in a query or form, until it returns true; gives
/// whether it did.
template <class F>
bool any_parameter_name(std::string_view query, F&& is) {
  bool found = false;
  for_each_query_pair(query, [&](const QueryPair& pair) {
    found = found || is(pair.name) || any_name_between_semicolons(whole_pair(pair), is);
  });
  return found;
}

/// Calls `is(name)` for each name that some reader finds in a Cookie line, until it returns true; gives whether it did.
/// Beside `;` readers know commas, blanks and quotes as ends of a cookie, and trim white space outside of ASCII.
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
    // With the blanks in it, as PHP has it; then word by word.
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

/// Whether every reader finds the same cookies in the line: it is written as RFC 6265 section 4.2.1 has it (a value may
/// stand in quotes), and no name in it is an attribute (`$Version`, `Path`) to those who know RFC 2109.
bool is_plain_cookie_line(std::string_view line) noexcept;
/// The same of all Cookie lines. (Readers join several in different ways; an origin gets one line.)
bool are_plain_cookies(FieldsView fields) noexcept;

}  // namespace forebay::http
