#include "forebay/rules/cache_status.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "forebay/http/structured_fields.hpp"

namespace forebay::rules {
namespace {

std::string text(const CacheStatus& s, std::string_view name = "forebay") {
  std::string out;
  append_cache_status(out, name, s);
  return out;
}

TEST(CacheStatusField, SaysEachResultInItsWords) {
  struct Case {
    CacheStatus status;
    std::string_view text;
  };
  const Case cases[] = {
      {{.result = CacheResult::Hit, .ttl = 27}, "forebay; hit; ttl=27"},
      {{.result = CacheResult::Stale, .ttl = -3}, "forebay; hit; ttl=-3; detail=stale-while-revalidate"},
      {{.result = CacheResult::Stale, .ttl = -3, .max_stale = true}, "forebay; hit; ttl=-3; detail=max-stale"},
      {{.result = CacheResult::Miss, .forward = Forward::Miss, .ttl = 5, .stored = true},
       "forebay; fwd=miss; stored; ttl=5"},
      {{.result = CacheResult::Miss, .forward = Forward::Partial, .reason = Reason::Range},
       "forebay; fwd=partial; detail=range"},
      {{.result = CacheResult::StaleError, .forward = Forward::Stale, .forward_status = 503, .ttl = -9},
       "forebay; fwd=stale; fwd-status=503; ttl=-9; detail=stale-if-error"},
      {{.result = CacheResult::StaleError, .forward = Forward::Stale, .ttl = -9},
       "forebay; fwd=stale; ttl=-9; detail=stale-if-error"},
      {{.result = CacheResult::StaleError, .ttl = -9}, "forebay; hit; ttl=-9; detail=stale-if-error"},
      {{.result = CacheResult::Coalesced, .forward = Forward::UriMiss}, "forebay; fwd=uri-miss; collapsed"},
      {{.result = CacheResult::Revalidated, .forward = Forward::Stale, .forward_status = 304, .stored = true},
       "forebay; fwd=stale; fwd-status=304; stored"},
      {{.result = CacheResult::Miss, .forward = Forward::UriMiss, .forward_status = 200, .ttl = 60, .stored = true},
       "forebay; fwd=uri-miss; stored; ttl=60"},
      {{.result = CacheResult::Miss, .forward = Forward::VaryMiss, .reason = Reason::NoFreshness},
       "forebay; fwd=vary-miss; detail=no_freshness"},
      {{.result = CacheResult::Miss, .forward = Forward::Request, .reason = Reason::Authorization},
       "forebay; fwd=request; detail=authorization"},
      {{.result = CacheResult::Miss,
        .forward = Forward::UriMiss,
        .forward_status = 200,
        .sent_status = 304,
        .stored = true},
       "forebay; fwd=uri-miss; fwd-status=200; stored"},
      {{.result = CacheResult::Bypass, .reason = Reason::PassMemory}, "forebay; fwd=bypass; detail=pass_memory"},
      {{.result = CacheResult::Bypass, .reason = Reason::Method}, "forebay; fwd=method; detail=method"},
      {{.result = CacheResult::Hit, .ttl = 1, .key = "r|GET|http|a\"b"},
       "forebay; hit; ttl=1; key=\"r|GET|http|a\\\"b\""},
      {{.result = CacheResult::Bypass, .reason = Reason::PassMemory, .cause = Reason::NoFreshness, .cause_left = 7},
       "forebay; fwd=bypass; detail=pass_memory"},
      {{.result = CacheResult::Bypass,
        .reason = Reason::PassMemory,
        .cause = Reason::NoFreshness,
        .cause_left = 7,
        .key = "r|GET"},
       "forebay; fwd=bypass; detail=pass_memory; cause=no_freshness; cause-left=7; key=\"r|GET\""},
      {{.result = CacheResult::Error, .forward_status = 502}, ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(text(c.status), c.text);
    EXPECT_TRUE(http::sf::parse_list(c.text).has_value()) << c.text;
  }
}

TEST(CacheStatusField, ShowsBytesOutsideOfAsciiSoThatDifferentKeysLookDifferent) {
  CacheStatus s;
  s.result = CacheResult::Hit;
  s.key = "r|b:/q=\"\xC3\xA9%25\"";
  std::string out;
  append_cache_status(out, "forebay", s);
  EXPECT_EQ(out, "forebay; hit; key=\"r|b:/q=\\\"%C3%A9%25\\\"\"");
}

TEST(CacheStatusField, ShowsNoKeyThatIsLongerThanAFieldShouldBe) {
  const std::string key(4096, 'x');
  EXPECT_EQ(text({.result = CacheResult::Hit, .ttl = 1, .key = key}), "forebay; hit; ttl=1; key=\"" + key + "\"");
  EXPECT_EQ(text({.result = CacheResult::Hit, .ttl = 1, .key = key + "x"}), "forebay; hit; ttl=1");
}

TEST(CacheStatusField, AppendsAndQuotesANameThatIsNoToken) {
  std::string out = "ExampleCDN; hit, ";
  append_cache_status(out, "my cache", {.result = CacheResult::Hit, .ttl = 1});
  EXPECT_EQ(out, "ExampleCDN; hit, \"my cache\"; hit; ttl=1");
}

TEST(Vocabulary, EveryReasonHasAWordOfItsOwnThatIsAToken) {
  std::set<std::string_view> seen;
  for (int i = 1; i < static_cast<int>(Reason::kCount); ++i) {
    const auto word = to_string(static_cast<Reason>(i));
    EXPECT_TRUE(http::sf::is_sf_token(word)) << i;
    EXPECT_TRUE(seen.insert(word).second) << word;
  }
  EXPECT_EQ(to_string(Reason::None), "");
  EXPECT_EQ(to_string(Reason::CacheOff), "cache_off");
  EXPECT_EQ(to_string(Reason::Range), "range");
  EXPECT_EQ(to_string(Reason::NoFreshness), "no_freshness");
  EXPECT_EQ(to_string(Reason::Admission), "admission");
}

TEST(Vocabulary, XCacheIsTheCoarseFormOfTheResult) {
  EXPECT_EQ(x_cache(CacheResult::StaleError), "STALE");
  EXPECT_EQ(x_cache(CacheResult::Coalesced), "COALESCED");
  EXPECT_EQ(x_cache(CacheResult::Error), "ERROR");
  EXPECT_EQ(to_string(CacheResult::StaleError), "stale_error");
  EXPECT_EQ(to_string(Forward::UriMiss), "uri-miss");
}

}  // namespace
}  // namespace forebay::rules
