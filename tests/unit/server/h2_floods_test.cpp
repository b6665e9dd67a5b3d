// Clients that send more of something than any use of HTTP/2 needs: each is stopped, counted and told so.
#include "unit/server/h2_edge.hpp"

namespace forebay::server::test {
namespace {

using http::H2Abuse;

class H2Floods : public H2Test {
 protected:
  /// Sends until the connection ends, at most so many times; how often it was sent.
  int flood(int most, const std::function<std::string(int)>& bytes) {
    for (int i = 0; i < most; ++i) {
      send(bytes(i));
      if (goaway()) return i + 1;
    }
    return most;
  }
  void expect_stopped(H2Abuse kind) {
    EXPECT_EQ(goaway(), h2::kEnhanceYourCalm);
    EXPECT_TRUE(closed);
    EXPECT_EQ(abuse(kind), 1U) << http::to_string(kind);
  }
  static std::uint32_t id(int i) { return static_cast<std::uint32_t>(2 * i + 1); }
};

TEST_F(H2Floods, RapidReset) {
  keep_exchanges();
  open();
  const int sent = flood(2000, [](int i) { return h2::get(id(i)) + h2::rst_stream(id(i)); });
  EXPECT_GE(sent, 300) << "a page that is left cancels all its requests";
  expect_stopped(H2Abuse::Reset);
  for (const auto& exchange : kept) EXPECT_TRUE(exchange->gone());
}

TEST_F(H2Floods, ResetsThatTheClientProvokes) {
  keep_exchanges();
  open();
  flood(2000, [](int i) {
    return h2::headers(id(i), h2::request("/", {}, "POST"), false) + h2::window_update(id(i), 0x7fffffff);
  });
  expect_stopped(H2Abuse::Reset);
}

TEST_F(H2Floods, MalformedRequests) {
  open();
  flood(2000, [](int i) { return h2::get(id(i), "/", {{"Bad", "x"}}); });
  expect_stopped(H2Abuse::Reset);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(H2Floods, ResetsOverTimeAreNoAbuse) {
  keep_exchanges();
  open();
  for (int i = 0; i < 1000; ++i) {
    send(h2::get(id(i)) + h2::rst_stream(id(i)));
    kept.clear();
    if (i % 20 == 0) pass(1s);
  }
  EXPECT_FALSE(goaway());
}

TEST_F(H2Floods, ContinuationFrames) {
  open();
  send(h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::hpack(h2::request())));
  const int sent = flood(1000, [](int) { return h2::frame(h2::kContinuation, 0, 1, h2::hpack({{"a", "b"}})); });
  EXPECT_LE(sent, 20);
  expect_stopped(H2Abuse::Continuation);
}

TEST_F(H2Floods, EmptyContinuationFrames) {
  open();
  send(h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::hpack(h2::request())));
  flood(1000, [](int) { return h2::frame(h2::kContinuation, 0, 1); });
  expect_stopped(H2Abuse::Continuation);
}

TEST_F(H2Floods, ALargeSectionInContinuationFrames) {
  handler.server.request_limits.head = 1024;
  open();
  send(h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::hpack(h2::request())));
  flood(1000, [](int) { return h2::frame(h2::kContinuation, 0, 1, std::string(16384, 'x')); });
  EXPECT_TRUE(goaway() == h2::kEnhanceYourCalm || goaway() == h2::kCompressionError);
  EXPECT_TRUE(closed);
}

// A table entry of 4 KiB that one byte each refers to.
TEST_F(H2Floods, AFieldSectionThatGrowsAsItIsDecoded) {
  open();
  const std::string name = "x-bomb", value(4000, 'v');
  std::string block = h2::hpack(h2::request());
  block += "\x40" + h2::integer(0, 7, name.size()) + name + h2::integer(0, 7, value.size()) + value;
  block += std::string(8000, '\xbe');
  send(h2::frame(h2::kHeaders, h2::kEndStream | h2::kEndHeaders, 1, block));
  expect_stopped(H2Abuse::Headers);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(H2Floods, AModestBombIsAnswered431) {
  open();
  const std::string name = "x-bomb", value(4000, 'v');
  std::string block = h2::hpack(h2::request());
  block += "\x40" + h2::integer(0, 7, name.size()) + name + h2::integer(0, 7, value.size()) + value;
  block += std::string(10, '\xbe');
  send(h2::frame(h2::kHeaders, h2::kEndStream | h2::kEndHeaders, 1, block) + h2::get(3));
  EXPECT_EQ(on(1).status, 431);
  EXPECT_EQ(on(3).status, 200) << "the compression state is still right";
}

TEST_F(H2Floods, Settings) {
  open();
  EXPECT_LE(flood(1000, [](int) { return h2::settings({{4, 65535}}); }), 40);
  expect_stopped(H2Abuse::Settings);
}

TEST_F(H2Floods, Ping) {
  open();
  flood(10'000, [](int) { return h2::ping(); });
  expect_stopped(H2Abuse::Ping);
}

TEST_F(H2Floods, PingsThatAreNotRead) {
  open();
  reads = false;
  std::string many;
  for (int i = 0; i < 1000; ++i) many += h2::ping();
  for (int i = 0; i < 100 && abuse(H2Abuse::Ping) == 0; ++i) {
    (void)::send(client, many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    run();
  }
  EXPECT_EQ(abuse(H2Abuse::Ping), 1U);
}

TEST_F(H2Floods, Priority) {
  open();
  flood(10'000, [](int i) { return h2::priority(id(i), 0); });
  expect_stopped(H2Abuse::Priority);
}

TEST_F(H2Floods, PriorityUpdate) {
  open();
  flood(10'000, [](int) { return h2::frame(h2::kPriorityUpdate, 0, 0, h2::number(1) + "u=1"); });
  expect_stopped(H2Abuse::Priority);
}

TEST_F(H2Floods, WindowUpdate) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/", {}, "POST"), false));
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += h2::window_update(1, 1);
  flood(1000, [&](int) { return hundred; });
  expect_stopped(H2Abuse::Window);
}

TEST_F(H2Floods, WindowUpdatesForContentAreNoAbuse) {
  const std::string large(200'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 10}});
  send(h2::get(1));
  for (int i = 0; i < 19'999; ++i) send(h2::window_update(1, 10) + h2::window_update(0, 10));
  EXPECT_FALSE(goaway());
  EXPECT_EQ(on(1).body.size(), large.size());
}

TEST_F(H2Floods, EmptyData) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/", {}, "POST"), false));
  flood(10'000, [](int) { return h2::data(1, "", false); });
  expect_stopped(H2Abuse::Empty);
}

TEST_F(H2Floods, DataOfPaddingAlone) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/", {}, "POST"), false));
  flood(10'000, [](int) { return h2::frame(h2::kData, h2::kPadded, 1, std::string("\x02\0\0", 3)); });
  expect_stopped(H2Abuse::Empty);
}

TEST_F(H2Floods, UnknownFrames) {
  open();
  flood(10'000, [](int) { return h2::frame(0xfa, 0, 0, "x"); });
  expect_stopped(H2Abuse::Other);
}

TEST_F(H2Floods, RefusedStreams) {
  handler.server.streams = 1;
  keep_exchanges();
  open_silent();
  send(h2::kPreface + h2::settings());
  flood(10'000, [](int i) { return h2::get(id(i)); });
  expect_stopped(H2Abuse::Reset);
  EXPECT_EQ(kept.size(), 1U);
}

TEST_F(H2Floods, RefusalsThatAreNotRead) {
  handler.server.streams = 1;
  keep_exchanges();
  open_silent();
  send(h2::kPreface + h2::settings());
  reads = false;
  int next = 0;
  for (int i = 0; i < 3000 && abuse(H2Abuse::Reset) == 0; ++i) {
    std::string many;
    for (int n = 0; n < 20; ++n) many += h2::get(id(next++));
    (void)::send(client, many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    run();
  }
  EXPECT_EQ(abuse(H2Abuse::Reset), 1U) << "refusals are not piled up for a client that does not read";
}

}  // namespace
}  // namespace forebay::server::test
