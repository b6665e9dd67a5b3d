#include "forebay/proxy/hot_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>

namespace forebay::proxy {
namespace {

/// Keys by rank, the first one the most frequent, with the frequencies of a Zipf distribution.
class Zipf {
 public:
  Zipf(std::size_t keys, double exponent, unsigned seed) : random_(seed) {
    for (std::size_t i = 1; i <= keys; ++i) {
      sum_ += std::pow(static_cast<double>(i), -exponent);
      upto_.push_back(sum_);
    }
  }
  std::size_t next() {
    const double at = std::uniform_real_distribution<double>(0, sum_)(random_);
    return static_cast<std::size_t>(std::lower_bound(upto_.begin(), upto_.end(), at) - upto_.begin());
  }

 private:
  std::mt19937 random_;
  double sum_ = 0;
  std::vector<double> upto_;
};

Digest numbered(std::uint64_t n) { return {n * 0x9E3779B97F4A7C15U, n * 0xD1B54A32D192ED03U + 1}; }

void add(HeavyHitters& to, const std::string& key, std::uint64_t n = 1) {
  to.add(digest_of(key), {std::string_view(key).substr(0, HeavyHitters::kMostText), key.size()}, n);
}

/// A sketch, and exact counts beside it.
class Counted {
 public:
  explicit Counted(std::size_t keys) : exact_(keys) {}
  void add(std::size_t key) {
    ++exact_[key];
    ++all_;
    sketch_.add(numbered(key), {"k", 1}, 1);
  }
  /// Every key with more than 1 % of all is there, and within 5 % of what it really has.
  void expect_close() const {
    EXPECT_EQ(sketch_.total(), all_);
    std::set<Digest> kept;
    for (const auto& key : sketch_.keys()) kept.insert(key.id);
    std::size_t heavy = 0;
    for (std::size_t i = 0; i < exact_.size(); ++i) {
      const auto sum = sketch_.of(numbered(i));
      ASSERT_GE(sum.sum, exact_[i]) << i;
      ASSERT_LE(sum.sum - sum.error, exact_[i]) << i;
      if (exact_[i] * 100 < all_) continue;
      ++heavy;
      EXPECT_TRUE(kept.count(numbered(i))) << i;
      EXPECT_LE(static_cast<double>(sum.sum), 1.05 * static_cast<double>(exact_[i])) << i;
    }
    EXPECT_GT(heavy, 0U);
  }

 private:
  HeavyHitters sketch_{42};
  std::vector<std::uint64_t> exact_;
  std::uint64_t all_ = 0;
};

TEST(HeavyHitters, KeysAboveOnePercentAreWithinFivePercentOfExactOnZipfTraces) {
  for (const double exponent : {0.9, 1.1}) {
    constexpr std::size_t kKeys = 30'000;
    Counted counted(kKeys);
    Zipf zipf(kKeys, exponent, 7);
    for (int i = 0; i < 100'000; ++i) counted.add(zipf.next());
    counted.expect_close();
  }
}

TEST(HeavyHitters, KeysThatAreAskedForOnceDisplaceNoHeavyOne) {
  constexpr std::size_t kKeys = 60'000;
  Counted counted(kKeys);
  for (std::size_t i = 1; i < kKeys; ++i) counted.add(i % 50 == 0 ? 0 : i);
  counted.expect_close();
}

TEST(HeavyHitters, AmountsAreSummed) {
  HeavyHitters sketch(1);
  add(sketch, "/a", 1000);
  add(sketch, "/b", 10);
  add(sketch, "/a", 500);
  EXPECT_EQ(sketch.of(digest_of("/a")).sum, 1500U);
  EXPECT_EQ(sketch.of(digest_of("/a")).error, 0U);
  EXPECT_EQ(sketch.of(digest_of("/c")).sum, 0U);
  EXPECT_EQ(sketch.total(), 1510U);
  sketch.clear();
  EXPECT_TRUE(sketch.keys().empty());
}

TEST(HeavyHitters, LongTextsAreCut) {
  HeavyHitters sketch(1);
  const std::string key(300, 'k');
  add(sketch, key);
  ASSERT_EQ(sketch.keys().size(), 1U);
  EXPECT_TRUE(sketch.keys().front().cut);
  EXPECT_EQ(sketch.keys().front().text, key.substr(0, HeavyHitters::kMostText));
}

class HotKeysTest : public ::testing::Test {
 protected:
  void use(const std::string& key, const HotKeys::Use& how = {}) {
    hot_.count(digest_of(key), {key, key.size()}, how, clock_.now().mono);
  }
  std::uint64_t sum(HotBy by, const std::string& key) {
    const auto copy = hot_.copy(by, clock_.now().mono);
    return copy.periods[0].of(digest_of(key)).sum + copy.periods[1].of(digest_of(key)).sum;
  }
  ManualClock clock_;
  HotKeys hot_{3};
};

TEST_F(HotKeysTest, EachRankingHasItsOwnSums) {
  use("/a", {100, false, false});
  use("/a", {100, true, true});
  EXPECT_EQ(sum(HotBy::Requests, "/a"), 2U);
  EXPECT_EQ(sum(HotBy::Misses, "/a"), 1U);
  EXPECT_EQ(sum(HotBy::Bytes, "/a"), 200U);
  EXPECT_EQ(sum(HotBy::Uncacheable, "/a"), 1U);
}

TEST_F(HotKeysTest, KeysAreForgottenAfterFiveToTenMinutes) {
  const auto began = clock_.now().mono;
  use("/old");
  clock_.advance(HotKeys::kPeriod - Duration{1});
  use("/old");
  EXPECT_EQ(hot_.copy(HotBy::Requests, clock_.now().mono).since, began);
  clock_.advance(2s);
  use("/new");
  EXPECT_EQ(sum(HotBy::Requests, "/old"), 2U);
  clock_.advance(HotKeys::kPeriod);
  EXPECT_EQ(sum(HotBy::Requests, "/old"), 0U);
  EXPECT_EQ(sum(HotBy::Requests, "/new"), 1U);
  EXPECT_EQ(hot_.copy(HotBy::Requests, clock_.now().mono).since, began + HotKeys::kPeriod);
  // Nothing for long: both periods are over.
  clock_.advance(HotKeys::kPeriod * 20);
  EXPECT_EQ(sum(HotBy::Requests, "/new"), 0U);
}

TEST_F(HotKeysTest, EveryRankingHasAWord) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(HotBy::kCount); ++i)
    EXPECT_FALSE(to_string(static_cast<HotBy>(i)).empty());
}

}  // namespace
}  // namespace forebay::proxy
