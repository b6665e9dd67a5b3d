// `POST /api/v1/warm`: the daemon requests URLs by its own routes.
#include <signal.h>

#include "admin_api.hpp"

namespace forebay::test {
namespace {

class WarmApi : public AdminApiTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh("body of " + r.target); });
  }
  Answer warm(const std::string& body) { return admin("POST", "/api/v1/warm", body); }
};

TEST_F(WarmApi, StoresWhatClientsGetThen) {
  origin.on("/private", Reply::with("no-store"));
  origin.on("/gone", Reply(500));
  start("server: {threads: 2}\nroutes: [{name: shop, path: /**}]\n");
  const auto base = scheme() + "://shop.test";
  const auto answer = warm(R"({"urls": [")" + base + "/a?x=1\", \"" + base + "/b\", \"" + base + "/private\", \"" +
                           base + "/gone\"], \"concurrency\": 2}");
  ASSERT_EQ(answer.status, 200) << answer.body;
  auto told = members(answer);
  EXPECT_EQ(told["requested"], "4");
  EXPECT_EQ(told["stored"], "2") << answer.body;
  EXPECT_EQ(told["not_stored"], "1") << answer.body;
  EXPECT_EQ(told["failed"], "1") << answer.body;
  EXPECT_EQ(told["not_asked"], "0");
  EXPECT_EQ(told["failures[0].url"], base + "/gone");
  EXPECT_EQ(told["failures[0].status"], "500");
  const auto hit = get("/a?x=1", {{"Host", "shop.test"}});
  EXPECT_EQ(hit.x_cache(), "HIT") << hit;
  EXPECT_EQ(hit.body, "body of /a?x=1");
  EXPECT_EQ(members(warm(R"({"urls": [")" + base + "/b\"]}"))["hits"], "1");
  auto line = access_line("/b");
  EXPECT_EQ(line["user_agent"], "forebay-warm");
  EXPECT_EQ(line["route"], "shop");
  EXPECT_TRUE(log_has("POST /api/v1/warm from 127.0.0.1 by right of this machine: 1 urls: stored 0, hits 1"));
}

TEST_F(WarmApi, ManyUrlsAreRequestedOnceEach) {
  start("server: {threads: 2}\nroutes: [{path: /**}]\n");
  const auto many = [](int count) {
    std::string urls;
    for (int i = 0; i < count; ++i) urls += (i == 0 ? "\"http://h/" : ",\"http://h/") + std::to_string(i) + '"';
    return "{\"urls\": [" + urls + "], \"concurrency\": 64}";
  };
  const auto answer = warm(many(200));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(members(answer)["stored"], "200");
  EXPECT_EQ(metric("forebay_in_flight_requests"), 0);
  EXPECT_EQ(warm(many(1001)).status, 400);
}

TEST_F(WarmApi, AnOrderThatIsWrongRequestsNothing) {
  start();
  for (const auto* body :
       {"", "[]", "{}", R"({"urls": []})", R"({"urls": "http://h/"})", R"({"urls": ["/a"]})",
        R"({"urls": ["ftp://h/"]})", R"({"urls": ["http://h/", 1]})", R"({"urls": ["http://h/"], "concurrency": 0})",
        R"({"urls": ["http://h/"], "concurrency": 65})", R"({"urls": ["http://h/"], "method": "POST"})"}) {
    const auto answer = warm(body);
    EXPECT_TRUE(is_problem(answer, 400)) << body << answer;
  }
  EXPECT_EQ(admin("GET", "/api/v1/warm").status, 405);
  EXPECT_EQ(origin.count(), 0u);
}

TEST_F(WarmApi, OneRunAtATimeWithNoMoreRequestsThanItMay) {
  const auto gate = std::make_shared<Gate>();
  origin.otherwise([gate](const Received&) { return Reply::fresh().after(gate); });
  start();
  Client client(daemon->admin_port());
  client.request("POST", "/api/v1/warm", {{"Host", "127.0.0.1"}},
                 R"({"urls": ["http://h/1","http://h/2","http://h/3","http://h/4"], "concurrency": 2})");
  EXPECT_TRUE(eventually([&] { return origin.count() == 2; }));
  const auto second = warm(R"({"urls": ["http://h/5"]})");
  EXPECT_TRUE(is_problem(second, 409)) << second;
  EXPECT_EQ(members(second)["code"], "warming");
  EXPECT_EQ(origin.count(), 2u);
  gate->open();
  EXPECT_EQ(members(client.read("POST"))["stored"], "4");
  EXPECT_EQ(warm(R"({"urls": ["http://h/5"]})").status, 200);
}

TEST_F(WarmApi, ADrainEndsIt) {
  const auto gate = std::make_shared<Gate>();
  origin.otherwise([gate](const Received&) { return Reply::fresh().after(gate); });
  start();
  Client client(daemon->admin_port());
  client.request("POST", "/api/v1/warm", {{"Host", "127.0.0.1"}},
                 R"({"urls": ["http://h/1","http://h/2","http://h/3"], "concurrency": 1})");
  EXPECT_TRUE(eventually([&] { return origin.count() == 1; }));
  EXPECT_EQ(admin("POST", "/api/v1/drain", R"({"delay": "1h"})").status, 202);
  EXPECT_EQ(warm(R"({"urls": ["http://h/5"]})").status, 409);
  gate->open();
  auto told = members(client.read("POST"));
  EXPECT_EQ(told["stored"], "1");
  EXPECT_EQ(told["not_asked"], "2");
}

TEST_F(WarmApi, AStopDoesNotWaitForIt) {
  origin.otherwise([](const Received&) { return Reply::silence(); });
  start();
  Client client(daemon->admin_port());
  client.request("POST", "/api/v1/warm", {{"Host", "127.0.0.1"}}, R"({"urls": ["http://h/1","http://h/2"]})");
  EXPECT_TRUE(eventually([&] { return origin.count() == 2; }));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(WarmApi, AReloadInTheMiddleChangesNothing) {
  const auto gate = std::make_shared<Gate>();
  origin.otherwise([gate](const Received&) { return Reply::fresh().after(gate); });
  start("routes: [{name: one, path: /**}]\n");
  Client client(daemon->admin_port());
  client.request("POST", "/api/v1/warm", {{"Host", "127.0.0.1"}},
                 R"({"urls": ["http://h/1","http://h/2"], "concurrency": 1})");
  EXPECT_TRUE(eventually([&] { return origin.count() == 1; }));
  edit("name: one", "name: two");
  EXPECT_EQ(admin("POST", "/api/v1/reload").status, 200);
  gate->open();
  EXPECT_EQ(members(client.read("POST"))["stored"], "2");
}

TEST_F(WarmApi, RedirectsAndRoutesThatAnswerThemselvesAreNotStored) {
  start("routes: [{path: /old, redirect: {to: /new}}, {path: /own, respond: {body: own}}, {path: /**}]\n");
  auto told = members(warm(R"({"urls": ["http://h/old", "https://h/own"]})"));
  EXPECT_EQ(told["not_stored"], "2");
  EXPECT_EQ(told["failed"], "0");
}

}  // namespace
}  // namespace forebay::test
