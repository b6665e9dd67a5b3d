#include <algorithm>
#include <span>
#include <utility>

#include "forebay/content/graphql.hpp"
#include "forebay/http/names.hpp"
#include "key_builder.hpp"

// The part of a key that is made of the query.

namespace forebay::cache {
namespace {

// Under Only, a name counts if some origin may read it as one of the list. Under Except, it does not count if every
// origin reads it as one of the list.
bool name_counts(const KeySpec& spec, const http::ListedNames& listed, std::string_view name, std::string& buffer) {
  if (spec.query == QueryMode::Only) return listed.read_as(name, buffer) != 0;
  return !http::is_read_as_one_of(name, spec.query_names);
}

bool pair_counts(const KeySpec& spec, const http::ListedNames& listed, const http::QueryPair& pair,
                 std::string& buffer) {
  if (spec.query == QueryMode::None) return false;
  if (spec.query == QueryMode::All || name_counts(spec, listed, pair.name, buffer)) return true;
  // Origins that split at `;` may find a counting parameter after one: then the whole pair counts.
  return http::any_name_between_semicolons(
      http::whole_pair(pair), [&](std::string_view name) { return name_counts(spec, listed, name, buffer); });
}

// The names of the list, to compare with all readings of sent names.
http::ListedNames listed_names(const KeySpec& spec) {
  const bool only = spec.query == QueryMode::Only;
  return http::ListedNames(only ? std::span<const std::string>(spec.query_names) : std::span<const std::string>());
}

}  // namespace

bool counts_in_key(const KeySpec& spec, const http::QueryPair& pair, std::string& buffer) {
  return pair_counts(spec, listed_names(spec), pair, buffer);
}

bool KeyBuilder::counts(const http::ListedNames& listed, const http::QueryPair& pair) const {
  // These stand in `b:`.
  if (spec_.graphql && is_graphql() && content::is_graphql_parameter(pair.name)) return false;
  return pair_counts(spec_, listed, pair, scratch_.text);
}

// The pairs that count, in the order of the text.
void KeyBuilder::collect_pairs() {
  auto& pairs = scratch_.pairs;
  pairs.clear();
  if (spec_.query == QueryMode::None) return;
  auto query = input_.target.query().value_or(std::string_view{});
  if (query.find('%') != std::string_view::npos) {
    decode_unreserved(query, scratch_.query);
    query = scratch_.query;
  }
  const bool all = http::is_crowded(query);
  const auto listed = listed_names(spec_);
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    if (all || counts(listed, pair)) pairs.push_back(pair);
  });
  if (parts_ && spec_.query == QueryMode::Only) {
    for (const auto& glob : spec_.query_names)
      if (std::none_of(pairs.begin(), pairs.end(),
                       [&](const auto& p) { return http::may_be_read_as(http::NameKind::Parameter, p.name, glob); }))
        note_absent("query", glob);
  }
  if (!all && spec_.sorts_query()) sort_pairs();
}

// By the decoded name up to its first `[`, stably: `f[][k]=a&f[][v]=1` is a list. All keep their order if sorting could
// swap two that some parser reads under one name: PHP reads `a.b` as `a_b`, ASP.NET reads `A` as `a`, and others split
// at semicolons.
void KeyBuilder::sort_pairs() {
  using Sorted = KeyScratch::Sorted;
  auto& pairs = scratch_.pairs;
  if (pairs.size() < 2) return;
  auto& order = scratch_.order;
  auto& text = scratch_.text;
  order.clear();
  text.clear();
  for (const auto& pair : pairs) {
    if (http::whole_pair(pair).find(';') != std::string_view::npos) return;
    Sorted sorted{pair, order.size(), text.size(), 0, 0};
    if (!http::append_base_name(pair.name, text)) return;
    sorted.middle = text.size();
    http::append_folded_name(text, sorted.from);
    sorted.end = text.size();
    order.push_back(sorted);
  }
  const auto base = [&](const Sorted& s) { return std::string_view(text).substr(s.from, s.middle - s.from); };
  const auto folded = [&](const Sorted& s) { return std::string_view(text).substr(s.middle, s.end - s.middle); };
  // By arrival among equals: std::stable_sort would allocate.
  const auto sort_by = [&](const auto& name) {
    std::sort(order.begin(), order.end(), [&](const Sorted& a, const Sorted& b) {
      const int by_name = name(a).compare(name(b));
      return by_name != 0 ? by_name < 0 : a.arrival < b.arrival;
    });
  };
  sort_by(folded);
  const auto one_name_to_some = [&](const Sorted& a, const Sorted& b) {
    return folded(a) == folded(b) && base(a) != base(b);
  };
  if (std::adjacent_find(order.begin(), order.end(), one_name_to_some) != order.end()) return;
  sort_by(base);
  std::transform(order.begin(), order.end(), pairs.begin(), [](const Sorted& s) { return s.pair; });
}

void KeyBuilder::query() {
  collect_pairs();
  const bool whole = spec_.query == QueryMode::All && input_.target.query() && !is_graphql();
  if (scratch_.pairs.empty() && !whole) return;
  text_ += "|q:";
  bool first = true;
  for (const auto& p : scratch_.pairs) {
    if (!std::exchange(first, false)) text_ += '&';
    pair("query", p.name, p.value);
  }
}

// Under a No-Vary-Search rule, no query, an empty query and one without counting parameters are equal.
void KeyBuilder::searched_query() {
  collect_pairs();
  auto& kept = scratch_.text;
  kept.clear();
  for (const auto& p : scratch_.pairs) {
    if (!kept.empty()) kept += '&';
    kept += p.name;
    if (p.value) kept.append("=").append(*p.value);
  }
  const auto before = text_.size();
  text_ += "|q:";
  const auto from = text_.size();
  rules::append_search(*input_.search, kept, text_);
  if (text_.size() == from)
    text_.resize(before);
  else
    note("query", {}, from);
}

}  // namespace forebay::cache
