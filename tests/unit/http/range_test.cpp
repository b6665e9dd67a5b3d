#include "forebay/http/range.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<ByteRange> of(std::string_view value, std::uint64_t size) {
  const auto specs = parse_range(value);
  EXPECT_TRUE(specs) << value;
  return specs ? resolve(*specs, size) : std::vector<ByteRange>{};
}

TEST(Range, TheThreeFormsOfASingleRange) {
  EXPECT_THAT(of("bytes=0-1", 10), ElementsAre(ByteRange{0, 2}));
  EXPECT_THAT(of("bytes=1-", 10), ElementsAre(ByteRange{1, 9}));
  EXPECT_THAT(of("bytes=-1", 10), ElementsAre(ByteRange{9, 1}));
  EXPECT_THAT(of("bytes=-20", 10), ElementsAre(ByteRange{0, 10}));
  EXPECT_THAT(of("bytes=9-100", 10), ElementsAre(ByteRange{9, 1}));
  EXPECT_THAT(of("bytes=0-99999999999999999999999", 10), ElementsAre(ByteRange{0, 10}));
  EXPECT_THAT(of("Bytes=0-0", 10), ElementsAre(ByteRange{0, 1}));
}

TEST(Range, AnUnsatisfiableOneIsLeftOut) {
  EXPECT_THAT(of("bytes=10-", 10), IsEmpty());
  EXPECT_THAT(of("bytes=10-20", 10), IsEmpty());
  EXPECT_THAT(of("bytes=-0", 10), IsEmpty());
  EXPECT_THAT(of("bytes=0-", 0), IsEmpty());
  EXPECT_THAT(of("bytes=-5", 0), IsEmpty());
  EXPECT_THAT(of("bytes=99999999999999999999-", 10), IsEmpty());
  EXPECT_THAT(of("bytes=50-60, 0-0", 10), ElementsAre(ByteRange{0, 1}));
}

TEST(Range, SeveralKeepTheirOrder) {
  EXPECT_THAT(of("bytes=5-6, 0-1,-1", 10), ElementsAre(ByteRange{5, 2}, ByteRange{0, 2}, ByteRange{9, 1}));
  EXPECT_THAT(of("bytes= 0-1 ,, 4-5 ,", 10), ElementsAre(ByteRange{0, 2}, ByteRange{4, 2}));
  EXPECT_THAT(of("bytes=0-1,2-3", 10), ElementsAre(ByteRange{0, 2}, ByteRange{2, 2}));
}

TEST(Range, OverlappingOnesAreJoinedSoThatAFewBytesDoNotAskForMany) {
  EXPECT_THAT(of("bytes=0-5,3-8", 10), ElementsAre(ByteRange{0, 9}));
  EXPECT_THAT(of("bytes=0-,0-,0-,0-", 10), ElementsAre(ByteRange{0, 10}));
  EXPECT_THAT(of("bytes=8-9,0-1,1-8", 10), ElementsAre(ByteRange{0, 10}));
  EXPECT_THAT(of("bytes=0-0,9-9,4-5,5-9", 10), ElementsAre(ByteRange{0, 1}, ByteRange{4, 6}));
}

TEST(Range, WhatIsNotUnderstoodIsIgnoredWhole) {
  for (const char* bad : {"",           "bytes",         "bytes=",      "bytes= ",     "bytes=,",    "bytes 0-1",
                          "bytes =0-1", "items=0-1",     "0-1",         "bytes=1",     "bytes=-",    "bytes=a-b",
                          "bytes=2-1",  "bytes=0-1,x",   "bytes=0-1,2", "bytes=0 - 1", "bytes=+0-1", "bytes=0--1",
                          "bytes=--1",  "bytes=0-1;2-3", "bytes=0x0-1", "bytes=0-1-2"}) {
    EXPECT_FALSE(parse_range(bad)) << bad;
  }
  std::string many = "bytes=0-0";
  for (int i = 1; i < 32; ++i) many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_TRUE(parse_range(many));
  EXPECT_FALSE(parse_range(many + ",100-100"));
  EXPECT_FALSE(parse_range("bytes=0-1,2-3", 1));
}

TEST(ContentRange, IsReadStrictly) {
  const auto full = parse_content_range("bytes 0-9/100");
  ASSERT_TRUE(full && full->range);
  EXPECT_EQ(*full->range, (ByteRange{0, 10}));
  EXPECT_EQ(full->complete, 100u);
  const auto open = parse_content_range("BYTES 5-5/*");
  ASSERT_TRUE(open && open->range);
  EXPECT_EQ(*open->range, (ByteRange{5, 1}));
  EXPECT_EQ(open->complete, std::nullopt);
  const auto refused = parse_content_range("bytes */100");
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->range);
  EXPECT_EQ(refused->complete, 100u);
  for (const char* bad : {"", "bytes", "bytes 0-9", "bytes=0-9/10", "bytes 9-0/10", "bytes 0-10/10", "bytes */*",
                          "bytes 0-/10", "bytes -9/10", "items 0-9/10", "bytes 0-9/", "bytes 0-9/x",
                          "bytes 0-9/99999999999999999999", "bytes  0-9/10", "bytes 0-99999999999999999999/*"}) {
    EXPECT_FALSE(parse_content_range(bad)) << bad;
  }
}

TEST(ContentRange, IsWrittenAsItIsRead) {
  EXPECT_EQ(format_content_range({0, 10}, 100), "bytes 0-9/100");
  const auto back = parse_content_range(format_content_range({7, 3}, 10));
  ASSERT_TRUE(back && back->range);
  EXPECT_EQ(*back->range, (ByteRange{7, 3}));
}

}  // namespace
}  // namespace forebay::http
