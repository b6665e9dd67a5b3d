#include "forebay/net/deadlines.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>

namespace forebay::net {
namespace {

const Timestamp t0{std::chrono::hours{5}};

struct DeadlinesTest : testing::Test {
  Deadlines wheel{t0};
  Timestamp now = t0;
  void pass(Duration d) {
    now += d;
    wheel.advance(now);
  }
};

TEST_F(DeadlinesTest, FiresOnceAndNeverEarly) {
  int fired = 0;
  Deadline d([&] { ++fired; });
  wheel.arm(d, now, 10ms);
  pass(10ms - 1ns);
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(d.armed());
  pass(1ns);
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(d.armed());
  pass(1min);
  EXPECT_EQ(fired, 1);
}

TEST_F(DeadlinesTest, ArmingAnewMovesItInBothDirections) {
  int fired = 0;
  Deadline d([&] { ++fired; });
  wheel.arm(d, now, 10ms);
  wheel.arm(d, now, 50ms);
  pass(20ms);
  EXPECT_EQ(fired, 0);
  wheel.arm(d, now, 5ms);
  pass(5ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(DeadlinesTest, DisarmedAndDestroyedOnesStaySilent) {
  int fired = 0;
  Deadline d([&] { ++fired; });
  auto gone = std::make_unique<Deadline>([&] { ++fired; });
  wheel.arm(d, now, 5ms);
  wheel.arm(*gone, now, 5ms);
  d.disarm();
  gone.reset();
  pass(1s);
  EXPECT_EQ(fired, 0);
  EXPECT_EQ(wheel.next(), Timestamp::max());
}

TEST_F(DeadlinesTest, LongOnesSurviveRoundsOfTheWheel) {
  int fired = 0;
  Deadline d([&] { ++fired; });
  wheel.arm(d, now, 60s);
  for (int i = 0; i < 59; ++i) pass(1s);
  EXPECT_EQ(fired, 0);
  pass(1s);
  EXPECT_EQ(fired, 1);
}

TEST_F(DeadlinesTest, AJumpOverManyRoundsFiresAll) {
  int fired = 0;
  std::vector<std::unique_ptr<Deadline>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(std::make_unique<Deadline>([&] { ++fired; }));
    wheel.arm(*all.back(), now, i * 137ms);
  }
  pass(1h);
  EXPECT_EQ(fired, 100);
}

TEST_F(DeadlinesTest, OneInThePastFiresAtTheNextTurn) {
  pass(10s);
  int fired = 0;
  Deadline d([&] { ++fired; });
  wheel.arm(d, now - 5s);
  pass(0s);
  EXPECT_EQ(fired, 1);
}

TEST_F(DeadlinesTest, WhatFiresMayArmItselfAndDisarmOthers) {
  int fired = 0;
  std::optional<Deadline> self, other;
  other.emplace([&] { ADD_FAILURE() << "was disarmed"; });
  self.emplace([&] {
    other->disarm();
    if (++fired < 3) wheel.arm(*self, now, 1ms);
  });
  wheel.arm(*self, now, 1ms);
  wheel.arm(*other, now, 1ms);
  for (int i = 0; i < 5; ++i) pass(1ms);
  EXPECT_EQ(fired, 3);
}

TEST_F(DeadlinesTest, WhatFiresMayDestroyItself) {
  auto d = std::make_unique<std::optional<Deadline>>();
  d->emplace([&] { d.reset(); });
  wheel.arm(**d, now, 1ms);
  pass(1ms);
  EXPECT_EQ(d, nullptr);
}

TEST_F(DeadlinesTest, NextIsTheEarliestAndMaxWhenIdle) {
  EXPECT_EQ(wheel.next(), Timestamp::max());
  Deadline a([] {}), b([] {});
  wheel.arm(a, now, 30s);
  wheel.arm(b, now, 7ms);
  EXPECT_EQ(wheel.next(), now + 7ms);
  pass(7ms);
  EXPECT_EQ(wheel.next(), t0 + 30s);
}

TEST_F(DeadlinesTest, TheWorkerIsToldOnlyOfEarlierOnes) {
  std::vector<Duration> told;
  wheel.on_earlier = [&](Timestamp at) { told.push_back(at - t0); };
  Deadline a([] {}), b([] {}), c([] {});
  wheel.arm(a, now, 20ms);
  wheel.arm(b, now, 30ms);
  wheel.arm(c, now, 10ms);
  EXPECT_EQ(told, (std::vector<Duration>{20ms, 10ms}));
  pass(10ms);
  wheel.arm(c, now, 15ms);
  EXPECT_EQ(told.size(), 2u) << "20 ms is still the next";
}

TEST_F(DeadlinesTest, NoneFiresEarlyOrMoreThanTwoSlotsLateWhateverTheOrder) {
  std::mt19937 random(1);
  struct Timed {
    Timestamp at{};
    std::unique_ptr<Deadline> deadline;
  };
  std::vector<Timed> all(200);
  std::size_t fired = 0, armed = 0;
  for (auto& t : all) {
    t.deadline = std::make_unique<Deadline>([&] {
      ++fired;
      EXPECT_GE(now, t.at);
      EXPECT_LE(now - t.at, 2ms);
    });
  }
  for (int step = 0; step < 20000; ++step) {
    Timed& t = all[random() % all.size()];
    if (!t.deadline->armed()) ++armed;
    t.at = now + std::chrono::microseconds{random() % 9'000'000};
    wheel.arm(*t.deadline, t.at);
    pass(std::chrono::microseconds{random() % 2000});
  }
  while (wheel.next() != Timestamp::max()) pass(1ms);
  EXPECT_EQ(fired, armed);
}

}  // namespace
}  // namespace forebay::net
