#include "upstream/admission.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faulty/faults.hpp"

namespace forebay::upstream {
namespace {

using Outcome = Admission::Outcome;
constexpr Timestamp kStart{1000h};

/// One worker's loop: runs what was delivered when the test says so.
class Loop final : public Waker {
 public:
  void deliver(Ref<WaitGroup> group) noexcept override {
    const std::lock_guard lock(mutex_);
    groups_.push_back(std::move(group));
    some_.notify_one();
  }
  void run() {
    std::vector<Ref<WaitGroup>> groups;
    {
      const std::lock_guard lock(mutex_);
      groups.swap(groups_);
    }
    for (const auto& group : groups) {
      while (!group->waiters.empty()) {
        Waiter& waiter = group->waiters.front();
        waiter.stop_waiting();
        waiter.woken();
      }
    }
  }
  void wait_and_run() {
    {
      std::unique_lock lock(mutex_);
      some_.wait(lock, [&] { return !groups_.empty(); });
    }
    run();
  }

 private:
  std::mutex mutex_;
  std::condition_variable some_;
  std::vector<Ref<WaitGroup>> groups_;
};

/// A fetch of one worker that takes what it is granted.
struct Fetch final : Waiter {
  Fetch(Admission& a, Loop& l, unsigned waiters)
      : admission(a), loop(l), request(std::make_shared<AdmissionRequest>(waiters)) {}
  ~Fetch() { stop_waiting(); }
  Outcome start(Timestamp now) {
    request->signal.wait(loop, *this);
    auto taken = admission.take(request, now);
    if (taken.outcome != Outcome::Queued) stop_waiting();
    place = std::move(taken.place);
    return taken.outcome;
  }
  void woken() override {
    place = admission.granted(*request);
    if (!place) request->signal.wait(loop, *this);
  }
  void leave() {
    stop_waiting();
    admission.leave(*request);
  }

  Admission& admission;
  Loop& loop;
  std::shared_ptr<AdmissionRequest> request;
  Place place;
};

class AdmissionTest : public ::testing::Test {
 protected:
  void use(AdmissionSettings settings) { admission = std::make_shared<Admission>(settings); }
  Fetch& fetch(unsigned waiters = 1) { return fetches.emplace_back(*admission, loop, waiters); }
  /// So many that are in flight.
  void occupy(unsigned n) {
    for (; n != 0; --n) ASSERT_EQ(fetch().start(now), Outcome::Placed);
  }
  Fetch& queued(unsigned waiters) {
    Fetch& added = fetch(waiters);
    EXPECT_EQ(added.start(now), Outcome::Queued);
    return added;
  }
  unsigned in_flight() { return admission->level(now).in_flight; }
  std::size_t waiting() { return admission->level(now).queued; }
  /// Whose turn it is when the place of `one` is given back.
  Fetch* next_after(Fetch& one) {
    std::vector<bool> had;
    for (const auto& f : fetches) had.push_back(static_cast<bool>(f.place));
    one.place.reset();
    loop.run();
    for (std::size_t i = 0; i < fetches.size(); ++i)
      if (fetches[i].place && !had[i]) return &fetches[i];
    return nullptr;
  }
  /// The order in which those in the queue get the place of the first fetch.
  std::vector<Fetch*> order() {
    std::vector<Fetch*> got{&fetches.front()};
    while (Fetch* const next = next_after(*got.back())) got.push_back(next);
    got.erase(got.begin());
    return got;
  }

  Loop loop;
  Timestamp now = kStart;
  std::shared_ptr<Admission> admission;
  std::deque<Fetch> fetches;
};
using Fetches = std::vector<Fetch*>;

TEST_F(AdmissionTest, NoMoreThanTheLimitAreInFlightInATenfoldBurst) {
  use({.max_concurrency = 10});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(fetch().start(now), i < 10 ? Outcome::Placed : Outcome::Queued);
  std::size_t left = 100;
  for (auto& f : fetches) {
    EXPECT_EQ(in_flight(), std::min<std::size_t>(left, 10));
    ASSERT_TRUE(f.place) << "in the order of arrival";
    f.place.reset();
    loop.run();
    --left;
  }
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(AdmissionTest, PlaceGoesToWhomMostClientsWaitForThenByArrivalAndToRefreshesLast) {
  use({.max_concurrency = 1});
  occupy(1);
  auto &refresh = queued(0), &one = queued(1), &five = queued(5), &refresh2 = queued(0), &also_one = queued(1),
       &also_five = queued(5);
  EXPECT_EQ(order(), (Fetches{&five, &also_five, &one, &also_one, &refresh, &refresh2}));
}

TEST_F(AdmissionTest, WhoGetsMoreWaitersMovesUp) {
  use({.max_concurrency = 1});
  occupy(1);
  auto &a = queued(3), &b = queued(1), &refresh = queued(0), &c = queued(2);
  admission->update(*b.request, 4);
  admission->update(*refresh.request, 3);
  EXPECT_EQ(order(), (Fetches{&b, &a, &refresh, &c})) << "among equals by arrival";
}

TEST_F(AdmissionTest, UpdateOfWhoIsNotInTheQueueChangesNothing) {
  use({.max_concurrency = 1});
  occupy(1);
  admission->update(*fetches.front().request, 9);
  auto& a = queued(1);
  fetches.front().place.reset();  // granted, not taken yet
  admission->update(*a.request, 9);
  loop.run();
  EXPECT_TRUE(a.place);
  EXPECT_EQ(in_flight(), 1U);
}

TEST_F(AdmissionTest, WhoHasWaitedForHalfTheTimeoutGoesBeforeAllYounger) {
  use({.max_concurrency = 1, .queue_timeout = 10s});
  occupy(1);
  auto &refresh = queued(0), &one = queued(1);
  now += 3s;
  auto &many = queued(100), &some = queued(50);
  now += 2s - 1ns;
  auto& more = queued(200);
  EXPECT_EQ(next_after(fetches.front()), &more) << "nobody has waited for five seconds";
  now += 1ns;
  EXPECT_EQ(waiting(), 4U);
  admission->level(now - 1s);  // by a worker whose clock is behind
  EXPECT_EQ(next_after(more), &refresh);
  EXPECT_EQ(next_after(refresh), &one);
  EXPECT_EQ(next_after(one), &many) << "the others have waited for two seconds";
  EXPECT_EQ(next_after(many), &some);
}

TEST_F(AdmissionTest, NobodyStarvesWhereMoreImportantRequestsKeepComing) {
  use({.max_concurrency = 1, .max_queue = 1'000, .queue_timeout = 10s});
  occupy(1);
  Fetch* running = &fetches.front();
  auto& refresh = queued(0);
  int turns = 0;
  for (; !refresh.place && turns < 1000; ++turns) {
    now += 100ms;
    queued(10);
    queued(10);
    running = next_after(*running);
    ASSERT_NE(running, nullptr);
  }
  EXPECT_EQ(turns, 50) << "after five seconds";
}

TEST_F(AdmissionTest, NewcomersDoNotOvertakeTheQueue) {
  use({.max_concurrency = 2});
  occupy(2);
  auto& first = queued(0);
  fetches.front().place.reset();  // granted to the first, which has not taken it yet
  auto& late = queued(100);
  loop.run();
  EXPECT_TRUE(first.place);
  EXPECT_FALSE(late.place);
}

TEST_F(AdmissionTest, WhoLeavesTheQueueIsNotGranted) {
  use({.max_concurrency = 1});
  occupy(1);
  auto &a = queued(1), &b = queued(1);
  a.leave();
  EXPECT_EQ(waiting(), 1U);
  EXPECT_EQ(next_after(fetches.front()), &b);
  EXPECT_FALSE(admission->granted(*a.request));
  a.leave();
  EXPECT_EQ(in_flight(), 1U);
}

TEST_F(AdmissionTest, APlaceThatWasGrantedToWhoLeavesGoesToTheNext) {
  use({.max_concurrency = 1});
  occupy(1);
  auto &a = queued(1), &b = queued(1);
  fetches.front().place.reset();
  a.leave();
  loop.run();
  EXPECT_FALSE(a.place);
  EXPECT_TRUE(b.place);
  EXPECT_EQ(in_flight(), 1U);
  b.place.reset();
  EXPECT_EQ(in_flight(), 0U);
}

TEST_F(AdmissionTest, AFullQueueRefuses) {
  use({.max_concurrency = 1, .max_queue = 2});
  occupy(1);
  auto& a = queued(1);
  queued(1);
  auto& refused = fetch(100);
  EXPECT_EQ(refused.start(now), Outcome::Full);
  admission->leave(*refused.request);
  EXPECT_FALSE(admission->granted(*refused.request));
  a.leave();
  EXPECT_EQ(refused.start(now), Outcome::Queued);
  use({.max_concurrency = 1, .max_queue = 0});
  occupy(1);
  EXPECT_EQ(fetch().start(now), Outcome::Full);
}

TEST_F(AdmissionTest, MovedPlaceIsGivenBackOnce) {
  use({.max_concurrency = 2});
  occupy(2);
  Place moved = std::move(fetches[0].place);
  EXPECT_EQ(in_flight(), 2U);
  moved = std::move(fetches[1].place);
  EXPECT_EQ(in_flight(), 1U) << "the one that it had was given back";
  moved.reset();
  moved.reset();
  EXPECT_EQ(in_flight(), 0U);
}

TEST_F(AdmissionTest, APlaceKeepsTheObjectAndTheQueueEndsWithIt) {
  use({.max_concurrency = 1});
  occupy(1);
  const auto request = queued(1).request;
  fetches.back().stop_waiting();
  Place place = std::move(fetches.front().place);
  const std::weak_ptr<Admission> weak = admission;
  admission.reset();
  EXPECT_FALSE(weak.expired());
  const auto all = weak.lock();
  fetches.clear();
  all->leave(*request);
  place.reset();
  EXPECT_EQ(all->level(now).in_flight, 0U);
}

TEST(AdmissionQueue, KeepsNoRequestsOnceItIsGone) {
  std::weak_ptr<AdmissionRequest> weak;
  {
    const auto admission = std::make_shared<Admission>(AdmissionSettings{.max_concurrency = 1});
    const auto request = std::make_shared<AdmissionRequest>(1U);
    weak = request;
    auto taken = admission->take(std::make_shared<AdmissionRequest>(1U), kStart);
    EXPECT_EQ(admission->take(request, kStart).outcome, Outcome::Queued);
    // Its owner forgets it, against the rule; and the place that is given back grants it.
    taken.place.reset();
    EXPECT_EQ(admission->take(std::make_shared<AdmissionRequest>(1U), kStart).outcome, Outcome::Queued);
  }
  EXPECT_TRUE(weak.expired());
}

TEST_F(AdmissionTest, RampGrantsAStepAtATime) {
  use({.ramp = {.add = 10, .every = 10s}, .queue_timeout = 10min});
  for (int i = 0; i < 100; ++i) fetch().start(now);
  EXPECT_EQ(in_flight(), 10U);
  for (unsigned step = 2; step <= 10; ++step) {
    const Timestamp next = admission->next_grant(now);
    EXPECT_EQ(next - now, 10'100ms) << "ten seconds after the tick in which the level was reached";
    now = next - 1ns;
    EXPECT_EQ(admission->next_grant(now), next);
    EXPECT_EQ(in_flight(), 10 * (step - 1));
    now = next;
    admission->next_grant(now);
    EXPECT_EQ(in_flight(), 10 * step);
    loop.run();
  }
  EXPECT_EQ(admission->next_grant(now), Timestamp::max()) << "nobody waits";
  for (const auto& f : fetches) EXPECT_TRUE(f.place);
}

TEST_F(AdmissionTest, RampStopsAtTheLimit) {
  use({.max_concurrency = 15, .ramp = {.add = 10, .every = 10s}});
  for (int i = 0; i < 100; ++i) fetch().start(now);
  EXPECT_EQ(admission->level(now).allowed, 10U);
  now = admission->next_grant(now);
  EXPECT_EQ(admission->next_grant(now), Timestamp::max()) << "only a place that is given back makes room";
  EXPECT_EQ(admission->level(now).allowed, 15U);
  EXPECT_EQ(in_flight(), 15U);
  now += 1h;
  EXPECT_EQ(in_flight(), 15U);
}

TEST_F(AdmissionTest, WithinARampPlacesThatAreGivenBackAreUsedAgain) {
  use({.ramp = {.add = 10, .every = 10s}});
  for (int i = 0; i < 1000; ++i) fetch().start(now);
  for (std::size_t i = 0; i < 500; ++i) {
    fetches[i].place.reset();
    EXPECT_EQ(in_flight(), 10U);
    loop.run();
    EXPECT_TRUE(fetches[i + 10].place);
  }
}

TEST_F(AdmissionTest, RampForgetsALevelThatIsNotUsedForAMinute) {
  use({.ramp = {.add = 10, .every = 10s}, .queue_timeout = 10min});
  for (int i = 0; i < 50; ++i) fetch().start(now);
  while (waiting() != 0) now = admission->next_grant(now);
  loop.run();
  now += 10'100ms;
  EXPECT_EQ(admission->level(now).allowed, 60U);
  for (std::size_t i = 3; i < 50; ++i) fetches[i].place.reset();
  now += 59s;
  EXPECT_EQ(admission->level(now).allowed, 60U);
  now += 2s;
  EXPECT_EQ(admission->level(now).allowed, 13U) << "three are in flight";
}

TEST_F(AdmissionTest, NewcomerAfterTheStepGoesBehindTheQueueThatTheStepServes) {
  use({.ramp = {.add = 2, .every = 10s}, .queue_timeout = 10min});
  occupy(2);
  auto &a = queued(1), &b = queued(1);
  now += 10'100ms;
  auto& late = queued(1);
  loop.run();
  EXPECT_TRUE(a.place);
  EXPECT_TRUE(b.place);
  EXPECT_FALSE(late.place);
}

TEST_F(AdmissionTest, NeedsNoMemory) {
  use({.max_concurrency = 1, .ramp = {.add = 1, .every = 1s}});
  std::vector<std::shared_ptr<AdmissionRequest>> requests;
  for (unsigned i = 0; i < 10; ++i) requests.push_back(std::make_shared<AdmissionRequest>(i));
  test::inject_fault("any-later=1");
  {
    auto first = admission->take(requests[0], now);
    for (std::size_t i = 1; i < 10; ++i) admission->take(requests[i], now);
    admission->update(*requests[5], 20);
    admission->leave(*requests[4]);
    first.place.reset();
    admission->granted(*requests[5]).reset();
    admission->next_grant(now + 1h);
    for (const auto& request : requests) admission->leave(*request);
  }
  EXPECT_FALSE(test::inject_fault("any-later=0"));
  EXPECT_EQ(in_flight(), 0U);
}

/// Threads with a loop each: every fetch takes a place, holds it for a moment and gives it back; some change their
/// number of waiters, some leave.
struct Crowd {
  explicit Crowd(const AdmissionSettings& settings) : admission(std::make_shared<Admission>(settings)) {}
  void run(unsigned worker, int rounds) {
    Loop loop;
    for (int round = 0; round < rounds; ++round) {
      std::deque<Fetch> fetches;
      for (unsigned i = 0; i < 8; ++i) {
        Fetch& f = fetches.emplace_back(*admission, loop, (i + worker) % 4);
        if (f.start(Timestamp{time.load()}) == Outcome::Placed) enter();
      }
      admission->update(*fetches[3].request, 7);
      if (round % 3 == 0 && !fetches[5].place) {
        fetches[5].leave();
        ++left;
      }
      std::size_t done = 0;
      const std::size_t all = round % 3 == 0 && !fetches[5].place ? 7 : 8;
      while (done < all) {
        bool any = false;
        for (auto& f : fetches) {
          if (!f.place) continue;
          any = true;
          ++done;
          --running;
          f.place.reset();
        }
        if (done == all) break;
        if (!any)
          loop.wait_and_run();
        else
          loop.run();
        for (auto& f : fetches)
          if (f.place) enter();
      }
      served += static_cast<int>(all);
    }
  }
  void enter() {
    const int now_running = ++running;
    for (int seen = most; now_running > seen && !most.compare_exchange_weak(seen, now_running);) {
    }
  }
  std::shared_ptr<Admission> admission;
  std::atomic<Timestamp::duration> time{kStart.time_since_epoch()};
  std::atomic<int> running{0}, most{0}, served{0}, left{0};
};

TEST(AdmissionThreads, LimitHoldsAndEverybodyIsServed) {
  Crowd crowd({.max_concurrency = 3});
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) threads.emplace_back([&, t] { crowd.run(t, 500); });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(crowd.most, 3);
  EXPECT_EQ(crowd.served + crowd.left, 4 * 500 * 8);
  EXPECT_EQ(crowd.admission->level(kStart).in_flight, 0U);
  EXPECT_EQ(crowd.admission->level(kStart).queued, 0U);
}

TEST(AdmissionThreads, RampHoldsWhileTimeMoves) {
  Crowd crowd({.ramp = {.add = 2, .every = 1s}});
  std::atomic<bool> over{false};
  std::thread clock([&] {
    for (int step = 1; step <= 3; ++step) {
      const int before = crowd.served;
      while (crowd.served < before + 800 && !over) std::this_thread::yield();
      EXPECT_LE(crowd.most, 2 * step);
      crowd.time = (kStart + step * 1'050ms).time_since_epoch();
      crowd.admission->next_grant(Timestamp{crowd.time.load()});
    }
  });
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) threads.emplace_back([&, t] { crowd.run(t, 300); });
  for (auto& thread : threads) thread.join();
  over = true;
  clock.join();
  EXPECT_LE(crowd.most, 8);
  EXPECT_EQ(crowd.admission->level(kStart).allowed, 8U) << "each step was used, else the next would not have come";
  EXPECT_EQ(crowd.served + crowd.left, 4 * 300 * 8);
  EXPECT_EQ(crowd.admission->level(kStart).in_flight, 0U);
}

}  // namespace
}  // namespace forebay::upstream
