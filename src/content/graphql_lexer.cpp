#include "content/graphql_lexer.hpp"

#include "forebay/base/text.hpp"

namespace forebay::content {
namespace {

using Kind = GraphqlToken::Kind;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr bool is_name_start(char c) noexcept { return is_letter(c) || c == '_'; }
constexpr bool is_name_char(char c) noexcept { return is_name_start(c) || is_digit(c); }

// Bytes of the character at the front: a line end and a tab are characters, other control characters are none. Unlike
// the specification of 2021, characters above U+FFFF are accepted, as by all servers.
std::size_t source_character(std::string_view text) noexcept {
  const auto c = static_cast<unsigned char>(text.front());
  if (c >= 0x20 && c < 0x80) return 1;
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
  return utf8_length(text);
}

}  // namespace

GraphqlToken GraphqlLexer::take(Kind kind, std::size_t size) noexcept {
  if (size == 0) {
    rest_ = {};
    return {Kind::Bad, {}};
  }
  const GraphqlToken token{kind, rest_.substr(0, size)};
  rest_.remove_prefix(size);
  return token;
}

bool GraphqlLexer::skip_comment() noexcept {
  while (!rest_.empty() && rest_.front() != '\n' && rest_.front() != '\r') {
    const std::size_t size = source_character(rest_);
    if (size == 0) return false;
    rest_.remove_prefix(size);
  }
  return true;
}

bool GraphqlLexer::skip_ignored() noexcept {
  while (!rest_.empty()) {
    switch (rest_.front()) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
      case ',': rest_.remove_prefix(1); break;
      case '#':
        if (!skip_comment()) return false;
        break;
      default:
        if (!rest_.starts_with(kByteOrderMark)) return true;
        rest_.remove_prefix(kByteOrderMark.size());
    }
  }
  return true;
}

GraphqlToken GraphqlLexer::next() noexcept {
  if (!skip_ignored()) return take(Kind::Bad, 0);
  if (rest_.empty()) return {};
  const char c = rest_.front();
  if (is_name_start(c)) {
    std::size_t size = 1;
    while (size < rest_.size() && is_name_char(rest_[size])) ++size;
    return take(Kind::Name, size);
  }
  if (is_digit(c) || c == '-') return take(Kind::Number, number());
  if (c == '"') return take(Kind::String, rest_.starts_with("\"\"\"") ? block_string() : string());
  if (c == '.') return take(Kind::Punctuator, rest_.starts_with("...") ? 3 : 0);
  constexpr std::string_view kPunctuators = "!$&():=@[]{|}";
  return take(Kind::Punctuator, kPunctuators.find(c) == std::string_view::npos ? 0 : 1);
}

// Sections 2.9.1 and 2.9.2. It must not be followed by a digit, a point or a name.
std::size_t GraphqlLexer::number() const noexcept {
  const auto at = [this](std::size_t i) { return i < rest_.size() ? rest_[i] : '\0'; };
  const auto digits = [at](std::size_t& i) {
    const std::size_t from = i;
    while (is_digit(at(i))) ++i;
    return i > from;
  };
  std::size_t i = at(0) == '-' ? 1 : 0;
  if (at(i) == '0')
    ++i;
  else if (!digits(i))
    return 0;
  if (at(i) == '.' && !digits(++i)) return 0;
  if (at(i) == 'e' || at(i) == 'E') {
    ++i;
    if (at(i) == '+' || at(i) == '-') ++i;
    if (!digits(i)) return 0;
  }
  return is_name_char(at(i)) || at(i) == '.' ? 0 : i;
}

// Section 2.9.4: the bytes of an escape, or 0; \u{...} is younger than the text of 2021.
std::size_t GraphqlLexer::escape(std::size_t at) const noexcept {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  const std::string_view text = rest_.substr(at + 1);
  if (text.empty()) return 0;
  if (kLetters.find(text[0]) != std::string_view::npos) return 2;
  if (text[0] != 'u') return 0;
  const bool braced = text.size() > 1 && text[1] == '{';
  std::size_t i = braced ? 2 : 1;
  const std::size_t from = i;
  while (i < text.size() && is_hex(text[i]) && (braced || i < from + 4)) ++i;
  if (!braced) return i == from + 4 ? 1 + i : 0;
  return i > from && i < text.size() && text[i] == '}' ? 2 + i : 0;
}

std::size_t GraphqlLexer::string() const noexcept {
  std::size_t i = 1;
  while (i < rest_.size()) {
    const char c = rest_[i];
    if (c == '"') return i + 1;
    if (c == '\n' || c == '\r') return 0;
    const std::size_t size = c == '\\' ? escape(i) : source_character(rest_.substr(i));
    if (size == 0) return 0;
    i += size;
  }
  return 0;
}

std::size_t GraphqlLexer::block_string() const noexcept {
  constexpr std::string_view kQuotes = "\"\"\"";
  constexpr std::string_view kEscapedQuotes = "\\\"\"\"";
  std::size_t i = kQuotes.size();
  while (i < rest_.size()) {
    const std::string_view here = rest_.substr(i);
    if (here.starts_with(kQuotes)) return i + kQuotes.size();
    const std::size_t size = here.starts_with(kEscapedQuotes) ? kEscapedQuotes.size() : source_character(here);
    if (size == 0) return 0;
    i += size;
  }
  return 0;
}

}  // namespace forebay::content
