#include "forebay/http/structured_fields.hpp"

#include <algorithm>

#include "forebay/base/base64.hpp"
#include "forebay/http/chars.hpp"

namespace forebay::http::sf {
namespace {

constexpr bool is_key_char(char c) noexcept {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}
constexpr bool is_token_char(char c) noexcept { return is_class(c, kTchar) || c == ':' || c == '/'; }

// The algorithms of RFC 9651 section 4.2, one function each. Every function takes its piece from the front of `rest_`,
// or returns nothing, which fails the parse.
class Parser {
 public:
  explicit Parser(std::string_view text) noexcept : rest_(text) { skip_spaces(); }

  std::optional<Item> item() {
    auto value = bare();
    if (!value) return std::nullopt;
    Item out{std::move(*value), {}};
    if (!parameters(out.parameters)) return std::nullopt;
    return out;
  }

  // Section 4.2.1.
  std::optional<List> list() {
    List out;
    while (!rest_.empty()) {
      auto m = member();
      if (!m) return std::nullopt;
      out.push_back(std::move(*m));
      if (!next_member()) return std::nullopt;
    }
    return out;
  }

  // Section 4.2.2.
  std::optional<Dictionary> dictionary() {
    Dictionary out;
    while (!rest_.empty()) {
      const auto k = key();
      if (k.empty()) return std::nullopt;
      std::optional<Member> value;
      if (take('=')) {
        value = member();
      } else {
        Item flag{true, {}};
        if (parameters(flag.parameters)) value = std::move(flag);
      }
      if (!value) return std::nullopt;
      assign(out, k, std::move(*value));
      if (!next_member()) return std::nullopt;
    }
    return out;
  }

  // Only spaces may follow what was parsed.
  bool at_end() noexcept {
    skip_spaces();
    return rest_.empty();
  }

 private:
  void skip_spaces() noexcept {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  void skip_ows() noexcept {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }
  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  char pop() noexcept {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  template <class Predicate>
  std::string_view take_while(Predicate p) noexcept {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), p);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  // A later value replaces an earlier one at its place.
  template <class Pairs, class Value>
  static void assign(Pairs& pairs, std::string_view k, Value&& value) {
    for (auto& [name, old] : pairs) {
      if (name == k) {
        old = std::forward<Value>(value);
        return;
      }
    }
    pairs.emplace_back(std::string(k), std::forward<Value>(value));
  }

  // Goes to the next member of a list or dictionary: the end, or a comma followed by a member.
  bool next_member() noexcept {
    skip_ows();
    if (rest_.empty()) return true;
    if (!take(',')) return false;
    skip_ows();
    return !rest_.empty();
  }

  std::optional<Member> member() {
    if (rest_.starts_with('(')) {
      auto inner = inner_list();
      return inner ? std::optional<Member>(std::move(*inner)) : std::nullopt;
    }
    auto one = item();
    return one ? std::optional<Member>(std::move(*one)) : std::nullopt;
  }

  // Section 4.2.1.2.
  std::optional<InnerList> inner_list() {
    InnerList out;
    take('(');
    while (!rest_.empty()) {
      skip_spaces();
      if (take(')')) return parameters(out.parameters) ? std::optional(std::move(out)) : std::nullopt;
      auto one = item();
      if (!one) return std::nullopt;
      out.items.push_back(std::move(*one));
      if (!rest_.starts_with(' ') && !rest_.starts_with(')')) return std::nullopt;
    }
    return std::nullopt;
  }

  // Section 4.2.3.2.
  bool parameters(Parameters& out) {
    while (take(';')) {
      skip_spaces();
      const auto k = key();
      if (k.empty()) return false;
      std::optional<Bare> value = Bare{true};
      if (take('=')) value = bare();
      if (!value) return false;
      assign(out, k, std::move(*value));
    }
    return true;
  }

  // Section 4.2.3.3. Empty when there is none.
  std::string_view key() noexcept {
    if (rest_.empty() || (!is_lower(rest_.front()) && rest_.front() != '*')) return {};
    return take_while(is_key_char);
  }

  // Section 4.2.3.1.
  std::optional<Bare> bare() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    if (c == '-' || is_digit(c)) return number();
    if (c == '"') return string();
    if (c == '*' || is_letter(c)) return Bare{Token{std::string(take_while(is_token_char))}};
    if (c == ':') return bytes();
    if (c == '?') return boolean();
    if (c == '@') return date();
    if (c == '%') return display();
    return std::nullopt;
  }

  // Section 4.2.4: at most 15 digits, or 12 before the point and 3 behind it.
  std::optional<Bare> number() {
    const bool negative = take('-');
    const auto whole = take_while(is_digit);
    if (whole.empty() || whole.size() > 15) return std::nullopt;
    std::int64_t n = 0;
    for (const char c : whole) n = n * 10 + (c - '0');
    if (!take('.')) return Bare{negative ? -n : n};
    const auto fraction = take_while(is_digit);
    if (whole.size() > 12 || fraction.empty() || fraction.size() > 3) return std::nullopt;
    for (std::size_t i = 0; i < 3; ++i) n = n * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    return Bare{Decimal{negative ? -n : n}};
  }

  // Section 4.2.5.
  std::optional<Bare> string() {
    std::string out;
    take('"');
    while (!rest_.empty()) {
      char c = pop();
      if (c == '"') return Bare{std::move(out)};
      if (c == '\\') {
        if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\\')) return std::nullopt;
        c = pop();
      } else if (c < 0x20 || c > 0x7E) {
        return std::nullopt;
      }
      out.push_back(c);
    }
    return std::nullopt;
  }

  // Section 4.2.7: missing padding and non-zero low bits are accepted, as it advises.
  std::optional<Bare> bytes() {
    take(':');
    const auto end = rest_.find(':');
    if (end == std::string_view::npos) return std::nullopt;
    const auto text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    auto out = from_base64(text, StrayBits::Ignored);
    return out ? std::optional<Bare>(Bytes{std::move(*out)}) : std::nullopt;
  }

  // Section 4.2.8.
  std::optional<Bare> boolean() noexcept {
    take('?');
    if (take('1')) return Bare{true};
    if (take('0')) return Bare{false};
    return std::nullopt;
  }

  // Section 4.2.9.
  std::optional<Bare> date() {
    take('@');
    auto n = number();
    if (!n || !std::holds_alternative<std::int64_t>(*n)) return std::nullopt;
    return Bare{SfDate{std::get<std::int64_t>(*n)}};
  }

  // Section 4.2.10: percent-encoded UTF-8 with lower-case digits.
  std::optional<Bare> display() {
    take('%');
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!rest_.empty()) {
      const char c = pop();
      if (c == '"') return is_utf8(out) ? std::optional<Bare>(Display{std::move(out)}) : std::nullopt;
      if (c < 0x20 || c > 0x7E) return std::nullopt;
      if (c != '%') {
        out.push_back(c);
        continue;
      }
      if (rest_.size() < 2 || !is_lower_hex(rest_.substr(0, 2))) return std::nullopt;
      out.push_back(static_cast<char>(hex_value(rest_[0]) << 4 | hex_value(rest_[1])));
      rest_.remove_prefix(2);
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<Item> parse_item(std::string_view text) {
  Parser p(text);
  auto out = p.item();
  return out && p.at_end() ? std::move(out) : std::nullopt;
}

std::optional<List> parse_list(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return Parser(text).list();
}

std::optional<Dictionary> parse_dictionary(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return Parser(text).dictionary();
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c >= 0x20 && c <= 0x7E ? c : '?');
  }
  out.push_back('"');
}

bool is_sf_token(std::string_view text) noexcept {
  return !text.empty() && (is_letter(text.front()) || text.front() == '*') &&
         std::all_of(text.begin(), text.end(), is_token_char);
}

}  // namespace forebay::http::sf
