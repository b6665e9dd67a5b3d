#include "forebay/base/bytes.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <string>

namespace forebay {
namespace {

TEST(AllocatedSize, FollowsTheSizeClassesFourToADoubling) {
  const struct {
    std::size_t asked, given;
  } cases[] = {{0, 8},       {1, 8},       {8, 8},         {9, 16},        {17, 32},          {128, 128},
               {129, 160},   {160, 160},   {161, 192},     {256, 256},     {257, 320},        {1025, 1280},
               {4096, 4096}, {4097, 5120}, {65536, 65536}, {65537, 81920}, {1 << 20, 1 << 20}};
  for (const auto& c : cases) EXPECT_EQ(allocated_size(c.asked), c.given) << c.asked;
}

TEST(AllocatedSize, IsNeverLessThanWhatWasAskedAndAtMostAQuarterMore) {
  for (std::size_t n = 129; n < 300000; n += 97) {
    EXPECT_GE(allocated_size(n), n);
    EXPECT_LE(allocated_size(n), n + n / 4 + 1);
    EXPECT_EQ(allocated_size(allocated_size(n)), allocated_size(n));
  }
}

TEST(Chunk, HoldsACopyOfItsBytesAsLongAsSomebodyHoldsIt) {
  std::string source = "hello, chunk";
  Slice slice;
  {
    const auto chunk = Chunk::copy_of(source);
    slice = chunk->slice();
    EXPECT_EQ(chunk->use_count(), 2u);
  }
  source.assign(source.size(), 'x');
  EXPECT_EQ(slice.bytes, "hello, chunk");
  EXPECT_EQ(slice.owner->use_count(), 1u);
}

TEST(Chunk, IsChargedUntilItsLastHolderLetsGo) {
  Budget budget(1 << 20);
  const auto cost = Chunk::cost(5000);
  EXPECT_GE(cost, 5000u + sizeof(Chunk));
  ASSERT_TRUE(budget.try_take(cost));
  auto chunk = Chunk::copy_of(std::string(5000, 'a'), Charge(budget, cost));
  auto slice = chunk->slice();
  chunk.reset();
  EXPECT_EQ(budget.used(), cost);
  slice = {};
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Chunk, MayBeEmpty) { EXPECT_EQ(Chunk::copy_of("")->bytes(), ""); }

}  // namespace
}  // namespace forebay
