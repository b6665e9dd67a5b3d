// What was decided about a recent request, by its id: the endpoint and the command.
#include "admin_api.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class ExplainRecent : public AdminApiTest {
 protected:
  Answer explain(const std::string& id) { return admin("POST", "/api/v1/explain", R"({"id":")" + id + "\"}"); }
  /// A request ends a moment after its client has the answer.
  bool is_kept(const std::string& id, std::size_t count = 1) {
    const auto last = "requests[" + std::to_string(count - 1) + "].record.request_id";
    return eventually([&] { return members(explain(id))[last] == id; });
  }
};

TEST_F(ExplainRecent, ARequestIsToldByItsId) {
  origin.on("/a", Reply::fresh("a"));
  origin.on("/private", Reply::with("no-store", "p"));
  start("log: {access: {redact: {query: [token]}}}\nroutes: [{name: shop, path: /**}]\n");
  get("/a", {{"X-Request-Id", "first-1"}, {"Host", "shop.test"}});
  get("/a?", {{"X-Request-Id", "other"}});
  get("/a", {{"X-Request-Id", "second-1"}, {"Host", "shop.test"}});
  get("/private?token=hunter2&x=1", {{"X-Request-Id", "third-1"}});
  ASSERT_TRUE(is_kept("first-1") && is_kept("second-1") && is_kept("third-1"));
  auto miss = members(explain("first-1"));
  EXPECT_EQ(miss["requests[0].record.cache.result"], "miss");
  EXPECT_EQ(miss["requests[0].record.cache.stored"], "true");
  EXPECT_EQ(miss["requests[0].record.host"], "shop.test");
  EXPECT_EQ(miss["requests[0].record.origin.status"], "200");
  auto hit = members(explain("second-1"));
  EXPECT_EQ(hit["requests[0].record.cache.result"], "hit");
  EXPECT_EQ(hit["requests[0].record.route"], "shop");
  EXPECT_EQ(hit["requests[0].record.cache.key_id"], miss["requests[0].record.cache.key_id"]);
  const auto third = explain("third-1");
  EXPECT_EQ(members(third)["requests[0].record.cache.reason"], "no_store");
  EXPECT_THAT(members(third)["requests[0].why"], HasSubstr("the response has no-store"));
  EXPECT_THAT(third.body, Not(HasSubstr("hunter2")));
}

TEST_F(ExplainRecent, AnIdThatIsNotKeptIs404) {
  start();
  const auto unknown = explain("nobody");
  EXPECT_TRUE(is_problem(unknown, 404));
  EXPECT_EQ(members(unknown)["code"], "no_such_request");
  EXPECT_THAT(unknown.body, HasSubstr("the last 1024 requests"));
  EXPECT_EQ(explain("with blanks").status, 400);
  EXPECT_EQ(explain(std::string(200, 'a')).status, 400);
  EXPECT_EQ(admin("POST", "/api/v1/explain", R"({"id":"a","url":"/a"})").status, 400);
}

TEST_F(ExplainRecent, NothingIsKeptWhileTheAccessLogIsOff) {
  start("log: {access: {output: \"off\"}}\nroutes: [{path: /**}]\n");
  get("/a", {{"X-Request-Id", "quiet"}});
  EXPECT_THAT(explain("quiet").body, HasSubstr("while log.access.output is off"));
}

TEST_F(ExplainRecent, WhatTheLogLeavesOutIsKept) {
  origin.on("/a", Reply::fresh("a"));
  start("log: {access: {when: [errors]}}\nroutes: [{path: /**}]\n");
  get("/a", {{"X-Request-Id", "left-out"}});
  EXPECT_TRUE(is_kept("left-out"));
}

TEST_F(ExplainRecent, SeveralWithOneIdAreToldAndAReloadForgetsNone) {
  origin.otherwise([](const Received&) { return Reply::fresh("x"); });
  start("server: {threads: 2}\nroutes: [{name: one, path: /**}]\n");
  for (const auto* target : {"/1", "/2", "/3"}) get(target, {{"X-Request-Id", "same"}});
  ask("HEAD", "/1", {{"X-Request-Id", "same"}});
  ASSERT_TRUE(is_kept("same", 4));
  edit("name: one", "name: two");
  ASSERT_EQ(admin("POST", "/api/v1/reload").status, 200);
  auto told = members(explain("same"));
  EXPECT_EQ(told["requests[0].record.route"], "one");
  EXPECT_EQ(told["requests[3].record.route"], "one");
}

TEST_F(ExplainRecent, TheCommandTellsIt) {
  origin.on("/a", Reply::fresh("a"));
  start("routes: [{name: shop, path: /**}]\n");
  get("/a?q=1", {{"X-Request-Id", "cafe-1"}, {"Host", "shop.test"}});
  ASSERT_TRUE(is_kept("cafe-1"));
  const auto told = run_forebay({"explain", "--id", "cafe-1", "--admin", address()});
  EXPECT_EQ(told.exit, 0) << told.err;
  EXPECT_THAT(told.out, StartsWith("request    GET " + scheme() + "://shop.test/a?q=1\n"));
  EXPECT_THAT(told.out, HasSubstr("\nroute      shop\n"));
  EXPECT_THAT(told.out, HasSubstr("\nanswer     "));
  const auto json = run_forebay({"explain", "--id", "cafe-1", "--json", "--admin", address()});
  EXPECT_EQ(flatten_json(json.out).value().at("requests[0].record.request_id"), "cafe-1");
  const auto unknown = run_forebay({"explain", "0123456789abcdef-cafe", "--admin", address()});
  EXPECT_EQ(unknown.exit, 5);
  EXPECT_THAT(unknown.err, HasSubstr("No such id"));
  const auto wrong = run_forebay({"explain", "--id", "cafe-1", "-X", "POST", "--admin", address()});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--request is for a URL or a path"));
  EXPECT_EQ(run_forebay({"explain", "--id", "cafe-1", "--admin", "127.0.0.1:1", "--timeout", "1s"}).exit, 4);
}

}  // namespace
}  // namespace forebay::test
