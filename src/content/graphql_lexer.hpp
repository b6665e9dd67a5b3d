#pragma once

#include <cstdint>
#include <string_view>

namespace forebay::content {

/// A lexical token of GraphQL (specification of October 2021, section 2.1).
struct GraphqlToken {
  enum class Kind : std::uint8_t { End, Bad, Punctuator, Name, Number, String };
  Kind kind = Kind::End;
  std::string_view text;

  bool is(char punctuator) const noexcept { return kind == Kind::Punctuator && text.front() == punctuator; }
  bool is(std::string_view name) const noexcept { return kind == Kind::Name && text == name; }
};

class GraphqlLexer {
 public:
  explicit GraphqlLexer(std::string_view text) : rest_(text) {}
  /// The next token; skips ignored text before it. After `End` and `Bad` there are no more.
  GraphqlToken next() noexcept;

 private:
  bool skip_ignored() noexcept;
  bool skip_comment() noexcept;
  std::size_t number() const noexcept;
  std::size_t string() const noexcept;
  std::size_t block_string() const noexcept;
  std::size_t escape(std::size_t at) const noexcept;
  GraphqlToken take(GraphqlToken::Kind kind, std::size_t size) noexcept;

  std::string_view rest_;
};

}  // namespace forebay::content
