#include "forebay/http/date.hpp"

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

constexpr WallTime kNow{Seconds{1704067200}};  // 2024-01-01T00:00:00Z

std::optional<std::int64_t> seconds(std::string_view text, WallTime now = kNow) {
  const auto t = parse_date(text, now);
  if (!t) return std::nullopt;
  return whole_seconds(t->time_since_epoch());
}

TEST(Date, TheThreeFormsAreOneTime) {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(seconds(text), 784111777) << text;
  }
}

TEST(Date, NamesAndGmtAreReadInAnyCaseAndTheDayOfTheWeekIsNotJudged) {
  for (const char* text :
       {"SUN, 06 Nov 1994 08:49:37 GMT", "sun, 06 NOV 1994 08:49:37 gMT", "Mon, 06 Nov 1994 08:49:37 GMT",
        "sUNDAY, 06-nov-94 08:49:37 gmt", "Wed Nov  6 08:49:37 1994", "SUN NOV  6 08:49:37 1994"}) {
    EXPECT_EQ(seconds(text), 784111777) << text;
  }
  EXPECT_EQ(seconds("Sat Nov 26 08:49:37 1994"), 784111777 + 20 * 86400);
}

TEST(Date, EverythingElseIsNoDate) {
  for (const char* text : {
           "",
           "0",
           "-1",
           "now",
           "Thu",
           "Thu,",
           "784111777",
           "Thu, 18 Aug 2050 02:01:18 UTC",       // another zone
           "Thu, 18 Aug 2050 02:01:18 AEST",      //
           "Thu, 18 Aug 2050 02:01:18 +0000",     //
           "Thu, 18 Aug 2050 02:01:18",           // none
           "Thu, 18 Aug 50 02:01:18 GMT",         // two-digit year in the IMF form
           "Thu, 18 Aug 20500 02:01:18 GMT",      //
           "Thu 18 Aug 2050 02:01:18 GMT",        // no comma
           "Thu,18 Aug 2050 02:01:18 GMT",        // no space
           "Thu, 18  Aug  2050 02:01:18 GMT",     // doubled spaces
           "Thu,  18 Aug 2050 02:01:18 GMT",      //
           "Thu, 18 Aug 2050  02:01:18 GMT",      //
           "Thu, 18-Aug-2050 02:01:18 GMT",       // dashes
           "Thu, 18-Aug-50 02:01:18 GMT",         // the RFC 850 form has the day in full
           "Thursday, 18-Aug-2050 02:01:18 GMT",  // and two digits of the year
           "Thursday, 18 Aug 2050 02:01:18 GMT",  //
           "Thursday 18-Aug-50 02:01:18 GMT",     //
           "Thurs, 18 Aug 2050 02:01:18 GMT",     //
           "Thu, 18 Aug 2050 02.01.18 GMT",       // dots
           "Thu, 18 Aug 2050 2:01:18 GMT",        // one-digit hour
           "Thu, 8 Aug 2050 02:01:18 GMT",        // one-digit day
           "Thu, 18 August 2050 02:01:18 GMT",    //
           "Xxx, 18 Aug 2050 02:01:18 GMT",       //
           "Thu, 18 Xxx 2050 02:01:18 GMT",       //
           "Thu, 00 Aug 2050 02:01:18 GMT",       //
           "Thu, 32 Aug 2050 02:01:18 GMT",       //
           "Thu, 29 Feb 2023 02:01:18 GMT",       // no leap year
           "Thu, 31 Nov 2023 02:01:18 GMT",       //
           "Thu, 18 Aug 2050 24:00:00 GMT",       //
           "Thu, 18 Aug 2050 02:60:18 GMT",       //
           "Thu, 18 Aug 2050 02:01:61 GMT",       //
           "Thu, 18 Aug 2050 02:01:18 GMT ",      //
           " Thu, 18 Aug 2050 02:01:18 GMT",      //
           "Thu, 18 Aug 2050 02:01:18 GMTx",      //
           "Thu, 18 Aug 2050 02:01:18 GM",        //
           "Thu, 18 Aug 2050 02:01:-1 GMT",       //
           "Thu Aug 8 02:01:18 2050",             // asctime pads the day
           "Thu Aug   8 02:01:18 2050",           //
           "Thu Aug 08 02:01:18 50",              //
           "Thu Aug  8 02:01:18 2050 GMT",        //
           "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:19 GMT",
       }) {
    EXPECT_EQ(seconds(text), std::nullopt) << text;
  }
}

TEST(Date, ATwoDigitYearIsNotMoreThanFiftyYearsAhead) {
  const auto year = [](const char* two, WallTime now) {
    const auto s = seconds(std::string("Monday, 01-Jan-") + two + " 00:00:00 GMT", now);
    return static_cast<int>(std::chrono::year_month_day{
        std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{
            Seconds{*s}})}.year());
  };
  EXPECT_EQ(year("24", kNow), 2024);
  EXPECT_EQ(year("74", kNow), 2074);
  EXPECT_EQ(year("75", kNow), 1975);
  EXPECT_EQ(year("99", kNow), 1999);
  EXPECT_EQ(year("00", kNow), 2000);
  const WallTime late{std::chrono::sys_days{std::chrono::year{2080} / 1 / 1}};
  EXPECT_EQ(year("10", late), 2110);
  EXPECT_EQ(year("30", late), 2130);
  EXPECT_EQ(year("31", late), 2031);
}

TEST(Date, FarDatesStayComparable) {
  const auto last = parse_date("Fri, 31 Dec 9999 23:59:59 GMT", kNow);
  const auto first = parse_date("Mon, 01 Jan 0001 00:00:00 GMT", kNow);
  ASSERT_TRUE(last && first);
  EXPECT_GT(*last - *first, Duration::zero());  // no overflow
  EXPECT_GT(*last, kNow + std::chrono::hours{24 * 365 * 100});
  EXPECT_EQ(format_date(*last), "Thu, 31 Dec 2189 23:59:59 GMT");
}

TEST(Date, IsWrittenAsImfFixdate) {
  EXPECT_EQ(format_date(WallTime{Seconds{784111777}}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(WallTime{Seconds{784111777} + 999ms}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(WallTime{Seconds{-1}}), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(format_date(WallTime{Seconds{951782400}}), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(Date, WhatIsWrittenIsReadBack) {
  std::int64_t t = -2000000000;
  for (int i = 0; i < 20000; ++i, t += 432123) {
    const std::string text = format_date(WallTime{Seconds{t}});
    ASSERT_EQ(seconds(text), t) << text;
  }
}

TEST(Date, ALeapSecondIsTheSecondAfterIt) { EXPECT_EQ(seconds("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800); }

}  // namespace
}  // namespace forebay::http
