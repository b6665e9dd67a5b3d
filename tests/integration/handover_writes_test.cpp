// Purges and writes while two processes have connections: clients of both see them.
#include <atomic>

#include "handover.hpp"

namespace forebay::test {
namespace {

class HandoverWrites : public Handover {
 protected:
  HandoverWrites() {
    // Each answer is another one, and fresh.
    origin.otherwise([this](const Received&) { return Reply::fresh(std::to_string(++answers_)); });
  }
  std::string shop() const {
    return settings() + "purge: {methods: [PURGE, BAN]}\nlisten: [" + quoted(plain_) + R"(]
routes:
  - {name: item, path: "/items/{id}", tags: {add: ["item-{id}"]}}
  - {name: write, path: "/write/{id}", cache: false, invalidates: ["item-{id}"]}
  - {path: /**}
)";
  }
  /// A connection that has been used.
  Client connection(bool http2) {
    auto client = http2 ? by_http2(Socket::connect(plain_)) : to_plain();
    EXPECT_EQ(client.get("/first").status, 200);
    return client;
  }
  /// The old process may accept until it has heard that it is replaced.
  std::string stored_by_the_new(const std::string& path) {
    std::string body;
    EXPECT_TRUE(eventually([&] {
      const auto got = to_plain().get(path);
      body = got.body;
      return got.x_cache() == "HIT";
    }));
    return body;
  }

  std::atomic<int> answers_{0};
};

TEST_F(HandoverWrites, APurgeOnAnOldConnectionIsToBeRepeated) {
  for (const bool http2 : {false, true}) {
    SCOPED_TRACE(http2);
    start(shop());
    auto old = connection(http2), other = connection(http2);
    auto next = another(shop());
    const auto before = stored_by_the_new("/a");
    const auto refused = old.ask("PURGE", "/a");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.get("Retry-After"), "1");
    EXPECT_THAT(refused.body, HasSubstr("being replaced"));
    if (!http2) {
      EXPECT_EQ(refused.get("Connection"), "close");
    }
    EXPECT_EQ(other.ask("BAN", "/", {{"Forebay-Prefix", "/a"}}).status, 503);
    EXPECT_EQ(to_plain().ask("PURGE", "/a").status, 200);
    EXPECT_NE(to_plain().get("/a").body, before);
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
    daemon = std::move(next);
    EXPECT_EQ(daemon->stop().value_or(-1), 0);
  }
}

TEST_F(HandoverWrites, AWriteOnAnOldConnectionIsSeenByTheNewProcess) {
  for (const bool http2 : {false, true}) {
    SCOPED_TRACE(http2);
    start(shop());
    auto by_url = connection(http2), by_tag = connection(http2), read = connection(http2);
    auto next = another(shop());
    auto before = stored_by_the_new("/a");
    EXPECT_EQ(by_url.ask("PUT", "/a", {}, "x").status, 200);
    EXPECT_NE(to_plain().get("/a").body, before);
    before = stored_by_the_new("/items/1");
    EXPECT_EQ(by_tag.ask("POST", "/write/1", {}, "x").status, 200);
    EXPECT_NE(to_plain().get("/items/1").body, before);
    before = stored_by_the_new("/items/1");
    EXPECT_EQ(read.get("/items/1").x_cache(), "BYPASS");
    EXPECT_EQ(to_plain().get("/items/1").body, before) << "only writes change that";
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
    daemon = std::move(next);
    EXPECT_TRUE(metric_reaches("forebay_purges_total", {{"kind", "write"}, {"mode", "hard"}}, 2));
    EXPECT_THAT(daemon->log(), HasSubstr("a write on a connection of the replaced process"));
    EXPECT_EQ(daemon->stop().value_or(-1), 0);
  }
}

TEST_F(HandoverWrites, APurgeAtTheNewProcessIsSeenOnOldConnections) {
  for (const bool http2 : {false, true}) {
    SCOPED_TRACE(http2);
    start(shop());
    auto old = connection(http2), same = connection(http2);
    const auto before = same.get("/a").body;
    EXPECT_EQ(same.get("/a").x_cache(), "HIT");
    auto next = another(shop());
    stored_by_the_new("/a");
    EXPECT_EQ(to_plain().ask("PURGE", "/a").status, 200);
    for (auto* client : {&old, &same}) {
      const auto got = client->get("/a");
      EXPECT_NE(got.body, before);
      EXPECT_EQ(got.x_cache(), "BYPASS");
      EXPECT_THAT(got.cache_status(), HasSubstr("replaced"));
    }
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
    daemon = std::move(next);
    EXPECT_EQ(daemon->stop().value_or(-1), 0);
  }
}

// The process in the middle has no client, and passes on what it hears.
TEST_F(HandoverWrites, AWriteIsSeenByTheNextProcessButOne) {
  start(shop());
  auto old = connection(false);
  auto second = another(shop());
  auto third = another(shop());
  const auto before = stored_by_the_new("/a");
  EXPECT_EQ(old.ask("PUT", "/a", {}, "x").status, 200);
  EXPECT_NE(to_plain().get("/a").body, before);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_EQ(second->wait_exit().value_or(-1), 0);
  daemon = std::move(third);
}

TEST_F(HandoverWrites, AWriteWaitsForTheNewProcessAsLongAsThereIsOne) {
  start(shop());
  auto first = connection(false), second = connection(false), third = connection(false), last = connection(false);
  auto next = std::make_unique<Successor>(control());
  next->greet();
  next->say("forebay-handover 1 ready\ntaken=0,1\n");
  EXPECT_THAT(next->hear(), HasSubstr("replaced"));
  first.request("PUT", "/a", {}, "x");
  EXPECT_EQ(next->hear(), "forebay-handover 1 purge\n");
  second.request("PUT", "/b", {}, "x");
  third.request("PUT", "/c", {}, "x");
  EXPECT_TRUE(origin.wait_for("/b", 1));
  EXPECT_TRUE(origin.wait_for("/c", 1));
  EXPECT_TRUE(first.quiet(milliseconds{100}));
  next->say("forebay-handover 1 purged\n");
  EXPECT_EQ(first.read("PUT").status, 200);
  EXPECT_EQ(next->hear(), "forebay-handover 1 purge\n");
  next.reset();
  EXPECT_EQ(second.read("PUT").status, 200);
  EXPECT_EQ(third.read("PUT").status, 200);
  EXPECT_EQ(last.ask("PUT", "/d", {}, "x").status, 200);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

}  // namespace
}  // namespace forebay::test
