#include <algorithm>
#include <span>
#include <utility>

#include "forebay/content/graphql.hpp"
#include "forebay/http/names.hpp"
#include "key_builder.hpp"

// The part of a key that is made of the query.

namespace forebay::cache {
namespace {

// A name that some origin may take for one of the list counts under Only. Under Except only what every origin takes for
// one of the list does not count.
bool name_counts(const KeySpec& spec, const http::ListedNames& listed, std::string_view name, std::string& buffer) {
  if (spec.query == QueryMode::Only) return listed.read_as(name, buffer) != 0;
  return !http::is_read_as_one_of(name, spec.query_names);
}

bool pair_counts(const KeySpec& spec, const http::ListedNames& listed, const http::QueryPair& pair,
                 std::string& buffer) {
  if (spec.query == QueryMode::None) return false;
  if (spec.query == QueryMode::All || name_counts(spec, listed, pair.name, buffer)) return true;
  // What origins that take `;` for a separator find behind one, and counts, must not choose an answer that others get:
  // then the whole pair counts.
  return http::any_name_between_semicolons(
      http::whole_pair(pair), [&](std::string_view name) { return name_counts(spec, listed, name, buffer); });
}

// The names that sent ones are compared with by all their readings.
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

// The pairs that count, in the order in which they stand in the text.
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

// By the decoded name up to its first `[`, and in their order where that is the same: `f[][k]=a&f[][v]=1` is a list.
// All keep their order where some reader could find two of them under one name that would change places: `a.b` and
// `a_b` are one to PHP, `A` and `a` to ASP.NET, and what stands behind a semicolon is a parameter of its own to others.
void KeyBuilder::sort_pairs() {
  using Sorted = Key::Scratch::Sorted;
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

// Under a No-Vary-Search rule no query and an empty one are the same, as is one of which nothing counts.
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
