#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using http::Method;
using Is = ScriptedContent::Is;

class ArrivalTest : public ProxiedTest {
 protected:
  FakeClient& post(const std::string& target, const std::string& content, Is is) {
    return ask(Method::Post, target, {{"Content-Type", "application/json"}},
               [&](ScriptedContent& body) { body.add(content, is); });
  }
  static constexpr const char* kByContent =
      "{name: fast, path: /db, methods: [POST], match: {body: {/fast: true}}, key: {body: [/q]}, ttl: 60s}, "
      "{name: all, path: /**, methods: [POST], key: {body: [/q]}, ttl: 60s}";
};

TEST_F(ArrivalTest, ContentOfTheKeyIsWaitedFor) {
  configure_routes(kByContent);
  auto& slow = post("/a", R"({"q":)", Is::Part);
  EXPECT_EQ(asked(), 0u);
  slow.content->add(R"(1})", Is::Last);
  ASSERT_EQ(asked(), 1u);
  source().answer(200, {});
  EXPECT_EQ(slow.read(), "body");
  // The same content, whole at once or in pieces, is a hit.
  EXPECT_EQ(post("/a", R"({"q":1})", Is::Last).cache(), "HIT");
  auto& pieces = post("/a", R"({"q":)", Is::Part);
  pieces.content->add(R"( 1})", Is::Last);
  EXPECT_EQ(pieces.cache(), "HIT");
  EXPECT_EQ(post("/a", R"({"q":2})", Is::Last).cache(), "");
  EXPECT_EQ(asked(), 2u);
}

TEST_F(ArrivalTest, ContentOfTheRouteIsWaitedFor) {
  configure_routes(kByContent);
  auto& fast = post("/db", R"({"q":1,"fa)", Is::Part);
  fast.content->add(R"(st":true})", Is::Last);
  EXPECT_EQ(fast.notes().route->route->name, "fast");
  auto& other = post("/db", R"({"q":1,"fa)", Is::Part);
  other.content->add(R"(st":false})", Is::Last);
  EXPECT_EQ(other.notes().route->route->name, "all");
  EXPECT_EQ(asked(), 2u) << "each route has its own keys";
  EXPECT_EQ(counters.of("fast", 0).in_flight.read() + counters.of("all", 0).in_flight.read(), 2u);
}

TEST_F(ArrivalTest, ASlowClientsContentIsReadBeforeItGoesForward) {
  auto& client = post("/a", "part", Is::Part);
  EXPECT_EQ(asked(), 0u);
  client.content->add("rest", Is::Last);
  ASSERT_EQ(asked(), 1u);
  EXPECT_TRUE(source().content);
  source().answer(201, {});
  EXPECT_EQ(client.status, 201);
}

TEST_F(ArrivalTest, AClientThatLeavesWhileItsContentIsReadIsForgotten) {
  auto& client = post("/a", "part", Is::Part);
  EXPECT_EQ(core.tasks.size(), 1u);
  client.leave();
  EXPECT_TRUE(core.tasks.empty());
  EXPECT_EQ(asked(), 0u);
}

TEST_F(ArrivalTest, WhatIsAnsweredAtOnceLeavesItsBuffersToTheNextRequest) {
  const auto client = std::make_shared<FakeClient>(worker, Method::Get, "/a", FieldList{});
  auto pending = core.take(client);
  const auto* const first = pending.get();
  core.give_back(std::move(pending));
  EXPECT_EQ(client.use_count(), 1) << "nothing of the request stays";
  pending = core.take(client);
  EXPECT_EQ(pending.get(), first);
  EXPECT_TRUE(pending->reading.target.read(Method::Get, "/a?b"));
  pending->keep();
  EXPECT_EQ(pending->target, "/a?b");
  EXPECT_EQ(pending->peer, "192.0.2.1");
  EXPECT_FALSE(pending->request_id.empty());
  core.give_back(pending);
  EXPECT_NE(core.take(client).get(), first) << "what is kept is its own";
}

}  // namespace
}  // namespace forebay::proxy
