#include "forebay/cache/key.hpp"

#include <random>
#include <unordered_map>

#include "fixture.hpp"

namespace forebay::cache {
namespace {

std::string text(std::string_view target, const KeySpec& spec = {}, std::string_view method = "GET",
                 const FieldList& fields = {}) {
  return std::string(key_of(target, spec, method, fields).text());
}

TEST(Key, IsRouteMethodSchemeHostAndPath) {
  EXPECT_EQ(text("/a/b"), "r|GET|http|example.com|/a/b");
  EXPECT_EQ(text("/a", {}, "POST"), "r|POST|http|example.com|/a");
  EXPECT_EQ(key_of("/", {}, "GET", {}, "r", "h", "https").text(), "r|GET|https|h|/");
}

TEST(Key, HeadSharesTheKeyOfGet) { EXPECT_EQ(text("/a?x", {}, "HEAD"), text("/a?x")); }

TEST(Key, LeavesOutPartsThatAreNotInUse) {
  KeySpec spec;
  spec.scheme = false;
  EXPECT_EQ(text("/a", spec), "r|GET|example.com|/a");
  spec.host = false;
  EXPECT_EQ(text("/a", spec), "r|GET|/a");
  spec.query = QueryMode::None;
  EXPECT_EQ(text("/a?b=c", spec), "r|GET|/a");
}

TEST(Key, EscapesSeparatorsSoThatPartsStayApart) {
  EXPECT_EQ(key_of("/", {}, "GET", {}, "a|b%\x01", "h").text(), "a%7Cb%25%01|GET|http|h|/");
  EXPECT_EQ(text("/a|b"), "r|GET|http|example.com|/a%7Cb");
  EXPECT_EQ(text("/a%2fb"), "r|GET|http|example.com|/a%252Fb");
}

TEST(Key, SortsTheQueryByNameAndKeepsTheOrderOfEqualNames) {
  const struct {
    const char* query;
    const char* keyed;
  } cases[] = {
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&b&a=1", "a=2&a=1&b"},
      {"a", "a"},
      {"a=", "a="},
      {"", ""},
      {"&&a=1&", "a=1"},
      {"=v", "=v"},
      {"%61=%62", "a=b"},
      {"a=%26", "a=%2526"},
      {"a=b=c", "a=b=c"},
      {"a%3Db=c", "a%253Db=c"},
      {"a=b|c", "a=b%7Cc"},
      {"a=%4", "a=%254"},
      {"A=1&a=2&B=3", "A=1&B=3&a=2"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(text(std::string("/?") + c.query), std::string("r|GET|http|example.com|/|q:") + c.keyed) << c.query;
}

TEST(Key, TellsAnAbsentQueryFromAnEmptyOne) {
  EXPECT_NE(text("/"), text("/?"));
  EXPECT_NE(text("/?a"), text("/?a="));
}

TEST(Key, KeepsTheQuerysOrderWhereTheRouteSaysSo) {
  KeySpec spec;
  spec.query_sort = false;
  EXPECT_EQ(text("/?b=2&a=1", spec), "r|GET|http|example.com|/|q:b=2&a=1");
}

TEST(Key, CountsOnlyTheQueryNamesOfItsLists) {
  KeySpec only{.query = QueryMode::Only, .query_names = {"id", "x*"}};
  EXPECT_EQ(text("/?z=1&xy=2&id=3", only), "r|GET|http|example.com|/|q:id=3&xy=2");
  EXPECT_EQ(text("/?z=1", only), "r|GET|http|example.com|/") << "nothing remains, so there is no q:";
  KeySpec except{.query = QueryMode::Except, .query_names = {"utm_*"}};
  EXPECT_EQ(text("/?utm_source=a&b=1", except), "r|GET|http|example.com|/|q:b=1");
  EXPECT_EQ(text("/?utm_source=a", except), "r|GET|http|example.com|/");
  EXPECT_EQ(text("/?%75tm_x=a&b", except), "r|GET|http|example.com|/|q:b") << "compared as decoded";
}

TEST(Key, TakesHeadersInTheOrderOfTheConfiguration) {
  const KeySpec spec{.headers = {"x-tenant", "accept-language"}};
  EXPECT_EQ(text("/", spec, "GET", {{"Accept-Language", "de"}, {"X-Tenant", "a"}, {"X-Other", "o"}}),
            "r|GET|http|example.com|/|h:x-tenant=a&accept-language=de");
  EXPECT_EQ(text("/", spec, "GET", {{"X-Tenant", "a"}, {"X-TENANT", "b&c|d"}}),
            "r|GET|http|example.com|/|h:x-tenant=a,b%26c%7Cd");
  EXPECT_EQ(text("/", spec), "r|GET|http|example.com|/") << "absent";
  EXPECT_EQ(text("/", spec, "GET", {{"X-Tenant", ""}}), "r|GET|http|example.com|/|h:x-tenant=") << "is not empty";
}

TEST(Key, OfOptionsHoldsWhatAPreflightAsksFor) {
  const FieldList ask{{"Origin", "https://a"}, {"Access-Control-Request-Method", "PUT"}};
  EXPECT_EQ(text("/", {}, "OPTIONS", ask),
            "r|OPTIONS|http|example.com|/|h:origin=https://a&access-control-request-method=PUT");
  EXPECT_EQ(text("/", {.headers = {"origin"}}, "OPTIONS", ask), text("/", {}, "OPTIONS", ask)) << "not twice";
}

TEST(Key, HoldsADigestOfAuthorizationNeverTheField) {
  const KeySpec spec{.authorization = true};
  const auto key = text("/", spec, "GET", {{"Authorization", "Bearer abc"}});
  EXPECT_EQ(key, "r|GET|http|example.com|/|a:" + sha256_hex("Bearer abc", 32));
  EXPECT_EQ(text("/", spec), "r|GET|http|example.com|/|a:");
}

TEST(Key, HasOneResourceForAllThatAWriteToTheUrlMakesStale) {
  const auto get = key_of("/a?x=1").resource();
  EXPECT_EQ(key_of("/a?x=1", {}, "POST").resource(), get);
  EXPECT_EQ(key_of("/a?x=1", {.headers = {"x"}}, "GET", {{"X", "1"}}).resource(), get);
  EXPECT_EQ(key_of("/a?x=1", {}, "GET", {}, "other-route").resource(), get);
  EXPECT_EQ(key_of("/a?x=1", {}, "GET", {}, "r", "example.com", "https").resource(), get);
  EXPECT_NE(key_of("/a?x=2").resource(), get);
  EXPECT_NE(key_of("/b?x=1").resource(), get);
  EXPECT_NE(key_of("/a?x=1", {}, "GET", {}, "r", "other.com").resource(), get);
  const KeySpec stripped{.query = QueryMode::None};
  EXPECT_EQ(key_of("/a?x=1", stripped).resource(), key_of("/a?y=2", stripped).resource());
}

TEST(Key, IsMadeAnewByEachBuild) {
  Key key = key_of("/a?b=1");
  const auto id = key.id();
  key = key_of("/c");
  EXPECT_EQ(key.text(), "r|GET|http|example.com|/c");
  EXPECT_NE(key.id(), id);
  EXPECT_EQ(key.id(), digest_of(key.text()));
}

// Random parts of separators, percent signs, control bytes and few letters: what differs must never look alike.
TEST(Key, NeverGivesTwoDifferentListsOfPartsTheSameText) {
  std::mt19937 random(20240101);
  const auto word = [&](std::string_view alphabet, std::size_t most) {
    std::string s;
    for (auto n = random() % (most + 1); n > 0; --n) s += alphabet[random() % alphabet.size()];
    return s;
  };
  static constexpr std::string_view kNames = "ab|%~";
  static constexpr std::string_view kFree = "a|%&=:\x01\x7fq";
  const KeySpec spec{.query_sort = false, .headers = {"h", "g"}};
  std::unordered_map<std::string, std::string> seen;
  for (int i = 0; i < 60000; ++i) {
    const auto route = word(kFree, 2), host = word("ab.:", 2);
    FieldList fields;
    std::string parts = route + '\n' + host + '\n';
    std::string path = "/" + word("a|:=&", 2), query;
    parts += path + '\n';
    const bool has_query = random() % 2;
    if (has_query) {
      query = "?";
      parts += "?";
      for (auto n = random() % 3; n > 0; --n) {
        const auto name = "n" + word("a|:", 2), value = word("a|:=", 2);
        const bool has_value = random() % 2;
        query += (query.size() > 1 ? "&" : "") + name + (has_value ? "=" + value : "");
        parts += "\n[" + name + (has_value ? "]=[" + value : "") + "]";
      }
    }
    for (const char* name : {"h", "g"}) {
      if (random() % 3 != 0) continue;
      const auto value = "a" + word(kNames, 2) + word("&=:\t", 1) + "a";
      fields.emplace_back(name, value);
      parts += std::string("\n{") + name + "}{" + value + "}";
    }
    const auto key = key_of(path + query, spec, "GET", fields, route, host);
    const auto [at, fresh] = seen.emplace(key.text(), parts);
    if (!fresh) {
      ASSERT_EQ(at->second, parts) << key.text();
    }
  }
  EXPECT_GT(seen.size(), 10000u);
}

}  // namespace
}  // namespace forebay::cache
