// What writes invalidate by tags and groups, and when.
#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using http::Method;
using net::FetchError;
using Is = ScriptedContent::Is;

const FieldList kJson{{"Content-Type", "application/json"}};

class WriteEffectsTest : public ProxiedTest {
 protected:
  /// Reads at /r/{id} with the tags `reads` and `r-{id}`; writes at /w/{id} with these tags.
  void writes(const std::string& invalidates, const std::string& more = "") {
    configure_routes(
        "{name: all, path: '/r/{id}', tags: {add: [reads, 'r-{id}']}}, {name: other, path: /other, tags: {add: [o]}}, "
        "{name: writes, path: '/w/{id}', cache: false, invalidates: " +
        invalidates + "}" + more);
  }
  void store_both() {
    store("/r/1", kForAMinute);
    store("/r/2", kForAMinute);
  }
  FakeClient& post(const std::string& target, std::string body = {}, const FieldList& fields = kJson) {
    if (body.empty()) return ask(Method::Post, target);
    return ask(Method::Post, target, fields, [&](ScriptedContent& c) { c.add(std::move(body), Is::Last); });
  }
  std::uint64_t uncertain() { return counters.of("writes", 0).writes_uncertain.read(); }
};

TEST_F(WriteEffectsTest, ASuccessInvalidatesWhatHasTheTagAndNothingElse) {
  writes("['r-{id}']");
  store_both();
  post("/w/1");
  EXPECT_TRUE(is_hit("/r/1")) << "not before the origin has answered";
  const auto write = core.sources[core.sources.size() - 1];
  write->answer(200, {});
  EXPECT_FALSE(is_hit("/r/1"));
  EXPECT_TRUE(is_hit("/r/2"));
}

TEST_F(WriteEffectsTest, ItIsDoneBeforeTheClientHasTheHead) {
  writes("[reads]");
  store_both();
  auto& client = post("/w/1");
  source().head(303, {}, 5);
  EXPECT_EQ(client.status, 303);
  EXPECT_EQ(cache.numbers().entries, 0u);
}

// More than a worker purges itself.
TEST_F(WriteEffectsTest, ItIsDoneBeforeTheClientHasTheHeadHoweverMuchItIs) {
  writes("[reads]");
  for (int i = 0; i < 4000; ++i) {
    get("/r/" + std::to_string(i));
    source().answer(200, kForAMinute, "r");
  }
  clients.clear();
  const auto full = cache.numbers().entries;
  EXPECT_GT(full, 1000u);
  auto& client = post("/w/1");
  source().head(200, {}, 5);
  source().data("hello");
  source().end();
  while (client.status == 0) settle();
  EXPECT_EQ(cache.numbers().entries, 0u);
  EXPECT_EQ(client.read(), "hello");
  EXPECT_TRUE(client.read_all());
}

TEST_F(WriteEffectsTest, ErrorsInvalidateNothing) {
  writes("[reads]");
  store_both();
  for (const int status : {400, 404, 409, 500, 503}) {
    post("/w/1");
    source().answer(status, {});
  }
  EXPECT_TRUE(is_hit("/r/1"));
}

TEST_F(WriteEffectsTest, SafeMethodsAndDeclaredReadsInvalidateNothing) {
  writes("[reads]", ", {name: declared, path: /d, methods: [GET, POST], ttl: 1m, invalidates: [reads]}");
  store_both();
  get("/w/1");
  source().answer(200, {});
  post("/d", "{}");
  source().answer(200, kForAMinute);
  EXPECT_TRUE(is_hit("/r/1"));
  ask(Method::Delete, "/d");
  source().answer(204, {});
  EXPECT_FALSE(is_hit("/r/1")) << "the route does not declare this one";
}

TEST_F(WriteEffectsTest, PartsOfTheRequestsContent) {
  writes("['r-{body:/items}']");
  store_both();
  post("/w/x", R"({"items":["1","7"]})");
  source().answer(200, {});
  EXPECT_FALSE(is_hit("/r/1"));
  EXPECT_TRUE(is_hit("/r/2"));
  EXPECT_EQ(uncertain(), 0u);
}

TEST_F(WriteEffectsTest, TheContentIsReadWholeBeforeTheRequestGoes) {
  writes("['r-{body:/id}']");
  store_both();
  auto& client = ask(Method::Post, "/w/x", kJson, [](ScriptedContent& c) { c.add(R"({"id":)", Is::Part); });
  const auto before = asked();
  settle();
  EXPECT_EQ(asked(), before);
  client.content->add("\"2\"}", Is::Last);
  settle();
  ASSERT_EQ(asked(), before + 1);
  source().answer(200, {});
  EXPECT_TRUE(is_hit("/r/1"));
  EXPECT_FALSE(is_hit("/r/2"));
}

TEST_F(WriteEffectsTest, ContentThatCannotBeReadInvalidatesAllThatCanHaveTheTag) {
  writes("['r-{body:/id}']");
  for (const auto& body : {std::string("no json"), R"({"id":")" + std::string(70000, 'x') + "\"}"}) {
    get("/r/1");
    source().answer(200, kForAMinute);
    get("/other");
    if (core.sources.back()->wanted()) source().answer(200, kForAMinute);
    post("/w/x", body);
    source().answer(200, {});
    EXPECT_FALSE(is_hit("/r/1"));
    EXPECT_TRUE(is_hit("/other"));
    core.sources.back()->wanted() ? source().answer(200, kPrivate) : void();
  }
  EXPECT_EQ(uncertain(), 2u);
}

TEST_F(WriteEffectsTest, ATagThatNoRouteAddsMayBeOfAnyResponseWithTagsOfTheOrigin) {
  writes("['x{body:/id}']");
  store_both();
  post("/w/x", "no json");
  source().answer(200, {});
  EXPECT_FALSE(is_hit("/r/1"));
}

TEST_F(WriteEffectsTest, PartsOfTheAnswersContentAreReadBeforeItsHeadGoesOn) {
  writes("['r-{response_body:/id}']");
  store_both();
  auto& client = post("/w/x");
  source().head(201, kJson, 10);
  EXPECT_TRUE(source().data(R"({"id)"));
  EXPECT_EQ(client.status, 0);
  EXPECT_EQ(cache.numbers().entries, 2u);
  EXPECT_TRUE(source().data(R"(":"1"})"));
  EXPECT_EQ(client.status, 0);
  source().end();
  EXPECT_EQ(client.status, 201);
  EXPECT_EQ(client.read(), R"({"id":"1"})");
  EXPECT_TRUE(client.read_all());
  EXPECT_FALSE(is_hit("/r/1"));
  EXPECT_TRUE(is_hit("/r/2"));
}

TEST_F(WriteEffectsTest, ALongAnswerGoesOnAsItComesAndInvalidatesAllThatCanHaveTheTag) {
  writes("{tags: ['r-{response_body:/id}'], body_max: 16B}");
  store_both();
  auto& client = post("/w/x");
  source().head(200, kJson);
  EXPECT_TRUE(source().data(std::string(10, 'a')));
  EXPECT_EQ(client.status, 0);
  EXPECT_TRUE(source().data(std::string(10, 'b')));
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.read(), std::string(10, 'a') + std::string(10, 'b'));
  EXPECT_EQ(cache.numbers().entries, 0u);
  EXPECT_TRUE(source().data("c"));
  source().end();
  EXPECT_EQ(client.read(), "c");
  EXPECT_TRUE(client.read_all());
  EXPECT_EQ(uncertain(), 1u);
  // One that states its length is not waited for.
  auto& second = post("/w/x");
  source().head(200, kJson, 17);
  EXPECT_EQ(second.status, 200);
  source().data(std::string(17, 'a'));
  source().end();
  EXPECT_TRUE(second.read_all());
}

TEST_F(WriteEffectsTest, AnswersThatAreNoJsonAreNotHeld) {
  writes("['r-{response_body:/id}', reads]");
  store_both();
  auto& client = post("/w/x");
  source().head(200, {{"Content-Type", "text/html"}});
  EXPECT_EQ(client.status, 200);
  source().end();
  EXPECT_EQ(uncertain(), 0u);
  EXPECT_FALSE(is_hit("/r/1"));
}

TEST_F(WriteEffectsTest, AnAnswerThatIsCutIsStillASuccess) {
  writes("['r-{response_body:/id}']");
  store_both();
  auto& client = post("/w/x");
  source().head(200, kJson);
  source().data(R"({"id)");
  source().fail(FetchError::Reset);
  EXPECT_EQ(client.status, 200);
  EXPECT_TRUE(client.broken());
  EXPECT_EQ(cache.numbers().entries, 0u);
}

TEST_F(WriteEffectsTest, AnUnknownOutcomeMakesStale) {
  writes("['r-{id}']");
  for (const auto error : {FetchError::Reset, FetchError::FirstByteTimeout}) {
    store("/r/1", kTagged);
    post("/w/1");
    source().fail(error);
    settle();
    get("/r/1");
    EXPECT_EQ(source().fields.view().value("If-None-Match"), "\"1\"") << "it is kept for validation";
    source().answer(200, kPrivate);
    get("/r/1");
    source().answer(200, kPrivate);
    pass(1min);
  }
  store("/r/1", kTagged);
  post("/w/1");
  source().answer(504, {});
  EXPECT_FALSE(is_hit("/r/1"));
}

TEST_F(WriteEffectsTest, WhatWasNotSentInvalidatesNothing) {
  writes("[reads]");
  store_both();
  post("/w/1");
  source().sent = false;
  source().fail(FetchError::Connect);
  EXPECT_TRUE(is_hit("/r/1"));
}

TEST_F(WriteEffectsTest, HalfARequestMayHaveTakenEffect) {
  writes("[reads]");
  store_both();
  post("/w/1");
  source().fail(FetchError::ClientStalled);
  EXPECT_FALSE(is_hit("/r/1"));
}

TEST_F(WriteEffectsTest, AClientThatLeavesChangesNothing) {
  writes("[reads, 'x-{response_body:/id}']");
  store_both();
  auto& client = post("/w/1");
  client.leave();
  settle();
  ASSERT_TRUE(source().wanted());
  source().head(200, kJson);
  if (source().wanted()) source().data("{}");
  if (source().wanted()) source().end();
  EXPECT_FALSE(is_hit("/r/1"));
  EXPECT_TRUE(client.lines.empty());
}

TEST_F(WriteEffectsTest, AFetchThatBeganBeforeIsNotStoredAndNotJoined) {
  writes("['r-{id}']");
  auto& early = get("/r/1");
  const auto fetch = core.sources.back();
  post("/w/1");
  source().answer(204, {});
  auto& late = get("/r/1");
  fetch->answer(200, kForAMinute, "old");
  settle();
  EXPECT_EQ(early.read(), "old");
  EXPECT_EQ(late.status, 0);
  ASSERT_TRUE(source().wanted());
  source().answer(200, kForAMinute, "new");
  settle();
  EXPECT_EQ(late.read(), "new");
  EXPECT_EQ(get("/r/1").read(), "new");
}

TEST_F(WriteEffectsTest, SoftOnesAreServedStaleWhileOneRefreshRuns) {
  configure_routes(
      "{name: all, path: /r, stale: {while_revalidate: 1m}, tags: {add: [r]}}, "
      "{name: writes, path: /w, cache: false, invalidates: {tags: [r], mode: soft}}");
  store("/r", kForAMinute, "old");
  post("/w");
  source().answer(200, {});
  auto& stale = get("/r");
  EXPECT_EQ(stale.cache(), "STALE");
  ASSERT_TRUE(source().wanted());
  source().answer(200, kForAMinute, "new");
  settle();
  EXPECT_EQ(get("/r").read(), "new");
}

TEST_F(WriteEffectsTest, TagsOfTheOriginCount) {
  writes("[from-origin]");
  store("/r/1", {{"Cache-Control", "max-age=60"}, {"Surrogate-Key", "a from-origin"}});
  store("/r/2", {{"Cache-Control", "max-age=60"}, {"Cache-Tag", "from-origin-2"}});
  EXPECT_EQ(get("/r/1").field("Surrogate-Key"), "") << "clients do not get them";
  post("/w/1");
  source().answer(200, {});
  EXPECT_FALSE(is_hit("/r/1"));
  EXPECT_TRUE(is_hit("/r/2"));
}

TEST_F(WriteEffectsTest, WhatIsBeyondTheMostIsCounted) {
  configure("tags: {add: [own], max: 2, strip: false}");
  get("/a");
  source().answer(200, {{"Cache-Control", "max-age=60"}, {"Cache-Tag", "a b c"}});
  EXPECT_EQ(counters.of("all", 0).tags_dropped.read(), 2u);
  EXPECT_EQ(get("/a").field("Cache-Tag"), "a b c");
  EXPECT_EQ(cache.numbers().tags, 2u);
}

TEST_F(WriteEffectsTest, GroupsAreThoseOfTheirOriginAndOfUnsafeMethods) {
  configure("");
  const FieldList grouped{{"Cache-Control", "max-age=60"}, {"Cache-Groups", "\"g\", \"h\""}, {"Cache-Tag", "t"}};
  const auto invalidating = [&](Method method, const std::string& field, int status = 200) {
    ask(method, "/w");
    source().answer(status, {{"Cache-Group-Invalidation", field}});
  };
  store("/a", grouped);
  EXPECT_EQ(get("/a").field("Cache-Groups"), "\"g\", \"h\"") << "clients get them";
  invalidating(Method::Get, "\"g\"");
  invalidating(Method::Post, "\"g\"", 500);
  invalidating(Method::Post, "\"t\"");
  invalidating(Method::Post, "g");
  EXPECT_TRUE(is_hit("/a"));
  invalidating(Method::Post, "\"x\", \"h\"");
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(WriteEffectsTest, GroupsOfResponsesThatHostsShareAreFoundFromEachOfThem) {
  configure("key: {host: false, scheme: false}");
  store("/a", {{"Cache-Control", "max-age=60"}, {"Cache-Groups", "\"g\""}});
  ask(Method::Post, "/w");
  source().answer(200, {{"Cache-Group-Invalidation", "\"g\""}});
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(WriteEffectsTest, ARevalidationKeepsTheTags) {
  writes("['r-{id}']");
  store("/r/1", kTagged);
  pass(2min);
  get("/r/1");
  source().head(304, kTagged, {}, false);
  EXPECT_TRUE(is_hit("/r/1"));
  post("/w/1");
  source().answer(200, {});
  EXPECT_FALSE(is_hit("/r/1"));
}

}  // namespace
}  // namespace forebay::proxy
