// What an answer to a write waits for, and what becomes of it meanwhile.
#include "proxy/held_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

using net::FetchError;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct TestSource final : net::Source {
  void start(net::Sink& to) override { sink = &to; }
  void resume() override { ++resumes; }
  void cancel() override { cancelled = true; }
  const net::SourceTimes& times() const override { return none; }
  bool asked() const override { return true; }
  net::Sink* sink = nullptr;
  net::SourceTimes none;
  int resumes = 0;
  bool cancelled = false;
};

struct TestSink final : net::Sink {
  void on_head(const http::ResponseView& head, const HeadFacts&) override {
    heard.push_back("head " + std::to_string(head.status));
  }
  bool on_data(std::string_view bytes) override {
    heard.push_back("data " + std::string(bytes));
    return wants_more;
  }
  void on_end(const http::Fields& trailers) override {
    heard.push_back(trailers.view().empty() ? "end" : "end, trailers");
  }
  void on_failure(FetchError error, std::string_view) override {
    heard.push_back("failure " + std::string(to_string(error)));
  }
  std::vector<std::string> heard;
  bool wants_more = true;
};

class HeldAnswerTest : public ::testing::Test {
 protected:
  void hold(bool content = false) {
    HeldAnswer::Rules rules;
    rules.most = 10;
    if (content) rules.holds = [](const http::ResponseView&, const net::Sink::HeadFacts&) { return true; };
    rules.reserve = [this](std::size_t n) { return store.reserve(n); };
    rules.before = [this](const http::ResponseView& head) {
      before.push_back(head.status);
      if (held && held->state() != HeldAnswer::Content::NotHeld) seen = held->content();
      return end;
    };
    held = std::make_shared<HeldAnswer>(worker, net::SourcePtr(std::shared_ptr<void>(), &source), std::move(rules));
    source_ptr = HeldAnswer::own(held);
    source_ptr->start(sink);
  }
  void head() { source.sink->on_head({200, http::Version::Http11, {}}, {}); }
  bool data(std::string_view bytes) { return source.sink->on_data(bytes); }
  void reach() {
    end->count_down();
    settle();
  }
  void settle() {
    while (worker.io().poll() != 0) continue;
  }

  ManualClock clock;
  net::Worker worker{0, clock};
  cache::Store store{{1024 * 1024, 1}};
  TestSource source;
  TestSink sink;
  PurgeEndPtr end = [] {
    auto made = std::make_shared<PurgeEnd>();
    made->add();
    return made;
  }();
  std::vector<int> before;
  std::string seen;
  std::shared_ptr<HeldAnswer> held;
  net::SourcePtr source_ptr;
};

TEST_F(HeldAnswerTest, GoesOnAtOnceWhereThereIsNothingToWaitFor) {
  end = nullptr;
  hold();
  head();
  EXPECT_TRUE(data("a"));
  source.sink->on_end({});
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data a", "end"));
  EXPECT_THAT(before, ElementsAre(200));
}

TEST_F(HeldAnswerTest, GoesOnAtOnceWhereTheEndWasReachedMeanwhile) {
  end->count_down();
  hold();
  head();
  EXPECT_THAT(sink.heard, ElementsAre("head 200"));
}

TEST_F(HeldAnswerTest, WaitsWithSomeContentAndGoesOnThen) {
  hold();
  head();
  const std::string large(64 * 1024, 'a');
  EXPECT_TRUE(data(large.substr(1)));
  EXPECT_FALSE(data("a")) << "the source waits";
  EXPECT_THAT(sink.heard, IsEmpty());
  EXPECT_FALSE(source.sink->drop_slowest());
  end->changed.notify();  // for something else
  settle();
  EXPECT_THAT(sink.heard, IsEmpty());
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data " + large));
  EXPECT_EQ(source.resumes, 1);
  EXPECT_TRUE(data("b"));
  source.sink->on_end({});
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data " + large, "data b", "end"));
  EXPECT_THAT(before, ElementsAre(200));
}

TEST_F(HeldAnswerTest, TakesMoreWhereOthersWaitForTheConnectionOfItsSource) {
  hold();
  head();
  const std::string large(64 * 1024, 'a');
  EXPECT_FALSE(data(large));
  EXPECT_TRUE(source.sink->take_more(10));
  EXPECT_TRUE(data("123456789"));
  EXPECT_FALSE(data("0"));
  EXPECT_FALSE(source.sink->take_more(std::size_t{1} << 40)) << "more than there is memory for";
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data " + large + "1234567890"));
  EXPECT_EQ(source.resumes, 1);
}

TEST_F(HeldAnswerTest, ASourceWithoutContentYetIsNotResumed) {
  hold();
  head();
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200"));
  EXPECT_EQ(source.resumes, 0);
}

TEST_F(HeldAnswerTest, ASinkThatIsFullResumesItself) {
  sink.wants_more = false;
  hold();
  head();
  data(std::string(64 * 1024, 'a'));
  reach();
  EXPECT_EQ(source.resumes, 0);
  source_ptr->resume();
  EXPECT_EQ(source.resumes, 1);
}

TEST_F(HeldAnswerTest, AnEndThatComesMeanwhileIsHeardLast) {
  hold();
  head();
  data("a");
  http::Fields trailers;
  trailers.add("T", "1");
  source.sink->on_end(trailers);
  EXPECT_THAT(sink.heard, IsEmpty());
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data a", "end, trailers"));
  EXPECT_EQ(source.resumes, 0);
}

TEST_F(HeldAnswerTest, AFailureThatComesMeanwhileIsHeardLast) {
  hold();
  head();
  source.sink->on_failure(FetchError::Reset, "");
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "failure reset"));
}

TEST_F(HeldAnswerTest, OneThatIsCancelledHearsNothing) {
  hold();
  head();
  data("a");
  source_ptr->cancel();
  EXPECT_TRUE(source.cancelled);
  reach();
  clock.advance(1h);
  worker.fire_deadlines();
  EXPECT_THAT(sink.heard, IsEmpty());
}

TEST_F(HeldAnswerTest, DoesNotWaitForEver) {
  hold();
  head();
  data("a");
  clock.advance(29s);
  worker.fire_deadlines();
  EXPECT_THAT(sink.heard, IsEmpty());
  clock.advance(2s);
  worker.fire_deadlines();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data a"));
  reach();
  EXPECT_EQ(sink.heard.size(), 2u);
}

TEST_F(HeldAnswerTest, HeldContentIsReadBeforeTheWait) {
  hold(true);
  head();
  EXPECT_TRUE(data("abc"));
  EXPECT_TRUE(data("def"));
  EXPECT_THAT(before, IsEmpty());
  source.sink->on_end({});
  EXPECT_THAT(before, ElementsAre(200));
  EXPECT_EQ(seen, "abcdef");
  EXPECT_THAT(sink.heard, IsEmpty());
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data abcdef", "end"));
}

TEST_F(HeldAnswerTest, ContentThatIsTooLongWaitsInTheMiddle) {
  hold(true);
  head();
  EXPECT_TRUE(data("abcdef"));
  EXPECT_FALSE(data("ghijkl"));
  EXPECT_EQ(held->state(), HeldAnswer::Content::TooLarge);
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data abcdefghijkl"));
  EXPECT_EQ(source.resumes, 1);
}

TEST_F(HeldAnswerTest, ContentThatBreaksOffWaitsToo) {
  hold(true);
  head();
  data("abc");
  source.sink->on_failure(FetchError::Reset, "");
  EXPECT_EQ(held->state(), HeldAnswer::Content::Cut);
  EXPECT_THAT(sink.heard, IsEmpty());
  reach();
  EXPECT_THAT(sink.heard, ElementsAre("head 200", "data abc", "failure reset"));
}

}  // namespace
}  // namespace forebay::proxy
