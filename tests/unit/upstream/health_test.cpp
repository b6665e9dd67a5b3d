#include "upstream/health.hpp"

#include <gtest/gtest.h>

namespace forebay::upstream {
namespace {

using Change = Health::Change;
constexpr Timestamp kStart{1000h};

/// The changes that results make: `u` up, `d` down, `.` none. `+` is a check that was passed, `-` one that failed.
std::string changes(Health& health, std::string_view results) {
  std::string out;
  for (const char result : results) {
    const auto next = health.result(result == '+' ? Health::Check::Passed : Health::Check::Failed, kStart, 0.5);
    out += next.change == Change::Up ? 'u' : next.change == Change::Down ? 'd' : '.';
  }
  return out;
}

TEST(Health, CountsAsUpUntilTheFirstResultWhichDecides) {
  Health good({}), bad({});
  EXPECT_TRUE(good.up());
  EXPECT_EQ(changes(good, "+"), ".");
  EXPECT_TRUE(good.up());
  EXPECT_EQ(changes(bad, "-"), "d");
  EXPECT_FALSE(bad.up());
}

TEST(Health, ChangesAfterAsManyResultsInARowAsTheSettingsSay) {
  Health health({});
  EXPECT_EQ(changes(health, "+--+--+---"), ".........d");
  EXPECT_FALSE(health.up());
  EXPECT_EQ(changes(health, "-+-+-++"), "......u");
  EXPECT_TRUE(health.up());
  EXPECT_EQ(changes(health, "--"), "..") << "the count begins anew";
  Health hasty({.up_after = 1, .down_after = 1});
  EXPECT_EQ(changes(hasty, "+-+-"), ".dud");
}

TEST(Health, TellsEachChangeOnce) {
  Health health({});
  EXPECT_EQ(changes(health, "+------++++++"), "...d....u....");
}

TEST(Health, NextCheckIsAnIntervalLaterOrATenthSoonerOrLater) {
  Health health({.interval = 10s});
  EXPECT_EQ(health.result(Health::Check::Passed, kStart, 0).check_at, kStart + 9s);
  EXPECT_EQ(health.result(Health::Check::Passed, kStart, 0.5).check_at, kStart + 10s);
  EXPECT_EQ(health.result(Health::Check::Failed, kStart, 0.75).check_at, kStart + 10'500ms);
  const auto last = health.result(Health::Check::Passed, kStart, 0x1.fffffffffffffp-1).check_at;
  EXPECT_GT(last, kStart + 10'999ms);
  EXPECT_LE(last, kStart + 11s);
}

TEST(Expect, IsMetByEachStatusOfItsPatterns) {
  const std::vector<rules::StatusPattern> expect{{204, 204}, {300, 399}, {401, 403}, {500, 500}};
  for (const int status : {204, 300, 399, 401, 402, 403, 500}) EXPECT_TRUE(expected(expect, status)) << status;
  for (const int status : {100, 200, 299, 400, 404, 499, 501, 599}) EXPECT_FALSE(expected(expect, status)) << status;
}

}  // namespace
}  // namespace forebay::upstream
