// `forebay purge` and `forebay get`: what they print, and exit codes.
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
  EXPECT_EQ(one.out, "3 entries removed: url 2, prefix 1\n");
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

TEST_F(PurgeCommands, GetExitsWith5WhenNothingIsStored) {
  start("routes: [{path: /off/**, cache: false}, {path: /**}]\n");
  get("/a");
  const auto none = run({"get", url("/b")});
  EXPECT_EQ(none.exit, 5);
  EXPECT_THAT(none.err, HasSubstr("nothing is stored for this request"));
  EXPECT_EQ(none.out, "");
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
