// Tags of responses: from fields of the origin and from the configuration. They are purged by a write.
#include <boost/json.hpp>

#include "support/command.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

const std::string kWrites = R"(
  - {name: write, path: "/purge/{tag}", cache: false, invalidates: ["{tag}"]}
)";

class Tags : public ForebayTest {
 protected:
  void begin(const std::string& routes) {
    origin.on("/purge/a", Reply(204));
    origin.on("/purge/b", Reply(204));
    origin.on("/purge/c", Reply(204));
    start("routes:" + routes + kWrites);
  }
  bool hits(const std::string& path, const FieldLines& fields = {}) { return get(path, fields).x_cache() == "HIT"; }
  void purge(const std::string& tag) { EXPECT_EQ(ask("POST", "/purge/" + tag).status, 204); }
};

TEST_F(Tags, FieldsOfTheOriginInAllTheirForms) {
  begin("\n  - {path: /x/**, tags: {headers: [Cache-Tag, Surrogate-Key, xkey]}}");
  const std::vector<std::pair<std::string, FieldLines>> forms{
      {"/x/comma", {{"Cache-Tag", "z, a,y"}}},
      {"/x/space", {{"Surrogate-Key", "z a y"}}},
      {"/x/lines", {{"xkey", "z"}, {"xkey", "a"}}},
      {"/x/other", {{"Cache-Tag", "A, aa, a-1"}, {"X-Tag", "a"}}},
  };
  for (const auto& [path, fields] : forms) {
    auto reply = Reply::fresh();
    for (const auto& [name, value] : fields) reply.field(name, value);
    origin.on(path, reply);
    get(path);
    ASSERT_TRUE(hits(path)) << path;
  }
  purge("a");
  EXPECT_FALSE(hits("/x/comma"));
  EXPECT_FALSE(hits("/x/space"));
  EXPECT_FALSE(hits("/x/lines"));
  EXPECT_TRUE(hits("/x/other")) << "tags are matched exactly";
}

TEST_F(Tags, ClientsGetTheFieldsOnlyWhereTheRouteSaysSo) {
  for (const auto* path : {"/strip", "/keep", "/pass"})
    origin.on(path, Reply::fresh().field("Cache-Tag", "a").field("X-Tag", "b"));
  begin("\n  - {path: /keep, tags: {strip: false}}\n  - {path: /pass, cache: false}\n  - {path: /strip}");
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(get("/strip").has("Cache-Tag"));
    EXPECT_EQ(get("/strip").get("X-Tag"), "b");
    EXPECT_EQ(get("/keep").get("Cache-Tag"), "a");
    EXPECT_FALSE(get("/pass").has("Cache-Tag"));
  }
  purge("a");
  EXPECT_FALSE(hits("/strip")) << "it has the tag all the same";
}

TEST_F(Tags, BeyondTheMostTheyAreCounted) {
  origin.on("/x", Reply::fresh().field("Cache-Tag", "b, c"));
  begin("\n  - {name: x, path: /x, tags: {add: [a], max: 2}}");
  get("/x");
  EXPECT_EQ(metric("forebay_tags_dropped_total", {{"route", "x"}}), 1);
  purge("c");
  EXPECT_TRUE(hits("/x"));
  purge("b");
  EXPECT_FALSE(hits("/x"));
  purge("a");
  EXPECT_FALSE(hits("/x"));
}

TEST_F(Tags, PartsOfTheRequestThatIsAnswered) {
  origin.on("/search", [](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  begin(R"(
  - name: search
    path: /search
    methods: POST
    key: {headers: [X-Shop], body: [/q]}
    tags: {add: ["{header:X-Shop}", "{body:/q/tags}"]}
    ttl: 60s)");
  const auto search = [&](const std::string& shop, const std::string& body) {
    return ask("POST", "/search", {{"Content-Type", "application/json"}, {"X-Shop", shop}}, body);
  };
  const std::string one = R"({"q":{"tags":["b","c"]}})", two = R"({"q":{"tags":["d"]}})";
  search("a", one);
  search("e", two);
  EXPECT_EQ(search("a", one).x_cache(), "HIT");
  purge("c");
  EXPECT_EQ(search("a", one).x_cache(), "MISS");
  EXPECT_EQ(search("e", two).x_cache(), "HIT");
  purge("a");
  EXPECT_EQ(search("a", one).x_cache(), "MISS");
  EXPECT_EQ(search("e", two).x_cache(), "HIT");
}

TEST_F(Tags, A304KeepsThem) {
  origin.on("/x", [](const Received& r) {
    auto reply = r.has("If-None-Match") ? Reply(304) : Reply(200).body("x");
    return reply.field("ETag", "\"1\"").field("Cache-Control", "no-cache").field("Cache-Tag", "a");
  });
  begin("\n  - {path: /x}");
  get("/x");
  EXPECT_EQ(get("/x").x_cache(), "REVALIDATED");
  purge("a");
  get("/x");
  EXPECT_FALSE(origin.last("/x").has("If-None-Match")) << "nothing is stored that could be validated";
}

TEST_F(Tags, AReloadThatChangesThemMakesWhatIsStoredUnfit) {
  origin.on("/x", [](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  origin.on("/y", [](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  begin("\n  - {path: /x}\n  - {path: /y}");
  get("/x");
  get("/y");
  const auto before = metric("forebay_config_reloads_total", {{"outcome", "applied"}});
  daemon->reload(with_origin("routes:\n  - {path: /x, tags: {add: [a]}}\n  - {path: /y}" + kWrites));
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, before + 1));
  EXPECT_FALSE(hits("/x")) << "what was stored has not the tag";
  EXPECT_TRUE(hits("/y"));
  purge("a");
  EXPECT_FALSE(hits("/x"));
}

TEST_F(Tags, ExplainSaysWhichAStoredResponseHas) {
  FOREBAY_NOT_OVER_TLS("it is explained over http");
  origin.on("/x/1", Reply::fresh().field("Cache-Tag", "b a").field("Cache-Groups", "\"g\""));
  begin("\n  - {name: x, path: \"/x/{id}\", tags: {add: [\"x-{id}\"]}}");
  get("/x/1");
  Client admin(daemon->admin_port());
  const auto answer =
      admin.ask("POST", "/api/v1/explain", {{"Host", "localhost"}, {"Content-Type", "application/json"}},
                R"({"url":"http://shop.test/x/1"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto stored = boost::json::parse(answer.body).at("stored");
  std::string tags;
  for (const auto& tag : stored.at("tags").as_array()) tags += std::string(tag.as_string()) + '\n';
  EXPECT_EQ(tags, "a\nb\ncache-group http://shop.test g\nx-1\n");
}

TEST_F(Tags, ThePurgeApiFindsThem) {
  origin.on("/x/1", Reply::fresh().field("Surrogate-Key", "a b"));
  begin("\n  - {name: x, path: \"/x/{id}\", tags: {add: [\"x-{id}\"]}}");
  for (const auto* tag : {"a", "x-1"}) {
    get("/x/1");
    ASSERT_TRUE(hits("/x/1"));
    Client admin(daemon->admin_port());
    const auto done = admin.ask("POST", "/api/v1/purge", {{"Host", "localhost"}, {"Content-Type", "application/json"}},
                                std::string(R"({"tag":[")") + tag + "\"]}");
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_THAT(done.body, HasSubstr("\"purged\":1"));
    EXPECT_FALSE(hits("/x/1"));
  }
}

TEST(TagsOfCheck, WhoInvalidatesWhomIsPrinted) {
  const std::string yaml = R"(
origin: http://localhost:3000
routes:
  - {name: list, path: /list, tags: {add: [list]}}
  - {name: write, path: /write, cache: false, invalidates: [list, other]}
)";
  const auto told = run_forebay({"check", "-c", "-"}, {}, yaml);
  EXPECT_EQ(told.exit, 0) << told.err;
  EXPECT_THAT(told.err, HasSubstr("writes on write invalidate:\n  list -> list\n"
                                  "  other -> responses whose origin names this tag\n"));
  EXPECT_THAT(told.out, HasSubstr("FB2083"));
  EXPECT_THAT(run_forebay({"check", "--quiet", "-c", "-"}, {}, yaml).err, Not(HasSubstr("invalidate")));
  const auto printed = run_forebay({"check", "--print", "-c", "-"}, {}, yaml);
  EXPECT_EQ(run_forebay({"check", "--print", "-c", "-"}, {}, printed.out).out, printed.out);
}

}  // namespace
}  // namespace forebay::test
