// Server-sent events: each event comes to the client when the origin has sent it; nothing is stored or shared; silence
// is no error.
#include <signal.h>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

const std::string kEvents = "data: one\n\ndata: two\n\ndata: three\n\n";
constexpr std::size_t kFirst = 11;   // bytes of the first event
constexpr std::size_t kSecond = 22;  // and of the first two

class EventStream : public ForebayTest {
 protected:
  static Reply events() { return Reply().field("Content-Type", "text/event-stream").body(kEvents); }
  /// The content so far, framing undone, once it has so many bytes.
  static std::string content(Client& c, const Answer& head, std::size_t bytes) {
    std::string all;
    while (all.size() < bytes) {
      if (head.get("Transfer-Encoding") != "chunked") {
        all += c.read_raw(bytes - all.size());
        break;
      }
      std::string size;
      while (!size.ends_with("\r\n")) {
        const auto byte = c.read_raw(1);
        if (byte.empty()) return all;
        size += byte;
      }
      const auto n = std::stoul(size, nullptr, 16);
      all += c.read_raw(n);
      c.read_raw(2);
    }
    return all;
  }
};

TEST_F(EventStream, AnEventComesBeforeTheOriginSendsTheNextOne) {
  const auto chunked_second = gate(), chunked_third = gate(), plain_second = gate(), plain_third = gate();
  origin.on("/chunked", events().chunked(kFirst).gate_at(kFirst, chunked_second).gate_at(kSecond, chunked_third));
  origin.on("/plain", events().until_close().gate_at(kFirst, plain_second).gate_at(kSecond, plain_third));
  start("routes: [{path: /**, ttl: 60s}]\n");
  for (const auto& [path, second, third] :
       {std::tuple{"/chunked", chunked_second, chunked_third}, std::tuple{"/plain", plain_second, plain_third}}) {
    auto c = connect();
    c.request("GET", path, {{"Accept-Encoding", "gzip, br, zstd"}});
    const auto head = c.read_head();
    EXPECT_EQ(head.status, 200);
    EXPECT_FALSE(head.has("Content-Encoding"));
    EXPECT_EQ(content(c, head, kFirst), kEvents.substr(0, kFirst)) << path << ": the origin waits with the second";
    second->open();
    EXPECT_EQ(content(c, head, kFirst), kEvents.substr(kFirst, kFirst)) << path;
    third->open();
    EXPECT_EQ(content(c, head, kEvents.size() - kSecond), kEvents.substr(kSecond)) << path;
  }
}

TEST_F(EventStream, IsNeitherStoredNorSharedWhateverItsLifetime) {
  const auto hold = gate();
  origin.on("/a", events().field("Cache-Control", "public, s-maxage=600").chunked(kFirst).gate_at(kFirst, hold));
  start("routes: [{path: /**, ttl: 60s}]\n");
  auto first = connect();
  first.request("GET", "/a");
  const auto head = first.read_head();
  EXPECT_EQ(head.cache_param("detail"), "endless");
  EXPECT_EQ(content(first, head, kFirst), kEvents.substr(0, kFirst));
  // While the first one runs.
  for (int i = 2; i <= 3; ++i) {
    auto other = connect();
    other.request("GET", "/a");
    EXPECT_EQ(content(other, other.read_head(), kFirst), kEvents.substr(0, kFirst));
    EXPECT_EQ(origin.count("/a"), static_cast<std::size_t>(i)) << "a stream of its own";
  }
  hold->open();
  EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "endless"}}, 3));
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(EventStream, RequestsThatWaitedForItsHeadEachGetTheirOwn) {
  const auto head = gate(), rest = gate();
  origin.on("/a", events().chunked(kFirst).after(head).gate_at(kFirst, rest));
  start("routes: [{path: /**, ttl: 60s}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a");
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2)) << "nobody knows yet what it is";
  head->open();
  for (auto& c : all) EXPECT_EQ(content(c, c.read_head(), kFirst), kEvents.substr(0, kFirst));
  EXPECT_EQ(origin.count("/a"), 3U);
  auto late = connect();
  late.request("GET", "/a");
  const auto known = late.read_head();
  EXPECT_EQ(known.cache_param("detail"), "pass_memory") << "later requests do not wait";
  rest->open();
}

TEST_F(EventStream, SilenceIsBoundedByTheTunnelTimeoutOnly) {
  const auto hold = gate();
  origin.on("/a", events().chunked(kFirst).gate_at(kFirst, hold));
  origin.on("/slow", Reply().field("Content-Type", "text/plain").body(kEvents).chunked(kFirst).gate_at(kFirst, hold));
  start("origins: {o: {url: '" + origin.url() +
        "', timeouts: {between_bytes: 300ms}}}\norigin: o\nserver: {limits: {min_rate: 1MiB}}\n"
        "routes: [{path: /**}]\n");
  auto stream = connect();
  stream.request("GET", "/a");
  const auto head = stream.read_head();
  EXPECT_EQ(content(stream, head, kFirst), kEvents.substr(0, kFirst));
  auto slow = connect();
  slow.request("GET", "/slow");
  auto cut = slow.read();
  EXPECT_FALSE(cut.complete()) << "what is no stream is cut off after timeouts.between_bytes";
  hold->open();
  EXPECT_EQ(content(stream, head, kEvents.size() - kFirst), kEvents.substr(kFirst))
      << "the stream was silent for longer";
}

TEST_F(EventStream, SilenceBeyondTheTunnelTimeoutEndsIt) {
  const auto hold = gate();
  origin.on("/a", events().chunked(kFirst).gate_at(kFirst, hold));
  start("origins: {o: {url: '" + origin.url() +
        "', timeouts: {between_bytes: 100ms}}}\norigin: o\nserver: {timeouts: {tunnel: 400ms, write: 5m}}\n"
        "routes: [{path: /**}]\n");
  auto c = connect();
  c.request("GET", "/a");
  EXPECT_FALSE(c.read().complete());
  auto line = access_line("/a");
  EXPECT_EQ(line["origin.error"], "between_bytes_timeout");
  EXPECT_THAT(line["origin.detail"], HasSubstr("server.timeouts.tunnel"));
  hold->open();
}

TEST_F(EventStream, EndsBehindAnEventWhenTheProcessDrains) {
  const auto rest = gate(), never = gate();
  origin.on("/between", events().chunked(kFirst).gate_at(kFirst, never));
  origin.on("/within", events().chunked(5).gate_at(kFirst + 5, rest).gate_at(kSecond, never));
  start("shutdown: {drain: 1h}\nroutes: [{path: /**}]\n");
  auto between = connect();
  between.request("GET", "/between");
  auto head = between.read_head();
  EXPECT_EQ(content(between, head, kFirst), kEvents.substr(0, kFirst));
  auto within = connect();
  within.request("GET", "/within");
  auto other = within.read_head();
  EXPECT_EQ(content(within, other, kFirst + 5), kEvents.substr(0, kFirst + 5));
  daemon->signal(SIGTERM);
  between.read_content(head);
  EXPECT_TRUE(head.complete()) << "a whole message";
  EXPECT_EQ(head.body, "");
  EXPECT_TRUE(between.closed());
  EXPECT_TRUE(daemon->running());
  rest->open();
  within.read_content(other);
  EXPECT_TRUE(other.complete());
  EXPECT_EQ(other.body, kEvents.substr(kFirst + 5, kFirst - 5)) << "up to the end of the event";
  EXPECT_TRUE(within.closed());
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  never->open();
}

TEST_F(EventStream, AClientThatLeavesEndsTheOriginsStream) {
  const auto hold = gate();
  origin.on("/a", events().chunked(kFirst).gate_at(kFirst, hold).drip(1, milliseconds{1}));
  start();
  {
    auto c = connect();
    c.request("GET", "/a");
    c.read_head();
  }
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {}, 1));
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }));
  hold->open();
}

TEST_F(EventStream, AClientThatLeavesASilentStreamEndsIt) {
  const auto hold = gate();
  origin.on("/a", events().chunked(kFirst).gate_at(kFirst, hold));
  start();
  {
    auto c = connect();
    c.request("GET", "/a");
    const auto head = c.read_head();
    EXPECT_EQ(content(c, head, kFirst), kEvents.substr(0, kFirst));
    EXPECT_EQ(metric("forebay_origin_requests_in_flight"), 1);
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }));
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {}, 1));
  hold->open();
}

}  // namespace
}  // namespace forebay::test
