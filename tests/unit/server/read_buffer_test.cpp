#include "server/read_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace forebay::server {
namespace {

constexpr std::size_t kMost = 64 * 1024;

// What operators are told of the memory of connections.
TEST(ReadBuffer, AHeadThatIsNotCompleteTakesNoMoreThanItsLimit) {
  for (const std::size_t limit : {32 * 1024, 1024 * 1024}) {
    const auto most = std::max(kMost, limit + 1024);
    for (const std::size_t step : {1, 1000, 1024, 16 * 1024}) {
      ReadBuffer buffer;
      for (std::size_t held = 0; held + step <= limit; held += step) {
        buffer.make_room(step >= 16 * 1024 ? 16 * 1024 : 1024, most);
        ASSERT_GE(buffer.room().size(), step) << held;
        buffer.commit(step);
        ASSERT_LE(buffer.capacity(), most);
      }
    }
  }
}

TEST(ReadBuffer, IsSmallWhileLittleComes) {
  ReadBuffer buffer;
  buffer.make_room(1024, kMost);
  buffer.commit(900);
  EXPECT_LE(buffer.capacity(), 2048U);
  buffer.consume(900);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
}

}  // namespace
}  // namespace forebay::server
