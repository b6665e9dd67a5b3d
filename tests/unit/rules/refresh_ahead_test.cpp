#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "forebay/rules/reuse.hpp"
#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::t0;

Policy automatic() {
  Policy policy;
  policy.refresh_ahead.automatic = true;
  return policy;
}

Policy within(double share) {
  Policy policy;
  policy.refresh_ahead.share = share;
  return policy;
}

Freshness fresh(Duration lifetime, Timestamp received = t0(), Duration initial_age = Duration{0}) {
  Freshness f;
  f.received = received;
  f.lifetime = lifetime;
  f.initial_age = initial_age;
  return f;
}

bool at(const Policy& policy, const Freshness& f, Duration later, std::uint64_t hits = 1, double draw = 0,
        Duration fetch_time = 1ms) {
  return refreshes_ahead(f, {hits, fetch_time}, policy, draw, f.received + later);
}

TEST(RefreshAhead, IsOffUnlessTheRouteTurnsItOn) {
  EXPECT_FALSE(at({}, fresh(60s), 59999ms, 1000000));
  EXPECT_FALSE(at(within(0), fresh(60s), 59999ms, 1000000));
}

TEST(RefreshAhead, WithinTheLastShareOfTheLifetimeEveryHitAsksForOne) {
  const auto f = fresh(60s);
  EXPECT_FALSE(at(within(0.1), f, 0s));
  EXPECT_FALSE(at(within(0.1), f, 53999ms));
  EXPECT_TRUE(at(within(0.1), f, 54s));
  EXPECT_TRUE(at(within(0.1), f, 59999ms, 0));
  EXPECT_FALSE(at(within(0.1), f, 60s)) << "stale: no hit on a fresh response";
  EXPECT_TRUE(at(within(1), f, 0s));
}

TEST(RefreshAhead, TheShareIsOfWhatALifetimeHadLeftWhenItCame) {
  const auto old = fresh(60s, t0(), 58s);
  EXPECT_FALSE(at(within(0.1), old, 0s)) << "else every hit would fetch an answer that is as old again";
  EXPECT_FALSE(at(within(0.1), old, 1799ms));
  EXPECT_TRUE(at(within(0.1), old, 1800ms));
  EXPECT_FALSE(at(automatic(), old, 0s, 1000));
}

TEST(RefreshAhead, NeverForWhatIsNoCachePurgedOrWithoutALifetime) {
  for (const auto& policy : {within(1), automatic()}) {
    auto f = fresh(60s);
    EXPECT_TRUE(at(policy, f, 59995ms, 60000));
    f.purged = true;
    EXPECT_FALSE(at(policy, f, 59995ms, 60000));
    f = fresh(60s);
    f.no_cache = true;
    EXPECT_FALSE(at(policy, f, 59995ms, 60000));
    EXPECT_FALSE(at(policy, fresh(0s), 0s, 60000));
    EXPECT_FALSE(at(policy, fresh(60s, t0(), 60s), 0s, 60000));
  }
}

TEST(RefreshAhead, AutomaticWeighsFetchTimeRateAndChance) {
  const auto f = fresh(60s);
  EXPECT_FALSE(at(automatic(), f, 59990ms, 19)) << "fewer than twenty a lifetime are cold";
  EXPECT_TRUE(at(automatic(), f, 59990ms, 20));
  // A thousand a second, 1 ms to fetch: nine milliseconds without luck.
  EXPECT_FALSE(at(automatic(), f, 59990ms, 59990));
  EXPECT_TRUE(at(automatic(), f, 59992ms, 59990));
  EXPECT_TRUE(at(automatic(), f, 59900ms, 59990, 20));
  EXPECT_FALSE(at(automatic(), f, 50s, 50000, 1e9)) << "at most 15 % of the lifetime";
  EXPECT_TRUE(at(automatic(), f, 51001ms, 51001, 1e9));
  // 100 ms to fetch: 150 ms.
  EXPECT_TRUE(at(automatic(), f, 59851ms, 59851, 0, 100ms));
  EXPECT_FALSE(at(automatic(), f, 59849ms, 59849, 0, 100ms));
  // 20 s to fetch: 30 s, which is half of the lifetime, and never more than that.
  EXPECT_TRUE(at(automatic(), f, 30001ms, 30000, 0, 20s));
  EXPECT_FALSE(at(automatic(), f, 29999ms, 30000, 1e9, 500s));
}

// What a store does with one key, with a clock that the arrivals move.
struct Simulation {
  Duration lifetime;
  Duration fetch_time;
  double per_second;
  bool poisson;
  double lifetimes = 100;

  int expired = 0;
  int refreshes = 0;

  void run() {
    std::mt19937_64 engine(7);
    std::exponential_distribution<double> exponential(1);
    const auto policy = automatic();
    const Timestamp end = t0() + std::chrono::duration_cast<Duration>(lifetime * lifetimes);
    Timestamp now = t0();
    // RFC 9111 section 4.2.3 counts the exchange as age.
    Freshness f = fresh(lifetime, now, fetch_time);
    std::uint64_t hits = 0;
    std::optional<Timestamp> lands;
    while (now < end) {
      const double gap = (poisson ? exponential(engine) : 1.0) / per_second;
      now += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(gap));
      if (lands && *lands <= now) {
        f = fresh(lifetime, *lands, fetch_time);
        hits = 0;
        lands.reset();
      }
      if (f.ttl(now) <= Duration{0}) {
        ++expired;
        if (!lands) lands = now + fetch_time;
        continue;
      }
      ++hits;
      if (lands || !refreshes_ahead(f, {hits, fetch_time}, policy, exponential(engine), now)) continue;
      ++refreshes;
      lands = now + fetch_time;
    }
  }
};

TEST(RefreshAhead, AHotKeyNeverShowsAnExpiredResponse) {
  const Duration fetch_times[] = {200us, 1ms, 5ms, 30ms, 100ms};
  for (const Duration lifetime : {Duration{1s}, Duration{3s}, Duration{10s}}) {
    for (const Duration fetch_time : fetch_times) {
      for (const bool poisson : {false, true}) {
        Simulation s{lifetime, fetch_time, 1000, poisson};
        s.run();
        EXPECT_EQ(s.expired, 0) << lifetime.count() << " " << fetch_time.count() << " " << poisson;
        EXPECT_LE(s.refreshes, 120) << lifetime.count() << " " << fetch_time.count() << " " << poisson;
        EXPECT_GE(s.refreshes, 99);
      }
    }
  }
}

TEST(RefreshAhead, AHotKeyOfAMinuteNeverShowsAnExpiredResponse) {
  for (const Duration fetch_time : {Duration{200us}, Duration{100ms}}) {
    Simulation s{60s, fetch_time, 1000, true};
    s.run();
    EXPECT_EQ(s.expired, 0) << fetch_time.count();
    EXPECT_LE(s.refreshes, 105) << "a fetch that is quick beside the lifetime costs next to nothing";
  }
}

TEST(RefreshAhead, AWarmKeySeldomDoes) {
  for (const double per_lifetime : {50.0, 100.0, 300.0}) {
    Simulation s{10s, 20ms, per_lifetime / 10, true, 1000};
    s.run();
    EXPECT_LE(s.expired, 15) << per_lifetime;
    EXPECT_LE(s.refreshes, 1200) << per_lifetime;
  }
}

TEST(RefreshAhead, AColdKeyMakesNone) {
  for (const double per_lifetime : {0.1, 0.5, 1.0, 2.0, 5.0}) {
    for (const Duration fetch_time : {Duration{200us}, Duration{100ms}}) {
      for (const bool poisson : {false, true}) {
        Simulation s{1s, fetch_time, per_lifetime, poisson, 2000};
        s.run();
        EXPECT_EQ(s.refreshes, 0) << per_lifetime << " " << fetch_time.count();
        EXPECT_GT(s.expired, 0);
      }
    }
  }
}

}  // namespace
}  // namespace forebay::rules
