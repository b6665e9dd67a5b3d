#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/content/json.hpp"
#include "forebay/http/message.hpp"
#include "forebay/rules/vocabulary.hpp"

// The conditions of a route beyond host, path and method (`match`), and the values that bypass the cache (`bypass`). An
// ambiguous value neither matches nor fails to match: the verdict is unclear, and the request is not looked up.

namespace forebay::rules {

enum class Verdict : std::uint8_t { No, Unclear, Yes };

/// The required value of a field, parameter or cookie: any of these.
struct ValueCondition {
  bool present = false;            ///< It is present, with any value.
  bool absent = false;             ///< It is not there.
  std::vector<std::string> globs;  ///< It is present, and one of these matches its value.
};

/// A condition on one name. In `match` the name is literal, in `bypass` it is a glob; names of fields are lower case.
struct NamedCondition {
  std::string name;
  ValueCondition value;
  NamedCondition(std::string_view n, ValueCondition v) : name(n), value(std::move(v)) {}
  /// Requires that the name is present.
  NamedCondition(const char* n) : NamedCondition(n, {true, false, {}}) {}
};

/// One required value of a JSON member.
struct JsonValue {
  enum class Kind : std::uint8_t {
    Anything,  ///< Any value except null.
    Nothing,   ///< null, or no such member.
    Bool,
    Number,
    Text,
  };
  Kind kind = Kind::Anything;
  std::string text{};  ///< `true` or `false`; an exact decimal in canonical form; a glob over the text of a string.
};

/// Conditions on members of a JSON document: what `pointers[i]` finds is one of `values[i]`.
struct BodyConditions {
  std::vector<content::JsonPointer> pointers;
  std::vector<std::vector<JsonValue>> values;
  bool empty() const noexcept { return pointers.empty(); }
};

/// All conditions of a route beyond host, path and method.
struct Conditions {
  std::vector<NamedCondition> headers, query;
  BodyConditions body;
  bool asks_head() const noexcept { return !headers.empty() || !query.empty(); }
  bool empty() const noexcept { return !asks_head() && body.empty(); }
};

/// The verdict on several conditions that must all hold, and the deciding one: the first that does not hold, else the
/// first that is unclear.
struct Judged {
  static constexpr std::size_t kUnreadable = ~std::size_t{0};
  Verdict verdict = Verdict::Yes;
  Reason reason = Reason::None;  ///< MatchHeader, MatchQuery or MatchBody, whose list it is in; None for Yes.
  std::size_t at = 0;            ///< Its place in the list; kUnreadable: the content as a whole.
};

/// Whether the fields meet a condition. Unclear: lines with different values, another spelling of the name (`X_Env` for
/// `X-Env`), a value that differs only in case, a list with a matching member. Fields of the connection are ignored.
Verdict field_meets(const NamedCondition& asked, http::FieldsView fields);
/// Whether a query (as sent; nothing without a `?`) does. Names and values are decoded as forms are. Unclear: several
/// with different values, a name that only some parsers read as this one, an invalid escape, a control byte or a
/// semicolon in the value, more parameters than some parsers read, and a value that differs only in case.
Verdict parameter_meets(const NamedCondition& asked, std::optional<std::string_view> query);
/// `headers` and `query` of the conditions.
Judged match_head(const Conditions& asked, http::FieldsView fields, std::optional<std::string_view> query);

/// `found`: the value at a pointer, as canonical JSON with numbers as exact decimals; nothing if there is none.
/// Unclear: a value of another type that some parsers convert ("true" for true, 1 for "1", an array of one), one that
/// differs only in case, numbers that are equal without exact decimals.
Verdict value_meets(const std::vector<JsonValue>& asked, std::optional<std::string_view> found);
/// A document (text, decoded) against `body`; `json` is scratch. What cannot be read as JSON is Unclear.
Judged match_content(const BodyConditions& asked, content::CanonicalJson& json, std::string_view text);
/// The same for a request without content: no member is there.
Judged match_no_content(const BodyConditions& asked);
/// For `bypass`: whether any of the conditions is met or unclear, or the document cannot be read.
bool may_meet_any(const BodyConditions& asked, content::CanonicalJson& json, std::string_view text);
bool may_meet_without_content(const BodyConditions& asked);

}  // namespace forebay::rules
