#include "forebay/http/h2_session.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <string>

#include "http/h2_frames.hpp"
#include "http/h2_priority.hpp"
#include "support/h2_frames.hpp"

namespace forebay::http {
namespace {

namespace h2 = forebay::test::h2;
using testing::ElementsAre;

/// An owner that writes down what it is told, and answers by itself where the test says so.
class Recorder final : public H2Events, public H2Output {
 public:
  explicit Recorder(const H2Limits& limits = {}) : session(*this, limits) {
    session.feed(h2::kPreface + h2::settings() + h2::settings_ack(), now);
    produce();
  }
  void on_request(H2StreamId id, const H2HeadReader& head, bool ended) override {
    told.push_back("request " + std::string(head.view().method_text) + " " + std::string(head.view().target));
    add(id, ended);
  }
  void on_refused(H2StreamId id, const H2HeadReader& head, H2HeadReader::Verdict, bool ended) override {
    told.push_back("refused " + std::string(head.problem()));
    add(id, ended);
  }
  void on_content(H2Stream&, std::string_view bytes) override { told.push_back("content " + std::string(bytes)); }
  void on_content_end(H2Stream&, Fields& theirs) override {
    told.push_back("end");
    for (const Field& f : theirs.view()) told.back() += " " + std::string(f.name) + "=" + std::string(f.value);
  }
  void on_content_malformed(H2Stream&) override { told.push_back("malformed"); }
  void on_credit(H2Stream* stream) override { told.push_back(stream ? "credit" : "credit for all"); }
  H2Portion::State pull(H2Stream&, std::size_t most, H2Portion& portion) override {
    if (body.empty() && !content_ended) return H2Portion::State::Wait;
    portion.bytes = std::min(most, body.size());
    portion.slices.push_back({Owner(), std::string_view(body).substr(0, portion.bytes)});
    pulled.push_back(body.substr(0, portion.bytes));
    portion.slices.back().bytes = pulled.back();
    body.erase(0, portion.bytes);
    portion.ended = body.empty() && content_ended;
    if (portion.ended) portion.trailers = &trailers;
    return H2Portion::State::Data;
  }
  void on_head_sent(H2Stream&) override { told.push_back("head sent"); }
  void on_content_sent(H2Stream&, std::size_t) override {}
  void on_end_sent(H2Stream&) override { told.push_back("end sent"); }
  void on_closed(H2Stream&) override { told.push_back("closed"); }
  void on_pong() override { told.push_back("pong"); }
  void text(std::string_view bytes) override { out += bytes; }
  void content(Slice&& slice) override { out += slice.bytes; }
  bool full() const override { return out.size() >= room; }

  void feed(std::string_view bytes) {
    session.feed(bytes, now);
    produce();
  }
  void produce() {
    session.produce(*this);
    incoming.feed(out);
    out.clear();
  }
  std::vector<std::string> taken() { return std::exchange(told, {}); }

  Timestamp now{std::chrono::hours{1}};
  std::string body, out;
  Fields trailers;
  bool content_ended = true;
  std::size_t room = 64 * 1024;
  std::deque<std::string> pulled;
  std::deque<H2Stream> streams;
  std::vector<std::string> told;
  h2::Incoming incoming;
  H2Session session;

 private:
  void add(H2StreamId id, bool ended) {
    streams.emplace_back();
    streams.back().content_ended = ended;
    session.attach(id, streams.back());
  }
};

TEST(H2Session, TellsARequestAndSendsItsAnswer) {
  Recorder r;
  r.taken();
  r.feed(h2::get(1, "/a"));
  EXPECT_THAT(r.taken(), ElementsAre("request GET /a"));
  const Field field{"X-Name", "Value", FieldId::Other};
  r.session.answer(1, {200, FieldsView({&field, 1}), {}, "today", 5}, false);
  r.produce();
  EXPECT_THAT(r.taken(), ElementsAre("head sent", "end sent", "closed"));
  const auto& stream = r.incoming.on(1);
  EXPECT_THAT(stream.fields, ElementsAre(testing::Pair(":status", "200"), testing::Pair("x-name", "Value"),
                                         testing::Pair("date", "today"), testing::Pair("content-length", "5")));
}

TEST(H2Session, TheHeadThatIsToldIsTheFinalOne) {
  Recorder r;
  r.feed(h2::get(1));
  r.taken();
  r.session.interim(1, 103, {});
  r.session.interim(1, 103, {});
  r.produce();
  EXPECT_TRUE(r.taken().empty());
  r.body = "content";
  r.trailers.add("X-Sum", "42");
  r.session.answer(1, {}, true);
  r.produce();
  EXPECT_THAT(r.taken(), ElementsAre("head sent", "end sent", "closed"));
  EXPECT_EQ(r.incoming.on(1).trailers.size(), 1U);
}

TEST(H2Session, AStreamThatWaitsForContentIsResumed) {
  Recorder r;
  r.feed(h2::get(1));
  r.content_ended = false;
  r.session.answer(1, {}, true);
  r.produce();
  EXPECT_FALSE(r.incoming.on(1).ended);
  EXPECT_EQ(r.incoming.on(1).data_frames, 0U);
  r.content_ended = true;
  r.session.resume(1);
  r.produce();
  EXPECT_TRUE(r.incoming.on(1).ended);
}

TEST(H2Session, StopsMakingOutputWhereItIsFull) {
  Recorder r;
  r.feed(h2::get(1));
  r.body = std::string(60'000, 'x');
  r.session.answer(1, {}, true);
  r.room = 20'000;
  r.session.produce(r);
  EXPECT_LT(r.out.size(), 20'000U + 16'384 + 100);
  r.room = 1'000'000;
  r.produce();
  EXPECT_TRUE(r.incoming.on(1).body == std::string(60'000, 'x'));
  EXPECT_TRUE(r.incoming.on(1).ended);
}

TEST(H2Session, KnowsSinceWhenAFieldSectionIsOnItsWay) {
  Recorder r;
  EXPECT_EQ(r.session.head_since(), Timestamp::max());
  const auto began = r.now;
  r.feed(h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::hpack(h2::request())).substr(0, 12));
  EXPECT_EQ(r.session.head_since(), began);
  r.now += std::chrono::seconds{1};
  r.feed(h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::hpack(h2::request())).substr(12));
  EXPECT_EQ(r.session.head_since(), began);
  r.feed(h2::frame(h2::kContinuation, h2::kEndHeaders, 1));
  EXPECT_EQ(r.session.head_since(), Timestamp::max());
}

TEST(H2Session, ContentAndTrailersAreTold) {
  Recorder r;
  r.taken();
  r.feed(h2::headers(1, h2::request("/", {{"content-length", "6"}}, "POST"), false) + h2::data(1, "abc", false));
  r.feed(h2::data(1, "def", false) + h2::headers(1, {{"x-sum", "9"}}, true));
  EXPECT_THAT(r.taken(), ElementsAre("request POST /", "content abc", "content def", "end x-sum=9"));
}

TEST(H2Session, AStreamWithMalformedContentIsResetOnceHoweverMuchFollows) {
  Recorder r;
  r.taken();
  std::string bytes = h2::headers(1, h2::request("/", {{"content-length", "1"}}, "POST"), false);
  for (int i = 0; i < 5; ++i) bytes += h2::data(1, "abc", false);
  r.feed(bytes + h2::headers(1, {{"x-sum", "9"}}, true));
  EXPECT_THAT(r.taken(), ElementsAre("request POST /", "malformed", "closed"));
  std::size_t resets = 0;
  for (const auto& frame : r.incoming.frames) resets += frame.type == h2::kRstStream ? 1 : 0;
  EXPECT_EQ(resets, 1U);
  EXPECT_TRUE(r.incoming.goaways.empty());
}

TEST(H2Session, AForgottenStreamGoesOnWithoutEvents) {
  Recorder r;
  r.feed(h2::get(1));
  r.taken();
  r.session.detach(r.streams[0]);
  r.feed(h2::rst_stream(1));
  EXPECT_TRUE(r.taken().empty());
}

TEST(H2Session, ItsEndIsAnnouncedThenDone) {
  Recorder r;
  r.feed(h2::get(1));
  r.session.announce_end();
  r.produce();
  EXPECT_EQ(r.incoming.goaways.back().first, 0x7fffffffU);
  EXPECT_FALSE(r.session.over());
  r.taken();
  r.feed(h2::ping(r.incoming.ping_data.back(), h2::kAck));
  EXPECT_THAT(r.taken(), ElementsAre("pong"));
  r.session.refuse_more();
  r.session.answer(1, {}, false);
  r.produce();
  EXPECT_EQ(r.incoming.goaways.back().first, 1U);
  EXPECT_TRUE(r.session.over());
}

TEST(H2Budget, RefillsWithTime) {
  H2Budget budget(2, 10);
  Timestamp now{std::chrono::hours{1}};
  EXPECT_TRUE(budget.spend(now));
  EXPECT_TRUE(budget.spend(now));
  EXPECT_FALSE(budget.spend(now));
  now += std::chrono::milliseconds{150};
  EXPECT_TRUE(budget.spend(now));
  EXPECT_FALSE(budget.spend(now));
  budget.give(1);
  EXPECT_TRUE(budget.spend(now));
  now += std::chrono::hours{1};
  EXPECT_TRUE(budget.spend(now));
  EXPECT_TRUE(budget.spend(now));
  EXPECT_FALSE(budget.spend(now)) << "never more than at the start";
}

TEST(H2FrameScan, FramesMayComeInAnyPieces) {
  const std::string bytes = h2::ping() + h2::headers(1, h2::request(), true) + h2::priority(3, 3);
  for (std::size_t step = 1; step < bytes.size(); ++step) {
    H2FrameScan scan(1024);
    std::size_t taken = 0;
    for (std::size_t at = 0; at < bytes.size() && !scan.broken(); at += step)
      taken += scan.scan(std::string_view(bytes).substr(at, step), Timestamp{});
    EXPECT_TRUE(scan.broken()) << "a stream that depends on itself, in steps of " << step;
    EXPECT_LT(taken, bytes.size());
  }
}

TEST(H2Priority, IsThatOfTheField) {
  const auto is = [](std::uint32_t urgency, bool incremental) { return H2Priority{urgency, incremental}; };
  EXPECT_EQ(parse_priority("u=1"), is(1, false));
  EXPECT_EQ(parse_priority("u=5, i"), is(5, true));
  EXPECT_EQ(parse_priority("i,u=0"), is(0, true));
  EXPECT_EQ(parse_priority("i=?0, u=7;x=y, later"), is(7, false));
  EXPECT_EQ(parse_priority("u=8"), is(3, false)) << "out of range: the default";
  EXPECT_EQ(parse_priority("u=-1, i=1"), is(3, false));
  EXPECT_EQ(parse_priority("u=1.0"), is(3, false));
  EXPECT_EQ(parse_priority(""), is(3, false));
  EXPECT_EQ(parse_priority("u=="), std::nullopt);
  EXPECT_EQ(parse_priority("U=1"), std::nullopt);
}

// --- H2HeadReader ---

std::string read_head(const h2::Lines& lines, bool over_tls = false) {
  H2HeadReader reader;
  reader.begin(HeadLimits{}, over_tls);
  for (const auto& [name, value] : lines) reader.add(name, value);
  if (reader.finish(true) != H2HeadReader::Verdict::Ok) return std::string(reader.problem());
  std::string text(reader.view().target);
  for (const Field& f : reader.view().fields) text += "|" + std::string(f.name) + ":" + std::string(f.value);
  return text;
}

TEST(H2HeadReader, MakesARequestOfAFieldSection) {
  EXPECT_EQ(read_head(h2::request("/a", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}})),
            "/a|cookie:a=1; b=2|x:y|Host:shop.test");
  // Empty crumbs leave no trace.
  EXPECT_EQ(read_head(h2::request("/a", {{"cookie", ""}, {"cookie", "a=1"}, {"cookie", ""}, {"cookie", ""}})),
            "/a|cookie:a=1|Host:shop.test");
  EXPECT_EQ(read_head(h2::request("/a", {{"cookie", ""}, {"cookie", ""}})), "/a|cookie:|Host:shop.test");
}

TEST(H2HeadReader, SaysWhatIsWrong) {
  EXPECT_EQ(read_head(h2::request("/a", {{"host", "other.test"}})), "Host and :authority are different.");
  EXPECT_EQ(read_head(h2::request("/a", {{"connection", "x"}})), "The request has a connection-specific header field.");
  EXPECT_EQ(read_head(h2::request("a")), "The :path does not begin with a slash.");
}

TEST(H2HeadReader, HttpIsNoSchemeOverTls) {
  EXPECT_EQ(read_head(h2::request("/a"), true), "The :scheme is not that of this listener.");
  EXPECT_EQ(read_head(h2::request("/a"), false), "/a|Host:shop.test");
}

TEST(H2HeadReader, KeepsNothingBeyondItsLimits) {
  H2HeadReader reader;
  reader.begin({100, 200, 5}, false);
  for (const auto& [name, value] : h2::request("/")) reader.add(name, value);
  for (int i = 0; i < 1000; ++i) reader.add("x-name", "value");
  EXPECT_EQ(reader.finish(true), H2HeadReader::Verdict::TooLarge);
  EXPECT_LE(reader.view().fields.size(), 5U);
  EXPECT_EQ(reader.view().target, "/");
  EXPECT_GT(reader.decoded(), 10'000U);
}

}  // namespace
}  // namespace forebay::http
