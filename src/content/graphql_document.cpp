#include <array>

#include "content/graphql_lexer.hpp"
#include "forebay/content/graphql.hpp"

namespace forebay::content {
namespace {

using Kind = GraphqlToken::Kind;

constexpr std::size_t kMaxDepth = 200;

// Reads a document definition by definition. Heads follow the grammar exactly, so that no other parser sees an
// operation that is not counted here; of text in brackets only the end matters.
class Reader {
 public:
  Reader(std::string_view text, GraphqlDocument& out) : lexer_(text), out_(out) { advance(); }

  bool read() {
    while (token_.kind != Kind::End) {
      if (!definition()) return false;
    }
    return out_.operations > 0;
  }

 private:
  // Puts the current token into the normal form and goes to the next.
  void take() {
    if (runs_together(last_, token_)) out_.normal.push_back(' ');
    out_.normal.append(token_.text);
    last_ = token_;
    advance();
  }
  void advance() { token_ = lexer_.next(); }

  static bool runs_together(const GraphqlToken& a, const GraphqlToken& b) noexcept {
    const auto is_word = [](const GraphqlToken& t) { return t.kind == Kind::Name || t.kind == Kind::Number; };
    if (is_word(a) && is_word(b)) return true;
    if (a.kind == Kind::Number && b.is('.')) return true;     // 1 ... would be a broken 1.
    return a.kind == Kind::String && b.kind == Kind::String;  // "" "a" would begin a block string
  }

  bool definition() {
    if (token_.is('{')) {
      count({});
      return brackets();
    }
    if (token_.is("fragment")) return fragment();
    const bool reads = token_.is("query");
    if (!reads && !token_.is("mutation") && !token_.is("subscription")) return false;
    if (!reads) out_.reads_only = false;
    take();
    std::string_view name;
    if (token_.kind == Kind::Name) {
      name = token_.text;
      take();
    }
    count(name);
    if (token_.is('(') && !brackets()) return false;
    return directives() && token_.is('{') && brackets();
  }

  // Section 2.8; `on` is not a name of a fragment.
  bool fragment() {
    take();
    if (token_.kind != Kind::Name || token_.is("on")) return false;
    take();
    if (!token_.is("on")) return false;
    take();
    if (token_.kind != Kind::Name) return false;
    take();
    return directives() && token_.is('{') && brackets();
  }

  bool directives() {
    while (token_.is('@')) {
      take();
      if (token_.kind != Kind::Name) return false;
      take();
      if (token_.is('(') && !brackets()) return false;
    }
    return true;
  }

  // Skips from an opening bracket past its closing one.
  bool brackets() {
    std::size_t depth = 0;
    do {
      if (token_.kind == Kind::End || token_.kind == Kind::Bad) return false;
      if (token_.is('{') || token_.is('(') || token_.is('[')) {
        if (depth == kMaxDepth) return false;
        open_[depth++] = token_.text.front();
      } else if (token_.is('}') || token_.is(')') || token_.is(']')) {
        const char opening = token_.is('}') ? '{' : token_.is(')') ? '(' : '[';
        if (open_[--depth] != opening) return false;
      }
      take();
    } while (depth > 0);
    return true;
  }

  void count(std::string_view name) {
    ++out_.operations;
    if (out_.operations == 1)
      out_.only_name = name;
    else
      out_.only_name.clear();
  }

  GraphqlLexer lexer_;
  GraphqlDocument& out_;
  GraphqlToken token_;
  GraphqlToken last_;
  std::array<char, kMaxDepth> open_;  // NOLINT: written before it is read
};

}  // namespace

Result<void> read_graphql(std::string_view text, GraphqlDocument& out) {
  out.normal.clear();
  out.operations = 0;
  out.reads_only = true;
  out.only_name.clear();
  if (!Reader(text, out).read()) return Errc::Malformed;
  return {};
}

}  // namespace forebay::content
