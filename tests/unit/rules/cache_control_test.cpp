#include "forebay/rules/cache_control.hpp"

#include <gmock/gmock.h>

#include "forebay/http/list.hpp"
#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::fields;
using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kTargets = Policy{}.targeted_fields;

ResponseDirectives read(test::Lines lines, const std::vector<std::string>& targets = kTargets) {
  const auto owned = fields(lines);
  return read_response_directives(owned, targets);
}

ResponseDirectives read_cc(std::string_view cache_control) { return read({{"Cache-Control", cache_control}}); }

std::int64_t or_none(const std::optional<Seconds>& s) { return s ? s->count() : -1; }

TEST(CacheControl, MaxAgeIsReadAsWrittenOrCountsAsStale) {
  struct Case {
    std::string_view text;
    std::int64_t seconds;  // -1: absent
  };
  const Case cases[] = {
      {"max-age=60", 60},
      {"MaX-aGe=60", 60},
      {"max-age=003600", 3600},
      {"max-age=\"3600\"", 3600},
      {"foobar, max-age=60", 60},
      {" ,, max-age=60 ,", 60},
      {"max-age='3600'", 0},
      {"max-age=3600.0", 0},
      {"max-age=3600a", 0},
      {"max-age=a3600", 0},
      {"max-age=-3600", 0},
      {"max-age=", 0},
      {"max-age", 0},
      {"max-age =3600", 0},
      {"max-age= 3600", 0},
      {"max-age=2147483647", 2147483647},
      {"max-age=2147483648", 2147483648},
      {"max-age=2147483649", 2147483648},
      {"max-age=99999999999", 2147483648},
      {"max-age=99999999999999999999999999999999", 2147483648},
      {"xmax-age=60", -1},
      {"extension=\"max-age=3600\"", -1},
      {"extension=\"max-age=3600\", max-age=1", 1},
      {"max-age=1, extension=\"max-age=3600\"", 1},
      {"max-age=1800, max-age=1", 1800},
      {"max-age=1, max-age=1800", 1},
      {"max-age=x, max-age=1800", 0},
      {"", -1},
  };
  for (const auto& c : cases) EXPECT_EQ(or_none(read_cc(c.text).max_age), c.seconds) << c.text;
}

TEST(CacheControl, TheFirstOfTwoLinesCounts) {
  EXPECT_EQ(or_none(read({{"Cache-Control", "max-age=1800"}, {"Cache-Control", "max-age=1"}}).max_age), 1800);
  const auto both = read({{"Cache-Control", "max-age=3600"}, {"Cache-Control", "s-maxage=1"}});
  EXPECT_EQ(or_none(both.max_age), 3600);
  EXPECT_EQ(or_none(both.s_maxage), 1);
}

TEST(CacheControl, FlagsAreReadInAnyCaseAndUnknownDirectivesChangeNothing) {
  const auto d =
      read_cc("No-StOrE, MUST-revalidate, proxy-revalidate, Public, no-transform, must-understand, immutable, x=y");
  EXPECT_TRUE(d.present && d.no_store && d.must_revalidate && d.proxy_revalidate && d.public_);
  EXPECT_TRUE(d.no_transform && d.must_understand && d.immutable);
  EXPECT_FALSE(d.no_cache || d.private_ || d.targeted);
  EXPECT_FALSE(read_cc("no-stores, ext=\"no-store\"").no_store);
  EXPECT_TRUE(read_cc("no-store=1").no_store) << "an argument where none belongs does not undo it";
}

TEST(CacheControl, StaleWindowsAreRead) {
  const auto d = read_cc("s-maxage=60, stale-while-revalidate=30, stale-if-error=\"600\"");
  EXPECT_EQ(or_none(d.stale_while_revalidate), 30);
  EXPECT_EQ(or_none(d.stale_if_error), 600);
  EXPECT_EQ(or_none(read_cc("stale-while-revalidate=soon").stale_while_revalidate), 0);
}

TEST(CacheControl, QualifiedFormsNameFieldsAndLeaveTheResponseFree) {
  const auto d = read_cc("private=\"a, X-User\", no-cache=\"b\", max-age=60");
  EXPECT_FALSE(d.private_ || d.no_cache);
  EXPECT_THAT(d.private_fields, ElementsAre("a", "X-User"));
  EXPECT_THAT(d.no_cache_fields, ElementsAre("b"));
  EXPECT_THAT(read_cc("private=X-User").private_fields, ElementsAre("X-User")) << "the token form of one name";
}

TEST(CacheControl, AQualifiedFormThatCannotBeReadCountsAsTheUnqualifiedOne) {
  for (const auto* text : {"private=\"\"", "private=", "private=\"a b\"", "private=\"a", "private=\" , \""}) {
    EXPECT_TRUE(read_cc(text).private_) << text;
    EXPECT_THAT(read_cc(text).private_fields, IsEmpty()) << text;
  }
  EXPECT_TRUE(read_cc("no-cache=\"@\"").no_cache);
}

TEST(Targeted, AValidFieldReplacesCacheControlBothWays) {
  const auto longer = read({{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=600"}});
  EXPECT_TRUE(longer.targeted);
  EXPECT_FALSE(longer.no_store);
  EXPECT_EQ(or_none(longer.max_age), 600);
  const auto forbidden = read({{"Cache-Control", "max-age=600"}, {"CDN-Cache-Control", "no-store"}});
  EXPECT_TRUE(forbidden.no_store);
  EXPECT_FALSE(forbidden.max_age.has_value());
  EXPECT_TRUE(read({{"Cache-Control", "max-age=600"}, {"CDN-Cache-Control", "no-cache"}}).no_cache);
  EXPECT_TRUE(read({{"Cache-Control", "max-age=600"}, {"CDN-Cache-Control", "private"}}).private_);
  EXPECT_EQ(or_none(read({{"Cache-Control", "max-age=600"}, {"CDN-Cache-Control", "max-age=0"}}).max_age), 0);
}

TEST(Targeted, OurOwnFieldComesBeforeTheGeneralOne) {
  const auto d = read({{"CDN-Cache-Control", "max-age=1"}, {"Forebay-Cache-Control", "max-age=2"}});
  EXPECT_EQ(or_none(d.max_age), 2);
  EXPECT_EQ(or_none(read({{"CDN-Cache-Control", "max-age=1"}, {"Forebay-Cache-Control", "&"}}).max_age), 1)
      << "an invalid one is passed over for the next of the list";
}

TEST(Targeted, WhatIsNoDictionaryOrEmptyLeavesCacheControlInForce) {
  for (const auto* text :
       {"", " ", "max-age=10000, &&&&&", "max-age =100", "max-age= 100", "MaX-aGe=3600", "no-store,"}) {
    const auto d = read({{"CDN-Cache-Control", text}, {"Cache-Control", "max-age=7"}});
    EXPECT_FALSE(d.targeted) << text;
    EXPECT_EQ(or_none(d.max_age), 7) << text;
    EXPECT_FALSE(d.no_store) << text;
  }
}

TEST(Targeted, AValueOfTheWrongTypeIsNotConsumedButTheFieldStillReplaces) {
  for (const auto* text : {"max-age=\"10000\"", "max-age=1.5", "max-age=soon", "max-age", "max-age=(1 2)"}) {
    const auto d = read({{"CDN-Cache-Control", text}, {"Cache-Control", "max-age=7"}});
    EXPECT_TRUE(d.targeted) << text;
    EXPECT_FALSE(d.max_age.has_value()) << text;
    EXPECT_TRUE(d.names_freshness) << text;
  }
  EXPECT_FALSE(read({{"CDN-Cache-Control", "no-store=?0, max-age=5"}}).no_store);
  EXPECT_TRUE(read({{"CDN-Cache-Control", "private=(\"a\")"}}).private_) << "what restricts is not lost by a slip";
}

TEST(Targeted, LinesAreJoinedAndLargeValuesClamped) {
  const auto d =
      read({{"CDN-Cache-Control", "max-age=99999999999"}, {"CDN-Cache-Control", "stale-if-error=9;x=1, foobar"}});
  EXPECT_EQ(or_none(d.max_age), 2147483648);
  EXPECT_EQ(or_none(d.stale_if_error), 9);
  EXPECT_THAT(read({{"CDN-Cache-Control", "private=\"x-a, x-b\""}}).private_fields, ElementsAre("x-a", "x-b"));
}

TEST(Targeted, AFieldThatIsNotOnTheListDoesNotCount) {
  EXPECT_FALSE(read({{"CDN-Cache-Control", "no-store"}}, {}).targeted);
  EXPECT_FALSE(read({{"Surrogate-Control", "no-store"}}).targeted);
}

TEST(Targeted, SurrogateControlIsReadByItsOwnGrammarWhereTheRouteListsIt) {
  const std::vector<std::string> targets{"CDN-Cache-Control", "Surrogate-Control"};
  const auto d =
      read({{"Surrogate-Control", "content=\"ESI/1.0\", max-age=3600+600"}, {"Cache-Control", "no-store"}}, targets);
  EXPECT_TRUE(d.targeted);
  EXPECT_FALSE(d.no_store);
  EXPECT_EQ(or_none(d.max_age), 3600);
  EXPECT_EQ(or_none(d.stale_while_revalidate), 600);
  EXPECT_TRUE(read({{"Surrogate-Control", "no-store-remote"}}, targets).no_store);
  const auto others =
      read({{"Surrogate-Control", "max-age=3600;not-for-you"}, {"Cache-Control", "max-age=1"}}, targets);
  EXPECT_FALSE(others.targeted);
  EXPECT_EQ(or_none(others.max_age), 1);
}

TEST(Targeted, OwnAndSurrogateFieldsNeverGoDownstream) {
  Policy policy;
  const auto goes = [&](std::string_view name) {
    const auto owned = fields({{name, "x"}});
    return goes_downstream(owned.view()[0], policy);
  };
  EXPECT_FALSE(goes("forebay-cache-control"));
  EXPECT_FALSE(goes("Surrogate-Control"));
  EXPECT_TRUE(goes("CDN-Cache-Control"));
  EXPECT_TRUE(goes("Cache-Control"));
  policy.targeted_strip = true;
  EXPECT_FALSE(goes("CDN-Cache-Control"));
  EXPECT_TRUE(goes("X-Other"));
}

// An unclosed quote hides what follows from some readers and not from others.
ResponseDirectives in_doubt(std::string_view line) {
  const auto owned = fields({{"Cache-Control", line}});
  return read_response_directives(owned, {});
}

TEST(ResponseDirectives, InAListWhoseQuotesDoNotHoldWhatRestrictsCounts) {
  for (const std::string before : {"ext=\"a, ", "max-age=60, ext=\"a, ", "ext=\"a\\\", ", "ext=\"a\", x\"y, ", "\"",
                                   "a=\"b\"c\"d, ", "public, s-maxage=60, a=\"\\\\\\\", "})
    for (const std::string after : {"", ", b", "\"", ", max-age=600"}) {
      if (http::quotes_hold(before + "no-store" + after)) continue;  // `\\"` and a closing quote behind
      EXPECT_TRUE(in_doubt(before + "no-store" + after).no_store) << before << after;
      EXPECT_TRUE(in_doubt(before + "Private" + after).private_) << before << after;
      EXPECT_TRUE(in_doubt(before + "private=\"x" + after).private_) << before << after;
      EXPECT_TRUE(in_doubt(before + "no-cache" + after).no_cache) << before << after;
      EXPECT_TRUE(in_doubt(before + "no-cache=x" + after).no_cache) << before << after;
      EXPECT_TRUE(in_doubt(before + "no-transform" + after).no_transform) << before << after;
      EXPECT_TRUE(in_doubt(before + "proxy-revalidate" + after).proxy_revalidate) << before << after;
      EXPECT_TRUE(in_doubt(before + "must-revalidate" + after).proxy_revalidate) << before << after;
    }
}

TEST(ResponseDirectives, WhatLoosensDoesNotCountInDoubt) {
  const auto d = in_doubt("ext=\"a, public, must-revalidate, max-age=600, stale-while-revalidate=9, stale-if-error=9");
  EXPECT_FALSE(d.public_ || d.must_revalidate) << "both would share what is one client's";
  EXPECT_EQ(or_none(d.max_age), 0);
  EXPECT_EQ(or_none(d.stale_while_revalidate), 0);
  EXPECT_EQ(or_none(d.stale_if_error), 0);
  EXPECT_TRUE(d.names_freshness);
  const auto shared = in_doubt("max-age=60, ext=\"a, s-maxage=600");
  EXPECT_EQ(or_none(shared.max_age), 0) << "one reader finds another lifetime";
  EXPECT_EQ(shared.s_maxage, std::nullopt);
  const auto first = in_doubt("max-age=60, s-maxage=30, ext=\"a, max-age=600, s-maxage=600");
  EXPECT_EQ(or_none(first.max_age), 60) << "the first counts, for every reader";
  EXPECT_EQ(or_none(first.s_maxage), 30);
  EXPECT_TRUE(in_doubt("ext=\"a, must-understand").must_understand);
  EXPECT_FALSE(in_doubt("no-store, ext=\"a, must-understand").must_understand) << "no-store is not overruled in doubt";
}

TEST(ResponseDirectives, AListWhoseQuotesHoldIsReadByThem) {
  const auto d = in_doubt("max-age=60, ext=\"a, private, no-store\", public");
  EXPECT_FALSE(d.private_ || d.no_store);
  EXPECT_TRUE(d.public_);
  EXPECT_EQ(or_none(d.max_age), 60);
}

TEST(ResponseDirectives, ATargetedFieldThatCannotBeReadLeavesCacheControlToDecide) {
  const auto owned = fields({{"CDN-Cache-Control", "max-age=600, ext=\"a"}, {"Cache-Control", "no-store"}});
  const auto d = read_response_directives(owned, {"CDN-Cache-Control"});
  EXPECT_FALSE(d.targeted);
  EXPECT_TRUE(d.no_store);
  EXPECT_EQ(d.max_age, std::nullopt);
  const auto surrogate = fields({{"Surrogate-Control", "max-age=600, ext=\"a, no-store"}});
  EXPECT_TRUE(read_response_directives(surrogate, {"Surrogate-Control"}).no_store);
}

RequestDirectives read_request(test::Lines lines) {
  const auto owned = fields(lines);
  return read_request_directives(owned);
}

TEST(RequestDirectives, AllOfThemAreRead) {
  const auto d = read_request({{"Cache-Control", "no-store, max-age=5, MIN-fresh=\"6\""},
                               {"Cache-Control", "max-stale=7, only-if-cached, no-transform"}});
  EXPECT_TRUE(d.no_store && d.only_if_cached && d.no_transform);
  EXPECT_FALSE(d.no_cache);
  EXPECT_EQ(or_none(d.max_age), 5);
  EXPECT_EQ(or_none(d.min_fresh), 6);
  EXPECT_EQ(or_none(d.max_stale), 7);
}

TEST(RequestDirectives, MaxStaleWithoutAValueTakesAnyAge) {
  EXPECT_EQ(read_request({{"Cache-Control", "max-stale"}}).max_stale, Seconds::max());
  EXPECT_EQ(read_request({{"Cache-Control", "max-stale=x"}}).max_stale, std::nullopt) << "a licence has to be readable";
  EXPECT_EQ(or_none(read_request({{"Cache-Control", "max-age=x"}}).max_age), 0);
}

TEST(RequestDirectives, PragmaCountsOnlyWithoutCacheControl) {
  EXPECT_TRUE(read_request({{"Pragma", "No-Cache"}}).no_cache);
  EXPECT_TRUE(read_request({{"Pragma", "x, no-cache"}}).no_cache);
  EXPECT_FALSE(read_request({{"Pragma", "no-cache"}, {"Cache-Control", "max-stale"}}).no_cache);
  EXPECT_FALSE(read_request({{"Pragma", "unrecognised-extension"}}).no_cache);
}

TEST(RequestDirectives, InAListWhoseQuotesDoNotHoldWhatRestrictsCounts) {
  const std::string before = "max-stale=5, ext=\"a, ";
  EXPECT_TRUE(read_request({{"Cache-Control", before + "no-store"}}).no_store);
  EXPECT_TRUE(read_request({{"Cache-Control", before + "no-cache"}}).no_cache);
  EXPECT_TRUE(read_request({{"Cache-Control", before + "max-age=5"}}).no_cache);
  EXPECT_TRUE(read_request({{"Cache-Control", before + "min-fresh=5"}}).no_cache);
  EXPECT_TRUE(read_request({{"Cache-Control", before + "only-if-cached"}}).only_if_cached);
  EXPECT_TRUE(read_request({{"Cache-Control", before + "no-transform"}}).no_transform);
  EXPECT_EQ(read_request({{"Cache-Control", "ext=\"a, max-stale=9"}}).max_stale, std::nullopt);
  EXPECT_TRUE(read_request({{"Pragma", "x=\"a, no-cache"}}).no_cache);
}

TEST(RequestDirectives, AnUnknownDirectiveChangesNothing) {
  const auto d = read_request({{"Cache-Control", "nothing-to-see-here"}, {"Pragma", "foo"}});
  EXPECT_FALSE(d.no_cache || d.no_store || d.only_if_cached || d.max_age || d.min_fresh || d.max_stale);
}

}  // namespace
}  // namespace forebay::rules
