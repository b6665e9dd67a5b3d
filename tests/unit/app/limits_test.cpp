#include "app/limits.hpp"

#include <gtest/gtest.h>

namespace forebay::app {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

config::Config with(unsigned connections, unsigned pool) {
  config::Config c;
  c.server.max_connections = connections;
  c.origins["web"].pool.max_connections = pool;
  return c;
}

TEST(ConnectionsThatFit, LeaveRoomForTheOriginsAndOurOwnFiles) {
  EXPECT_EQ(connections_that_fit(with(20000, 256), 1'048'576), 20000U);
  EXPECT_EQ(connections_that_fit(with(20000, 256), 4096), 4096U - 256 - 384);
  EXPECT_EQ(connections_that_fit(with(20000, 5000), 1024), 512U);
  EXPECT_EQ(connections_that_fit(with(100, 256), 4096), 100U);
}

TEST(ConnectionsThatFit, TunnelsGetHalfOfThemAtMost) {
  EXPECT_EQ(tunnels_that_fit(with(20000, 256), 1'048'576), 10000U);
  EXPECT_EQ(tunnels_that_fit(with(20000, 256), 4096), (4096U - 256 - 384) / 2);
  auto few = with(20000, 256);
  few.server.tunnels = 5;
  EXPECT_EQ(tunnels_that_fit(few, 4096), 5U);
}

TEST(ConnectionsThatFit, ALoweredConfigurationSaysSoInItsNumber) {
  auto config = std::make_shared<config::Config>(with(20000, 256));
  EXPECT_EQ(fitted(config, 1'048'576, 0), config);
  EXPECT_EQ(fitted(config, 4096, 4096U - 256 - 384)->server.max_connections, 4096U - 256 - 384);
}

TEST(MemoryGovernor, LeavesTheLimitAloneWhileTheProcessIsWithinItsOverhead) {
  MemoryGovernor governor(256 * kMiB);
  EXPECT_EQ(governor.limit_for(256 * kMiB + 48 * kMiB), 256 * kMiB);
}

TEST(MemoryGovernor, TakesFromTheStoreWhatTheAllocatorHoldsAndGivesItBackSlowly) {
  MemoryGovernor governor(256 * kMiB);
  EXPECT_EQ(governor.limit_for(256 * kMiB + 58 * kMiB), 246 * kMiB);
  // Within the margin nothing moves, so that it does not swing.
  EXPECT_EQ(governor.limit_for(256 * kMiB + 45 * kMiB), 246 * kMiB);
  EXPECT_EQ(governor.limit_for(256 * kMiB), 250 * kMiB);
  for (int i = 0; i < 10; ++i) governor.limit_for(256 * kMiB);
  EXPECT_EQ(governor.limit(), 256 * kMiB);
}

TEST(MemoryGovernor, PressesForFreeMemoryBeforeItTakesAnyFromTheStore) {
  MemoryGovernor governor(256 * kMiB);
  EXPECT_FALSE(governor.presses(256 * kMiB + 20 * kMiB));
  EXPECT_TRUE(governor.presses(256 * kMiB + 40 * kMiB));
  EXPECT_EQ(governor.limit_for(256 * kMiB + 40 * kMiB), 256 * kMiB);
}

TEST(MemoryGovernor, NeverTakesMoreThanThreeQuarters) {
  MemoryGovernor governor(256 * kMiB);
  EXPECT_EQ(governor.limit_for(4096 * kMiB), 64 * kMiB);
  EXPECT_EQ(governor.limit_for(4096 * kMiB), 64 * kMiB);
}

TEST(MemoryGovernor, AReloadSetsItAnew) {
  MemoryGovernor governor(256 * kMiB);
  governor.limit_for(4096 * kMiB);
  governor.configure(128 * kMiB);
  EXPECT_EQ(governor.limit(), 128 * kMiB);
}

}  // namespace
}  // namespace forebay::app
