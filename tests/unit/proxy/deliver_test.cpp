#include "proxied.hpp"

namespace forebay::proxy {
namespace {

class DeliverTest : public ProxiedTest {
 protected:
  void keep() {
    store("/a", {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}, {"Content-Type", "text/plain"}}, "0123456789");
  }
};

TEST_F(DeliverTest, AHitSaysHowOldItIs) {
  keep();
  pass(7s);
  auto& client = get("/a");
  EXPECT_EQ(client.field("Age"), "7");
  EXPECT_EQ(client.cache(), "HIT");
  EXPECT_THAT(client.field("Cache-Status"), testing::HasSubstr("hit; ttl=53"));
  EXPECT_EQ(client.length, 10u);
}

TEST_F(DeliverTest, AClientThatHasItIsToldSo) {
  keep();
  auto& client = get("/a", {{"If-None-Match", "\"1\""}});
  EXPECT_EQ(client.status, 304);
  EXPECT_EQ(client.field("ETag"), "\"1\"");
  EXPECT_EQ(client.field("Content-Type"), "");
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"2\""}}).status, 200);
}

TEST_F(DeliverTest, AMissToIsMadeWhatTheClientAskedFor) {
  auto& client = get("/a", {{"If-None-Match", "\"1\""}});
  EXPECT_FALSE(source().fields.view().has(http::FieldId::IfNoneMatch)) << "the whole is for all";
  source().answer(200, kTagged);
  EXPECT_EQ(client.status, 304);
  auto& part = get("/b", {{"Range", "bytes=1-2"}});
  source().answer(200, kTagged, "body");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.read(), "od");
}

TEST_F(DeliverTest, ARangeIsCutOutOfWhatIsStored) {
  keep();
  auto& one = get("/a", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(one.status, 206);
  EXPECT_EQ(one.field("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(one.length, 3u);
  EXPECT_EQ(one.read(), "234");
  auto& two = get("/a", {{"Range", "bytes=0-1,8-"}});
  EXPECT_EQ(two.status, 206);
  EXPECT_THAT(two.field("Content-Type"), testing::StartsWith("multipart/byteranges; boundary="));
  const auto parts = two.read();
  EXPECT_EQ(two.length, parts.size());
  EXPECT_THAT(parts, testing::HasSubstr("Content-Range: bytes 0-1/10\r\n\r\n01\r\n"));
  EXPECT_THAT(parts, testing::HasSubstr("Content-Range: bytes 8-9/10\r\n\r\n89\r\n"));
  auto& beyond = get("/a", {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.field("Content-Range"), "bytes */10");
  EXPECT_EQ(get("/a", {{"Range", "bytes=2-4"}, {"If-Range", "\"2\""}}).status, 200);
}

TEST_F(DeliverTest, TheRoutesFieldsAreChangedAtTheEnd) {
  configure("response_headers: {set: {X-Site: one}, remove: [Content-Type]}");
  keep();
  auto& client = get("/a");
  EXPECT_EQ(client.field("X-Site"), "one");
  EXPECT_EQ(client.field("Content-Type"), "");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"1\""}}).field("X-Site"), "one");
}

TEST_F(DeliverTest, AnErrorOfForebaysOwnIsNotToBeKept) {
  auto& client = get("/a");
  source().fail(net::FetchError::Connect);
  EXPECT_EQ(client.field("Cache-Control"), "no-store");
  EXPECT_THAT(client.field("Content-Type"), testing::StartsWith("application/problem+json"));
  EXPECT_THAT(client.read(), testing::HasSubstr("Could not connect to the origin."));
}

}  // namespace
}  // namespace forebay::proxy
