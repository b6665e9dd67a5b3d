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
    EXPECT_TRUE(metric_becomes("forebay_origin_connections", {{"state", "idle"}}, 1));
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
  EXPECT_TRUE(metric_becomes("forebay_origin_connections", {{"state", "idle"}}, 3))
      << "two of the eight, and that of the last one";
}

// A load balancer sends the requests of many clients over one connection.
TEST_F(BoundConnections, BehindATrustedPeerNoConnectionIsKept) {
  speak_ntlm();
  start("server: {threads: 1, trusted_proxies: [127.0.0.2/32]}\nroutes: [{path: /p, cache: false}, {path: /**}]\n");
  const auto balancer = [&] { return Client(Socket::connect_from("127.0.0.2", daemon->port())); };
  auto shared = balancer();
  auto own = connect();
  for (const auto* path : {"/p", "/page"}) {
    EXPECT_EQ(shared.get(path, {{"Authorization", "Negotiate anna"}}).body, "for anna") << path;
    EXPECT_EQ(shared.get(path).status, 401) << path << ": another client of the same connection";
    EXPECT_EQ(shared.get(path, {{"Authorization", "NTLM type1"}}).status, 401) << path;
    EXPECT_EQ(shared.get(path, {{"Authorization", "NTLM type3-bert"}}).status, 401) << path << ": no handshake works";
    EXPECT_EQ(balancer().get(path).status, 401) << path;
    EXPECT_EQ(own.get(path, {{"Authorization", "Negotiate carl"}}).body, "for carl") << path;
    EXPECT_EQ(own.get(path).body, "for carl") << path << ": who is not trusted has a connection of its own";
    EXPECT_EQ(shared.get(path).status, 401) << path;
  }
  const auto open = shared.get("/open");
  EXPECT_EQ(open.body, "open to all");
  EXPECT_EQ(open.x_cache(), "MISS") << "a request without the field is looked up";
  EXPECT_EQ(balancer().get("/open").x_cache(), "HIT");
}

// Some origins read the first of several Authorization lines, some the last, and some split one line.
TEST_F(BoundConnections, WhicheverLineAuthenticatesAConnectionItIsBound) {
  std::mutex mutex;
  std::map<std::size_t, std::string> users;
  origin.otherwise([&](const Received& r) {
    const std::lock_guard lock(mutex);
    auto& who = users[r.connection];
    const auto sent = r.get("Authorization");
    if (const auto at = sent.find("Negotiate "); at != std::string::npos) who = sent.substr(at + 10, 4);
    return Reply::with("max-age=60, public", who.empty() ? "for all" : "for " + who);
  });
  start(
      "server: {threads: 1}\n"
      "routes: [{path: /share, authorization: share}, {path: /key, authorization: key}, {path: /**}]\n");
  const FieldLines ways[] = {{{"Authorization", "Basic x"}, {"Authorization", "Negotiate anna"}},
                             {{"Authorization", "Negotiate anna"}, {"Authorization", "Basic x"}},
                             {{"Authorization", "Basic x, Negotiate anna"}}};
  for (const auto* path : {"/share", "/key", "/page"})
    for (const auto& fields : ways) {
      {
        auto anna = connect();
        const auto a = anna.get(path, fields);
        EXPECT_EQ(a.body, "for anna") << path;
        EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=authorization") << path;
        EXPECT_EQ(anna.get(path).body, "for anna") << path;
      }
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(get(path).body, "for all") << path;
        EXPECT_EQ(get(path, {{"Authorization", "Basic x"}}).body, "for all") << path;
      }
    }
}

}  // namespace
}  // namespace forebay::test
