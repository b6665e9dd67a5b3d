#include <cstdint>
#include <string_view>

#include "forebay/rules/condition.hpp"
#include "invariant.hpp"

// A query and a JSON document, each against conditions: up to the first newline the one, behind it the other.

namespace {

using namespace forebay;
using fuzz::require;
using rules::Verdict;
using Kind = rules::JsonValue::Kind;

rules::NamedCondition asked(bool present, bool absent, std::vector<std::string> globs) {
  return {"name", {present, absent, std::move(globs)}};
}

void check_query(std::string_view query) {
  const auto there = rules::parameter_meets(asked(true, false, {}), query);
  const auto absent = rules::parameter_meets(asked(false, true, {}), query);
  const auto either = rules::parameter_meets(asked(true, true, {}), query);
  const auto value = rules::parameter_meets(asked(false, false, {"value"}), query);
  // What is unclear is so for both; else exactly one of the two holds.
  require((there == Verdict::Unclear) == (absent == Verdict::Unclear));
  require(there == Verdict::Unclear || (there == Verdict::Yes) != (absent == Verdict::Yes));
  require(either == (there == Verdict::Unclear ? Verdict::Unclear : Verdict::Yes));
  require(value != Verdict::Yes || there == Verdict::Yes);
  // A parameter more, of another name, changes nothing.
  if (value == Verdict::Yes && query.size() < 100)
    require(rules::parameter_meets(asked(false, false, {"value"}), std::string(query) + "&other=1") == value);
}

void check_document(std::string_view document) {
  static content::CanonicalJson json;
  const auto pointer = *content::JsonPointer::parse("/name");
  const auto on = [&](std::vector<rules::JsonValue> values) {
    const rules::BodyConditions conditions{{pointer}, {std::move(values)}};
    const auto judged = rules::match_content(conditions, json, document);
    require((judged.verdict == Verdict::Yes) == (judged.reason == rules::Reason::None));
    require(rules::may_meet_any(conditions, json, document) == (judged.verdict != Verdict::No));
    return judged.verdict;
  };
  const auto yes = on({{Kind::Bool, "true"}}), no = on({{Kind::Bool, "false"}});
  const auto nothing = on({{Kind::Nothing, {}}}), anything = on({{Kind::Anything, {}}});
  const auto one = on({{Kind::Number, "1"}}), text = on({{Kind::Text, "v*"}});
  require((yes == Verdict::Yes) + (no == Verdict::Yes) + (nothing == Verdict::Yes) + (one == Verdict::Yes) +
              (text == Verdict::Yes) <=
          1);
  for (const auto verdict : {yes, no, one, text}) require(verdict != Verdict::Yes || anything == Verdict::Yes);
  require(nothing == Verdict::Unclear || (nothing == Verdict::Yes) != (anything == Verdict::Yes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto end = text.find('\n');
  const fuzz::Exact query(text.substr(0, end));
  check_query(query.view());
  const fuzz::Exact document(end == std::string_view::npos ? std::string_view() : text.substr(end + 1));
  check_document(document.view());
  return 0;
}
