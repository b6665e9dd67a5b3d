// NTLM and Negotiate authenticate the connection: one that has seen them serves no other client.
#include <map>
#include <mutex>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class BoundConnections : public ForebayTest {
 protected:
  /// An origin that speaks NTLM: a handshake of two requests authenticates the connection that both came on.
  void speak_ntlm() {
    origin.otherwise([this](const Received& r) {
      const std::lock_guard lock(mutex_);
      auto& who = users_[r.connection];
      const auto sent = r.get("Authorization");
      if (sent.starts_with("NTLM type1")) {
        who = "?";
        return Reply(401).field("WWW-Authenticate", "NTLM challenge").body("who?");
      }
      if (sent.starts_with("NTLM type3-") && who == "?") who = sent.substr(11);
      if (sent.starts_with("Negotiate ")) who = sent.substr(10);
      if (who.empty() || who == "?") {
        if (r.path.starts_with("/open")) return Reply::fresh("open to " + (who.empty() ? "all" : who));
        return Reply(401).field("WWW-Authenticate", "Negotiate").field("WWW-Authenticate", "NTLM").body("denied");
      }
      return Reply::fresh("for " + who);
    });
  }
  static std::string log_in(Client& c, const std::string& user, const std::string& path = "/page") {
    EXPECT_EQ(c.get(path, {{"Authorization", "NTLM type1"}}).status, 401);
    return c.get(path, {{"Authorization", "NTLM type3-" + user}}).body;
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::string> users_;
};

TEST_F(BoundConnections, AnNtlmHandshakeWorksAndAuthenticatesItsClientAlone) {
  speak_ntlm();
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  auto anna = connect();
  EXPECT_EQ(anna.get("/page").status, 401);
  EXPECT_EQ(log_in(anna, "anna"), "for anna");
  auto bert = connect();
  EXPECT_EQ(bert.get("/page").status, 401) << "another client";
  EXPECT_EQ(log_in(bert, "bert"), "for bert");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(anna.get("/page").body, "for anna") << "without a field, on her connection";
    EXPECT_EQ(bert.get("/page").body, "for bert");
    EXPECT_EQ(connect().get("/page").status, 401);
  }
  EXPECT_EQ(metric("forebay_cache_entries"), 0) << "nothing of that is stored";
}

TEST_F(BoundConnections, WhatAnAuthenticatedConnectionAsksForIsNeitherLookedUpNorStoredNorShared) {
  speak_ntlm();
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  auto anna = connect();
  EXPECT_EQ(log_in(anna, "anna"), "for anna");
  const auto a = anna.get("/open");
  EXPECT_EQ(a.body, "for anna");
  EXPECT_EQ(a.x_cache(), "BYPASS");
  EXPECT_EQ(a.cache_param("detail"), "authorization");
  EXPECT_EQ(connect().get("/open").body, "open to all");
  EXPECT_EQ(connect().get("/open").x_cache(), "HIT");
  EXPECT_EQ(anna.get("/open").body, "for anna");
}

TEST_F(BoundConnections, NegotiateWithoutAHandshakeIsBoundToo) {
  speak_ntlm();
  start("server: {threads: 1}\nroutes: [{path: /p, cache: false}, {path: /s, authorization: share}, {path: /**}]\n");
  for (const auto* path : {"/p", "/s", "/page"}) {
    auto carl = connect();
    EXPECT_EQ(carl.get(path, {{"Authorization", "Negotiate carl"}}).body, "for carl") << path;
    EXPECT_EQ(connect().get(path).status, 401) << path;
    EXPECT_EQ(carl.get(path).body, "for carl") << path;
  }
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(BoundConnections, AConnectionThatWasMerelyOfferedTheSchemeIsNotUsedAgain) {
  speak_ntlm();
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/page").status, 401);
  EXPECT_EQ(get("/page").status, 401);
  EXPECT_EQ(origin.connections(), 2u);
  EXPECT_EQ(get("/open").body, "open to all");
  EXPECT_EQ(get("/open/2").body, "open to all");
  EXPECT_EQ(origin.connections(), 3u) << "others are";
}

TEST_F(BoundConnections, ItEndsWithTheClientsConnection) {
  speak_ntlm();
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  {
    auto anna = connect();
    EXPECT_EQ(log_in(anna, "anna"), "for anna");
    EXPECT_EQ(metric("forebay_origin_connections", {{"state", "idle"}}), 1);
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_connections", {{"state", "idle"}}) == 0; }));
  EXPECT_TRUE(eventually([&] { return origin.open_connections() == 0; }));
}

TEST_F(BoundConnections, ItEndsAfterTheIdleTimeoutAndItsClientIsAskedAgain) {
  speak_ntlm();
  start("origins: {o: {url: '" + origin.url() +
        "', pool: {idle_timeout: 50ms}}}\norigin: o\nserver: {threads: 1}\nroutes: [{path: /**}]\n");
  auto anna = connect();
  EXPECT_EQ(log_in(anna, "anna", "/page"), "for anna");
  EXPECT_TRUE(eventually([&] { return origin.open_connections() == 0; }));
  EXPECT_EQ(anna.get("/page").status, 401);
}

TEST_F(BoundConnections, ClientsNeverHoldAllConnections) {
  speak_ntlm();
  start("origins: {o: {url: '" + origin.url() +
        "', pool: {max_connections: 4}}}\norigin: o\nserver: {threads: 1}\nroutes: [{path: /**}]\n");
  std::vector<Client> users;
  for (int i = 0; i < 8; ++i) {
    users.push_back(connect());
    EXPECT_EQ(users.back().get("/page", {{"Authorization", "Negotiate u"}}).status, 200);
  }
  EXPECT_EQ(get("/open").body, "open to all");
  EXPECT_EQ(metric("forebay_origin_connections", {{"state", "idle"}}), 3)
      << "two of the eight, and that of the last one";
}

}  // namespace
}  // namespace forebay::test
