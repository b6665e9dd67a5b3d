#include "forebay/content/json_scalars.hpp"

#include <algorithm>
#include <utility>

namespace forebay::content {
namespace {

/// A walk over canonical JSON, which is valid and has no white space.
class Walk {
 public:
  explicit Walk(std::string_view text) : rest_(text) {}

  bool at(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }
  bool done() const noexcept { return rest_.empty(); }
  void step() noexcept { rest_.remove_prefix(1); }

  /// The string that begins here.
  std::string string() {
    std::string out;
    for (step(); !done() && !at('"'); step()) {
      if (!at('\\')) {
        out += rest_.front();
        continue;
      }
      step();
      if (done()) return out;
      out += unescaped();
    }
    if (!done()) step();
    return out;
  }
  /// What is no string: up to the end of the member.
  std::string_view word() noexcept {
    const auto end = std::min(rest_.find_first_of(",]"), rest_.size());
    const auto word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }
  /// Passes over an object or array.
  void skip() {
    int depth = 0;
    do {
      if (at('"')) {
        string();
        continue;
      }
      depth += at('{') || at('[') ? 1 : at('}') || at(']') ? -1 : 0;
      step();
    } while (depth > 0 && !done());
  }

 private:
  /// RFC 8785 section 3.2.2.2: besides these, only control bytes are escaped.
  char unescaped() {
    switch (rest_.front()) {
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'u': {
        const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
        if (rest_.size() < 5) return ' ';
        const int byte = digit(rest_[3]) * 16 + digit(rest_[4]);
        rest_.remove_prefix(4);
        return static_cast<char>(byte);
      }
      default: return rest_.front();
    }
  }
  std::string_view rest_;
};

void append_scalar(Walk& walk, std::vector<std::string>& out) {
  if (walk.at('{') || walk.at('[')) return walk.skip();
  auto text = walk.at('"') ? walk.string() : std::string();
  if (text.empty()) {
    const auto word = walk.word();
    if (word != "null") text = word;
  }
  if (!text.empty()) out.push_back(std::move(text));
}

}  // namespace

void append_scalars(std::string_view canonical, std::vector<std::string>& out) {
  Walk walk(canonical);
  if (!walk.at('[')) {
    if (!walk.done()) append_scalar(walk, out);
    return;
  }
  walk.step();
  while (!walk.done() && !walk.at(']')) {
    append_scalar(walk, out);
    if (walk.at(',')) walk.step();
  }
}

}  // namespace forebay::content
