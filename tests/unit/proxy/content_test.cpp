#include "proxy/content.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace forebay::proxy {
namespace {

using State = net::BodySource::State;

/// Content that comes in pieces; "" is a wait.
class Pieces final : public net::BodySource {
 public:
  explicit Pieces(std::deque<std::string> pieces, std::optional<std::uint64_t> length = {}, State end = State::End)
      : pieces_(std::move(pieces)), length_(length), end_(end) {}
  State pull(std::string_view& out) override {
    begun_ = true;
    if (pieces_.empty()) return end_;
    now_ = std::move(pieces_.front());
    pieces_.pop_front();
    if (now_.empty()) return State::Wait;
    out = now_;
    return State::Data;
  }
  void wait(Waiter&) override {}
  std::optional<std::uint64_t> length() const override { return length_; }
  bool begun() const override { return begun_; }
  const http::Fields& trailers() const override { return none_; }

 private:
  std::deque<std::string> pieces_;
  std::optional<std::uint64_t> length_;
  State end_;
  std::string now_;
  http::Fields none_;
  bool begun_ = false;
};

std::string all_of(net::BodySource& source) {
  std::string all;
  std::string_view piece;
  while (source.pull(piece) == State::Data) all.append(piece);
  return all;
}

TEST(Gather, TakesPiecesUntilTheEnd) {
  Pieces source({"ab", "", "cd"});
  std::string bytes;
  EXPECT_EQ(gather(source, 10, bytes), Gathered::Wait);
  EXPECT_EQ(bytes, "ab");
  EXPECT_EQ(gather(source, 10, bytes), Gathered::Whole);
  EXPECT_EQ(bytes, "abcd");
}

TEST(Gather, TakesExactlyAsMuchAsItMay) {
  Pieces source({"abcd"});
  std::string bytes;
  EXPECT_EQ(gather(source, 4, bytes), Gathered::Whole);
}

TEST(Gather, KeepsWhatItHasReadOfContentThatIsTooLarge) {
  Pieces source({"abc", "def"});
  std::string bytes;
  EXPECT_EQ(gather(source, 4, bytes), Gathered::TooLarge);
  EXPECT_EQ(bytes, "abcdef");
}

TEST(Gather, ReadsNothingOfContentThatSaysItIsTooLarge) {
  Pieces source({"abcdef"}, 6);
  std::string bytes;
  EXPECT_EQ(gather(source, 4, bytes), Gathered::TooLarge);
  EXPECT_FALSE(source.begun());
}

TEST(Gather, TellsContentThatWillNeverBeWhole) {
  for (const auto end : {State::Broken, State::TooLarge}) {
    Pieces source({"abc"}, {}, end);
    std::string bytes;
    EXPECT_EQ(gather(source, 10, bytes), Gathered::Broken);
  }
}

TEST(KeptSource, GivesTheSameBytesAsOftenAsItIsRewound) {
  KeptSource source(Chunk::copy_of("abc"), nullptr);
  ASSERT_TRUE(source.can_rewind());
  EXPECT_FALSE(source.begun());
  EXPECT_EQ(source.length(), 3u);
  EXPECT_EQ(all_of(source), "abc");
  EXPECT_TRUE(source.begun());
  EXPECT_EQ(all_of(source), "");
  source.rewind();
  EXPECT_EQ(all_of(source), "abc");
}

TEST(KeptSource, EmptyContentEndsAtOnce) {
  KeptSource source(Chunk::copy_of(""), nullptr);
  std::string_view out;
  EXPECT_EQ(source.pull(out), State::End);
  EXPECT_EQ(source.length(), 0u);
}

}  // namespace
}  // namespace forebay::proxy
