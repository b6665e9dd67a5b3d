#include "content/json_parser.hpp"

#include <algorithm>

#include "content/plain_run.hpp"
#include "forebay/base/text.hpp"

namespace forebay::content {
namespace {

inline const char* skip_digits(const char* at) noexcept {
  while (is_digit(*at)) ++at;
  return at;
}

inline const char* skip_ascii(const char* at) noexcept {
  unsigned plain = plain_run(at);
  while (plain == kPlainBlock) {
    at += plain;
    plain = plain_run(at);
  }
  return at + plain;
}

// Called at a byte that is not plain: skips to the end of the run of unescaped characters; null at invalid UTF-8.
const char* skip_beyond_ascii(const char* at) noexcept {
  while (static_cast<unsigned char>(*at) >= 0x80) {
    const std::size_t size = utf8_length({at, 4});
    if (size == 0) return nullptr;
    at = skip_ascii(at + size);
  }
  return at;
}

inline const char* skip_plain(const char* at) noexcept {
  at = skip_ascii(at);
  return static_cast<unsigned char>(*at) < 0x80 ? at : skip_beyond_ascii(at);
}

inline const char* skip_word(const char* at, std::string_view word) noexcept {
  return std::memcmp(at, word.data(), word.size()) == 0 ? at + word.size() : nullptr;
}

// Four hex digits; above 0xFFFF when they are not there.
unsigned code_unit(const char* at) noexcept {
  unsigned code = 0;
  for (const char* stop = at + 4; at != stop; ++at) {
    const int digit = hex_value(*at);
    if (digit < 0) return ~0U;
    code = code << 4 | static_cast<unsigned>(digit);
  }
  return code;
}

}  // namespace

bool JsonParser::read() {
  const Place behind = value(skip_space(text_), 0);
  return behind && skip_space(behind) == end_;
}

// --- trees ---

JsonParser::Place JsonParser::value(Place at, std::size_t depth) {
  switch (*at) {
    case '{': return may_open(depth) ? object(at, depth + 1) : nullptr;
    case '[': return may_open(depth) ? array(at, depth + 1) : nullptr;
    case '"': {
      const auto read = string(at);
      return add(read.behind, JsonKind::String, read.span);
    }
    case 't': return add(skip_word(at, "true"), JsonKind::True);
    case 'f': return add(skip_word(at, "false"), JsonKind::False);
    case 'n': return add(skip_word(at, "null"), JsonKind::Null);
    default: {
      const Place behind = number(at);
      const auto from = static_cast<std::uint32_t>(at - text_);
      return add(behind, JsonKind::Number, {from, static_cast<std::uint32_t>(behind - at)});
    }
  }
}

JsonParser::Place JsonParser::array(Place at, std::size_t depth) {
  const Node node = next_node();
  at = skip_space(add(at + 1, JsonKind::Array, {kNone, 0}));
  if (*at == ']') return at + 1;
  for (Node last = kNone;;) {
    const Node child = next_node();
    at = value(at, depth);
    if (!at) return nullptr;
    (last == kNone ? tree_.items_[node].text.at : tree_.items_[last].next) = child;
    last = child;
    at = skip_space(at);
    if (*at == ']') return at + 1;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

JsonParser::Place JsonParser::object(Place at, std::size_t depth) {
  const Node node = next_node();
  const auto base = open_members();
  at = skip_space(add(at + 1, JsonKind::Object, {kNone, 0}));
  if (*at == '}') return at + 1;
  while (true) {
    const auto name = member_name(at);
    if (!name.behind) return nullptr;
    const Node child = next_node();
    at = value(name.behind, depth);
    if (!at) return nullptr;
    tree_.items_[child].name = name.span;
    push_member(name.span, child);
    at = skip_space(at);
    if (*at == '}') return link_members(node, base) ? at + 1 : nullptr;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

bool JsonParser::link_members(Node object, std::size_t base) {
  sort_members(base);
  const auto& members = tree_.members_;
  tree_.items_[object].text.at = members[base].node;
  for (std::size_t i = base + 1; i < top_; ++i) {
    if (is_same_name(members[i - 1], members[i])) return false;
    tree_.items_[members[i - 1].node].next = members[i].node;
  }
  top_ = base;
  return true;
}

// --- members ---

void JsonParser::sort_members(std::size_t base) {
  using Member = JsonTree::Member;
  const auto first = tree_.members_.begin() + static_cast<std::ptrdiff_t>(base);
  const auto last = tree_.members_.begin() + static_cast<std::ptrdiff_t>(top_);
  const auto less = [this](const Member& a, const Member& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : tree_.view(a.name) < tree_.view(b.name);
  };
  if (last - first > 24) {
    std::sort(first, last, less);
    return;
  }
  for (auto i = first; i != last; ++i) {
    const Member moved = *i;
    auto to = i;
    for (; to != first && less(moved, to[-1]); --to) *to = to[-1];
    *to = moved;
  }
}

bool JsonParser::close_members(std::size_t base) {
  constexpr std::size_t kFew = 12;
  const auto& members = tree_.members_;
  if (top_ - base > kFew) {
    sort_members(base);
    for (auto i = base + 1; i < top_; ++i)
      if (is_same_name(members[i - 1], members[i])) return false;
  } else {
    for (auto i = base + 1; i < top_; ++i)
      for (auto j = base; j < i; ++j)
        if (is_same_name(members[i], members[j])) return false;
  }
  top_ = base;
  return true;
}

JsonParser::String JsonParser::member_name(Place at) {
  if (*at != '"') return {nullptr, {}};
  auto name = string(at);
  if (!name.behind) return name;
  at = skip_space(name.behind);
  name.behind = *at == ':' ? skip_space(at + 1) : nullptr;
  return name;
}

// --- tokens ---

JsonParser::String JsonParser::string(Place at) {
  const Place from = ++at;
  at = skip_plain(at);
  if (!at) return {nullptr, {}};
  if (*at == '"') return {at + 1, {static_cast<std::uint32_t>(from - text_), static_cast<std::uint32_t>(at - from)}};
  return *at == '\\' ? escaped_string(from, at) : String{nullptr, {}};
}

// `from` is where the string begins, and `at` its first escape. The decoded text is never longer than the escaped.
JsonParser::String JsonParser::escaped_string(Place from, Place at) {
  auto& decoded = tree_.decoded_;
  const auto start = decoded.size();
  decoded.append(from, at);
  while (*at == '\\') {
    const Place run = escape(at);
    if (!run) return {nullptr, {}};
    at = skip_plain(run);
    if (!at) return {nullptr, {}};
    decoded.append(run, at);
  }
  const auto size = static_cast<std::uint32_t>(decoded.size() - start);
  return {*at == '"' ? at + 1 : nullptr, {static_cast<std::uint32_t>(start) | JsonTree::kDecoded, size}};
}

// Appends what the escape stands for.
JsonParser::Place JsonParser::escape(Place at) {
  const char letter = *++at;
  if (letter == 'u') return unicode_escape(at + 1);
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  const auto which = kLetters.find(letter);
  if (which == std::string_view::npos) return nullptr;
  tree_.decoded_.push_back(kMeant[which]);
  return at + 1;
}

// A lone surrogate is refused: parsers disagree about it.
JsonParser::Place JsonParser::unicode_escape(Place at) {
  unsigned code = code_unit(at);
  if (code > 0xFFFF || (code >= 0xDC00 && code < 0xE000)) return nullptr;
  at += 4;
  if (code >= 0xD800 && code < 0xDC00) {
    at = skip_word(at, "\\u");
    const unsigned low = at ? code_unit(at) : 0;
    if (low < 0xDC00 || low >= 0xE000) return nullptr;
    at += 4;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(tree_.decoded_, code);
  return at;
}

JsonParser::Place JsonParser::number(Place at) const noexcept {
  if (*at == '-') ++at;
  if (!is_digit(*at)) return nullptr;
  at = *at == '0' ? at + 1 : skip_digits(at);
  if (*at == '.') {
    const Place behind = skip_digits(at + 1);
    if (behind == at + 1) return nullptr;
    at = behind;
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    while (*at == '0' && is_digit(at[1])) ++at;
    const Place behind = skip_digits(at);
    if (behind == at) return nullptr;
    // A larger exponent could overflow the arithmetic.
    if (numbers_ == Numbers::Value && behind - at > 15) return nullptr;
    at = behind;
  }
  return at;
}

// --- without nodes ---

JsonParser::Place JsonParser::skip(Place at, std::size_t depth) {
  switch (*at) {
    case '{': return may_open(depth) ? skip_object(at, depth + 1) : nullptr;
    case '[': return may_open(depth) ? skip_array(at, depth + 1) : nullptr;
    case '"': return skip_string(at);
    case 't': return skip_word(at, "true");
    case 'f': return skip_word(at, "false");
    case 'n': return skip_word(at, "null");
    default: return number(at);
  }
}

JsonParser::Place JsonParser::skip_array(Place at, std::size_t depth) {
  at = skip_space(at + 1);
  if (*at == ']') return at + 1;
  while (true) {
    at = skip(at, depth);
    if (!at) return nullptr;
    at = skip_space(at);
    if (*at == ']') return at + 1;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

JsonParser::Place JsonParser::skip_object(Place at, std::size_t depth) {
  const auto base = open_members();
  at = skip_space(at + 1);
  if (*at == '}') return at + 1;
  while (true) {
    const auto name = member_name(at);
    if (!name.behind) return nullptr;
    push_member(name.span, kNone);
    at = skip(name.behind, depth);
    if (!at) return nullptr;
    at = skip_space(at);
    if (*at == '}') return close_members(base) ? at + 1 : nullptr;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

JsonParser::Place JsonParser::skip_string(Place at) {
  at = skip_plain(at + 1);
  while (at && *at == '\\') {
    // Decodes only to find invalid escapes.
    const auto size = tree_.decoded_.size();
    at = escape(at);
    tree_.decoded_.resize(size);
    if (at) at = skip_plain(at);
  }
  return at && *at == '"' ? at + 1 : nullptr;
}

}  // namespace forebay::content
