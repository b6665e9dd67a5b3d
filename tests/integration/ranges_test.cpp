// RFC 9110 section 14, RFC 9111 sections 3.3 and 3.4.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Ranges : public ForebayTest {
 protected:
  void SetUp() override {
    origin.on("/a", Reply::fresh("0123456789")
                        .field("ETag", "\"v1\"")
                        .field("Last-Modified", kModified)
                        .field("Content-Type", "text/plain"));
    start();
    get("/a");
  }
  static constexpr const char* kModified = "Tue, 15 Nov 1994 12:45:26 GMT";
};

TEST_F(Ranges, SingleRangesAreCutFromTheStoredResponse) {
  struct Case {
    const char* range;
    const char* content_range;
    const char* body;
  };
  const Case cases[] = {
      {"bytes=0-1", "bytes 0-1/10", "01"},      {"bytes=1-", "bytes 1-9/10", "123456789"},
      {"bytes=-1", "bytes 9-9/10", "9"},        {"bytes=-100", "bytes 0-9/10", "0123456789"},
      {"bytes=5-100", "bytes 5-9/10", "56789"}, {"BYTES=2-3", "bytes 2-3/10", "23"},
      {"bytes=9-9", "bytes 9-9/10", "9"},       {"bytes= 0-1", "bytes 0-1/10", "01"},
  };
  for (const auto& c : cases) {
    const auto a = get("/a", {{"Range", c.range}});
    if (std::string(c.range) == "bytes= 0-1" && a.status == 200) continue;  // a reader may call that malformed
    EXPECT_EQ(a.status, 206) << c.range;
    EXPECT_EQ(a.get("Content-Range"), c.content_range);
    EXPECT_EQ(a.body, c.body);
    EXPECT_EQ(a.get("Content-Length"), std::to_string(a.body.size()));
    EXPECT_EQ(a.get("ETag"), "\"v1\"");
    EXPECT_EQ(a.get("Content-Type"), "text/plain");
    EXPECT_EQ(a.x_cache(), "HIT");
  }
  EXPECT_EQ(origin.count(), 1u);
}

TEST_F(Ranges, ARangeThatCannotBeSatisfiedIs416AndAMalformedOneIsIgnored) {
  for (const auto* range : {"bytes=10-", "bytes=100-200", "bytes=-0"}) {
    const auto a = get("/a", {{"Range", range}});
    EXPECT_EQ(a.status, 416) << range;
    EXPECT_EQ(a.get("Content-Range"), "bytes */10") << range;
    EXPECT_TRUE(a.complete());
  }
  for (const auto* range : {"bytes=5-2", "bytes=a-b", "lines=0-1", "bytes", "bytes=", "bytes=--1", "bytes=0-1x"}) {
    const auto a = get("/a", {{"Range", range}});
    EXPECT_EQ(a.status, 200) << range;
    EXPECT_EQ(a.body, "0123456789") << range;
  }
}

TEST_F(Ranges, SeveralRangesComeAsMultipartOrAsTheWhole) {
  const auto a = get("/a", {{"Range", "bytes=0-1,5-6"}});
  EXPECT_TRUE(a.complete());
  if (a.status == 200) {
    EXPECT_EQ(a.body, "0123456789");
    return;
  }
  ASSERT_EQ(a.status, 206);
  const auto type = a.get("Content-Type");
  ASSERT_THAT(type, StartsWith("multipart/byteranges; boundary="));
  auto boundary = type.substr(type.find('=') + 1);
  if (boundary.starts_with('"')) boundary = boundary.substr(1, boundary.size() - 2);
  EXPECT_FALSE(a.has("Content-Range")) << "only inside the parts";
  EXPECT_THAT(a.body, HasSubstr("--" + boundary + "\r\n"));
  EXPECT_THAT(a.body, HasSubstr("--" + boundary + "--"));
  for (const auto* part : {"bytes 0-1/10", "\r\n\r\n01\r\n", "bytes 5-6/10", "\r\n\r\n56\r\n"})
    EXPECT_THAT(a.body, HasSubstr(part));
}

TEST_F(Ranges, ManyOrOverlappingRangesDoNotMultiplyTheBody) {
  std::string range = "bytes=0-";
  for (int i = 0; i < 500; ++i) range += ",0-";
  const auto a = get("/a", {{"Range", range}});
  EXPECT_TRUE(a.complete());
  EXPECT_LT(a.body.size(), 1000u);
}

TEST_F(Ranges, IfRangeNeedsAStrongMatch) {
  struct Case {
    std::string if_range;
    int status;
  };
  const Case cases[] = {
      {"\"v1\"", 206}, {"\"v2\"", 200}, {"W/\"v1\"", 200}, {kModified, 206}, {"Tue, 15 Nov 1994 12:45:25 GMT", 200}};
  for (const auto& c : cases)
    EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}, {"If-Range", c.if_range}}).status, c.status) << c.if_range;
}

TEST_F(Ranges, ConditionsComeBeforeRanges) {
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}, {"If-None-Match", "\"v1\""}}).status, 304);
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}, {"If-None-Match", "\"v2\""}}).status, 206);
}

TEST_F(Ranges, RangeConcernsOnlyGet) {
  const auto h = ask("HEAD", "/a", {{"Range", "bytes=0-1"}});
  EXPECT_EQ(h.status, 200);
  EXPECT_EQ(h.get("Content-Length"), "10");
}

TEST_F(Ranges, ARangeMissFetchesTheWholeAndLaterOnesAreHits) {
  origin.on("/b", Reply::fresh(pattern(50000)));
  const auto first = get("/b", {{"Range", "bytes=100-199"}});
  EXPECT_EQ(first.status, 206);
  EXPECT_EQ(first.body, pattern(50000).substr(100, 100));
  EXPECT_FALSE(origin.last("/b").has("Range"));
  EXPECT_TRUE(eventually([&] { return get("/b").x_cache() == "HIT"; }));
  EXPECT_TRUE(get("/b").body == pattern(50000));
  EXPECT_EQ(get("/b", {{"Range", "bytes=49990-"}}).body, pattern(50000).substr(49990));
  EXPECT_EQ(origin.count("/b"), 1u);
}

TEST_F(Ranges, ARangeMissOnAChunkedAnswerIsTrueAsWell) {
  origin.on("/b", Reply::fresh(pattern(5000)).chunked(700));
  const auto a = get("/b", {{"Range", "bytes=100-199"}});
  EXPECT_TRUE(a.complete());
  EXPECT_EQ(a.body, a.status == 206 ? pattern(5000).substr(100, 100) : pattern(5000));
  EXPECT_TRUE(get("/b").body == pattern(5000));
}

TEST_F(Ranges, ARangeOfAnObjectTooLargeToStorePasses) {
  daemon.reset();
  start("cache: {max_object: 10KiB}\nroutes: [{path: /**}]\n");
  origin.on("/big", [](const Received& r) {
    if (r.get("Range") == "bytes=0-9") return Reply(206).field("Content-Range", "bytes 0-9/50000").body(pattern(10));
    return Reply::fresh(pattern(50000));
  });
  const auto a = get("/big", {{"Range", "bytes=0-9"}});
  EXPECT_EQ(a.status, 206);
  EXPECT_EQ(a.body, pattern(10));
  EXPECT_TRUE(get("/big").body == pattern(50000));
}

TEST_F(Ranges, AnOrigins206IsPassedOnAndNeverStoredAsAWhole) {
  origin.on("/part", Reply(206).field("Cache-Control", "max-age=60").field("Content-Range", "bytes 0-1/10").body("01"));
  EXPECT_EQ(get("/part").status, 206);
  EXPECT_EQ(get("/part").status, 206);
  EXPECT_EQ(origin.count("/part"), 2u);
}

TEST_F(Ranges, APartHasNoDigestOfTheWhole) {
  const std::string kWhole[] = {"Content-Digest", "Content-MD5", "x-amz-checksum-crc32"};
  auto reply = Reply::fresh("0123456789").field("Repr-Digest", "crc32c=:AAAAAA==:").field("ETag", "\"1\"");
  for (const auto& name : kWhole) reply.field(name, "AAAAAA==");
  origin.on("/sums", reply);
  EXPECT_EQ(get("/sums", {{"Range", "bytes=0-1"}}).body, "01") << "while it comes";
  EXPECT_EQ(get("/sums").get("Content-Digest"), "AAAAAA==");
  for (const auto* range : {"bytes=0-1", "bytes=0-1,4-5"}) {
    const auto part = get("/sums", {{"Range", range}});
    EXPECT_EQ(part.status, 206) << range;
    EXPECT_EQ(part.x_cache(), "HIT");
    EXPECT_EQ(part.get("Repr-Digest"), "crc32c=:AAAAAA==:");
    EXPECT_EQ(part.get("ETag"), "\"1\"");
    for (const auto& name : kWhole) EXPECT_FALSE(part.has(name)) << range << ' ' << name;
  }
  EXPECT_FALSE(get("/sums", {{"Range", "bytes=0-1"}}).has("Content-MD5"));
  EXPECT_EQ(origin.count("/sums"), 1u);
}

TEST_F(Ranges, APassedRangeReachesTheOriginAsItIs) {
  daemon.reset();
  start("routes: [{path: /**, cache: false}]\n");
  origin.on("/p", Reply(206).field("Content-Range", "bytes 3-4/10").body("34"));
  EXPECT_EQ(get("/p", {{"Range", "bytes=3-4"}, {"If-Range", "\"v1\""}}).body, "34");
  EXPECT_EQ(origin.last("/p").get("Range"), "bytes=3-4");
  EXPECT_EQ(origin.last("/p").get("If-Range"), "\"v1\"");
}

}  // namespace
}  // namespace forebay::test
