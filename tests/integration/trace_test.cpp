// W3C Trace Context: what origins get, and how the access log links a request to another one's fetch.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c", kSpan = "b7ad6b7169203331";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";
const char* const kAnyParent = "00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]";

class Trace : public ForebayTest {
 protected:
  Trace() {
    origin.otherwise([](const Received&) { return Reply().body("x"); });
  }
  std::string traceparent(const std::string& path) { return origin.last(path).get("traceparent"); }
  static std::string trace_of(const std::string& traceparent) { return traceparent.substr(3, 32); }
  static std::string span_of(const std::string& traceparent) { return traceparent.substr(36, 16); }
};

TEST_F(Trace, TheOriginGetsTheClientsTraceWithASpanOfItsOwn) {
  start();
  get("/a", {{"traceparent", kParent}, {"tracestate", "rojo=1"}, {"tracestate", "congo=2"}});
  const auto sent = traceparent("/a");
  EXPECT_THAT(sent, MatchesRegex(kAnyParent));
  EXPECT_EQ(trace_of(sent), kTrace);
  EXPECT_NE(span_of(sent), kSpan);
  EXPECT_THAT(sent, EndsWith("-01"));
  EXPECT_EQ(origin.last("/a").get("tracestate"), "rojo=1,congo=2");
  const auto line = access_line("/a");
  EXPECT_EQ(line.at("trace_id"), kTrace);
  EXPECT_EQ(line.at("parent_id"), kSpan);
  EXPECT_EQ(line.at("span_id"), span_of(sent));
  EXPECT_EQ(line.count("trace_link"), 0u);
}

TEST_F(Trace, EachFetchIsASpan) {
  start();
  for (const auto* path : {"/a", "/b"}) get(path, {{"traceparent", kParent}});
  EXPECT_EQ(trace_of(traceparent("/a")), trace_of(traceparent("/b")));
  EXPECT_NE(span_of(traceparent("/a")), span_of(traceparent("/b")));
}

TEST_F(Trace, WithoutAValidOneATraceBegins) {
  start();
  get("/none");
  get("/zero", {{"traceparent", "00-" + std::string(32, '0') + "-" + kSpan + "-01"}, {"tracestate", "a=1"}});
  get("/twice", {{"traceparent", kParent}, {"traceparent", kParent}, {"tracestate", "a=1"}});
  get("/state", {{"tracestate", "a=1"}});
  for (const std::string path : {"/none", "/zero", "/twice", "/state"}) {
    const auto sent = traceparent(path);
    EXPECT_THAT(sent, MatchesRegex(kAnyParent)) << path;
    EXPECT_NE(trace_of(sent), kTrace) << path;
    EXPECT_THAT(sent, EndsWith("-03")) << "sampled, with a random id";
    EXPECT_FALSE(origin.last(path).has("tracestate")) << path;
    const auto line = access_line(path);
    EXPECT_EQ(line.at("trace_id"), trace_of(sent)) << path;
    EXPECT_EQ(line.at("span_id"), span_of(sent)) << path;
    EXPECT_EQ(line.count("parent_id"), 0u) << path;
  }
  EXPECT_NE(trace_of(traceparent("/none")), trace_of(traceparent("/zero")));
}

TEST_F(Trace, AMalformedTracestateIsDroppedAndTheTraceIsKept) {
  start();
  get("/a", {{"traceparent", kParent}, {"tracestate", "a=1,b"}});
  EXPECT_EQ(trace_of(traceparent("/a")), kTrace);
  EXPECT_FALSE(origin.last("/a").has("tracestate"));
}

TEST_F(Trace, NewTracesAreSampledAsTheOperatorSays) {
  start("tracing: {sample: 0%}\nroutes: [{path: /**}]\n");
  get("/new");
  EXPECT_THAT(traceparent("/new"), EndsWith("-02"));
  get("/kept", {{"traceparent", kParent}});
  EXPECT_THAT(traceparent("/kept"), EndsWith("-01")) << "the client's flag is kept";
}

TEST_F(Trace, OriginsGetNoneIfTheOperatorSaysSo) {
  start("tracing: {propagate: false}\nroutes: [{path: /**}]\n");
  get("/a", {{"traceparent", kParent}, {"tracestate", "a=1"}});
  EXPECT_FALSE(origin.last("/a").has("traceparent"));
  EXPECT_FALSE(origin.last("/a").has("tracestate"));
  const auto line = access_line("/a");
  EXPECT_EQ(line.at("trace_id"), kTrace) << "for those who search the log by it";
  EXPECT_EQ(line.count("span_id"), 0u);
}

TEST_F(Trace, OtherFormatsArePassedOn) {
  start();
  const FieldLines others{{"X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"},
                          {"b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"},
                          {"X-B3-TraceId", "80f198ee56343ba864fe8b2a57d3eff7"},
                          {"uber-trace-id", "1:2:0:1"}};
  get("/a", others);
  for (const auto& [name, value] : others) EXPECT_EQ(origin.last("/a").get(name), value) << name;
}

TEST_F(Trace, AFollowerNamesTheSpanOfTheFetchItWaitedFor) {
  auto hold = gate();
  origin.on("/a", Reply::fresh().after(hold));
  start();
  auto first = connect(), second = connect();
  first.request("GET", "/a", {{"traceparent", kParent}});
  ASSERT_TRUE(origin.wait_for("/a", 1));
  second.request("GET", "/a");
  ASSERT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  hold->open();
  EXPECT_EQ(first.read().x_cache(), "MISS");
  EXPECT_EQ(second.read().x_cache(), "COALESCED");
  const auto line = access_line("/a", [](const auto& l) { return l.at("cache.result") == "coalesced"; });
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.at("trace_link"), kTrace + "-" + span_of(traceparent("/a")));
  EXPECT_EQ(line.count("span_id"), 0u) << "it has asked nobody";
}

TEST_F(Trace, ARefreshIsATraceOfItsOwnThatTheRequestNames) {
  origin.on("/a", {Reply::with("max-age=0, stale-while-revalidate=600", "old").field("ETag", "\"1\""),
                   Reply::with("max-age=600", "new")});
  start();
  get("/a", {{"traceparent", kParent}});
  EXPECT_EQ(get("/a", {{"traceparent", kParent}, {"tracestate", "a=1"}}).x_cache(), "STALE");
  ASSERT_TRUE(origin.wait_for("/a", 2));
  const auto sent = traceparent("/a");
  EXPECT_THAT(sent, MatchesRegex(kAnyParent));
  EXPECT_NE(trace_of(sent), kTrace);
  EXPECT_FALSE(origin.last("/a").has("tracestate"));
  const auto line = access_line("/a", [](const auto& l) { return l.at("cache.result") == "stale"; });
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.at("trace_id"), kTrace);
  EXPECT_EQ(line.at("trace_link"), trace_of(sent) + "-" + span_of(sent));
}

TEST_F(Trace, IsPartOfNoKeyAndVaryComparesItAsSent) {
  origin.on("/a", Reply::fresh());
  origin.on("/vary", Reply::fresh().field("Vary", "traceparent"));
  start();
  get("/a", {{"traceparent", kParent}});
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  get("/vary", {{"traceparent", kParent}});
  EXPECT_EQ(get("/vary", {{"traceparent", kParent}}).x_cache(), "HIT");
  EXPECT_EQ(get("/vary").x_cache(), "MISS");
}

TEST_F(Trace, ASignedRequestKeepsTheFieldThatItMayHaveSigned) {
  start();
  get("/a", {{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}, {"traceparent", kParent}, {"tracestate", "a=1"}});
  EXPECT_EQ(traceparent("/a"), kParent);
  EXPECT_EQ(origin.last("/a").get("tracestate"), "a=1");
}

TEST_F(Trace, AWellFormedRequestIdIsKeptFromAnyoneElseMade) {
  start();
  const std::string longest(128, 'x');
  for (const std::string& id : {std::string("a-1_b.c~d"), longest}) {
    get("/kept", {{"X-Request-Id", id}});
    EXPECT_EQ(origin.last("/kept").get("X-Request-Id"), id);
  }
  const FieldLines malformed[] = {{{"X-Request-Id", longest + "x"}},
                                  {{"X-Request-Id", "two words"}},
                                  {{"X-Request-Id", "a;b"}},
                                  {{"X-Request-Id", "<script>"}},
                                  {{"X-Request-Id", "one"}, {"X-Request-Id", "two"}},
                                  {}};
  for (const auto& fields : malformed) {
    get("/made", fields);
    EXPECT_THAT(origin.last("/made").get("X-Request-Id"), MatchesRegex("[0-9a-f]{32}"));
  }
}

}  // namespace
}  // namespace forebay::test
