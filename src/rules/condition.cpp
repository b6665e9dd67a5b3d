#include "forebay/rules/condition.hpp"

#include <algorithm>

#include "forebay/content/form.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "rules/condition_value.hpp"

namespace forebay::rules {
namespace {

using http::NameKind;

// All that was found of one name.
struct Found {
  std::optional<std::string> value;
  bool differ = false;   // several, and not all the same
  bool unclear = false;  // some parsers find another, or none
  void add(std::string_view one) {
    if (!value)
      value = one;
    else
      differ = differ || *value != one;
  }
  void add_unreadable() {
    value.emplace();
    differ = true;
  }
};

Verdict judge(const ValueCondition& asked, const Found& found) {
  if (found.unclear) return Verdict::Unclear;
  if (!found.value) return asked.absent ? Verdict::Yes : Verdict::No;
  if (asked.present) return Verdict::Yes;
  if (asked.globs.empty()) return Verdict::No;
  return found.differ ? Verdict::Unclear : text_meets(asked.globs, *found.value);
}

}  // namespace

Verdict text_meets(const std::vector<std::string>& globs, std::string_view text) noexcept {
  const auto is = [&](bool icase) {
    return std::any_of(globs.begin(), globs.end(), [&](const auto& g) { return http::glob_match(g, text, icase); });
  };
  if (is(false)) return Verdict::Yes;
  if (is(true)) return Verdict::Unclear;
  // Some applications trim values.
  constexpr auto kBlank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  const auto whole = text;
  while (!text.empty() && kBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && kBlank(text.back())) text.remove_suffix(1);
  return text.size() != whole.size() && is(true) ? Verdict::Unclear : Verdict::No;
}

bool decode_value(const http::QueryPair& pair, std::string& out) {
  out.clear();
  const auto sent = pair.value.value_or(std::string_view());
  if (sent.find_first_of("+;") != std::string_view::npos || !content::append_form_decoded(sent, out)) return false;
  return std::none_of(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Verdict field_meets(const NamedCondition& asked, http::FieldsView fields) {
  Found found;
  for (const auto& f : fields) {
    if (http::is_hop_by_hop(f.id)) continue;
    if (http::iequals(f.name, asked.name))
      found.add(f.value);
    else if (http::may_be_read_as(NameKind::Field, f.name, asked.name))
      found.unclear = true;
  }
  const auto verdict = judge(asked.value, found);
  if (verdict != Verdict::No || asked.value.globs.empty() || !found.value) return verdict;
  // A line may be several joined lines, or have quotes (RFC 9110 sections 5.3 and 5.6.4). If a member meets the
  // condition, the verdict is not a clear no.
  bool meets = false;
  http::for_each_piece(*found.value, [&](std::string_view piece) {
    auto value = piece.substr(0, piece.find(';'));
    value = value.substr(0, value.find_last_not_of(" \t\"") + 1);
    const auto& globs = asked.value.globs;
    meets = meets || text_meets(globs, piece) != Verdict::No || text_meets(globs, value) != Verdict::No;
  });
  return meets ? Verdict::Unclear : Verdict::No;
}

Verdict parameter_meets(const NamedCondition& asked, std::optional<std::string_view> query) {
  Found found;
  if (!query) return judge(asked.value, found);
  found.unclear = http::is_crowded(*query);
  const auto may_be = [&](std::string_view name) {
    return http::may_be_read_as(NameKind::Parameter, name, asked.name);
  };
  std::string value;
  http::for_each_query_pair(*query, [&](const http::QueryPair& pair) {
    if (!may_be(pair.name))
      found.unclear = found.unclear || http::any_name_between_semicolons(http::whole_pair(pair), may_be);
    else if (!http::is_read_as_one_of(pair.name, {&asked.name, 1}))
      found.unclear = true;
    else if (decode_value(pair, value))
      found.add(value);
    else
      found.add_unreadable();
  });
  return judge(asked.value, found);
}

Judged match_head(const Conditions& asked, http::FieldsView fields, std::optional<std::string_view> query) {
  Judged judged;
  const auto take = [&](Verdict verdict, Reason reason, std::size_t at) {
    if (verdict < judged.verdict) judged = {verdict, reason, at};
    return verdict != Verdict::No;
  };
  for (std::size_t i = 0; i < asked.headers.size(); ++i)
    if (!take(field_meets(asked.headers[i], fields), Reason::MatchHeader, i)) return judged;
  for (std::size_t i = 0; i < asked.query.size(); ++i)
    if (!take(parameter_meets(asked.query[i], query), Reason::MatchQuery, i)) return judged;
  return judged;
}

}  // namespace forebay::rules
