// Compressed forms of stored responses, as requests choose among them.
#include "forebay/content/coding.hpp"
#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using content::Compression;

const FieldList kPage{{"Cache-Control", "max-age=60"}, {"Content-Type", "text/html"}, {"ETag", "\"1\""}};

FieldList with(FieldList list, const char* name, const char* value) {
  list.emplace_back(name, value);
  return list;
}
FieldList accepting(const char* codings) { return {{"Accept-Encoding", codings}}; }

class RepresentTest : public ProxiedTest {
 protected:
  RepresentTest() {
    configure("compress: [zstd, br, gzip]");
    for (int i = 0; page.size() < 5000; ++i) page += "line " + std::to_string(i) + " of the page\n";
  }
  /// What is asked for is made before the next request.
  FakeClient& ask_twice(const std::string& target, const FieldList& fields) {
    get(target, fields);
    shared.compressor.work();
    return get(target, fields);
  }
  std::string decoded(FakeClient& client) {
    const auto body = client.read();
    EXPECT_EQ(client.length.value_or(0), body.size());
    std::string out;
    return content::decode(client.field("Content-Encoding"), body, 1 << 20, out) ? out : "an error";
  }
  std::size_t jobs() const {
    std::size_t all = 0;
    for (std::size_t i = 0; i < content::kCompressions; ++i)
      for (const auto& n : shared.compressor.numbers(static_cast<Compression>(i)).outcomes) all += n.load();
    return all;
  }

  std::string page;
};

TEST_F(RepresentTest, OneFetchServesEveryCoding) {
  store("/a", kPage, page);
  auto& first = get("/a", accepting("gzip"));
  EXPECT_EQ(first.field("Content-Encoding"), "") << "nothing waits for it";
  EXPECT_EQ(first.read(), page);
  shared.compressor.work();
  for (const char* coding : {"gzip", "br", "zstd"}) {
    auto& client = ask_twice("/a", accepting(coding));
    EXPECT_EQ(client.field("Content-Encoding"), coding);
    EXPECT_EQ(client.cache(), "HIT");
    EXPECT_LT(client.length.value_or(0), page.size());
    EXPECT_EQ(decoded(client), page);
  }
  EXPECT_EQ(get("/a").read(), page);
  EXPECT_EQ(get("/a", accepting("identity")).read(), page);
  EXPECT_EQ(asked(), 1u);
  EXPECT_EQ(jobs(), 3u);
}

TEST_F(RepresentTest, TheOriginIsAskedForIdentity) {
  get("/a", accepting("gzip, br"));
  EXPECT_EQ(source().fields.view().value(http::FieldId::AcceptEncoding), "identity");
  configure("");
  get("/b", accepting("gzip, br"));
  EXPECT_EQ(source().fields.view().value(http::FieldId::AcceptEncoding), "gzip, br");
}

TEST_F(RepresentTest, WhatIsHardlyStoredIsAskedForAsTheClientAsks) {
  configure("compress: [gzip]");
  get("/a", accepting("br"));
  source().answer(200, kPrivate);
  get("/a", accepting("br"));
  EXPECT_EQ(source().fields.view().value(http::FieldId::AcceptEncoding), "br") << "pass memory";
  get("/b", {{"Accept-Encoding", "br"}, {"Authorization", "Bearer a"}});
  EXPECT_EQ(source().fields.view().value(http::FieldId::AcceptEncoding), "br");
  ask(http::Method::Post, "/c", accepting("br"));
  EXPECT_EQ(source().fields.view().value(http::FieldId::AcceptEncoding), "br");
}

TEST_F(RepresentTest, AllFormsSayThatTheyVary) {
  auto& miss = get("/a", accepting("gzip"));
  source().answer(200, kPage, page);
  EXPECT_EQ(miss.field("Vary"), "Accept-Encoding") << "also while it comes";
  EXPECT_EQ(get("/a").field("Vary"), "Accept-Encoding");
  EXPECT_EQ(ask_twice("/a", accepting("gzip")).field("Vary"), "Accept-Encoding");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"1\""}}).field("Vary"), "Accept-Encoding") << "a 304";
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-3"}}).field("Vary"), "Accept-Encoding") << "a part";
}

TEST_F(RepresentTest, AVaryOfTheOriginIsKeptAndSelectsByItsOtherNames) {
  const auto varied = with(kPage, "Vary", "Accept-Encoding, Accept-Language");
  get("/a", {{"Accept-Encoding", "gzip"}, {"Accept-Language", "de"}});
  source().answer(200, varied, page);
  auto& other = get("/a", {{"Accept-Encoding", "br"}, {"Accept-Language", "de"}});
  EXPECT_EQ(other.cache(), "HIT") << "the origin was not asked by it";
  EXPECT_EQ(other.field("Vary"), "Accept-Encoding, Accept-Language");
  get("/a", {{"Accept-Encoding", "br"}, {"Accept-Language", "fr"}});
  EXPECT_EQ(asked(), 2u);
}

TEST_F(RepresentTest, TheRouteCannotTakeAwayThatTheFormVaries) {
  for (const auto* change :
       {"{remove: [Vary, Content-Encoding]}", "{set: {Vary: Origin}}", "{set: {Vary: 'Origin, Accept-Encoding'}}"}) {
    configure(std::string("compress: [gzip], response_headers: ") + change);
    const std::string path = '/' + std::to_string(asked());
    for (const auto& origins : {kPage, with(kPage, "Vary", "Accept-Encoding")}) {
      const auto target = path + '/' + std::to_string(origins.size());
      store(target, origins, page);
      for (auto* client : {&ask_twice(target, accepting("gzip")), &get(target)}) {
        EXPECT_THAT(client->lines, testing::HasSubstr("Accept-Encoding")) << change;
        EXPECT_EQ(client->lines.find("Vary: Origin") != std::string::npos, *(change + 1) == 's');
      }
      EXPECT_EQ(get(target, accepting("gzip")).field("Content-Encoding"), "gzip") << change;
      EXPECT_THAT(get(target, {{"If-None-Match", "\"1\""}}).lines, testing::HasSubstr("Accept-Encoding")) << "a 304";
    }
  }
}

TEST_F(RepresentTest, ATagOfTheRouteIsWeakOnACompressedForm) {
  configure("compress: [gzip], response_headers: {set: {ETag: '\"own\"', Content-Digest: 'sha-256=:AA==:'}}");
  store("/a", kPage, page);
  auto& gzip = ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(gzip.field("Content-Encoding"), "gzip");
  EXPECT_EQ(gzip.field("ETag"), "W/\"own\"");
  EXPECT_EQ(gzip.field("Content-Digest"), "") << "it is of the other form";
  auto& plain = get("/a");
  EXPECT_EQ(plain.field("ETag"), "\"own\"");
  EXPECT_NE(plain.field("Content-Digest"), "");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"own\""}, {"Accept-Encoding", "gzip"}}).status, 304);
}

TEST_F(RepresentTest, ACompressedFormHasAWeakTagAndEitherIsAnswered304) {
  store("/a", kPage, page);
  auto& gzip = ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(gzip.field("ETag"), "W/\"1\"");
  for (const char* tag : {"\"1\"", "W/\"1\"", "\"0\", W/\"1\""})
    for (const char* codings : {"gzip", "identity"}) {
      auto& client = get("/a", {{"If-None-Match", tag}, {"Accept-Encoding", codings}});
      EXPECT_EQ(client.status, 304) << tag;
      EXPECT_EQ(client.field("ETag"), std::string(codings) == "gzip" ? "W/\"1\"" : "\"1\"");
      EXPECT_EQ(client.field("Content-Encoding"), "");
    }
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"2\""}, {"Accept-Encoding", "gzip"}}).status, 200);
}

TEST_F(RepresentTest, ARevalidationSendsTheOriginsTagAndKeepsTheForms) {
  store("/a", kPage, page);
  ask_twice("/a", accepting("gzip"));
  ASSERT_EQ(jobs(), 1u);
  pass(70s);
  auto& client = get("/a", accepting("gzip"));
  EXPECT_EQ(source().fields.view().value(http::FieldId::IfNoneMatch), "\"1\"");
  source().answer(304, with(kPage, "X-New", "1"), "");
  EXPECT_EQ(client.cache(), "REVALIDATED");
  EXPECT_EQ(client.field("Content-Encoding"), "gzip");
  EXPECT_EQ(client.field("X-New"), "1");
  EXPECT_EQ(decoded(client), page);
  auto& hit = get("/a", accepting("gzip"));
  EXPECT_EQ(hit.cache(), "HIT");
  EXPECT_EQ(decoded(hit), page);
  EXPECT_EQ(hit.field("X-New"), "1");
  EXPECT_EQ(jobs(), 1u) << "the body is the same";
}

TEST_F(RepresentTest, WhatIsValidatedAtEachUseIsCompressedToo) {
  const FieldList validated{{"Cache-Control", "no-cache"}, {"Content-Type", "text/html"}, {"ETag", "\"1\""}};
  store("/a", validated, page);
  for (const char* coding : {"", "gzip"}) {
    auto& client = get("/a", accepting("gzip"));
    source().answer(304, validated, "");
    EXPECT_EQ(client.field("Content-Encoding"), coding);
    EXPECT_EQ(decoded(client), page);
    shared.compressor.work();
  }
}

TEST_F(RepresentTest, ANewBodyHasNewForms) {
  store("/a", kPage, page);
  ask_twice("/a", accepting("gzip"));
  pass(70s);
  const auto other = page + "more";
  get("/a");
  source().answer(200, {{"Cache-Control", "max-age=60"}, {"Content-Type", "text/html"}, {"ETag", "\"2\""}}, other);
  auto& client = ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(client.field("ETag"), "W/\"2\"");
  EXPECT_EQ(decoded(client), other);
  EXPECT_EQ(jobs(), 2u);
}

TEST_F(RepresentTest, AHeadTellsOfTheFormThatAGetWouldGet) {
  store("/a", kPage, page);
  auto& get_it = ask_twice("/a", accepting("br"));
  auto& head = ask(http::Method::Head, "/a", accepting("br"));
  EXPECT_EQ(head.field("Content-Encoding"), "br");
  EXPECT_EQ(head.field("ETag"), "W/\"1\"");
  EXPECT_EQ(head.length, get_it.length);
}

TEST_F(RepresentTest, RangesAreCutFromIdentity) {
  store("/a", with(kPage, "Accept-Ranges", "bytes"), page);
  auto& whole = ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(whole.field("Accept-Ranges"), "") << "nobody continues a compressed form";
  auto range = [&](FieldList fields) -> FakeClient& {
    fields.emplace_back("Range", "bytes=2-5");
    fields.emplace_back("Accept-Encoding", "gzip");
    return get("/a", fields);
  };
  auto& part = range({});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.field("Content-Encoding"), "");
  EXPECT_EQ(part.field("ETag"), "\"1\"");
  EXPECT_EQ(part.read(), page.substr(2, 4));
  EXPECT_EQ(range({{"If-Range", "\"1\""}}).status, 206);
  for (const char* validator : {"W/\"1\"", "\"0\""}) EXPECT_EQ(range({{"If-Range", validator}}).status, 200);
}

TEST_F(RepresentTest, ADateDoesNotJoinPartsOfTwoForms) {
  const FieldList dated{{"Cache-Control", "max-age=60"},
                        {"Content-Type", "text/html"},
                        {"Date", "Mon, 30 Nov 2026 08:00:00 GMT"},
                        {"Last-Modified", "Mon, 30 Nov 2026 07:00:00 GMT"}};
  store("/a", dated, page);
  const FieldList rest{{"Range", "bytes=2-5"}, {"If-Range", "Mon, 30 Nov 2026 07:00:00 GMT"}};
  EXPECT_EQ(get("/a", rest).status, 206) << "this client has identity";
  auto& whole = get("/a", with(rest, "Accept-Encoding", "gzip"));
  EXPECT_EQ(whole.status, 200) << "this one may have the first part of a compressed form";
  shared.compressor.work();
  auto& compressed = get("/a", with(rest, "Accept-Encoding", "gzip"));
  EXPECT_EQ(compressed.status, 200);
  EXPECT_EQ(decoded(compressed), page);
}

TEST_F(RepresentTest, DigestsOfIdentityAreNotThoseOfACompressedForm) {
  auto fields = kPage;
  for (const char* name : {"Content-Digest", "Repr-Digest", "Digest", "Content-MD5"}) fields.emplace_back(name, "x");
  fields.emplace_back("X-Kept", "yes");
  store("/a", fields, page);
  auto& client = ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(client.field("Content-Encoding"), "gzip");
  for (const char* name : {"Content-Digest", "Repr-Digest", "Digest", "Content-MD5"})
    EXPECT_EQ(client.field(name), "") << name;
  EXPECT_EQ(client.field("X-Kept"), "yes");
  EXPECT_EQ(get("/a").field("Content-Digest"), "x");
}

TEST_F(RepresentTest, WhatIsNotToBeCompressedIsLeftAndDoesNotVary) {
  const std::pair<const char*, FieldList> cases[] = {
      {"no-transform", {{"Cache-Control", "max-age=60, no-transform"}, {"Content-Type", "text/html"}}},
      {"type", {{"Cache-Control", "max-age=60"}, {"Content-Type", "image/png"}}},
      {"encoded", with(kPage, "Content-Encoding", "gzip")},
      {"signed", with(kPage, "Signature-Input", "sig=()")},
  };
  for (const auto& [what, fields] : cases) {
    const auto target = std::string("/") + what;
    store(target, fields, page);
    auto& client = ask_twice(target, accepting("gzip"));
    EXPECT_EQ(client.field("Vary"), "") << what;
    EXPECT_EQ(client.read(), page) << what;
  }
  store("/small", kPage, "short");
  EXPECT_EQ(ask_twice("/small", accepting("gzip")).field("Vary"), "");
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(RepresentTest, AResponseWithSetCookieIsNotCompressed) {
  configure("compress: [gzip], set_cookie: store");
  store("/a", with(kPage, "Set-Cookie", "a=1"), page);
  EXPECT_EQ(ask_twice("/a", accepting("gzip")).field("Content-Encoding"), "");
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(RepresentTest, ARequestThatForbidsTransformationsGetsIdentity) {
  store("/a", kPage, page);
  ask_twice("/a", accepting("gzip"));
  auto& client = get("/a", {{"Accept-Encoding", "gzip"}, {"Cache-Control", "no-transform"}});
  EXPECT_EQ(client.field("Content-Encoding"), "");
  EXPECT_EQ(client.field("ETag"), "\"1\"");
}

TEST_F(RepresentTest, WhatIsKeptUnderACookieIsNotCompressed) {
  configure("compress: [gzip], key: {cookies: [session]}");
  const FieldList fields{{"Accept-Encoding", "gzip"}, {"Cookie", "session=1"}};
  get("/a", fields);
  source().answer(200, kPage, page);
  EXPECT_EQ(ask_twice("/a", fields).field("Content-Encoding"), "");
  EXPECT_EQ(jobs(), 0u);
  get("/a", accepting("gzip"));
  source().answer(200, kPage, page);
  EXPECT_EQ(ask_twice("/a", accepting("gzip")).field("Content-Encoding"), "gzip") << "without one it is everybody's";
}

TEST_F(RepresentTest, WhatTheOriginEncodesNeverthelessGoesToWhoAcceptsIt) {
  get("/a", accepting("gzip"));
  source().answer(200, with(kPage, "Content-Encoding", "gzip"), page);
  EXPECT_EQ(get("/a", accepting("gzip")).cache(), "HIT");
  get("/a", accepting("br"));
  EXPECT_EQ(asked(), 2u) << "it refuses that coding";
}

TEST_F(RepresentTest, AnotherCodingThatIsMadeIsBetterThanNone) {
  store("/a", kPage, page);
  ask_twice("/a", accepting("gzip"));
  auto& client = get("/a", accepting("zstd, gzip"));
  EXPECT_EQ(client.field("Content-Encoding"), "gzip") << "zstd is only asked for";
  shared.compressor.work();
  EXPECT_EQ(get("/a", accepting("zstd, gzip")).field("Content-Encoding"), "zstd");
}

TEST_F(RepresentTest, ARouteChangesFieldsOfACompressedFormToo) {
  configure("compress: [gzip], response_headers: {set: {X-Own: yes}, remove: [ETag]}");
  store("/a", kPage, page);
  auto& client = ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(client.field("X-Own"), "yes");
  EXPECT_EQ(client.field("ETag"), "");
  EXPECT_EQ(decoded(client), page);
}

TEST_F(RepresentTest, APurgeAndAnEvictionFreeTheForms) {
  store("/a", kPage, page);
  ask_twice("/a", accepting("gzip"));
  EXPECT_EQ(shared.compressor.held().bodies(), 1u);
  clients.clear();
  ask(http::Method::Delete, "/a");
  source().answer(204, {}, "");
  clients.clear();
  settle();
  EXPECT_EQ(shared.compressor.held().bodies(), 0u);
  EXPECT_EQ(shared.compressor.held().bytes(), 0u);
}

TEST_F(RepresentTest, TheLogSaysInWhichCodingItWasSent) {
  store("/a", kPage, page);
  EXPECT_EQ(get("/a", accepting("gzip")).notes().coding, "");
  shared.compressor.work();
  EXPECT_EQ(get("/a", accepting("gzip")).notes().coding, "gzip");
}

}  // namespace
}  // namespace forebay::proxy
