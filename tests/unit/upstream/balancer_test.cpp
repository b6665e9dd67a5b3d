#include "upstream/balancer.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "faulty/faults.hpp"

namespace forebay::upstream {
namespace {

constexpr Timestamp kStart{1000h};
constexpr unsigned kRequests = 100'000;
constexpr Balance kModes[] = {Balance::RoundRobin, Balance::LeastConnections, Balance::Hash};

/// An origin of several urls, as requests with keys 0, 1, 2... load it.
struct Group {
  explicit Group(Balance how, std::vector<unsigned> weights, unsigned worker = 0) : views(weights.size()) {
    for (std::size_t i = 0; i < weights.size(); ++i) texts.push_back("http://10.0.0." + std::to_string(i) + ":80");
    std::vector<Balancer::Url> urls;
    for (std::size_t i = 0; i < weights.size(); ++i) urls.push_back({texts[i], weights[i]});
    balancer.emplace(how, urls, worker);
  }
  std::optional<unsigned> choose(std::uint64_t key = 0, std::uint64_t tried = 0) {
    return balancer->choose(views, tried, key);
  }
  /// How many of `requests` each url gets while `concurrency` are in flight, which end in any order.
  std::vector<unsigned> load(unsigned requests, unsigned concurrency = 100) {
    std::vector<unsigned> counts(views.size()), running;
    std::minstd_rand random(1);
    for (unsigned key = 0; key < requests; ++key) {
      if (running.size() == concurrency) {
        std::swap(running[random() % running.size()], running.back());
        --views[running.back()].in_flight;
        running.pop_back();
      }
      const auto chosen = choose(key);
      if (!chosen) continue;
      ++counts[*chosen];
      ++views[*chosen].in_flight;
      running.push_back(*chosen);
    }
    return counts;
  }

  std::vector<std::string> texts;
  std::vector<UrlView> views;
  std::optional<Balancer> balancer;
};

void expect_shares(const std::vector<unsigned>& counts, const std::vector<unsigned>& weights, double tolerance) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double due = total * weights[i] / all;
    EXPECT_NEAR(counts[i], due, due * tolerance) << "url " << i;
  }
}

TEST(Balancer, EqualUrlsGetEqualSharesInEachMode) {
  for (const auto how : kModes) {
    for (const std::size_t n : {2U, 3U, 10U, 16U}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(how)) + " with " + std::to_string(n));
      const std::vector<unsigned> weights(n, 1);
      const auto counts = Group(how, weights).load(kRequests);
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0U), kRequests);
      expect_shares(counts, weights, 0.05);
    }
  }
}

TEST(Balancer, WeightsAreHonouredInEachMode) {
  for (const auto how : kModes) {
    for (const std::vector<unsigned>& weights : {std::vector<unsigned>{1, 2, 3, 4}, {5, 1}, {1000, 500, 250}}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(how)) + " with " + std::to_string(weights.size()));
      expect_shares(Group(how, weights).load(kRequests), weights, 0.05);
    }
  }
}

TEST(Balancer, LeastConnectionsHonoursWeightsWhereOneRequestRunsAtATime) {
  expect_shares(Group(Balance::LeastConnections, {1, 2, 3, 4}).load(kRequests, 1), {1, 2, 3, 4}, 0.01);
}

TEST(Balancer, RoundRobinSpreadsTheTurnsOfAHeavyUrl) {
  Group group(Balance::RoundRobin, {5, 1, 1});
  std::string order;
  for (int i = 0; i < 14; ++i) order += static_cast<char>('a' + *group.choose());
  EXPECT_EQ(order, "aabacaaaabacaa") << "as nginx does";
}

TEST(Balancer, FirstRequestsOfManyWorkersAreEven) {
  for (const auto how : {Balance::RoundRobin, Balance::LeastConnections}) {
    std::vector<unsigned> counts(8);
    for (unsigned worker = 0; worker < 16; ++worker)
      ++counts[*Group(how, std::vector<unsigned>(8, 1), worker).choose()];
    EXPECT_EQ(counts, std::vector<unsigned>(8, 2));
  }
}

TEST(Balancer, LeastConnectionsPrefersTheIdleUrl) {
  Group group(Balance::LeastConnections, {1, 1, 4});
  group.views[0].in_flight = 2;
  group.views[1].in_flight = 1;
  group.views[2].in_flight = 5;
  EXPECT_EQ(group.choose(), 1U) << "1/1 is less than 5/4";
  group.views[2].in_flight = 3;
  EXPECT_EQ(group.choose(), 2U) << "3/4 is less than 1/1";
}

TEST(Balancer, LeastConnectionsSendsLessToASlowUrl) {
  Group group(Balance::LeastConnections, {1, 1});
  std::vector<unsigned> counts(2);
  std::deque<std::pair<unsigned, unsigned>> running;  // until, url
  for (unsigned now = 0; now < 10'000; ++now) {
    std::erase_if(running, [&](const auto& r) { return r.first <= now && (--group.views[r.second].in_flight, true); });
    const unsigned url = *group.choose();
    ++counts[url];
    ++group.views[url].in_flight;
    running.emplace_back(now + (url == 0 ? 40 : 10), url);
  }
  EXPECT_NEAR(counts[1], 8'000, 400) << "four times as fast, four times as many";
}

TEST(Balancer, UnavailableUrlGetsNothing) {
  for (const auto how : kModes) {
    Group group(how, {1, 1, 1, 1});
    group.views[2].available = false;
    const auto counts = group.load(kRequests);
    EXPECT_EQ(counts[2], 0U);
    EXPECT_EQ(counts[0] + counts[1] + counts[3], kRequests);
    expect_shares({counts[0], counts[1], counts[3]}, {1, 1, 1}, 0.05);
  }
}

TEST(Balancer, UrlsThatWereTriedAreLeftOutUntilNoneIsLeft) {
  for (const auto how : kModes) {
    for (const std::size_t n : {1U, 5U, 64U}) {
      Group group(how, std::vector<unsigned>(n, 3));
      std::uint64_t tried = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const auto chosen = group.choose(77, tried);
        ASSERT_TRUE(chosen);
        ASSERT_EQ(tried >> *chosen & 1, 0U);
        tried |= std::uint64_t{1} << *chosen;
      }
      EXPECT_FALSE(group.choose(77, tried));
    }
  }
}

TEST(Balancer, NothingIsChosenWhereNothingIsAvailable) {
  for (const auto how : kModes) {
    Group group(how, {1, 1});
    for (auto& view : group.views) view.available = false;
    EXPECT_FALSE(group.choose());
    EXPECT_FALSE(Group(how, {}).choose());
  }
}

TEST(Balancer, SharesStayRightAfterAnUrlWasAway) {
  Group group(Balance::RoundRobin, {1, 2, 3});
  for (int round = 0; round < 100; ++round) {
    group.views[static_cast<std::size_t>(round) % 3].available = false;
    group.load(101);
    group.views[static_cast<std::size_t>(round) % 3].available = true;
  }
  expect_shares(group.load(6'000), {1, 2, 3}, 0.01);
}

TEST(Balancer, HashGivesTheSameUrlForTheSameKeyInEachWorker) {
  Group one(Balance::Hash, {1, 2, 3}), other(Balance::Hash, {1, 2, 3}, 7);
  for (std::uint64_t key = 0; key < 1000; ++key) EXPECT_EQ(one.choose(key), other.choose(key));
}

TEST(Balancer, HashMovesOnlyTheKeysOfAnUrlThatGoesOrComes) {
  for (const std::vector<unsigned>& weights : {std::vector<unsigned>(10, 1), {1, 2, 3, 4, 10}}) {
    Group group(Balance::Hash, weights);
    const unsigned total = std::accumulate(weights.begin(), weights.end(), 0U);
    for (unsigned gone = 0; gone < weights.size(); ++gone) {
      unsigned moved = 0;
      std::map<unsigned, unsigned> to;
      for (std::uint64_t key = 0; key < kRequests; ++key) {
        const unsigned before = *group.choose(key);
        group.views[gone].available = false;
        const unsigned after = *group.choose(key);
        group.views[gone].available = true;
        if (before == after) continue;
        ASSERT_EQ(before, gone) << "the keys of the others stay";
        ++moved;
        ++to[after];
      }
      EXPECT_LE(moved, kRequests * (static_cast<double>(weights[gone]) / total + 0.02));
      EXPECT_EQ(to.size(), weights.size() - 1) << "its keys go to all others";
    }
  }
}

// A configuration with one url more: an url's place in the list does not matter.
TEST(Balancer, HashMovesToANewUrlOnlyItsShare) {
  const std::vector<Balancer::Url> before{{"a"}, {"b"}, {"c"}, {"d"}}, after{{"new"}, {"d"}, {"b"}, {"a"}, {"c"}};
  Balancer old(Balance::Hash, before, 0), renewed(Balance::Hash, after, 0);
  const std::vector<UrlView> four(4), five(5);
  unsigned moved = 0;
  for (std::uint64_t key = 0; key < kRequests; ++key) {
    const auto from = before[*old.choose(four, 0, key)].text, to = after[*renewed.choose(five, 0, key)].text;
    if (from == to) continue;
    ASSERT_EQ(to, "new");
    ++moved;
  }
  EXPECT_NEAR(moved, kRequests / 5, kRequests * 0.01);
}

TEST(Balancer, HashGoesToTheNextByRankAndBack) {
  Group group(Balance::Hash, {1, 1, 1});
  for (std::uint64_t key = 0; key < 1000; ++key) {
    const auto first = *group.choose(key);
    const auto second = *group.choose(key, std::uint64_t{1} << first);
    group.views[first].available = false;
    EXPECT_EQ(group.choose(key), second) << "a retry and a failure lead to the same url";
    group.views[first].available = true;
    EXPECT_EQ(group.choose(key), first);
  }
}

TEST(Balancer, ShareScalesTheWeightInEachMode) {
  for (const auto how : kModes) {
    Group group(how, {10, 10, 5});
    group.views[1].share = 100;
    expect_shares(group.load(kRequests, 500), {100, 10, 50}, 0.05);
  }
}

TEST(Balancer, ChoiceNeedsNoMemory) {
  for (const auto how : kModes) {
    Group group(how, std::vector<unsigned>(64, 2));
    test::inject_fault("any-later=1");
    for (std::uint64_t key = 0; key < 1000; ++key) group.choose(key, key);
    EXPECT_FALSE(test::inject_fault("any-later=0"));
  }
}

TEST(SlowStart, GrowsFromATenthToTheWholeWeight) {
  SlowStart slow;
  EXPECT_EQ(slow.share(kStart), 1000U) << "an url that was never away";
  slow.came_back(kStart);
  EXPECT_EQ(slow.share(kStart - 1s), 100U) << "by a worker whose clock is behind";
  EXPECT_EQ(slow.share(kStart), 100U);
  EXPECT_EQ(slow.share(kStart + 1s), 190U);
  EXPECT_EQ(slow.share(kStart + 5s), 550U);
  EXPECT_EQ(slow.share(kStart + 9'999ms), 999U);
  EXPECT_EQ(slow.share(kStart + 10s), 1000U);
  EXPECT_EQ(slow.share(kStart + 1000h), 1000U);
}

TEST(SlowStart, OfLengthZeroIsNone) {
  SlowStart slow(0s);
  slow.came_back(kStart);
  EXPECT_EQ(slow.share(kStart), 1000U);
}

}  // namespace
}  // namespace forebay::upstream
