#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "forebay/proxy/access_log.hpp"

namespace forebay::proxy {

/// Which requests a reader of the request stream wants: conditions such as `result=miss status>=500 path~/api/`, all of
/// which must hold. `=` and `!=` compare, `<`, `<=`, `>` and `>=` are for numbers, `~` and `!~` ask whether a text
/// contains another. A text with blanks stands in double quotes. The word `and` may stand between two conditions.
class RequestFilter {
 public:
  struct Fault {
    std::size_t at = 0;  ///< The byte where the condition begins that is wrong.
    std::string why;     ///< A sentence.
  };
  /// An empty text is a filter that all requests pass.
  static std::variant<RequestFilter, Fault> parse(std::string_view text);

  bool matches(const AccessRecord& record) const;
  bool empty() const noexcept { return conditions_.empty(); }

  static constexpr std::size_t kMostConditions = 16;

 private:
  enum class Operator : std::uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Contains, Lacks };
  struct Condition {
    std::size_t field = 0;  // index in the table of fields
    Operator op = Operator::Equal;
    std::string text;
    double number = 0;
  };
  static bool holds(const Condition& condition, const AccessRecord& record);

  std::vector<Condition> conditions_;
};

}  // namespace forebay::proxy
