#include "forebay/http/names.hpp"

#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "http/glob.hpp"

namespace forebay::http {
namespace {

using Fold = std::array<char, 256>;
constexpr char kDropped = '\0';

// A field name as CGI sees it: HTTP_X_TENANT.
constexpr Fold kField = [] {
  Fold fold{};
  for (std::size_t i = 0; i < fold.size(); ++i) {
    const char c = static_cast<char>(i);
    fold[i] = is_alnum(c) ? to_lower(c) : '_';
  }
  return fold;
}();

// A parameter name as PHP sees it, without closing brackets.
constexpr Fold kParameter = [] {
  Fold fold{};
  for (std::size_t i = 0; i < fold.size(); ++i) fold[i] = to_lower(static_cast<char>(i));
  for (const char c : {' ', '.', '['}) fold[static_cast<unsigned char>(c)] = '_';
  fold[']'] = kDropped;
  return fold;
}();

constexpr char folded(const Fold& fold, char c) noexcept { return fold[static_cast<unsigned char>(c)]; }

// FNV-1a of the folded text, without what folding drops.
std::uint32_t folded_hash(std::string_view text) noexcept {
  std::uint32_t hash = 2166136261U;
  for (const char c : text)
    if (const char f = folded(kParameter, c); f != kDropped) hash = (hash ^ static_cast<unsigned char>(f)) * 16777619U;
  return hash;
}

// Whether the glob matches, both folded. `text` is folded already.
bool matches(const Fold& fold, std::string_view pattern, std::string_view text) noexcept {
  const auto same = [&](char a, char b) { return folded(fold, a) == folded(fold, b); };
  return match_glob(pattern, text, same, [&](char c) { return folded(fold, c) == kDropped; });
}

constexpr bool is_step_end(char c) noexcept { return c == '[' || c == ']' || c == '.' || c == ' '; }
constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Characters that no parser of parameters changes.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> set{};
  for (std::size_t i = 0; i < set.size(); ++i) {
    const char c = static_cast<char>(i);
    set[i] = i < 0x80 && !is_step_end(c) && !is_control(c) && c != '%' && c != '+';
  }
  return set;
}();

// The byte that `%u006c` at the front of `text` stands for; nothing from 0 to 127 for what is no such escape of ASCII.
int escaped_unit(std::string_view text) noexcept {
  if (text.size() < 6 || to_lower(text[1]) != 'u' || text[2] != '0' || text[3] != '0') return -1;
  const int high = hex_value(text[4]), low = hex_value(text[5]);
  return (high | low) < 0 ? -1 : high << 4 | low;
}

enum class Broken : std::uint8_t { Stays, IsDropped };

// Appends the name decoded as in forms; returns whether it had an escape that most parsers do not decode.
bool append_decoded(std::string_view name, Broken broken, std::string& out) {
  bool any = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      out.push_back(name[i] == '+' ? ' ' : name[i]);
      continue;
    }
    if (const int byte = percent_decoded(name.substr(i)); byte >= 0) {
      out.push_back(static_cast<char>(byte));
      i += 2;
      continue;
    }
    any = true;
    const int unit = escaped_unit(name.substr(i));
    if (broken == Broken::Stays)
      out.push_back('%');
    else if (unit >= 0 && unit < 128)
      out.push_back(static_cast<char>(unit)), i += 5;
  }
  return any;
}

bool is_plain(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char c) { return kPlain[static_cast<unsigned char>(c)]; });
}

std::string& scratch() {
  thread_local std::string buffer;
  return buffer;
}

}  // namespace

NameReadings::NameReadings(NameKind kind, std::string_view sent, std::string& buffer) : kind_(kind), sent_(sent) {
  usual_.text = sent;
  if (kind != NameKind::Field && !is_plain(sent)) decode(buffer);
}

void NameReadings::decode(std::string& buffer) {
  buffer.clear();
  buffer.reserve(2 * sent_.size());  // decoding never makes anything longer, so that views stay good
  has_broken_ = append_decoded(sent_, Broken::Stays, buffer);
  const auto middle = buffer.size();
  if (has_broken_) append_decoded(sent_, Broken::IsDropped, buffer);
  unclear_ = std::any_of(buffer.begin(), buffer.end(), is_control) || !fold(buffer, 0, middle, usual_) ||
             (has_broken_ && !fold(buffer, middle, buffer.size(), broken_));
}

// Folds that part of `buffer` in place. False: it has too many steps.
bool NameReadings::fold(std::string& buffer, std::size_t begin, std::size_t end, Reading& out) {
  std::size_t to = begin, from = begin;
  const auto end_step = [&] {
    if (to == from) return true;
    if (out.count == out.steps.size()) return false;
    out.steps[out.count++] = {from - begin, to - begin};
    return true;
  };
  const auto rest = [&](std::size_t i) { return std::string_view(buffer).substr(i, end - i); };
  for (std::size_t i = begin; i < end; ++i) {
    char c = buffer[i];
    // The two letters outside of ASCII that some case-insensitive parsers treat as ASCII letters.
    if (rest(i).starts_with("\xC5\xBF"))
      c = 's', ++i;
    else if (rest(i).starts_with("\xE2\x84\xAA"))
      c = 'k', i += 2;
    if (is_step_end(c) && !end_step()) return false;
    if (const char f = folded(kParameter, c); f != kDropped) buffer[to++] = f;
    if (is_step_end(c)) from = to;
  }
  out.text = std::string_view(buffer).substr(begin, to - begin);
  return end_step();
}

// The whole name, or any consecutive steps, with and without Spring's prefixes and the leading question marks that some
// parsers drop.
bool NameReadings::Reading::is(std::string_view listed) const noexcept {
  const auto run = [&](std::size_t from, std::size_t to) {
    return from < to && matches(kParameter, listed, text.substr(from, to - from));
  };
  if (matches(kParameter, listed, text)) return true;
  const auto marked = std::min(text.find_first_not_of("_!?"), text.size());
  if (marked > 0 && run(marked, text.size())) return true;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = i; j < count; ++j)
      if (run(steps[i].from, steps[j].to) || (i == 0 && marked > steps[0].from && run(marked, steps[j].to)))
        return true;
  return false;
}

bool NameReadings::may_be(std::string_view listed) const noexcept {
  if (kind_ == NameKind::Field) return matches(kField, listed, sent_);
  if (unclear_ || usual_.is(listed) || (has_broken_ && broken_.is(listed))) return true;
  if (usual_.text.data() != sent_.data() && glob_match(listed, sent_, true)) return true;
  // `f[]` in a list means the parameter that other parsers call `f`.
  return listed.size() > 2 && listed.ends_with("[]") && may_be(listed.substr(0, listed.size() - 2));
}

ListedNames::ListedNames(std::span<const std::string> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names[i];
    add(name, i);
    // `f[]` in a list means the parameter that other parsers call `f`.
    for (auto rest = name; rest.size() > 2 && rest.ends_with("[]");) {
      rest.remove_suffix(2);
      add(rest, i);
    }
  }
}

void ListedNames::add(std::string_view text, std::size_t index) {
  const bool glob = text.find('*') != std::string_view::npos;
  Name name{text, 0, folded_hash(text), std::uint64_t{1} << std::min(index, kLast), kDropped, glob};
  for (const char c : text) {
    const char f = folded(kParameter, c);
    if (f == kDropped) continue;
    if (name.length++ == 0) name.first = f;
  }
  // A glob that begins with a star, or is empty once folded, may match anything.
  if (name.length == 0 || name.first == '*')
    first_.set();
  else
    first_.set(static_cast<unsigned char>(name.first));
  if (!glob) {
    lengths_.set(std::min(name.length, lengths_.size() - 1));
    hashes_.set(name.hash % hashes_.size());
  }
  longest_ = glob ? std::string_view::npos : std::max(longest_, name.length);
  all_ |= name.bit;
  names_.push_back(name);
}

std::uint64_t ListedNames::read_as(std::string_view sent, std::string& buffer) const {
  return NameReadings(NameKind::Parameter, sent, buffer).among(*this);
}

std::uint64_t NameReadings::among(const ListedNames& listed) const noexcept {
  if (unclear_) return listed.all_;
  std::uint64_t found = usual_.among(listed);
  if (has_broken_) found |= broken_.among(listed);
  if (usual_.text.data() == sent_.data()) return found;
  for (const auto& name : listed.names_)
    if ((found & name.bit) == 0 && glob_match(name.text, sent_, true)) found |= name.bit;
  return found;
}

// As `is`, for all names at once. A run without a star in the name has one length.
std::uint64_t NameReadings::Reading::among(const ListedNames& listed) const noexcept {
  std::uint64_t found = 0;
  const bool has_globs = listed.longest_ == std::string_view::npos;
  const auto has_length = [&](std::size_t n) { return has_globs || listed.has_length(n); };
  const auto compare = [&](std::size_t from, std::size_t to, bool may_be_empty) {
    if ((from >= to && !may_be_empty) || !has_length(to - from)) return;
    const auto run = text.substr(from, to - from);
    const char first = run.empty() ? kDropped : folded(kParameter, run.front());
    if (!run.empty() && !listed.first_.test(static_cast<unsigned char>(first))) return;
    const auto hash = folded_hash(run);
    if (!has_globs && !listed.hashes_.test(hash % listed.hashes_.size())) return;
    for (const auto& name : listed.names_) {
      if ((found & name.bit) != 0) continue;
      const bool fits =
          name.glob ? name.first == '*' || name.first == first : name.length == run.size() && name.hash == hash;
      if (fits && matches(kParameter, name.text, run)) found |= name.bit;
    }
  };
  compare(0, text.size(), true);
  const auto marked = std::min(text.find_first_not_of("_!?"), text.size());
  if (marked > 0) compare(marked, text.size(), false);
  for (std::size_t i = 0; i < count; ++i) {
    const bool begins_marked = i == 0 && marked > steps[0].from;
    for (std::size_t j = i; j < count; ++j) {
      const auto length = steps[j].to - steps[i].from;
      if (length > listed.longest_ && !begins_marked) break;
      if (has_length(length)) compare(steps[i].from, steps[j].to, false);
      if (begins_marked) compare(marked, steps[j].to, false);
    }
  }
  return found;
}

bool may_be_read_as(NameKind kind, std::string_view sent, std::string_view listed) {
  return NameReadings(kind, sent, scratch()).may_be(listed);
}

bool may_be_read_as_any(NameKind kind, std::string_view sent, std::span<const std::string> listed) {
  return !listed.empty() && NameReadings(kind, sent, scratch()).may_be_any(listed);
}

bool is_read_as_one_of(std::string_view sent, std::span<const std::string> listed) {
  std::string_view name = sent;
  if (!is_plain(sent)) {
    auto& buffer = scratch();
    buffer.clear();
    if (append_decoded(sent, Broken::Stays, buffer) || std::any_of(buffer.begin(), buffer.end(), is_control))
      return false;
    name = buffer;
  }
  return std::any_of(listed.begin(), listed.end(), [name](std::string_view glob) {
    if (!glob_match(glob, name)) return false;
    // A star may have matched brackets and dots: then the part before them must match alone.
    const auto star = glob.find('*');
    if (star == std::string_view::npos) return true;
    const auto step = std::find_if(name.begin() + static_cast<std::ptrdiff_t>(star), name.end(), is_step_end);
    return step == name.end() || glob_match(glob, name.substr(0, static_cast<std::size_t>(step - name.begin())));
  });
}

bool append_base_name(std::string_view sent, std::string& out) {
  if (sent.starts_with('?')) return false;
  const auto from = out.size();
  if (is_plain(sent)) {
    out.append(sent);
    return true;
  }
  if (append_decoded(sent, Broken::Stays, out)) return false;
  const auto name = std::string_view(out).substr(from);
  if (std::any_of(name.begin(), name.end(), is_control)) return false;
  const auto open = name.find('['), close = name.find(']');
  if (open == std::string_view::npos && close == std::string_view::npos) return true;
  if (open == 0 || open == std::string_view::npos || close == std::string_view::npos || close < open) return false;
  // PHP reads `a[b][c` differently from others.
  if (name.find('[', name.rfind(']')) != std::string_view::npos) return false;
  out.resize(from + open);
  return true;
}

void append_folded_name(std::string& text, std::size_t from) {
  const auto end = text.size();
  while (from < end && text[from] == ' ') ++from;
  for (auto i = from; i < end; ++i) text.push_back(folded(kParameter, text[i]));
}

bool is_crowded(std::string_view query) noexcept {
  return query.size() > kCrowd && std::count_if(query.begin(), query.end(), [](char c) {
                                    return c == '&' || c == ';';
                                  }) >= static_cast<std::ptrdiff_t>(kCrowd);
}

bool are_plain_cookies(FieldsView fields) noexcept {
  return std::all_of(fields.begin(), fields.end(),
                     [](const Field& f) { return f.id != FieldId::Cookie || is_plain_cookie_line(f.value); });
}

bool is_plain_cookie_line(std::string_view line) noexcept {
  // Names that RFC 2109 and Python's http.cookies read as attributes of the previous cookie.
  constexpr std::string_view kAttributes[] = {"path",     "domain",  "expires", "max-age",  "secure",
                                              "httponly", "version", "comment", "samesite", "partitioned"};
  const auto octet = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7F && c != '"' && c != ',' && c != '\\';
  };
  while (!line.empty()) {
    const auto end = std::min(line.find(';'), line.size());
    const auto piece = trim(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos) return false;
    const auto name = piece.substr(0, equals);
    auto value = piece.substr(equals + 1);
    if (!is_token(name) || name.front() == '$') return false;
    if (std::any_of(std::begin(kAttributes), std::end(kAttributes), [&](auto a) { return iequals(name, a); }))
      return false;
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (!std::all_of(value.begin(), value.end(), octet)) return false;
  }
  return true;
}

}  // namespace forebay::http
