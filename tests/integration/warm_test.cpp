// `forebay warm`: URLs are requested at the daemon, and what became of them is counted.
#include "admin_api.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class Warm : public AdminApiTest {
 protected:
  Outcome warm(std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.begin(), "warm");
    words.insert(words.end(), {"--admin", address()});
    return run_forebay(words, {}, input);
  }
};

TEST_F(Warm, ResponsesAreStoredForTheClientsThatComeLater) {
  origin.on("/a", Reply::fresh("a"));
  origin.on("/private", Reply::with("private, max-age=60", "b"));
  start();
  const std::vector<std::string> urls{"http://shop.test/a", "http://shop.test/private"};
  const auto first = warm(urls);
  EXPECT_EQ(first.exit, 0) << first.err;
  EXPECT_EQ(first.out, "requested 2, stored 1, hits 0, not stored 1, failed 0\nnot stored private 1\n");
  EXPECT_EQ(first.err, "");
  EXPECT_EQ(get("/a", {{"Host", "shop.test"}}).x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 1u);
  const auto again = warm({"--json", urls[0]});
  const auto json = flatten_json(again.out).value();
  EXPECT_EQ(json.at("requested"), "1");
  EXPECT_EQ(json.at("hits"), "1");
  EXPECT_EQ(json.at("failed"), "0");
}

TEST_F(Warm, AListOrASitemapComesFromAFileOrStandardInput) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  start();
  const TempDir dir;
  write_file(dir.file("urls"), "# the shop\nhttp://shop.test/1\nhttp://shop.test/2\n");
  EXPECT_THAT(warm({"--file", dir.file("urls")}).out, StartsWith("requested 2, stored 2,"));
  const auto sitemap = warm({"--file", "-"}, "<urlset><url><loc>http://shop.test/3?a=1&amp;b=2</loc></url></urlset>");
  EXPECT_THAT(sitemap.out, StartsWith("requested 1, stored 1,")) << sitemap.err;
  EXPECT_EQ(get("/3?a=1&b=2", {{"Host", "shop.test"}}).x_cache(), "HIT");
  const auto missing = warm({"--file", dir.file("nothing")});
  EXPECT_EQ(missing.exit, 2);
  EXPECT_THAT(missing.err, HasSubstr("cannot read"));
  write_file(dir.file("bad"), "http://shop.test/1\n/2\n");
  EXPECT_THAT(warm({"--file", dir.file("bad")}).err, HasSubstr("line 2: \"/2\" is not a URL"));
}

TEST_F(Warm, FailuresAreNamedAndTheExitCodeIs1) {
  origin.on("/a", Reply::fresh("a"));
  origin.on("/gone", Reply(404));
  start();
  std::vector<std::string> words{"http://shop.test/a"};
  for (int i = 0; i < 12; ++i) words.push_back("http://shop.test/gone?" + std::to_string(i));
  const auto run = warm(words);
  EXPECT_EQ(run.exit, 1);
  EXPECT_THAT(run.out, HasSubstr("stored 1, hits 0, not stored 0, failed 12"));
  EXPECT_THAT(run.err, AllOf(HasSubstr("http://shop.test/gone?"), HasSubstr(": status 404"), HasSubstr("and 2 more")));
}

TEST_F(Warm, FieldsAreSentAndTheRateIsKept) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Tenant")); });
  start("routes: [{path: /**, key: {headers: [X-Tenant]}}]\n");
  const auto begun = Clock::now();
  const auto run = warm({"-H", "X-Tenant: acme", "--rate", "10", "--concurrency", "8", "http://shop.test/1",
                         "http://shop.test/2", "http://shop.test/3", "http://shop.test/4"});
  EXPECT_GE(Clock::now() - begun, std::chrono::milliseconds(300));
  EXPECT_THAT(run.out, StartsWith("requested 4, stored 4,")) << run.err;
  const auto stored = get("/4", {{"Host", "shop.test"}, {"X-Tenant", "acme"}});
  EXPECT_EQ(stored.body, "acme");
  EXPECT_EQ(stored.x_cache(), "HIT");
}

TEST_F(Warm, WithoutADaemonItIs4) {
  const auto nobody = run_forebay({"warm", "http://shop.test/a", "--admin", "127.0.0.1:1"});
  EXPECT_EQ(nobody.exit, 4);
  EXPECT_THAT(nobody.err, HasSubstr("no daemon answers"));
  const auto to = run_forebay({"warm", "http://shop.test/a", "--to", "127.0.0.1:1"});
  EXPECT_EQ(to.exit, 1);
  EXPECT_THAT(to.out, HasSubstr("failed 1"));
  EXPECT_EQ(run_forebay({"warm"}).exit, 2);
}

}  // namespace
}  // namespace forebay::test
