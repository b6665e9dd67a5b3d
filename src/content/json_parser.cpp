#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "content/json_tree.hpp"
#include "content/plain_run.hpp"
#include "content/utf8.hpp"

namespace forebay::content {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What a buffer keeps between texts; above this it is given back, so that a large text does not cost its memory for
// ever.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;
template <class Buffer>
void empty_out(Buffer& buffer) {
  if (buffer.capacity() * sizeof(typename Buffer::value_type) > kKeptBytes) Buffer().swap(buffer);
  buffer.clear();
}

}  // namespace

// Reads one text (RFC 8259, to the letter) from front to end into a tree. Every function stands at the first byte of
// what it reads and leaves behind the last one; false, kNone and kBad mean that the text is malformed.
class JsonParser {
 public:
  using Node = JsonTree::Node;
  using Span = JsonTree::Span;
  static constexpr Node kNone = JsonTree::kNone;

  JsonParser(JsonTree& tree, std::string_view text, Numbers numbers) noexcept
      : tree_(tree), at_(text.data()), end_(text.data() + text.size()), numbers_(numbers) {}

  bool read() {
    skip_space();
    if (value(0) == kNone) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  // A place that no text has. Spans go by value: written in halves and read whole, they would wait for memory.
  static constexpr Span kBad{~std::uint32_t{0}, ~std::uint32_t{0}};
  static bool is_bad(Span span) noexcept { return span.size == kBad.size; }

  // A zero byte, which is right nowhere outside of strings, stands for the end as well.
  char peek() const noexcept { return at_ != end_ ? *at_ : '\0'; }
  bool eat(char c) noexcept {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool eat(std::string_view word) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0)
      return false;
    at_ += word.size();
    return true;
  }
  void skip_space() noexcept {
    const char* at = at_;
    while (at != end_ && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
    at_ = at;
  }
  std::uint32_t place(const char* at) const noexcept { return static_cast<std::uint32_t>(at - tree_.source_.data()); }
  Node add(JsonKind kind, Span text) {
    const auto node = static_cast<Node>(tree_.items_.size());
    tree_.items_.push_back({{}, text, kNone, kind});
    return node;
  }

  Node value(std::size_t depth) {
    JsonKind kind = JsonKind::Number;
    Span text;
    switch (peek()) {
      case '{':
        return depth < JsonTree::kMaxDepth ? object(depth + 1) : kNone;
      case '[':
        return depth < JsonTree::kMaxDepth ? array(depth + 1) : kNone;
      case '"':
        kind = JsonKind::String;
        text = string();
        break;
      case 't':
        kind = JsonKind::True;
        if (!eat("true")) return kNone;
        break;
      case 'f':
        kind = JsonKind::False;
        if (!eat("false")) return kNone;
        break;
      case 'n':
        kind = JsonKind::Null;
        if (!eat("null")) return kNone;
        break;
      default:
        text = number();
    }
    return is_bad(text) ? kNone : add(kind, text);
  }

  Node array(std::size_t depth) {
    const Node node = add(JsonKind::Array, {kNone, 0});
    ++at_;
    skip_space();
    if (eat(']')) return node;
    for (Node last = kNone;;) {
      const Node child = value(depth);
      if (child == kNone) return kNone;
      (last == kNone ? tree_.items_[node].text.at : tree_.items_[last].next) = child;
      last = child;
      skip_space();
      if (eat(']')) return node;
      if (!eat(',')) return kNone;
      skip_space();
    }
  }

  Node object(std::size_t depth) {
    const Node node = add(JsonKind::Object, {kNone, 0});
    const std::size_t base = tree_.members_.size();
    ++at_;
    skip_space();
    if (eat('}')) return node;
    while (true) {
      if (peek() != '"') return kNone;
      const Span name = string();
      if (is_bad(name)) return kNone;
      skip_space();
      if (!eat(':')) return kNone;
      skip_space();
      const Node child = value(depth);
      if (child == kNone) return kNone;
      tree_.items_[child].name = name;
      tree_.members_.push_back({prefix_of(name), child});
      skip_space();
      if (eat('}')) return link_members(node, base) ? node : kNone;
      if (!eat(',')) return kNone;
      skip_space();
    }
  }

  // The first eight bytes as a number that compares as they do; shorter names are filled up with zeros.
  std::uint64_t prefix_of(Span name) const noexcept {
    const std::string_view bytes = tree_.view(name);
    std::uint64_t prefix = 0;
    // What stands behind a name in the text is read and taken away again, when there is enough of it.
    const bool readable = bytes.size() >= 8 || ((name.at & JsonTree::kDecoded) == 0 && end_ - bytes.data() >= 8);
    if (readable)
      std::memcpy(&prefix, bytes.data(), sizeof prefix);
    else
      std::memcpy(&prefix, bytes.data(), bytes.size());
    if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
    return bytes.size() >= 8 ? prefix : prefix & ~(~std::uint64_t{0} >> 8 * bytes.size());
  }

  // Puts the members from `base` on into the order of their names and links them; false when a name stands twice.
  bool link_members(Node object, std::size_t base) {
    using Member = JsonTree::Member;
    auto& items = tree_.items_;
    auto& members = tree_.members_;
    const auto first = members.begin() + static_cast<std::ptrdiff_t>(base);
    const auto name = [&](const Member& m) { return tree_.view(items[m.node].name); };
    const auto less = [&](const Member& a, const Member& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : name(a) < name(b);
    };
    if (members.end() - first > 24) {
      std::sort(first, members.end(), less);
    } else {
      for (auto i = first; i != members.end(); ++i) {
        const Member moved = *i;
        auto to = i;
        for (; to != first && less(moved, to[-1]); --to) *to = to[-1];
        *to = moved;
      }
    }
    items[object].text.at = first->node;
    for (auto i = first + 1; i != members.end(); ++i) {
      if (i[-1].prefix == i->prefix && name(i[-1]) == name(*i)) return false;
      items[i[-1].node].next = i->node;
    }
    members.erase(first, members.end());
    return true;
  }

  // Goes on to the first byte that ends a run of plain characters, or to the end; false at invalid UTF-8.
  bool skip_plain() noexcept {
    const char* at = at_;
    while (true) {
      if (end_ - at >= static_cast<std::ptrdiff_t>(kPlainBlock)) {
        const unsigned plain = plain_run(at);
        at += plain;
        if (plain == kPlainBlock) continue;
      } else if (at == end_) {
        break;
      } else if (const auto c = static_cast<unsigned char>(*at); c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
        ++at;
        continue;
      }
      if (static_cast<unsigned char>(*at) < 0x80) break;
      const std::size_t size = utf8_length({at, static_cast<std::size_t>(end_ - at)});
      if (size == 0) return false;
      at += size;
    }
    at_ = at;
    return true;
  }

  Span string() {
    const char* from = ++at_;
    if (!skip_plain()) return kBad;
    if (peek() == '\\') return escaped_string(from);
    const Span text{place(from), static_cast<std::uint32_t>(at_ - from)};
    return eat('"') ? text : kBad;
  }

  // `from` is where the string begins, and this its first escape. The decoded text is never longer than the escaped.
  Span escaped_string(const char* from) {
    std::string& decoded = tree_.decoded_;
    const std::size_t start = decoded.size();
    decoded.append(from, at_);
    while (peek() == '\\') {
      if (!escape(decoded)) return kBad;
      const char* run = at_;
      if (!skip_plain()) return kBad;
      decoded.append(run, at_);
    }
    if (!eat('"')) return kBad;
    return {static_cast<std::uint32_t>(start) | JsonTree::kDecoded, static_cast<std::uint32_t>(decoded.size() - start)};
  }

  bool escape(std::string& out) {
    ++at_;
    const char letter = peek();
    if (letter == 'u') return unicode_escape(out);
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const std::size_t which = letter == '\0' ? std::string_view::npos : kLetters.find(letter);
    if (which == std::string_view::npos) return false;
    out.push_back(kMeant[which]);
    ++at_;
    return true;
  }

  // Four hex digits; above 0xFFFF when they are not there.
  unsigned code_unit() noexcept {
    if (end_ - at_ < 4) return ~0U;
    unsigned code = 0;
    for (const char* stop = at_ + 4; at_ != stop; ++at_) {
      const char lower = static_cast<char>(*at_ | 0x20);
      if (is_digit(*at_))
        code = code << 4 | static_cast<unsigned>(*at_ - '0');
      else if (lower >= 'a' && lower <= 'f')
        code = code << 4 | static_cast<unsigned>(lower - 'a' + 10);
      else
        return ~0U;
    }
    return code;
  }

  // Surrogates come in pairs or not at all: what one alone means, readers do not agree about.
  bool unicode_escape(std::string& out) {
    ++at_;
    unsigned code = code_unit();
    if (code > 0xFFFF || (code >= 0xDC00 && code < 0xE000)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      if (!eat("\\u")) return false;
      const unsigned low = code_unit();
      if (low < 0xDC00 || low >= 0xE000) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  bool digits() noexcept {
    const char* at = at_;
    while (at != end_ && is_digit(*at)) ++at;
    return std::exchange(at_, at) != at;
  }

  Span number() {
    const char* from = at_;
    eat('-');
    if (!eat('0') && !digits()) return kBad;
    if (eat('.') && !digits()) return kBad;
    if (eat('e') || eat('E')) {
      if (!eat('+')) eat('-');
      while (peek() == '0' && at_ + 1 != end_ && is_digit(at_[1])) ++at_;
      const char* exponent = at_;
      if (!digits()) return kBad;
      // Above, arithmetic with exponents would have no end.
      if (numbers_ == Numbers::Value && at_ - exponent > 15) return kBad;
    }
    return {place(from), static_cast<std::uint32_t>(at_ - from)};
  }

  JsonTree& tree_;
  const char* at_;
  const char* end_;
  Numbers numbers_;
};

Result<void> JsonTree::read(std::string_view text, Numbers numbers) {
  if (text.size() >= kDecoded) return Errc::TooLarge;
  source_ = text;
  empty_out(decoded_);
  empty_out(items_);
  empty_out(members_);
  if (JsonParser(*this, text, numbers).read()) return {};
  items_.clear();
  return Errc::Malformed;
}

}  // namespace forebay::content
