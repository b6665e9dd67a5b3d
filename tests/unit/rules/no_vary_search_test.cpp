#include "forebay/rules/no_vary_search.hpp"

#include "forebay/http/names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <random>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using Ignored = NoVarySearch::Ignored;

std::optional<NoVarySearch> read(std::string_view value) {
  return read_no_vary_search(test::fields({{"no-vary-search", value}}));
}

NoVarySearch rule(bool key_order, Ignored ignored = Ignored::None, std::vector<std::string> names = {}) {
  return {key_order, ignored, std::move(names)};
}

std::string search(const NoVarySearch& r, std::string_view query) {
  std::string out;
  append_search(r, query, out);
  return out;
}

std::string text(const NoVarySearch& r) {
  std::string out;
  append_rule(r, out);
  return out;
}

TEST(NoVarySearch, IsReadAsTheDraftSays) {
  const std::pair<std::string_view, NoVarySearch> cases[] = {
      {"key-order", rule(true)},
      {"key-order=?1", rule(true)},
      {"key-order;x=1", rule(true)},
      {"key-order=?0, key-order", rule(true)},
      {"params", rule(false, Ignored::All)},
      {"params=?1", rule(false, Ignored::All)},
      {"params, except=()", rule(false, Ignored::All)},
      {"params=(\"utm\")", rule(false, Ignored::Listed, {"utm"})},
      {"params=(\"b\" \"a\" \"b\")", rule(false, Ignored::Listed, {"a", "b"})},
      {"params=(\"a\";x=1)", rule(false, Ignored::Listed, {"a"})},
      {"params=(\"\")", rule(false, Ignored::Listed, {""})},
      {"params=(\"a+b\" \"%C3%A9\" \"c%2Bd\" \"50%\" \"%zz\")",
       rule(false, Ignored::Listed, {"%zz", "50%", "a b", "c+d", "\xC3\xA9"})},
      {"params=(\"a b\" \"a+b\" \"a%20b\")", rule(false, Ignored::Listed, {"a b"})},
      {"except=(\"id\"), params", rule(false, Ignored::AllExcept, {"id"})},
      {"params, key-order, except=(\"b\" \"a\")", rule(true, Ignored::AllExcept, {"a", "b"})},
      {"key-order, params=(\"a\")", rule(true, Ignored::Listed, {"a"})},
      {"key-order, params=()", rule(true)},
      {"key-order, params=?0", rule(true)},
  };
  for (const auto& [value, expected] : cases) {
    const auto got = read(value);
    ASSERT_TRUE(got) << value;
    EXPECT_EQ(*got, expected) << value;
  }
}

TEST(NoVarySearch, WhatIsMalformedOrMeansNothingLeavesTheDefault) {
  for (const auto* value : {"", "   ", "key-order=?0", "params=?0", "params=()", "key-order=?0, params=()",
                            // wrong types
                            "key-order=1", "key-order=\"a\"", "key-order=(\"a\")", "key-order=()", "params=1",
                            "params=\"a\"", "params=a", "params=(a)", "params=(\"a\" 1)", "params=(\"a\" ?1)",
                            "params, except", "params, except=\"a\"", "params, except=(a)", "params, except=?1",
                            // contradictions
                            "except=(\"a\")", "except=()", "params=?0, except=(\"a\")",
                            "params=(\"a\"), except=(\"b\")", "params=(), except=()", "key-order, except=(\"a\")",
                            // unknown members and no dictionary
                            "params=(\"a\"), other", "Params", "params=(\"a\"", "params=(\"a\"),", "(\"a\")", "?1",
                            "params=(\"\xC3\xA9\")", "key-order params", "=", "\"params\""}) {
    EXPECT_FALSE(read(value)) << value;
  }
  EXPECT_FALSE(read_no_vary_search(test::fields({})));
}

TEST(NoVarySearch, LinesAreOneDictionary) {
  const auto lines = test::fields({{"No-Vary-Search", "key-order"}, {"No-Vary-Search", "params=(\"a\")"}});
  EXPECT_EQ(read_no_vary_search(lines), rule(true, Ignored::Listed, {"a"}));
  EXPECT_FALSE(read_no_vary_search(test::fields({{"No-Vary-Search", "key-order"}, {"No-Vary-Search", "?"}})));
}

TEST(NoVarySearch, IgnoresTheNamesThatItSays) {
  EXPECT_FALSE(rule(true).ignores("a"));
  EXPECT_TRUE(rule(false, Ignored::All).ignores("a"));
  EXPECT_TRUE(rule(false, Ignored::Listed, {"a", "c"}).ignores("c"));
  EXPECT_FALSE(rule(false, Ignored::Listed, {"a", "c"}).ignores("b"));
  EXPECT_FALSE(rule(false, Ignored::AllExcept, {"a", "c"}).ignores("a"));
  EXPECT_TRUE(rule(false, Ignored::AllExcept, {"a", "c"}).ignores("A"));
}

TEST(Search, IsOneTextForWhatTheRuleTakesForTheSame) {
  struct Case {
    NoVarySearch rule;
    std::string_view query, text;
  };
  const auto listed = rule(false, Ignored::Listed, {"utm x", "v"});
  const Case cases[] = {
      {listed, "a=1&v=2&b=3", "a=1&b=3"},
      {listed, "v&utm+x=1&utm%20x=2&%76=9", ""},
      {listed, "b=2&a=1", "b=2&a=1"},
      {listed, "&&a&&b=&=c&=", "a=&b=&=c&="},
      {listed, "a=%41%62+c%2B", "a=Ab c+"},
      {listed, "a%3Db=c=d&e=f%26g%7Ch%25i%0A", "a%3Db=c=d&e=f%26g%7Ch%25i%0A"},
      {listed, "a=%&b=%4&c=%zz&d=%25zz", "a=%%&b=%%4&c=%%zz&d=%25zz"},
      {rule(false, Ignored::All), "a=1&b", ""},
      {rule(false, Ignored::AllExcept, {"id"}), "x=1&id=7&%69d=8&y", "id=7&id=8"},
      {rule(false, Ignored::AllExcept, {"id"}), "x=1&[id]=1&ID=2&id]=3&_id=4&i%64[]=5&q.id=6&ids=7",
       "[id]=1&ID=2&id]=3&_id=4&id[]=5&q.id=6"},
      {rule(true), "b=2&a=1&b=1&a", "a=1&a=&b=2&b=1"},
      {rule(true), "%62=1&a=2", "a=2&b=1"},
      {rule(true, Ignored::Listed, {"a"}), "c&b&a", "b=&c="},
      {rule(true), "", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(search(c.rule, c.query), c.text) << c.query;
}

TEST(Search, LeavesNothingOutOfAQueryThatSomeReadersDoNotReadToItsEnd) {
  std::string many;
  for (int i = 0; i < 256; ++i) many += "v=&";
  EXPECT_EQ(search(rule(true, Ignored::Listed, {"v"}), many + "a="), many + "a=");
  EXPECT_EQ(search(rule(true, Ignored::Listed, {"v"}), many.substr(3) + "a="), "a=");
}

TEST(Search, ASemicolonHidesNothingThatCounts) {
  const auto text = [](const NoVarySearch& r, std::string_view query) {
    std::string out;
    append_search(r, query, out);
    return out;
  };
  const auto utm = rule(false, Ignored::Listed, {"utm"});
  EXPECT_EQ(text(utm, "id=1&utm=1;id=2"), "id=1&utm=1;id=2") << "some origins find another id there";
  EXPECT_EQ(text(utm, "id=1&utm=1;utm=2&utm=1;"), "id=1");
  EXPECT_EQ(text(rule(false, Ignored::AllExcept, {"id"}), "id=1&utm=1;id=2&x=1;y"), "id=1&utm=1;id=2");
  EXPECT_EQ(text(rule(false, Ignored::All), "a=1;b=2"), "");
  EXPECT_NE(text(utm, "id=1;a=2"), text(utm, "id=1%3Ba=2")) << "nor do they take these two for one";
}

// The draft's comparison, written another way: bytes as numbers, where 256 is a `%` that nothing can be made of.
using Decoded = std::vector<int>;

Decoded decode(std::string_view s) {
  Decoded out;
  const auto hex = [](char c) {
    const auto at = std::string_view("0123456789abcdef").find(static_cast<char>(std::tolower(c)));
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
  };
  while (!s.empty()) {
    if (s[0] == '%' && s.size() >= 3 && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
      out.push_back(hex(s[1]) * 16 + hex(s[2]));
      s.remove_prefix(3);
      continue;
    }
    out.push_back(s[0] == '+' ? ' ' : s[0] == '%' ? 256 : static_cast<unsigned char>(s[0]));
    s.remove_prefix(1);
  }
  return out;
}

using Pairs = std::vector<std::pair<Decoded, Decoded>>;

Pairs parse(const NoVarySearch& r, std::string_view query) {
  Pairs pairs;
  std::size_t at = 0;
  while (at <= query.size()) {
    const auto end = std::min(query.find('&', at), query.size());
    const auto piece = query.substr(at, end - at);
    at = end + 1;
    if (piece.empty()) continue;
    const auto equals = std::min(piece.find('='), piece.size());
    const auto name = decode(piece.substr(0, equals));
    std::string plain;
    for (const int b : name) plain.push_back(static_cast<char>(b == 256 ? '%' : b));
    const bool listed = std::count(r.names.begin(), r.names.end(), plain) > 0;
    if (r.ignored == Ignored::All || (r.ignored == Ignored::Listed && listed)) continue;
    if (r.ignored == Ignored::AllExcept && !listed) continue;
    pairs.emplace_back(name, decode(piece.substr(std::min(equals + 1, piece.size()))));
  }
  return pairs;
}

bool others_count(const NoVarySearch& r, std::string_view query) {
  return http::any_parameter_name(query, [&](std::string_view name) {
    return http::may_be_read_as_any(http::NameKind::Parameter, name, r.names) && parse(r, name).empty();
  });
}

bool same(const NoVarySearch& r, std::string_view a, std::string_view b) {
  const auto x = parse(r, a), y = parse(r, b);
  if (!r.key_order) return x == y;
  std::map<Decoded, std::vector<Decoded>> in_x, in_y;
  for (const auto& [name, value] : x) in_x[name].push_back(value);
  for (const auto& [name, value] : y) in_y[name].push_back(value);
  return in_x == in_y;
}

class Dice {
 public:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  std::string pick(const std::vector<std::string>& pieces, std::size_t most) {
    std::string out;
    for (auto n = below(most + 1); n > 0; --n) out += pieces[below(pieces.size())];
    return out;
  }

 private:
  std::mt19937_64 engine_{20240731};
};

TEST(Search, TextsAreEqualExactlyWhenTheQueriesAreTheSameUnderTheRule) {
  const std::vector<std::string> pieces{"a",   "b",   "a",   "b",   "&", "&",   "&", "=", "=",    "%",   "%25",
                                        "%61", "%26", "%3d", "%7C", "+", "%20", "2", "5", "%%25", "%2B", "|"};
  const std::vector<NoVarySearch> rules{rule(true),
                                        rule(false, Ignored::All),
                                        rule(false, Ignored::Listed, {"a"}),
                                        rule(true, Ignored::Listed, {"", "ab"}),
                                        rule(true, Ignored::AllExcept, {"a", "b"}),
                                        rule(false, Ignored::AllExcept, {"%", "a"})};
  Dice dice;
  int equal = 0;
  for (int i = 0; i < 60000; ++i) {
    const auto& r = rules[dice.below(rules.size())];
    const auto a = dice.pick(pieces, 8);
    auto b = dice.pick(pieces, 8);
    if (i % 3 == 0) {
      // The same parameters in another order, so that equal ones are met often.
      const auto amp = a.find('&');
      b = amp == std::string::npos ? a + "&" : a.substr(amp + 1) + "&" + a.substr(0, amp);
    }
    // What some reader takes for a name under `except` counts too, so that fewer are the same than the draft has it.
    const bool more_counts = r.ignored == Ignored::AllExcept && (others_count(r, a) || others_count(r, b));
    if (more_counts)
      ASSERT_LE(search(r, a) == search(r, b), same(r, a, b)) << text(r) << "\n" << a << "\n" << b;
    else
      ASSERT_EQ(search(r, a) == search(r, b), same(r, a, b)) << text(r) << "\n" << a << "\n" << b;
    equal += same(r, a, b);
    const auto normal = search(r, a);
    ASSERT_EQ(normal.find('|'), std::string::npos) << normal;
  }
  EXPECT_GT(equal, 10000);
}

TEST(Rule, HasOneTextForEachMeaning) {
  EXPECT_EQ(text(rule(true)), "key-order");
  EXPECT_EQ(text(rule(false, Ignored::All)), "all");
  EXPECT_EQ(text(rule(true, Ignored::Listed, {"a", "b|c"})), "key-order;params&a&b%7Cc");
  EXPECT_EQ(text(rule(false, Ignored::AllExcept, {"id"})), "all&id");
  EXPECT_EQ(text(rule(false, Ignored::AllExcept)), text(rule(false, Ignored::All)));
  EXPECT_EQ(text(rule(true, Ignored::Listed)), text(rule(true)));

  const std::vector<std::string> letters{"a", "&", ";", "%", "|", "all", "params", "key-order", "\n", "26"};
  Dice dice;
  std::map<std::string, NoVarySearch> seen;
  for (int i = 0; i < 20000; ++i) {
    NoVarySearch r = rule(dice.below(2) == 0, static_cast<Ignored>(dice.below(4)));
    if (r.ignored == Ignored::Listed || r.ignored == Ignored::AllExcept) {
      for (auto n = 1 + dice.below(3); n > 0; --n) r.names.push_back(dice.pick(letters, 2));
      std::sort(r.names.begin(), r.names.end());
      r.names.erase(std::unique(r.names.begin(), r.names.end()), r.names.end());
    }
    const auto [at, fresh] = seen.emplace(text(r), r);
    ASSERT_EQ(at->second, r) << text(r);
  }
  EXPECT_GT(seen.size(), 1000U);
}

}  // namespace
}  // namespace forebay::rules
