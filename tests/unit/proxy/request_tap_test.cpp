#include "forebay/proxy/request_tap.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

namespace forebay::proxy {
namespace {

using ::testing::HasSubstr;

RequestFilter filter(std::string_view text) { return std::get<RequestFilter>(RequestFilter::parse(text)); }

AccessRecord request(std::string_view path, int status = 200) {
  AccessRecord r;
  r.method = "GET";
  r.path = path;
  r.query = "token=secret&a=1";
  r.has_query = true;
  r.status = status;
  return r;
}

TEST(RequestTap, NothingIsKeptWhileNobodyWatches) {
  RequestTap tap(1);
  EXPECT_FALSE(tap.open());
  tap.offer(0, request("/a"), {});
  RequestTap::Line line;
  EXPECT_FALSE(tap.take(line));
}

TEST(RequestTap, EachWatcherGetsWhatItsFilterLetsThroughAsTheLogHasIt) {
  RequestTap tap(2);
  const auto all = tap.watch(filter(""));
  const auto errors = tap.watch(filter("status>=500"));
  ASSERT_TRUE(all && errors);
  config::AccessLog config;
  config.redact_query = {"token"};
  tap.offer(0, request("/a"), config);
  tap.offer(1, request("/b", 500), config);
  RequestTap::Line line;
  ASSERT_TRUE(tap.take(line));
  EXPECT_EQ(line.watchers, 1U << *all);
  EXPECT_THAT(line.json, HasSubstr(R"("path":"/a")"));
  EXPECT_THAT(line.json, HasSubstr("token=REDACTED&a=1"));
  ASSERT_TRUE(tap.take(line));
  EXPECT_EQ(line.watchers, 1U << *all | 1U << *errors);
  EXPECT_FALSE(tap.take(line));

  tap.leave(*all);
  tap.offer(0, request("/c"), config);
  EXPECT_FALSE(tap.take(line));
  tap.leave(*errors);
  EXPECT_FALSE(tap.open());
}

TEST(RequestTap, WhatFindsNoRoomIsCountedForThoseWhoWantedIt) {
  RequestTap tap(1);
  const auto all = tap.watch(filter(""));
  const auto errors = tap.watch(filter("status>=500"));
  for (int i = 0; i < 5000; ++i) tap.offer(0, request("/a"), {});
  std::uint64_t taken = 0;
  for (RequestTap::Line line; tap.take(line);) ++taken;
  EXPECT_GT(taken, 0U);
  EXPECT_EQ(taken + tap.take_dropped(*all), 5000U);
  EXPECT_EQ(tap.take_dropped(*all), 0U);
  EXPECT_EQ(tap.take_dropped(*errors), 0U);
}

TEST(RequestTap, LongLinesAreBoundedByTheirBytes) {
  RequestTap tap(1);
  const auto all = tap.watch(filter(""));
  const std::string path(100'000, 'p');
  for (int i = 0; i < 200; ++i) tap.offer(0, request(path), {});
  EXPECT_GT(tap.take_dropped(*all), 100U);
}

TEST(RequestTap, ThereIsAMostOfWatchers) {
  RequestTap tap(1);
  for (std::size_t i = 0; i < RequestTap::kMostWatchers; ++i) EXPECT_TRUE(tap.watch(filter("")));
  EXPECT_FALSE(tap.watch(filter("")));
  tap.leave(3);
  EXPECT_EQ(tap.watch(filter("")), 3U);
}

TEST(RequestTap, WatchersComeAndGoWhileWorkersOffer) {
  RequestTap tap(2);
  std::atomic<bool> done{false};
  std::vector<std::thread> workers;
  for (std::size_t w = 0; w < 2; ++w)
    workers.emplace_back([&, w] {
      while (!done)
        if (tap.open()) tap.offer(w, request("/a", 500), {});
    });
  std::uint64_t taken = 0;
  for (int i = 0; i < 200 || taken == 0; ++i) {
    const auto watcher = tap.watch(filter("status>=500"));
    ASSERT_TRUE(watcher);
    RequestTap::Line line;
    for (int n = 0; n < 100; ++n) taken += tap.take(line) ? 1 : 0;
    tap.leave(*watcher);
  }
  done = true;
  for (auto& w : workers) w.join();
  EXPECT_GT(taken, 0U);
}

}  // namespace
}  // namespace forebay::proxy
