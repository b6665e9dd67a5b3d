#include <algorithm>
#include <charconv>

#include "forebay/http/fields.hpp"
#include "rules/condition_value.hpp"

// Conditions on members of a JSON document.

namespace forebay::rules {
namespace {

using Kind = JsonValue::Kind;

// The text of a string in canonical form (RFC 8785 section 3.2.2.2), without quotes and escapes.
std::string text_of(std::string_view canonical) {
  std::string out;
  canonical = canonical.substr(1, canonical.size() - 2);
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    if (canonical[i] != '\\') {
      out += canonical[i];
      continue;
    }
    constexpr std::string_view kLetters = "bfnrt", kBytes = "\b\f\n\r\t";
    const char c = canonical[++i];
    if (const auto letter = kLetters.find(c); letter != std::string_view::npos) {
      out += kBytes[letter];
    } else if (c == 'u') {  // a control byte: \u00xx
      unsigned byte = 0;
      std::from_chars(canonical.data() + i + 3, canonical.data() + i + 5, byte, 16);
      out += static_cast<char>(byte);
      i += 4;
    } else {
      out += c;
    }
  }
  return out;
}

// Whether some parser without exact decimals reads the two as one number.
bool may_be_one_number(std::string_view a, std::string_view b) {
  double x = 0, y = 0;
  const auto one = std::from_chars(a.data(), a.data() + a.size(), x);
  const auto two = std::from_chars(b.data(), b.data() + b.size(), y);
  if (one.ec == std::errc::invalid_argument || two.ec == std::errc::invalid_argument) return false;
  if (one.ec != std::errc() || two.ec != std::errc()) return true;  // beyond the precision of a double
  return x == y;
}

// A value as some parser may read it: type and text.
struct Found {
  enum class Kind : std::uint8_t { Null, Bool, Number, Text, Several } kind;
  std::string text;
};

Found read_value(std::string_view canonical) {
  switch (canonical.front()) {
    case 'n': return {Found::Kind::Null, "null"};
    case 't':
    case 'f': return {Found::Kind::Bool, std::string(canonical)};
    case '"': return {Found::Kind::Text, text_of(canonical)};
    case '{':
    case '[': return {Found::Kind::Several, {}};
    default: return {Found::Kind::Number, std::string(canonical)};
  }
}

Verdict unclear_if(bool is) noexcept { return is ? Verdict::Unclear : Verdict::No; }

Verdict number_meets(const std::string& asked, const Found& found) {
  switch (found.kind) {
    case Found::Kind::Number:
      return found.text == asked ? Verdict::Yes : unclear_if(may_be_one_number(asked, found.text));
    case Found::Kind::Text: {
      auto text = http::trim(found.text);
      if (text.starts_with('+')) text.remove_prefix(1);
      return unclear_if(may_be_one_number(asked, text));
    }
    case Found::Kind::Null: return Verdict::No;
    case Found::Kind::Bool:
    case Found::Kind::Several: break;
  }
  return Verdict::Unclear;
}

Verdict text_meets_glob(const std::string& asked, const Found& found) {
  if (found.kind == Found::Kind::Several) return Verdict::Unclear;  // `["a"]` is "a" to some
  const auto verdict = text_meets({asked}, found.text);
  return found.kind == Found::Kind::Text ? verdict : unclear_if(verdict != Verdict::No);
}

Verdict meets(const JsonValue& asked, const Found& found) {
  const bool null = found.kind == Found::Kind::Null;
  switch (asked.kind) {
    case Kind::Anything: return null ? Verdict::Unclear : Verdict::Yes;  // to many readers null is nothing
    case Kind::Nothing: return null ? Verdict::Yes : Verdict::No;
    case Kind::Bool:
      if (found.kind == Found::Kind::Bool) return found.text == asked.text ? Verdict::Yes : Verdict::No;
      return unclear_if(!null);  // 1, "true" and "yes" are true to some
    case Kind::Number: return number_meets(asked.text, found);
    case Kind::Text: break;
  }
  return text_meets_glob(asked.text, found);
}

// A reader of batches finds the member in each element.
Verdict member_meets(const BodyConditions& asked, const content::CanonicalJson& json, std::size_t i) {
  return json.in_list(i) ? Verdict::Unclear : value_meets(asked.values[i], json.value(i));
}

Judged judge(const BodyConditions& asked, const content::CanonicalJson* json) {
  Judged judged;
  for (std::size_t i = 0; i < asked.pointers.size() && judged.verdict != Verdict::No; ++i) {
    const auto verdict = json ? member_meets(asked, *json, i) : value_meets(asked.values[i], std::nullopt);
    if (verdict < judged.verdict) judged = {verdict, Reason::MatchBody, i};
  }
  return judged;
}

}  // namespace

Verdict value_meets(const std::vector<JsonValue>& asked, std::optional<std::string_view> found) {
  auto best = Verdict::No;
  if (!found) {
    const bool absent = std::any_of(asked.begin(), asked.end(), [](const auto& v) { return v.kind == Kind::Nothing; });
    return absent ? Verdict::Yes : Verdict::No;
  }
  const auto value = read_value(*found);
  for (const auto& one : asked) best = std::max(best, meets(one, value));
  return best;
}

Judged match_content(const BodyConditions& asked, content::CanonicalJson& json, std::string_view text) {
  if (!json.read(text, asked.pointers, content::Numbers::Value))
    return {Verdict::Unclear, Reason::MatchBody, Judged::kUnreadable};
  return judge(asked, &json);
}

Judged match_no_content(const BodyConditions& asked) { return judge(asked, nullptr); }

bool may_meet_any(const BodyConditions& asked, content::CanonicalJson& json, std::string_view text) {
  if (!json.read(text, asked.pointers, content::Numbers::Value)) return true;
  for (std::size_t i = 0; i < asked.pointers.size(); ++i)
    if (member_meets(asked, json, i) != Verdict::No) return true;
  return false;
}

bool may_meet_without_content(const BodyConditions& asked) {
  return std::any_of(asked.values.begin(), asked.values.end(),
                     [](const auto& values) { return value_meets(values, std::nullopt) != Verdict::No; });
}

}  // namespace forebay::rules
