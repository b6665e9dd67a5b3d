// Writes that invalidate reads by tags (`invalidates`), and cache groups.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Invalidates : public ForebayTest {
 protected:
  /// Reads are fresh, numbered and at /items/{id} and /list; writes are at /write.
  void begin(const std::string& writes, const Reply& to_write = Reply(200).body("done")) {
    origin.otherwise([to_write](const Received& r) {
      return r.path.starts_with("/write") ? to_write : Reply::fresh(std::to_string(r.number));
    });
    start(R"(
routes:
  - {name: item, path: "/items/{id}", tags: {add: ["item-{id}"]}}
  - {name: list, path: /list, tags: {add: [list]}}
  - {name: plain, path: /plain}
  - name: write
    path: "/write/{id}"
    cache: false
    invalidates: )" +
          writes + "\n");
  }
  bool hits(const std::string& path) { return get(path).x_cache() == "HIT"; }
  void fill(const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      get(path);
      ASSERT_TRUE(hits(path)) << path;
    }
  }
  FieldLines json{{"Content-Type", "application/json"}};
};

TEST_F(Invalidates, AReadAfterAWriteSeesIt) {
  begin("[list, 'item-{id}']");
  fill({"/items/1", "/items/2", "/list", "/plain"});
  EXPECT_EQ(ask("PUT", "/write/1", {}, "x").status, 200);
  EXPECT_FALSE(hits("/items/1"));
  EXPECT_FALSE(hits("/list"));
  EXPECT_TRUE(hits("/items/2"));
  EXPECT_TRUE(hits("/plain"));
}

TEST_F(Invalidates, PartsOfTheRequestAndOfTheAnswer) {
  begin("['item-{body:/ids}', 'item-{header:X-Item}', 'item-{response_body:/id}', 'item-{response_header:X-Made}']",
        Reply(201).field("Content-Type", "application/json").field("X-Made", "5").body(R"({"id":4})").chunked(3));
  fill({"/items/1", "/items/2", "/items/3", "/items/4", "/items/5", "/items/6"});
  auto fields = json;
  fields.emplace_back("X-Item", "3");
  const auto answer = ask("POST", "/write/x", fields, R"({"ids":["1",2]})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"id":4})");
  for (const auto* path : {"/items/1", "/items/2", "/items/3", "/items/4", "/items/5"})
    EXPECT_FALSE(hits(path)) << path;
  EXPECT_TRUE(hits("/items/6"));
  EXPECT_EQ(origin.last("/write/x").body, R"({"ids":["1",2]})");
}

TEST_F(Invalidates, TheAnswerMayBeLabelledAsJsonOfItsOwnKind) {
  begin("['item-{response_body:/Attributes/Id/S}']",
        Reply(200).field("Content-Type", "application/x-amz-json-1.0").body(R"({"Attributes":{"Id":{"S":"4"}}})"));
  fill({"/items/4", "/items/5"});
  EXPECT_EQ(ask("POST", "/write/x").status, 200);
  EXPECT_FALSE(hits("/items/4"));
  EXPECT_TRUE(hits("/items/5"));
}

TEST_F(Invalidates, ACaptureIsTheTextThatADocumentHas) {
  begin("['item-{body:/id}']");
  fill({"/items/a%40b%20c", "/items/ab"});
  EXPECT_EQ(ask("POST", "/write/x", json, R"({"id":"a@b c"})").status, 200);
  EXPECT_FALSE(hits("/items/a%40b%20c"));
  EXPECT_TRUE(hits("/items/ab"));
}

TEST_F(Invalidates, AWriteThatIsSentTwiceMayHaveBeenDoneByTheFirst) {
  begin("['item-{id}']");
  fill({"/items/1"});
  auto client = connect();  // its worker uses the connection of the first request again
  EXPECT_EQ(client.ask("DELETE", "/write/0").status, 200);
  const auto asked = std::make_shared<std::atomic<int>>(0);
  origin.on("/write/1",
            [asked](const Received&) { return ++*asked == 1 ? Reply::hang_up(End::Fin) : Reply(404).body("-"); });
  EXPECT_EQ(client.ask("DELETE", "/write/1").status, 404);
  EXPECT_FALSE(hits("/items/1"));
}

TEST_F(Invalidates, AWriteDuringACoalescedFetchKeepsItsResponseOutOfTheStore) {
  const auto open = gate();
  origin.otherwise([open](const Received& r) {
    if (r.method == "POST") return Reply(204);
    auto reply = Reply::fresh(std::to_string(r.number));
    if (r.path == "/list") reply.after(open);
    return reply;
  });
  start(R"(
routes:
  - {name: list, path: /list, tags: {add: [list]}}
  - {name: write, path: /write, cache: false, methods: POST, invalidates: [list]}
)");
  auto leader = connect(), follower = connect();
  leader.request("GET", "/list");
  ASSERT_TRUE(origin.wait_for("/list", 1));
  follower.request("GET", "/list");
  ASSERT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  EXPECT_EQ(ask("POST", "/write").status, 204);
  auto late = connect();
  late.request("GET", "/list");
  open->open();
  const auto old = leader.read();
  EXPECT_EQ(old.status, 200);
  EXPECT_EQ(follower.read().status, 200);
  const auto fresh = late.read();
  EXPECT_EQ(fresh.status, 200);
  EXPECT_NE(fresh.body, old.body) << "it came after the write";
  EXPECT_NE(get("/list").body, old.body);
}

TEST_F(Invalidates, AClientThatLeavesDoesNotKeepTheWriteFromCounting) {
  const auto open = gate();
  begin("['item-{id}']", Reply(200).after(open).body("done"));
  fill({"/items/1"});
  {
    auto client = connect();
    client.request("POST", "/write/1", {}, "x");
    ASSERT_TRUE(origin.wait_for("/write/1", 1));
  }
  open->open();
  EXPECT_TRUE(metric_becomes("forebay_cache_entries", {}, 0));
  EXPECT_FALSE(hits("/items/1"));
}

TEST_F(Invalidates, AWriteWithoutAnAnswerMakesStale) {
  begin("['item-{id}']", Reply::hang_up(End::Fin));
  origin.on("/items/1", [](const Received& r) {
    return r.has("If-None-Match") ? Reply(304).field("ETag", "\"1\"").field("Cache-Control", "max-age=60")
                                  : Reply::fresh("one").field("ETag", "\"1\"");
  });
  fill({"/items/1"});
  EXPECT_EQ(ask("POST", "/write/1", {}, "x").status, 502);
  EXPECT_EQ(get("/items/1").x_cache(), "REVALIDATED");
  EXPECT_TRUE(hits("/items/1"));
}

TEST_F(Invalidates, AnAnswerThatIsTooLongIsPassedOnAndMoreIsInvalidated) {
  const auto body = "{\"id\":\"" + pattern(200'000) + "\"}";
  begin("{tags: ['item-{response_body:/id}'], body_max: 1KiB}",
        Reply(200).field("Content-Type", "application/json").body(body).chunked(1000));
  fill({"/items/1", "/list"});
  EXPECT_EQ(ask("POST", "/write/x").body, body);
  EXPECT_FALSE(hits("/items/1"));
  EXPECT_TRUE(hits("/list"));
  EXPECT_EQ(metric("forebay_writes_uncertain_total", {{"route", "write"}}), 1);
}

TEST_F(Invalidates, AnAnswerThatIsHeldHasItsTrailersAndLength) {
  begin("['item-{response_body:/id}']",
        Reply(200).field("Content-Type", "application/json").body(R"({"id":1})").chunked().trailer("X-End", "1"));
  fill({"/items/1"});
  const auto answer = ask("POST", "/write/x");
  EXPECT_EQ(answer.body, R"({"id":1})");
  EXPECT_EQ(answer.trailers.get("X-End"), "1");
  EXPECT_FALSE(hits("/items/1"));
}

TEST_F(Invalidates, ContentBeyondTheLimitGoesToTheOriginAndMoreIsInvalidated) {
  begin("['item-{body:/id}']");
  fill({"/items/1", "/list"});
  const auto body = "{\"id\":\"" + pattern(150'000) + "\"}";
  EXPECT_EQ(ask("POST", "/write/x", json, body).status, 200);
  EXPECT_EQ(origin.last("/write/x").body, body);
  EXPECT_FALSE(hits("/items/1"));
  EXPECT_TRUE(hits("/list"));
}

TEST_F(Invalidates, AllVariantsGo) {
  origin.on("/items/1", [](const Received& r) { return Reply::fresh(std::to_string(r.number)).field("Vary", "X-V"); });
  begin("['item-{id}']");
  const auto one = get("/items/1", {{"X-V", "1"}}).body, two = get("/items/1", {{"X-V", "2"}}).body;
  ASSERT_EQ(get("/items/1", {{"X-V", "1"}}).body, one);
  EXPECT_EQ(ask("DELETE", "/write/1").status, 200);
  EXPECT_NE(get("/items/1", {{"X-V", "1"}}).body, one);
  EXPECT_NE(get("/items/1", {{"X-V", "2"}}).body, two);
}

TEST_F(Invalidates, SoftOnesAreServedWhileTheyAreRefreshed) {
  origin.otherwise([](const Received& r) {
    return r.method == "POST" ? Reply(200)
                              : Reply::with("max-age=60, stale-while-revalidate=60", std::to_string(r.number));
  });
  start(R"(
routes:
  - {name: list, path: /list, tags: {add: [list]}}
  - {name: write, path: /write, cache: false, invalidates: {tags: [list], mode: soft}}
)");
  const auto before = get("/list").body;
  EXPECT_EQ(ask("POST", "/write").status, 200);
  const auto stale = get("/list");
  EXPECT_EQ(stale.x_cache(), "STALE");
  EXPECT_EQ(stale.body, before);
  EXPECT_TRUE(eventually([&] { return get("/list").body != before; }));
}

TEST_F(Invalidates, GroupsAreInvalidatedByAnswersToUnsafeMethodsOfTheirHost) {
  origin.otherwise([](const Received& r) {
    if (r.path == "/write") return Reply(204).field("Cache-Group-Invalidation", "\"a\"");
    return Reply::fresh(std::to_string(r.number)).field("Cache-Groups", "\"a\", \"b\"");
  });
  start();
  const FieldLines other{{"Host", "other.test"}};
  const auto ours = get("/x");
  EXPECT_EQ(ours.get("Cache-Groups"), "\"a\", \"b\"");
  const auto theirs = get("/x", other).body;
  get("/write");
  EXPECT_EQ(get("/x").body, ours.body);
  EXPECT_EQ(ask("POST", "/write").status, 204);
  EXPECT_NE(get("/x").body, ours.body);
  EXPECT_EQ(get("/x", other).body, theirs);
}

}  // namespace
}  // namespace forebay::test
