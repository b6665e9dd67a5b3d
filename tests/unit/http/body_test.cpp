#include "forebay/http/body.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

namespace forebay::http {
namespace {

using State = BodyCursor::State;

constexpr Timestamp t0{std::chrono::hours{1000}};

Slice slice(std::string_view s) { return Chunk::copy_of(s)->slice(); }
Ref<Body> body(std::size_t window = 0) { return Ref<Body>(new Body(window)); }

// Everything a cursor has at the moment, and how it stood after it.
struct Reading {
  std::string text;
  State state = State::Wait;
};
Reading drain(BodyCursor& c, std::size_t max = 1000) {
  Reading r;
  Slice s;
  while ((r.state = c.next(max, s, t0)) == State::Data) r.text += s.bytes;
  return r;
}

// Counts deliveries; the tests run them by hand.
struct Loop final : Waker {
  void deliver(Ref<WaitGroup> g) noexcept override {
    while (!g->waiters.empty()) {
      auto& w = g->waiters.front();
      w.stop_waiting();
      w.woken();
    }
  }
};
struct Sleeper final : Waiter {
  int wakes = 0;
  void woken() override { ++wakes; }
};

TEST(BodyCursor, OfNothingEndsAtOnce) {
  BodyCursor c;
  EXPECT_EQ(drain(c).state, State::End);
  EXPECT_EQ(c.known_length(), 0u);
  EXPECT_EQ(c.whole(), "");
}

TEST(BodyCursor, GivesACompleteBodyPieceByPieceAndNeverMoreThanAsked) {
  const std::string_view pieces[] = {"hello ", "", "cache ", "!"};
  BodyCursor c(Owner(), pieces);
  EXPECT_EQ(c.known_length(), 13u);
  Slice s;
  ASSERT_EQ(c.next(4, s), State::Data);
  EXPECT_EQ(s.bytes, "hell");
  EXPECT_EQ(c.known_length(), 9u);
  ASSERT_EQ(c.next(100, s), State::Data);
  EXPECT_EQ(s.bytes, "o ");
  EXPECT_EQ(drain(c).text, "cache !");
  EXPECT_EQ(drain(c).state, State::End);
}

TEST(BodyCursor, KeepsItsOwnerAliveThroughTheSliceItGave) {
  auto chunk = Chunk::copy_of("bytes");
  Slice s;
  {
    BodyCursor c(Owner(chunk), chunk->bytes());
    ASSERT_EQ(c.next(100, s), State::Data);
  }
  EXPECT_EQ(chunk->use_count(), 2u);
  EXPECT_EQ(s.bytes, "bytes");
}

TEST(BodyCursor, WholeIsTheOnePieceWithinItsLimit) {
  BodyCursor one(Owner(), "0123456789");
  EXPECT_EQ(one.whole(), "0123456789");
  one.limit(2, 3);
  EXPECT_EQ(one.whole(), "234");
  const std::string_view two[] = {"a", "b"};
  EXPECT_EQ(BodyCursor(Owner(), two).whole(), "");
  EXPECT_EQ(BodyCursor(body()).whole(), "");
  Slice s;
  ASSERT_EQ(one.next(1, s), State::Data);
  EXPECT_EQ(one.whole(), "") << "not once it has been read from";
}

TEST(BodyCursor, DeliversExactlyEveryRangeOfEveryKindOfBody) {
  const std::string text = "abcdefghijklmno";
  const std::string_view v = text;
  const std::string_view pieces[] = {v.substr(0, 5), v.substr(5, 1), v.substr(6)};
  for (std::uint64_t first = 0; first < text.size(); ++first)
    for (std::uint64_t length = 1; first + length <= text.size(); ++length)
      for (const std::size_t max : {1U, 4U, 100U}) {
        const auto want = text.substr(first, length);
        BodyCursor whole(Owner(), v), split(Owner(), pieces);
        BodyCursor parts({slice(pieces[0]), slice(pieces[1]), slice(pieces[2])});
        auto growing = body();
        BodyCursor live(growing);
        for (auto* c : {&whole, &split, &parts, &live}) c->limit(first, length);
        std::string got;
        for (const auto p : pieces) {
          growing->append(slice(p));
          got += drain(live, max).text;
        }
        EXPECT_EQ(got, want);
        EXPECT_EQ(drain(live).state, State::End) << "a range is over when it is over, the body need not be";
        for (auto* c : {&whole, &split, &parts}) {
          EXPECT_EQ(c->known_length(), length);
          const auto r = drain(*c, max);
          EXPECT_EQ(r.text, want);
          EXPECT_EQ(r.state, State::End);
        }
      }
}

TEST(BodyCursor, ABodyTooShortForItsRangeIsBrokenNotComplete) {
  BodyCursor c(Owner(), "0123");
  c.limit(2, 5);
  EXPECT_EQ(drain(c).state, State::Broken);
  auto b = body();
  BodyCursor live(b);
  live.limit(2, 5);
  b->append(slice("0123"));
  b->finish();
  const auto r = drain(live);
  EXPECT_EQ(r.text, "23");
  EXPECT_EQ(r.state, State::Broken);
}

TEST(Body, ReadersFollowTheWriterFromTheBeginningWheneverTheyCome) {
  auto b = body();
  BodyCursor early(b);
  EXPECT_EQ(drain(early).state, State::Wait);
  b->append(slice("one "));
  EXPECT_EQ(drain(early).text, "one ");
  b->append(slice("two "));
  BodyCursor late(b);
  EXPECT_EQ(drain(late).text, "one two ");
  EXPECT_EQ(late.known_length(), std::nullopt);
  b->append(slice("three"));
  b->finish();
  EXPECT_EQ(late.known_length(), 5u);
  const auto r = drain(early);
  EXPECT_EQ(r.text, "two three");
  EXPECT_EQ(r.state, State::End);
  BodyCursor after(b);
  EXPECT_EQ(after.known_length(), 13u);
  EXPECT_EQ(drain(after).text, "one two three");
  EXPECT_EQ(b->length(), 13u);
  EXPECT_EQ(b->slices().size(), 3u);
}

TEST(Body, BrokenOffIsNeverComplete) {
  auto b = body();
  BodyCursor c(b);
  b->append(slice("half"));
  b->break_off();
  const auto r = drain(c);
  EXPECT_EQ(r.text, "half");
  EXPECT_EQ(r.state, State::Broken);
  EXPECT_EQ(drain(c).state, State::Broken) << "and stays so";
  EXPECT_EQ(c.trailers(), nullptr);
  b->finish();
  EXPECT_EQ(b->end(), Body::End::Broken);
}

TEST(Body, TrailersComeWithTheEnd) {
  auto b = body();
  BodyCursor c(b);
  EXPECT_EQ(c.trailers(), nullptr);
  Fields trailers;
  trailers.add("X-Sum", "42");
  b->finish(trailers);
  EXPECT_EQ(drain(c).state, State::End);
  ASSERT_NE(c.trailers(), nullptr);
  EXPECT_EQ(c.trailers()->view().value("x-sum"), "42");
}

TEST(Body, WakesItsReadersWhenMoreHasCome) {
  Loop loop;
  Sleeper me;
  auto b = body();
  BodyCursor c(b);
  c.wait(loop, me);
  b->append(slice("x"));
  EXPECT_EQ(me.wakes, 1);
  c.wait(loop, me);
  b->finish();
  EXPECT_EQ(me.wakes, 2);
}

TEST(Body, WithAWindowHoldsOnlyWhatItsSlowestReaderHasNotRead) {
  auto b = body(8);
  BodyCursor fast(b), slow(b);
  auto first = Chunk::copy_of("01234");
  b->append(first->slice());
  EXPECT_FALSE(b->full());
  b->append(slice("56789"));
  EXPECT_TRUE(b->full());
  EXPECT_EQ(drain(fast).text, "0123456789");
  EXPECT_TRUE(b->full()) << "the slow one counts";
  EXPECT_EQ(first->use_count(), 2u);
  Slice s;
  ASSERT_EQ(slow.next(5, s), State::Data);
  s = {};
  EXPECT_EQ(first->use_count(), 1u) << "passed by all, so dropped";
  EXPECT_FALSE(b->full());
  EXPECT_EQ(b->length(), 10u) << "the length is of all that ever came";
}

TEST(Body, TellsItsWriterWhenThereIsSpaceAgain) {
  Loop loop;
  Sleeper writer;
  auto b = body(4);
  BodyCursor c(b);
  b->append(slice("0123"));
  ASSERT_TRUE(b->full());
  b->wait_for_space(loop, writer);
  EXPECT_EQ(drain(c).text, "0123");
  EXPECT_EQ(writer.wakes, 1);
  EXPECT_FALSE(b->full());
  b->wait_for_space(loop, writer);
  c = BodyCursor();
  EXPECT_EQ(writer.wakes, 2) << "also when a reader leaves";
  EXPECT_EQ(b->readers(), 0u);
}

TEST(Body, MadeWithAWindowWaitsForItsFirstReaderAndIsNeverFullAfterItsLast) {
  auto b = body(4);
  b->append(slice("0123"));
  EXPECT_TRUE(b->full());
  {
    BodyCursor c(b);
    EXPECT_EQ(drain(c).text, "0123");
  }
  b->append(slice("456789"));
  EXPECT_FALSE(b->full());
}

TEST(Body, ThatGetsItsWindowLateDropsWhatAllHavePassed) {
  auto b = body();
  BodyCursor c(b);
  auto first = Chunk::copy_of("0123");
  b->append(first->slice());
  b->append(slice("4567"));
  Slice s;
  ASSERT_EQ(c.next(100, s), State::Data);
  s = {};
  EXPECT_EQ(first->use_count(), 2u);
  b->set_window(4);
  EXPECT_EQ(first->use_count(), 1u);
  EXPECT_TRUE(b->full());
  b->append(slice("89"));
  b->finish();
  const auto r = drain(c);
  EXPECT_EQ(r.text, "456789");
  EXPECT_EQ(r.state, State::End);
}

TEST(Body, ARangeThatIsOverHoldsUpNobody) {
  auto b = body(4);
  BodyCursor range(b);
  range.limit(0, 2);
  b->append(slice("0123"));
  EXPECT_EQ(drain(range).text, "01");
  EXPECT_EQ(b->readers(), 0u);
  EXPECT_FALSE(b->full());
}

TEST(Body, CutsOffOnlyTheReaderThatHoldsUpOthers) {
  auto b = body(4);
  BodyCursor fast(b), stuck(b);
  Slice s;
  b->append(slice("0123"));
  b->append(slice("4567"));
  ASSERT_EQ(stuck.next(1, s, t0), State::Data);
  EXPECT_EQ(b->cut_off_stalled(t0 + 5s, 1s), 0u) << "both are behind: neither holds up the other";
  EXPECT_EQ(drain(fast).text, "01234567");
  EXPECT_EQ(b->cut_off_stalled(t0 + 900ms, 1s), 0u);
  EXPECT_EQ(b->cut_off_stalled(t0 + 1s, 1s), 1u);
  EXPECT_EQ(b->readers(), 1u);
  EXPECT_FALSE(b->full());
  EXPECT_EQ(drain(stuck).state, State::Broken) << "never ended as if complete";
  b->finish();
  EXPECT_EQ(drain(stuck).state, State::Broken);
  EXPECT_EQ(drain(fast).state, State::End);
}

TEST(Body, AReaderThatWaitedForTheOriginIsNotTakenForStalled) {
  auto b = body(4);
  BodyCursor fast(b), other(b);
  b->append(slice("01"));
  EXPECT_EQ(drain(other).text, "01");
  EXPECT_EQ(drain(fast).text, "01");
  b->append(slice("2345"));  // an hour later
  EXPECT_EQ(drain(fast).text, "2345");
  EXPECT_EQ(b->cut_off_stalled(t0 + 1h, 1s), 0u) << "it counts from here";
  EXPECT_EQ(b->cut_off_stalled(t0 + 1h + 1s, 1s), 1u);
}

TEST(Body, ALoneReaderIsWaitedForAsLongAsItTakes) {
  auto b = body(4);
  BodyCursor c(b);
  b->append(slice("012345"));
  EXPECT_EQ(b->cut_off_stalled(t0, 1s), 0u);
  EXPECT_EQ(b->cut_off_stalled(t0 + 1h, 1s), 0u);
  EXPECT_TRUE(b->full());
}

TEST(BodyCursor, MovesWithItsPlace) {
  auto b = body(4);
  BodyCursor c(b);
  b->append(slice("0123"));
  Slice s;
  ASSERT_EQ(c.next(2, s), State::Data);
  BodyCursor d = std::move(c);
  BodyCursor e(b);
  e = std::move(d);
  EXPECT_EQ(b->readers(), 1u);
  EXPECT_EQ(drain(e).text, "23");
}

// One writer, readers that come, stall and go on other threads; windowed half of the time.
TEST(Body, GivesEveryReaderOnEveryThreadTheSameBytes) {
  for (const std::size_t window : {0U, 64U}) {
    auto b = body(window);
    std::string want;
    std::mt19937 random(7);
    std::vector<std::string> pieces;
    for (int i = 0; i < 2000; ++i) {
      pieces.emplace_back(1 + random() % 40, static_cast<char>('a' + i % 26));
      want += pieces.back();
    }
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&good, &want, t, c = BodyCursor(b)]() mutable {
        std::string got;
        Slice s;
        for (;;) {
          const auto state = c.next(static_cast<std::size_t>(7 + t * 30), s);
          if (state == State::Data)
            got += s.bytes;
          else if (state == State::Wait)
            std::this_thread::yield();
          else
            break;
        }
        if (got == want) ++good;
      });
    for (const auto& p : pieces) {
      while (b->full()) std::this_thread::yield();
      b->append(slice(p));
    }
    b->finish();
    for (auto& t : threads) t.join();
    EXPECT_EQ(good.load(), 3) << "window " << window;
    EXPECT_EQ(b->readers(), 0u);
  }
}

TEST(Body, LeftToItsReadersIsPinnedUntilTheyLetItGo) {
  Budget budget(1 << 20);
  const auto cost = Chunk::cost(1000);
  auto b = body();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(budget.try_take(cost));
    b->append(Chunk::copy_of(std::string(1000, 'x'), Charge(budget, cost))->slice());
  }
  BodyCursor reader(b);
  EXPECT_FALSE(reader.pins());
  b->finish();
  b->leave_to_readers();
  EXPECT_TRUE(reader.pins());
  EXPECT_EQ(budget.pinned(), 3 * cost);
  b.reset();
  EXPECT_EQ(budget.pinned(), 3 * cost);
  Slice sent;
  ASSERT_EQ(reader.next(1000, sent, t0), State::Data);
  reader = BodyCursor();
  EXPECT_EQ(budget.pinned(), cost) << "what was not sent yet";
  sent = {};
  EXPECT_EQ(budget.pinned(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BodyCursor, PinsWhatItsOwnersHaveLeft) {
  const auto one = Chunk::copy_of("one"), two = Chunk::copy_of("two");
  const BodyCursor whole(Owner(one), one->bytes());
  const BodyCursor parts(std::vector{one->slice(), two->slice()});
  EXPECT_FALSE(BodyCursor().pins());
  EXPECT_FALSE(whole.pins());
  EXPECT_FALSE(parts.pins());
  two->leave();
  EXPECT_FALSE(whole.pins());
  EXPECT_TRUE(parts.pins());
  one->leave();
  EXPECT_TRUE(whole.pins());
}

}  // namespace
}  // namespace forebay::http
