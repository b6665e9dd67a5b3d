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

TEST(ContentRange, HasTheFirstAndTheLastByteAndTheWholeLength) {
  EXPECT_EQ(format_content_range({0, 10}, 100), "bytes 0-9/100");
  EXPECT_EQ(format_content_range({7, 3}, 10), "bytes 7-9/10");
}

}  // namespace
}  // namespace forebay::http
