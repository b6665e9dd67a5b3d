#include "server/min_rate.hpp"

#include <gtest/gtest.h>

namespace forebay::server {
namespace {

using namespace std::chrono_literals;
constexpr Timestamp kStart{1h};

MinRate rate_of(std::uint64_t rate, Duration most = MinRate::kWindow) {
  MinRate r(most);
  r.begin(rate);
  return r;
}

TEST(MinRate, NothingIsDueWhileNobodyWaits) {
  auto r = rate_of(500);
  EXPECT_EQ(r.due(), Timestamp::max());
  r.wait(kStart);
  EXPECT_EQ(r.due(), kStart + 20s);
  r.stop(kStart + 5s);
  EXPECT_EQ(r.due(), Timestamp::max());
}

TEST(MinRate, TimeWithoutAWaitCostsNothing) {
  auto r = rate_of(500);
  r.wait(kStart);
  r.stop(kStart + 5s);
  r.wait(kStart + 1h);
  EXPECT_EQ(r.due(), kStart + 1h + 15s);
  r.wait(kStart + 1h + 3s);
  EXPECT_EQ(r.due(), kStart + 1h + 15s) << "it waits already";
}

TEST(MinRate, BytesEarnTheTimeThatTheyMayTake) {
  auto r = rate_of(500);
  r.wait(kStart);
  r.moved(1000, kStart + 10s);
  EXPECT_EQ(r.due(), kStart + 22s);
  r.moved(1'000'000'000, kStart + 11s);
  EXPECT_EQ(r.due(), kStart + 31s) << "no more than the window in store";
}

TEST(MinRate, AReadersStepMayBeLonger) {
  auto r = rate_of(500, 40s);
  r.wait(kStart);
  r.moved(64 * 1024, kStart);
  EXPECT_EQ(r.due(), kStart + 40s);
}

TEST(MinRate, ZeroIsOff) {
  auto r = rate_of(0);
  r.wait(kStart);
  r.moved(1, kStart + 1h);
  EXPECT_EQ(r.due(), Timestamp::max());
}

TEST(MinRate, ARateThatIsJustKeptIsNeverDue) {
  auto r = rate_of(500);
  r.wait(kStart);
  for (int i = 1; i <= 1000; ++i) {
    const auto at = kStart + i * 1s;
    EXPECT_GT(r.due(), at);
    r.moved(500, at);
  }
}

}  // namespace
}  // namespace forebay::server
