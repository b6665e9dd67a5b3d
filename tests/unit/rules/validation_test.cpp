#include "forebay/rules/validation.hpp"

#include <gtest/gtest.h>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Answer;
using test::date;
using test::fields;
using test::Lines;
using test::start;

TEST(EntityTags, StrongComparisonTakesNoWeakTag) {
  EXPECT_TRUE(strong_match("\"a\"", "\"a\""));
  EXPECT_FALSE(strong_match("W/\"a\"", "W/\"a\""));
  EXPECT_FALSE(strong_match("W/\"a\"", "\"a\""));
  EXPECT_FALSE(strong_match("\"a\"", "\"b\""));
  EXPECT_FALSE(strong_match("", ""));
  EXPECT_TRUE(weak_match("W/\"a\"", "W/\"a\""));
  EXPECT_TRUE(weak_match("W/\"a\"", "\"a\""));
  EXPECT_FALSE(weak_match("W/\"a\"", "W/\"b\""));
}

bool not_modified(Lines request, Lines stored, int status = 200) {
  return evaluate(fields(request), status, fields(stored), start().wall) == Condition::NotModified;
}

TEST(Conditions, IfNoneMatchComparesWeaklyWithEachTagOfEachLine) {
  struct Case {
    std::string_view asked, etag;
    bool matches;
  };
  const Case cases[] = {
      {"\"abcdef\"", "\"abcdef\"", true},
      {"\"abcdef\", \"1234\", \"5678\"", "\"abcdef\"", true},
      {"\"1234\", \"abcdef\", \"5678\"", "\"abcdef\"", true},
      {"\"1234\",, \"5678\" , \"abcdef\"", "\"abcdef\"", true},
      {"W/\"abcdef\"", "\"abcdef\"", true},
      {"\"abcdef\"", "W/\"abcdef\"", true},
      {"W/\"abcdef\"", "W/\"abcdef\"", true},
      {"w/\"abcdef\"", "w/\"abcdef\"", true},
      {"\"a,b\"", "\"a,b\"", true},
      {"\"a\\\", \"b\"", "\"b\"", true},  // a backslash escapes nothing
      {"\"a\xc3\xbc\"", "\"a\xc3\xbc\"", true},
      {"abcdef", "abcdef", true},
      {"*", "\"x\"", true},
      {"abcdef", "\"abcdef\"", false},
      {"\"abc\"", "\"abcdef\"", false},
      {"\"1\", \"2\"", "\"abcdef\"", false},
      {"\"unterminated", "\"x\"", false},
      {"", "\"x\"", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(not_modified({{"If-None-Match", c.asked}}, {{"ETag", c.etag}}), c.matches) << c.asked << " on " << c.etag;
  }
  EXPECT_TRUE(not_modified({{"If-None-Match", "\"1\""}, {"If-None-Match", "\"2\""}}, {{"ETag", "\"2\""}}));
  EXPECT_TRUE(not_modified({{"If-None-Match", "*"}}, {}));
  EXPECT_FALSE(not_modified({{"If-None-Match", "\"a\""}}, {}));
}

TEST(Conditions, IfNoneMatchBeatsIfModifiedSince) {
  const auto modified = date(-5000);
  EXPECT_FALSE(not_modified({{"If-None-Match", "\"b\""}, {"If-Modified-Since", date(0)}},
                            {{"ETag", "\"a\""}, {"Last-Modified", modified}}));
  EXPECT_TRUE(not_modified({{"If-None-Match", "\"a\""}, {"If-Modified-Since", date(-9000)}},
                           {{"ETag", "\"a\""}, {"Last-Modified", modified}}));
}

TEST(Conditions, IfModifiedSinceTakesAllThreeDateForms) {
  const std::string_view stored = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (const auto* since : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                            "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:38 GMT"}) {
    EXPECT_TRUE(not_modified({{"If-Modified-Since", since}}, {{"Last-Modified", stored}})) << since;
  }
  EXPECT_FALSE(not_modified({{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"}}, {{"Last-Modified", stored}}));
  EXPECT_FALSE(not_modified({{"If-Modified-Since", "1994-11-06"}}, {{"Last-Modified", stored}}));
}

TEST(Conditions, WithoutLastModifiedDateStandsIn) {
  EXPECT_TRUE(not_modified({{"If-Modified-Since", date(0)}}, {{"Date", date(0)}}));
  EXPECT_FALSE(not_modified({{"If-Modified-Since", date(-3000)}}, {{"Date", date(0)}}));
  EXPECT_FALSE(not_modified({{"If-Modified-Since", date(0)}}, {}));
}

TEST(Conditions, OnlyAStored200IsAnsweredSo) {
  for (const int status : {204, 301, 404, 500}) {
    EXPECT_FALSE(not_modified({{"If-None-Match", "*"}}, {{"ETag", "\"a\""}}, status)) << status;
  }
}

bool range_applies(Lines request, Lines stored) {
  return if_range_holds(fields(request), fields(stored), start().wall);
}

TEST(Conditions, IfRangeNeedsAStrongValidatorThatIsTheSame) {
  EXPECT_TRUE(range_applies({}, {}));
  EXPECT_TRUE(range_applies({{"If-Range", "\"a\""}}, {{"ETag", "\"a\""}}));
  EXPECT_FALSE(range_applies({{"If-Range", "\"a\""}}, {{"ETag", "\"b\""}}));
  EXPECT_FALSE(range_applies({{"If-Range", "W/\"a\""}}, {{"ETag", "W/\"a\""}}));
  EXPECT_FALSE(range_applies({{"If-Range", "\"a\""}}, {}));
  EXPECT_TRUE(range_applies({{"If-Range", date(-60)}}, {{"Last-Modified", date(-60)}, {"Date", date(0)}}));
  EXPECT_FALSE(range_applies({{"If-Range", date(-59)}}, {{"Last-Modified", date(-60)}, {"Date", date(0)}}));
  EXPECT_FALSE(range_applies({{"If-Range", date(0)}}, {{"Last-Modified", date(0)}, {"Date", date(0)}}));
  EXPECT_FALSE(range_applies({{"If-Range", date(-60)}}, {{"Last-Modified", date(-60)}}));
  EXPECT_FALSE(range_applies({{"If-Range", "garbage"}}, {{"Last-Modified", "garbage"}, {"Date", date(0)}}));
}

TEST(Preconditions, HoldOnlyWhereTheStoredResponseSaysSo) {
  using List = std::vector<std::pair<std::string, std::string>>;
  struct Row {
    List request, stored;
    bool holds;
    int status = 200;
  };
  const auto fields_of = [](const List& list) {
    http::Fields f;
    for (const auto& [name, value] : list) f.add(name, value);
    return f;
  };
  const Row rows[] = {
      {{}, {}, true},
      {{{"If-Match", "\"a\""}}, {{"ETag", "\"a\""}}, true},
      {{{"If-Match", "\"x\", \"a\""}}, {{"ETag", "\"a\""}}, true},
      {{{"If-Match", "\"x\""}, {"If-Match", "\"a\""}}, {{"ETag", "\"a\""}}, true},
      {{{"If-Match", "*"}}, {}, true},
      {{{"If-Match", "*"}}, {}, false, 404},
      {{{"If-Match", "\"b\""}}, {{"ETag", "\"a\""}}, false},
      {{{"If-Match", "\"a\""}}, {}, false},
      {{{"If-Match", "W/\"a\""}}, {{"ETag", "W/\"a\""}}, false},
      {{{"If-Match", "\"a\""}}, {{"ETag", "W/\"a\""}}, false},
      {{{"If-Unmodified-Since", date(-5)}}, {{"Last-Modified", date(-5)}}, true},
      {{{"If-Unmodified-Since", date(-5)}}, {{"Last-Modified", date(-9)}}, true},
      {{{"If-Unmodified-Since", date(-5)}}, {{"Last-Modified", date(-4)}}, false},
      {{{"If-Unmodified-Since", date(-5)}}, {}, false},
      {{{"If-Unmodified-Since", "yesterday"}}, {}, true},
      {{{"If-Match", "\"a\""}, {"If-Unmodified-Since", date(-5)}},
       {{"ETag", "\"a\""}, {"Last-Modified", date(-1)}},
       true},
      {{{"If-Match", "\"b\""}, {"If-Unmodified-Since", date(-5)}},
       {{"ETag", "\"a\""}, {"Last-Modified", date(-9)}},
       false},
  };
  int n = 0;
  for (const Row& r : rows) {
    EXPECT_EQ(preconditions_hold(fields_of(r.request), r.status, fields_of(r.stored), start().wall), r.holds)
        << "row " << n;
    ++n;
  }
}

TEST(NotModified, CarriesWhatTheStandardNames) {
  for (const auto* name : {"ETag", "Date", "Cache-Control", "Content-Location", "Expires", "Vary", "Last-Modified",
                           "Access-Control-Allow-Origin"}) {
    EXPECT_TRUE(belongs_on_304(http::field_id(name), name)) << name;
  }
  for (const auto* name :
       {"Content-Type", "Content-Length", "Content-Encoding", "Set-Cookie", "X-Other", "Access-Control-"}) {
    EXPECT_FALSE(belongs_on_304(http::field_id(name), name)) << name;
  }
}

TEST(Part, CarriesNoDigestOfTheWholeContent) {
  for (const auto* name :
       {"ETag", "Content-Type", "Repr-Digest", "Digest", "x-goog-hash", "X-Amz-Version-Id", "x-amz-checksum"})
    EXPECT_TRUE(belongs_on_206(http::field_id(name), name)) << name;
  for (const auto* name : {"Content-Digest", "content-digest", "Content-MD5", "x-amz-checksum-crc32",
                           "X-Amz-Checksum-SHA256", "x-amz-checksum-type"})
    EXPECT_FALSE(belongs_on_206(http::field_id(name), name)) << name;
}

TEST(Validators, GoOutAsTheyCame) {
  http::Fields request = fields({{"If-None-Match", "\"old\""}, {"Accept", "*/*"}});
  add_validators(request, "W/\"b\"", date(-10));
  EXPECT_EQ(request.view().value(http::FieldId::IfNoneMatch), "W/\"b\"");
  EXPECT_EQ(request.view().value(http::FieldId::IfModifiedSince), date(-10));
  http::Fields bare;
  add_validators(bare, std::nullopt, std::nullopt);
  add_validators(bare, "", "");
  EXPECT_TRUE(bare.view().empty());
}

bool speaks_of(Lines update, Lines stored) { return selects(Answer(update, 304).view(), fields(stored)); }

TEST(Selection, AStrongTagHasToBeTheSame) {
  EXPECT_TRUE(speaks_of({{"ETag", "\"a\""}}, {{"ETag", "\"a\""}}));
  EXPECT_FALSE(speaks_of({{"ETag", "\"b\""}}, {{"ETag", "\"a\""}}));
  EXPECT_FALSE(speaks_of({{"ETag", "\"a\""}}, {{"ETag", "W/\"a\""}})) << "weakened where it was compressed";
  EXPECT_FALSE(speaks_of({{"ETag", "\"a\""}}, {{"Last-Modified", date(-1)}}));
  EXPECT_FALSE(speaks_of({{"ETag", "\"a\""}, {"Last-Modified", date(-1)}}, {{"Last-Modified", date(-1)}}));
  EXPECT_FALSE(
      speaks_of({{"ETag", "\"b\""}, {"Last-Modified", date(-1)}}, {{"ETag", "\"a\""}, {"Last-Modified", date(-1)}}));
  EXPECT_TRUE(speaks_of({{"ETag", "W/\"a\""}}, {{"ETag", "W/\"a\""}}));
  EXPECT_TRUE(speaks_of({{"ETag", "W/\"a\""}}, {{"ETag", "\"a\""}}));
  EXPECT_FALSE(speaks_of({{"ETag", "W/\"b\""}}, {{"ETag", "W/\"a\""}}));
}

TEST(Selection, WithoutTagsTheDateDecidesAndWithoutAnythingItIsWhatWasAskedAbout) {
  EXPECT_TRUE(speaks_of({{"Last-Modified", date(-1)}}, {{"Last-Modified", date(-1)}}));
  EXPECT_FALSE(speaks_of({{"Last-Modified", date(-1)}}, {{"Last-Modified", date(-2)}}));
  EXPECT_TRUE(speaks_of({}, {{"ETag", "\"a\""}}));
}

TEST(Freshen, EveryFieldOfThe304ReplacesTheStoredOne) {
  const auto result = freshen(fields({{"Cache-Control", "max-age=2"},
                                      {"Cache-Control", "public"},
                                      {"Content-Type", "text/plain"},
                                      {"Test-Header", "A"},
                                      {"Kept", "yes"},
                                      {"Set-Cookie", "a=b"}}),
                              fields({{"cache-control", "max-age=3600"},
                                      {"Content-Type", "text/plain;charset=utf-8"},
                                      {"test-header", "B"},
                                      {"Set-Cookie", "a=c"},
                                      {"X-New", "1"}}));
  const auto view = result.view();
  EXPECT_EQ(view.count(http::FieldId::CacheControl), 1u);
  EXPECT_EQ(view.value(http::FieldId::CacheControl), "max-age=3600");
  EXPECT_EQ(view.value("Content-Type"), "text/plain;charset=utf-8");
  EXPECT_EQ(view.value("Test-Header"), "B");
  EXPECT_EQ(view.value("Kept"), "yes");
  EXPECT_EQ(view.value("Set-Cookie"), "a=c");
  EXPECT_EQ(view.value("X-New"), "1");
}

TEST(Freshen, WhatDescribesTheBytesAndTheHopStaysAsStored) {
  const auto result = freshen(fields({{"Content-Length", "10"}, {"Content-Encoding", "gzip"}, {"X-Hop", "old"}}),
                              fields({{"Content-Length", "0"},
                                      {"Content-Encoding", "br"},
                                      {"Content-Range", "bytes 0-1/2"},
                                      {"Transfer-Encoding", "chunked"},
                                      {"Connection", "X-Hop"},
                                      {"X-Hop", "new"},
                                      {"Keep-Alive", "timeout=1"}}));
  const auto view = result.view();
  EXPECT_EQ(view.value("Content-Length"), "10");
  EXPECT_EQ(view.value("Content-Encoding"), "gzip");
  EXPECT_EQ(view.value("X-Hop"), "old");
  EXPECT_EQ(view.size(), 3u);
}

TEST(Freshen, ADefaultTypeOnThe304IsNotThatOfTheStoredBytes) {
  const auto type = [](Lines stored, const char* update) {
    const auto result = freshen(fields(stored), fields({{"Content-Type", update}}));
    EXPECT_LE(result.view().count(http::FieldId::ContentType), 1u);
    return std::string(result.view().value(http::FieldId::ContentType).value_or("none"));
  };
  EXPECT_EQ(type({{"Content-Type", "text/plain"}}, "text/html; charset=UTF-8"), "text/plain");
  EXPECT_EQ(type({{"Content-Type", "application/json; charset=utf-8"}}, "text/html"),
            "application/json; charset=utf-8");
  EXPECT_EQ(type({{"Content-Type", "text/html"}}, ""), "text/html");
  EXPECT_EQ(type({}, "text/html"), "none");
  EXPECT_EQ(type({{"Content-Type", "text/html"}}, "TEXT/HTML ; charset=utf-8"), "TEXT/HTML ; charset=utf-8");
}

TEST(Freshen, DateAndAgeAreThoseOfThe304) {
  const auto fresh = freshen(fields({{"Date", date(-100)}, {"Age", "50"}}), fields({{"Date", date(0)}}));
  EXPECT_EQ(fresh.view().value("Date"), date(0));
  EXPECT_FALSE(fresh.view().has(http::FieldId::Age));
  EXPECT_EQ(freshen(fields({{"Age", "50"}}), fields({{"Age", "3"}})).view().value("Age"), "3");
}

HeadUpdate head(Lines update, Lines stored, std::optional<std::uint64_t> length = 10) {
  return compare_head(Answer(update).view(), fields(stored), length);
}

TEST(Head, FreshensWhereValidatorsAndLengthAgreeAndElseMakesStale) {
  EXPECT_EQ(head({}, {{"ETag", "\"a\""}}), HeadUpdate::Freshen);
  EXPECT_EQ(head({{"ETag", "\"a\""}, {"Content-Length", "10"}}, {{"ETag", "\"a\""}}), HeadUpdate::Freshen);
  EXPECT_EQ(head({{"ETag", "\"b\""}}, {{"ETag", "\"a\""}}), HeadUpdate::Stale);
  EXPECT_EQ(head({{"ETag", "\"a\""}}, {}), HeadUpdate::Stale);
  EXPECT_EQ(head({{"Last-Modified", date(-1)}}, {{"Last-Modified", date(-2)}}), HeadUpdate::Stale);
  EXPECT_EQ(head({{"Last-Modified", date(-1)}}, {{"Last-Modified", date(-1)}}), HeadUpdate::Freshen);
  EXPECT_EQ(head({{"Content-Length", "11"}}, {}), HeadUpdate::Stale);
  EXPECT_EQ(head({{"Content-Length", "10"}}, {}, std::nullopt), HeadUpdate::Stale);
  EXPECT_EQ(head({{"ETag", "W/\"a\""}, {"Content-Encoding", "gzip"}}, {{"ETag", "\"a\""}}), HeadUpdate::None);
  EXPECT_EQ(head({{"ETag", "\"a\""}}, {{"ETag", "W/\"a\""}, {"Content-Encoding", "gzip"}}), HeadUpdate::None);
}

}  // namespace
}  // namespace forebay::rules
