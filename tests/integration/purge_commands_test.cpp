// `forebay purge` and `forebay get`: what they print, and exit codes.
#include <algorithm>

#include "admin_api.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class PurgeCommands : public AdminApiTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh("body of " + r.target); });
  }
  Outcome run(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& variables = {}) {
    words.insert(words.end(), {"--admin", address()});
    return run_forebay(words, variables);
  }
  std::string url(const std::string& path) const { return scheme() + "://shop.test" + path; }
};

TEST_F(PurgeCommands, PurgeSaysHowManyOfWhat) {
  start("routes: [{name: shop, path: '/p/**'}, {name: rest, path: /**}]\n");
  for (const auto* target : {"/p/1", "/p/2", "/p/3", "/x.jpg", "/other"}) get(target);
  const auto one = run({"purge", "--url", url("/p/1"), "--url", "/other", "--glob", "*.jpg"});
  EXPECT_EQ(one.exit, 0) << one.err;
  EXPECT_EQ(one.out, "3 entries removed: url 2, glob 1\n");
  const auto elsewhere = run({"purge", "--url", "http://other.test:81/p/2", "--prefix", "/none", "--glob", "/none*"});
  EXPECT_EQ(elsewhere.out, "0 entries removed: url 0, prefix and glob 0\n");
  EXPECT_THAT(elsewhere.err, HasSubstr("a path alone, such as --url /p/1, is for every host and port"));
  const auto dry = run({"purge", "--route", "shop", "--dry-run", "--soft"});
  EXPECT_EQ(dry.out, "2 entries would be made stale: route 2\n");
  const auto soft = run({"purge", "--prefix", "/p/", "--soft", "--json"});
  EXPECT_EQ(soft.exit, 0);
  const auto json = flatten_json(soft.out).value();
  EXPECT_EQ(json.at("purged"), "2");
  EXPECT_EQ(json.at("mode"), "soft");
  const auto all = run({"purge", "--all", "--yes", "--hard"});
  EXPECT_EQ(all.out, "2 entries removed: all 2\n");
  const auto none = run({"purge", "--tag", "a"});
  EXPECT_EQ(none.exit, 0);
  EXPECT_EQ(none.out, "0 entries removed: tag 0\n");
}

TEST_F(PurgeCommands, PurgeExitsWithTheReason) {
  start(
      "admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, allow_loopback: false}\nroutes: [{name: shop, path: "
      "/**}]\n");
  const std::vector<std::pair<std::string, std::string>> token{{"FOREBAY_ADMIN_TOKEN", "0123456789abcdef"}};
  get("/a");
  const struct {
    std::vector<std::string> words;
    int exit;
    const char* says;
  } cases[] = {
      {{"purge"}, 2, "purge needs --url"},
      {{"purge", "--all"}, 2, "add --yes to confirm"},
      {{"purge", "--yes", "--url", "/a"}, 2, "--yes confirms --all"},
      {{"purge", "--all", "--yes", "--url", "/a"}, 2, "leave out what else is named"},
      {{"purge", "--url", "/a", "--soft", "--hard"}, 2, "cannot be used together"},
      {{"purge", "/a"}, 2, "--url /a"},
      {{"purge", "--urls", "/a"}, 2, "did you mean --url"},
      {{"purge", "--url", "shop.test/a"}, 2, "write http:// before a host"},
      {{"purge", "--route", "shopp"}, 2, "did you mean \"shop\"?"},
      {{"purge", "--url", "/nothing", "--fail-if-none"}, 5, "nothing was purged"},
  };
  for (const auto& c : cases) {
    const auto outcome = run(c.words, token);
    EXPECT_EQ(outcome.exit, c.exit) << c.says << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(c.says));
  }
  const auto without = run({"purge", "--url", "/a"});
  EXPECT_EQ(without.exit, 4);
  EXPECT_EQ(without.out, "");
  EXPECT_EQ(run_forebay({"purge", "--url", "/a", "--admin", "127.0.0.1:1"}).exit, 4);
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(run({"purge", "--url", "/a", "--fail-if-none"}, token).exit, 0);
}

TEST_F(PurgeCommands, GetShowsWhatIsStoredForARequest) {
  origin.on("/v", [](const Received& r) {
    return Reply::fresh(std::string("\x00\x01", 2) + r.get("X-V")).field("Vary", "X-V").field("X-Mark", "m");
  });
  start();
  get("/v", {{"X-V", "1"}});
  get("/v", {{"X-V", "2"}});
  const auto shown = run({"get", url("/v"), "-H", "X-V: 2"});
  EXPECT_EQ(shown.exit, 0) << shown.err;
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("url        " + url("/v")), HasSubstr("x-v: 2"), Not(HasSubstr("x-v: 1")),
                    HasSubstr("stored     fresh, age"), HasSubstr("status     200"), HasSubstr("  X-Mark: m")));
  const auto body = run({"get", url("/v"), "-H", "X-V: 2", "--body"});
  EXPECT_EQ(body.exit, 0) << body.err;
  EXPECT_EQ(body.out, std::string("\x00\x01", 2) + "2");
  const auto json = flatten_json(run({"get", url("/v"), "-H", "X-V: 1", "--json"}).out).value();
  const auto id = json.at("id");
  EXPECT_EQ(json.at("variants[0].variant.x-v"), "1");
  const auto both = run({"get", id});
  EXPECT_THAT(both.out, AllOf(HasSubstr("x-v: 1"), HasSubstr("x-v: 2")));
  EXPECT_EQ(run({"get", id, "--body"}).exit, 2) << "which variant?";
  EXPECT_EQ(run({"get", id, "--body", "--variant", json.at("variants[0].variant_id")}).out,
            std::string("\x00\x01", 2) + "1");
}

TEST_F(PurgeCommands, EntriesListsWhatIsStoredByPages) {
  start("routes: [{name: shop, path: '/p/**'}, {name: rest, path: /**}]\n");
  const auto none = run({"entries"});
  EXPECT_EQ(none.exit, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("nothing of this kind is stored"));
  for (int i = 0; i < 3; ++i) get("/p/" + std::to_string(i));
  get("/other");
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const auto all = run({"entries"});
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_EQ(lines(all.out), 5) << all.out;
  EXPECT_THAT(all.out, AllOf(StartsWith("ID "), HasSubstr(" fresh "), HasSubstr(url("/p/0") + '\n')));
  EXPECT_EQ(all.err, "");
  EXPECT_EQ(lines(run({"entries", "--prefix", "/p/"}).out), 4);
  EXPECT_EQ(lines(run({"entries", "--route", "rest"}).out), 2);
  EXPECT_EQ(lines(run({"entries", "--glob", "/p/*", "--sort", "size"}).out), 4);
  EXPECT_EQ(run({"entries", "--state", "stale"}).out, "");
  const auto some = run({"entries", "--limit", "2"});
  EXPECT_EQ(lines(some.out), 3);
  EXPECT_THAT(some.err, HasSubstr("--limit prints more"));
  const auto json = flatten_json(run({"entries", "--json", "--tag", "none"}).out).value();
  EXPECT_EQ(json.at("cursor"), "null");
  EXPECT_THAT(run({"entries", "--json", "--limit", "1"}).out, StartsWith("{\"entries\":[{\"id\":"));
  // More than a page of the daemon.
  for (int i = 0; i < 1005; ++i) get("/many/" + std::to_string(i));
  const auto many = run({"entries", "--limit", "1004"});
  EXPECT_EQ(many.exit, 0) << many.err;
  EXPECT_EQ(lines(many.out), 1005);
  EXPECT_TRUE(flatten_json(run({"entries", "--json", "--limit", "2000"}).out).has_value());
}

TEST_F(PurgeCommands, EntriesExitsWithTheReason) {
  start("routes: [{name: shop, path: /**}]\n");
  EXPECT_THAT(run({"entries", "--limit", "0"}).err, HasSubstr("--limit needs a number from 1 to 1000000"));
  EXPECT_THAT(run({"entries", "--limit", "1001", "--sort", "hits"}).err, HasSubstr("to 1000 with --sort"));
  EXPECT_THAT(run({"entries", "/a"}).err, HasSubstr("--prefix /a"));
  for (const auto& wrong : {std::vector<std::string>{"entries", "--state", "frsh"}, {"entries", "--limit", "x"}})
    EXPECT_EQ(run(wrong).exit, 2);
  const auto foreign = run_forebay({"entries", "--admin", "127.0.0.1:" + std::to_string(origin.port())});
  EXPECT_EQ(foreign.exit, 4);
  EXPECT_THAT(foreign.err, HasSubstr("not a Forebay admin listener"));
}

TEST_F(PurgeCommands, GetExitsWith5WhenNothingIsStored) {
  start("routes: [{path: /off/**, cache: false}, {path: /**}]\n");
  get("/a");
  const auto none = run({"get", url("/b")});
  EXPECT_EQ(none.exit, 5);
  EXPECT_THAT(none.err, HasSubstr("nothing is stored for this request"));
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("forebay entries --prefix /b\n"));
  EXPECT_EQ(run({"get", url("/off/a")}).exit, 5);
  EXPECT_EQ(run({"get", std::string(32, 'a')}).exit, 5);
  EXPECT_EQ(run({"get"}).exit, 2);
  EXPECT_EQ(run({"get", "/a", "-H", "nonsense"}).exit, 2);
  EXPECT_EQ(run({"get", "/a", "--body", "--json"}).exit, 2);
  EXPECT_EQ(run_forebay({"get", "/a", "--admin", "127.0.0.1:1"}).exit, 4);
  EXPECT_EQ(run({"get", url("/a")}).exit, 0);
}

}  // namespace
}  // namespace forebay::test
