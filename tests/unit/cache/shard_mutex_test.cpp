#include "cache/shard_mutex.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace forebay::cache {
namespace {

TEST(ShardMutex, KnowsWhetherSomebodyWaits) {
  ShardMutex mutex;
  EXPECT_FALSE(mutex.is_waited_for());
  bool entered = false;  // guarded by the mutex
  std::thread other;
  {
    const ShardLock lock(mutex);
    EXPECT_FALSE(mutex.is_waited_for()) << "who holds it does not wait";
    other = std::thread([&] {
      const ShardLock own(mutex);
      entered = true;
    });
    while (!mutex.is_waited_for()) std::this_thread::yield();
    EXPECT_FALSE(entered);
  }
  other.join();
  EXPECT_TRUE(entered);
  EXPECT_FALSE(mutex.is_waited_for());
}

TEST(ShardMutex, AJobTakesItAfterThoseWhoWaitOrAfterAMillisecond) {
  ShardMutex mutex;
  int turns = 0;  // guarded by the mutex
  std::vector<std::thread> others;
  {
    const ShardLock lock(mutex);
    for (int i = 0; i < 3; ++i)
      others.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) {
          const ShardLock own(mutex);
          ++turns;
        }
      });
    while (!mutex.is_waited_for()) std::this_thread::yield();
  }
  // However many come, the job gets it too.
  for (int n = 0; n < 50; ++n) {
    const ShardLock lock(mutex, ShardLock::After::Others);
    ++turns;
  }
  for (auto& o : others) o.join();
  EXPECT_EQ(turns, 3050);
}

TEST(ShardLock, IsGivenBackAndTakenAgain) {
  ShardMutex mutex;
  ShardLock lock(mutex);
  EXPECT_TRUE(lock.owns_lock());
  lock.unlock();
  EXPECT_FALSE(lock.owns_lock());
  { const ShardLock other(mutex); }
  lock.lock();
  EXPECT_TRUE(lock.owns_lock());
}

}  // namespace
}  // namespace forebay::cache
