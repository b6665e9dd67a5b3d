#include "forebay/config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "config/surroundings.hpp"
#include "support.hpp"

namespace forebay::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kOrigin = "origin: http://localhost:3000\n";

ConfigPtr good(const std::string& text, const Overrides& overrides = {}, const Surroundings& s = machine()) {
  const auto result = load_text(text, overrides, s);
  if (!result.ok()) throw std::runtime_error(to_text(result.diagnostics));  // fails the test
  return result.config;
}

TEST(Load, WithoutRoutesThereIsOneForAllPaths) {
  const auto config = good(kOrigin);
  ASSERT_EQ(config->routes.size(), 1u);
  EXPECT_EQ(config->routes[0].name, "/**");
  EXPECT_EQ(config->routes[0].path.text(), "/**");
  EXPECT_EQ(config->routes[0].origin, "http://localhost:3000");
  EXPECT_EQ(config->listeners[0].address.port, 8080);
  EXPECT_EQ(config->admin->text, "127.0.0.1:8081");
  EXPECT_EQ(config->metrics.buckets.size(), 17u);
}

TEST(Load, EachRouteHasAPlaceThatShowsNoSecret) {
  const auto result = load_text(kOrigin +
                                "routes:\n  - path: /a\n"
                                "  - { client_refresh: { token: 0123456789abcdef }, path: /b }\n");
  ASSERT_EQ(result.places.size(), 2u);
  EXPECT_EQ(result.places[0].line, 3);
  EXPECT_EQ(result.places[0].column, 11);
  EXPECT_EQ(result.places[0].path, "routes[0]");
  EXPECT_EQ(result.places[0].source_line, "  - path: /a");
  EXPECT_EQ(result.places[1].file, "test.yaml");
  EXPECT_EQ(result.places[1].source_line, "  - { client_refresh: { token: **************** }, path: /b }");
  const auto bare = load_text(kOrigin);
  ASSERT_EQ(bare.places.size(), 1u);
  EXPECT_EQ(bare.places[0].line, 0);
  EXPECT_TRUE(load_text(kOrigin + "routes: [{paths: /}]\n").places.empty());
}

TEST(Load, WithoutAFileFlagsSuffice) {
  LoadRequest request;
  request.overrides = {{"origin", "http://localhost:3000"}, {"defaults.ttl", "30s"}, {"listen", ":9000"}};
  const auto result = load(request, machine());
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  EXPECT_EQ(result.config->routes[0].policy.ttl.fallback, 30s);
  EXPECT_EQ(result.config->listeners[0].address.port, 9000);
}

TEST(Load, WithoutAFileTheFlagIsToBlame) {
  LoadRequest request;
  request.overrides = {{"origin", "http://localhost:3000"}, {"defaults.ttl", "30"}};
  request.override_names = {"--origin", "--ttl"};
  EXPECT_EQ(to_text(load(request, machine()).diagnostics),
            "--ttl: error FB1003: \"30\" needs a unit\n        write \"30s\"\n");
}

TEST(Load, EmptyInputSaysThatThereIsNoOrigin) {
  EXPECT_EQ(codes(load_text("")), std::vector<int>{1009});
  EXPECT_EQ(codes(load_text("---\n")), std::vector<int>{1009});
  EXPECT_EQ(codes(load_text("\n# only a comment\n")), std::vector<int>{1009});
  EXPECT_EQ(codes(load_text("~\n")), std::vector<int>{1009});
}

TEST(Load, PoliciesGoOverEachOtherKeyByKey) {
  const auto config = good(R"(
origin: http://localhost:3000
cache: { max_object: 1MiB, keep: 3m }
defaults:
  ttl: { default: 1m, jitter: 5%, status: { "404": 1s, 5xx: 2s } }
  stale: { if_error: 1h }
  key: { headers: [X-A], query: [a] }
policies:
  long:
    ttl: 1h
    key: { query: { except: [utm_*] } }
    max_object: 2MiB
routes:
  - path: /a
    policy: long
    ttl: { max: 1d, status: { "404": 9s, "410": 3s } }
    key: { headers: [X-B, x-b, X-C] }
  - path: /b
    statuses: 200
)");
  const auto& a = config->routes[0];
  EXPECT_EQ(a.policy.ttl.fallback, 1h);
  EXPECT_EQ(a.policy.ttl.max, 24h);
  EXPECT_EQ(a.policy.ttl.jitter, 0.05);
  EXPECT_EQ(a.policy.stale.if_error, 1h);
  EXPECT_EQ(a.policy.max_object, 2u << 20);
  EXPECT_EQ(a.policy.keep, 3min);
  EXPECT_EQ(a.key.query, cache::QueryMode::Except);
  EXPECT_THAT(a.key.query_names, ElementsAre("utm_*"));
  EXPECT_THAT(a.key.headers, ElementsAre("x-b", "x-c"));
  ASSERT_EQ(a.policy.ttl.status.size(), 3u);
  EXPECT_EQ(a.policy.ttl.status[0].first.from, 404);
  EXPECT_EQ(a.policy.ttl.status[0].second, 9s);
  EXPECT_EQ(a.policy.ttl.status[2].first.from, 500) << "classes stand behind exact statuses";
  const auto& b = config->routes[1];
  EXPECT_EQ(b.policy.ttl.fallback, 1min);
  EXPECT_EQ(b.policy.max_object, 1u << 20);
  EXPECT_EQ(b.policy.statuses.size(), 1u);
  EXPECT_THAT(b.key.query_names, ElementsAre("a"));
}

TEST(Load, MethodsKnowThatGetIncludesHead) {
  const auto config =
      good(kOrigin + "routes:\n  - { path: /a, methods: GET }\n  - { path: /b, methods: [HEAD, OPTIONS] }\n");
  const auto has = [&](std::size_t route, http::Method m) {
    return config->routes[route].policy.methods.test(static_cast<std::size_t>(m));
  };
  EXPECT_TRUE(has(0, http::Method::Get) && has(0, http::Method::Head));
  EXPECT_TRUE(has(1, http::Method::Head) && has(1, http::Method::Options));
  EXPECT_FALSE(has(1, http::Method::Get));
}

TEST(Load, RouteNamesAreMadeFromPaths) {
  const auto config = good(kOrigin +
                           "routes:\n  - path: /a\n  - path: /a\n    host: x\n  - path: /a\n    methods: OPTIONS\n  - "
                           "name: /b\n    path: /c\n  - path: /b\n  - path: \"~ ^/v 1$\"\n  - path: /" +
                           std::string(100, 'x') + "\n");
  std::vector<std::string> names;
  for (const auto& route : config->routes) names.push_back(route.name);
  EXPECT_THAT(names, ElementsAre("/a", "/a:2", "/a:3", "/b", "/b:2", "___/v_1_", '/' + std::string(79, 'x')));
  EXPECT_EQ(config->routes[3].line, 8);
  EXPECT_EQ(config->routes[3].index, 3u);
}

TEST(Load, OriginsMayBeUrlsWhereverTheyAreNamed) {
  const auto config = good(
      "origins:\n  web: http://w:81\n  api: { urls: [http://a], host_header: origin, retries: 3 }\norigin: "
      "web\nroutes:\n  - { path: /a, origin: api }\n  - { path: /b, origin: \"http://b\" }\n  - path: /**\n");
  EXPECT_EQ(config->default_origin, "web");
  EXPECT_EQ(config->routes[0].origin, "api");
  EXPECT_EQ(config->routes[1].origin, "http://b");
  EXPECT_EQ(config->routes[2].origin, "web");
  EXPECT_EQ(config->origins.at("http://b").url.port, 80);
  EXPECT_EQ(config->origins.at("web").url.port, 81);
  EXPECT_EQ(config->origins.at("api").retries, 3u);
  EXPECT_EQ(config->origins.at("api").host_header, "origin");
}

TEST(Load, MemoryFollowsTheCgroup) {
  auto s = machine();
  EXPECT_EQ(good(kOrigin, {}, s)->cache.memory, 256u << 20);
  s.memory_limit = 100u << 20;
  s.memory_limit_is_cgroup = true;
  EXPECT_EQ(good(kOrigin, {}, s)->cache.memory, 40u << 20);
  EXPECT_EQ(good(kOrigin + "cache: { memory: 50% }\n", {}, s)->cache.memory, 50u << 20);
  EXPECT_EQ(good(kOrigin + "cache: { memory: 0.25 }\n", {}, s)->cache.memory, 25u << 20);
  EXPECT_EQ(codes(load_text(kOrigin + "cache: { memory: 101MiB }\n", {}, s)), std::vector<int>{2007});
  s.memory_limit = 0;
  EXPECT_EQ(codes(load_text(kOrigin + "cache: { memory: 50% }\n", {}, s)), std::vector<int>{1004});
}

TEST(Load, ThreadsAndShardsFollowTheCores) {
  auto s = machine();
  s.cpus = 3;
  EXPECT_EQ(good(kOrigin, {}, s)->server.threads, 3u);
  EXPECT_EQ(good(kOrigin, {}, s)->cache.shards, 16u);
  EXPECT_EQ(good(kOrigin + "server: { threads: 5 }\n", {}, s)->cache.shards, 32u);
  EXPECT_EQ(good(kOrigin + "server: { threads: auto }\ncache: { shards: 4 }\n", {}, s)->cache.shards, 4u);
}

TEST(Load, FingerprintChangesWithWhateverMakesStoredAnswersUnfit) {
  const auto print_of = [&](const std::string& route) {
    return good("origins: { a: \"http://a\", b: \"http://b\" }\norigin: a\nroutes:\n  - { path: /x" + route + " }\n")
        ->routes[0]
        .key.fingerprint;
  };
  const auto plain = print_of("");
  EXPECT_EQ(print_of(""), plain);
  EXPECT_EQ(print_of(", ttl: 5s, stale: { if_error: 1m }, name: other"), plain);
  for (const auto* change :
       {", key: { host: false }", ", key: { scheme: false }", ", key: { query: none }", ", key: { query: [a] }",
        ", key: { query: { except: [a] } }", ", key: { query_sort: true }", ", key: { headers: [X] }",
        ", authorization: key", ", authorization: bypass", ", vary: ignore", ", set_cookie: strip",
        ", request_cookies: share", ", credentials: [Cookie]", ", origin: b"})
    EXPECT_NE(print_of(change), plain) << change;
  EXPECT_NE(print_of(", key: { headers: [X-A, X-B] }"), print_of(", key: { headers: [X-B, X-A] }"));
}

TEST(Load, AdminCanBeOffOrReachableFromOutside) {
  EXPECT_FALSE(good(kOrigin + "admin: { listen: off }\n")->admin);
  for (const std::string inside : {"[::1]:9", "unix:/run/admin"})
    EXPECT_THAT(codes(load_text(kOrigin + "admin: { listen: \"" + inside + "\" }\n")), testing::IsEmpty()) << inside;
  for (const std::string outside : {":8081", "10.0.0.1:8081"})
    EXPECT_EQ(codes(load_text(kOrigin + "admin: { listen: \"" + outside + "\" }\n")), std::vector<int>{2010})
        << outside;
}

TEST(Load, NameServersHaveAPortOrTheUsualOne) {
  const auto config =
      good(kOrigin + "server: { dns: { servers: [10.0.0.2, \"127.0.0.1:5353\", \"fd00::2\", \"[fd00::3]:54\"] } }\n");
  using NameServer = Server::NameServer;
  EXPECT_EQ(config->server.name_servers,
            (std::vector<NameServer>{{"10.0.0.2"}, {"127.0.0.1", 5353}, {"fd00::2"}, {"fd00::3", 54}}));
  EXPECT_EQ(good(kOrigin + "server: { dns: { servers: 10.0.0.2 } }\n")->server.name_servers.size(), 1u);
}

TEST(Load, LogsAndTracesAreRead) {
  const auto config =
      good(kOrigin +
           "log: { level: debug, format: json, output: /var/log/f, access: { format: \"{method} {cache.result}\", "
           "when: [errors, slow], sample: 10%, on_full: block } }\ntracing: { request_id: off }\ndiagnostics: { "
           "cache_status: off }\nserver: { forwarded: set, trusted_proxies: [10.0.0.0/8, \"::1\"] }\n");
  EXPECT_EQ(config->log.level, log::Level::Debug);
  EXPECT_EQ(config->log.format, log::Format::Json);
  EXPECT_EQ(config->access.format, AccessFormat::Template);
  EXPECT_TRUE(config->access.errors && config->access.slow && !config->access.miss);
  EXPECT_EQ(config->access.sample, 0.1);
  EXPECT_TRUE(config->access.block_when_full);
  EXPECT_TRUE(config->request_id.empty());
  EXPECT_EQ(config->diagnostics.cache_status, CacheStatusField::Off);
  EXPECT_EQ(config->server.forwarded, http::ForwardedMode::Set);
  EXPECT_EQ(config->server.trusted_proxies.networks.size(), 2u);
}

TEST(Yaml, VariablesAreReplacedAndThenTyped) {
  const auto config = good(
      "origin: \"http://${HOST:-localhost}:${PORT:-3000}\"\nserver: { max_connections: \"${N:-7}\" }\ndefaults: { "
      "cache: \"${CACHE:-false}\" }\ndiagnostics: { name: \"${SET}\" }\nlog: { access: { format: \"$$ $x "
      "{path} ${EMPTY:-e}\" } }\n");
  EXPECT_EQ(config->default_origin, "http://localhost:3000");
  EXPECT_EQ(config->server.max_connections, 7u);
  EXPECT_FALSE(config->routes[0].policy.cache);
  EXPECT_EQ(config->diagnostics.name, "value");
  EXPECT_EQ(config->access.line.text, "$ $x {path} e");
}

TEST(AccessTemplate, TakesTheFieldsThatALineHasAndNoOthers) {
  for (const auto field : access_fields())
    EXPECT_TRUE(good(kOrigin + "log: { access: { format: \"{" + std::string(field) + "}\" } }\n")) << field;
  for (const std::string field : {"tls", "time.l2_ms", "cache", "time", "", "Status"})
    EXPECT_EQ(codes(load_text(kOrigin + "log: { access: { format: \"{" + field + "}\" } }\n")),
              std::vector<int>{field.empty() ? 1002 : 1001})
        << field;
}

TEST(Yaml, DollarsThatAreNoVariableStay) {
  const auto config = good(kOrigin + "routes:\n  - path: \"~ ^/a$$\"\n  - path: \"~ ^/b$\"\n");
  EXPECT_EQ(config->routes[0].path.text(), "~ ^/a$");
  EXPECT_EQ(config->routes[1].path.text(), "~ ^/b$");
}

TEST(Yaml, MergesKeepWhatIsWrittenOut) {
  const auto config = good(R"(
x-one: &one { ttl: 1m, vary: ignore }
x-two: &two { ttl: 2m, max_variants: 5 }
origin: http://localhost:3000
routes:
  - path: /a
    <<: [*one, *two]
  - <<: *one
    path: /b
    ttl: 9s
)");
  EXPECT_EQ(config->routes[0].policy.ttl.fallback, 1min);
  EXPECT_EQ(config->routes[0].policy.max_variants, 5u);
  EXPECT_FALSE(config->routes[0].policy.vary);
  EXPECT_EQ(config->routes[1].policy.ttl.fallback, 9s);
  EXPECT_FALSE(config->routes[1].policy.vary);
}

TEST(Yaml, UsersOwnKeysAreIgnoredAtAnyLevel) {
  const auto config = good(kOrigin +
                           "x-a: { b: [1, { c: 2 }] }\nserver: { x-b: 1 }\npolicies: { x-base: 5 }\norigins: { x-o: { "
                           "zzz: 1 } }\nroutes:\n  - { path: /a, x-note: hi, ttl: { x-d: 1 } }\n");
  EXPECT_EQ(config->origins.size(), 1u);
}

TEST(Yaml, EmptySectionsAreAllowedEmptyValuesAreNot) {
  good(kOrigin + "origins:\ndefaults:\npolicies:\nserver:\ncache:\n  # memory: 1GiB\nroutes:\n");
  const auto result = load_text(kOrigin + "cache:\n  memory:\nlog:\n  level: ~\n");
  EXPECT_EQ(codes(result), (std::vector<int>{1002, 1002}));
  EXPECT_EQ(result.diagnostics[0].line, 3) << "the mark of an empty value is that of its key";
}

TEST(Yaml, AliasesAreReportedWhereTheyStand) {
  const auto result = load_text("x-t: &t [a]\n" + kOrigin + "defaults:\n  ttl: *t\n");
  ASSERT_EQ(codes(result), std::vector<int>{1002});
  EXPECT_EQ(result.diagnostics[0].line, 4);
  EXPECT_EQ(result.diagnostics[0].column, 8);
}

TEST(Yaml, ByteOrderMarkAndWindowsLinesAreRead) {
  good("\xef\xbb\xbforigin: http://localhost:3000\r\nroutes:\r\n  - path: /a\r\n");
  const auto result = load_text("\xef\xbb\xbforigin: x\n");
  EXPECT_EQ(result.diagnostics[0].column, 9);
}

TEST(Yaml, DocumentMarkersOfOneDocumentAreFine) {
  good("%YAML 1.2\n---\n" + kOrigin + "...\n");
  good("---\n" + kOrigin);
}

TEST(Overrides, GoOverTheFileInOrder) {
  const std::string text = kOrigin +
                           "routes:\n  - { name: search, path: /s, ttl: 30s }\n  - { name: a.b, path: /t, ttl: { max: "
                           "1d } }\norigins:\n  web: http://w\n";
  const auto config = good(text, {{"routes.search.ttl.default", "5s"},
                                  {"routes.search.ttl.default", "6s"},
                                  {"routes.search.ttl.min", "1s"},
                                  {"routes.a.b.ttl.default", "7s"},
                                  {"routes[1].methods", "[GET, OPTIONS]"},
                                  {"routes.1.key.query", "{ except: [utm_*] }"},
                                  {"origins.web.retries", "4"},
                                  {"origins.new", "http://n"},
                                  {"origins.pool", "[http://p, http://q]"},
                                  {"origins.pool.retries", "5"},
                                  {"origins.pool.urls[1].weight", "3"},
                                  {"origins.web.health.path", "/h"},
                                  {"cache.memory", "1GiB"},
                                  {"listen", "[::1]:9000"},
                                  {"log.access.redact.query", "token"}});
  EXPECT_EQ(config->routes[0].policy.ttl.fallback, 6s);
  EXPECT_EQ(config->routes[0].policy.ttl.min, 1s);
  EXPECT_EQ(config->routes[1].policy.ttl.fallback, 7s);
  EXPECT_EQ(config->routes[1].policy.ttl.max, 24h);
  EXPECT_EQ(config->routes[1].key.query, cache::QueryMode::Except);
  EXPECT_EQ(config->origins.at("web").retries, 4u);
  EXPECT_EQ(config->origins.at("web").health.path, "/h");
  EXPECT_EQ(config->origins.at("pool").retries, 5u);
  ASSERT_EQ(config->origins.at("pool").urls.size(), 2u);
  EXPECT_EQ(config->origins.at("pool").urls[1].weight, 3u);
  EXPECT_EQ(config->origins.at("web").url.host, "w");
  EXPECT_EQ(config->origins.count("new"), 1u);
  EXPECT_EQ(config->cache.memory, 1u << 30);
  EXPECT_EQ(config->listeners[0].address.host, "::1");
  EXPECT_THAT(config->access.redact_query, ElementsAre("token"));
}

TEST(Overrides, ReachTheRouteThatIsThereByDefault) {
  EXPECT_EQ(good(kOrigin, {{"routes./**.ttl", "5s"}})->routes[0].policy.ttl.fallback, 5s);
  EXPECT_EQ(good(kOrigin + "listen: \":9000\"\n", {{"listen[0].name", "public"}})->listeners[0].name, "public");
}

TEST(Overrides, OfOneRouteLeaveTheOthersThatShareItsAnchorAlone) {
  const auto config = good("x-k: &k { query: none }\n" + kOrigin +
                               "routes:\n  - { name: a, path: /a, key: *k }\n  - { name: b, path: /b, key: *k }\n",
                           {{"routes.a.key.query", "all"}});
  EXPECT_EQ(config->routes[0].key.query, cache::QueryMode::All);
  EXPECT_EQ(config->routes[1].key.query, cache::QueryMode::None);
}

TEST(LoadFile, ThatCannotBeReadIsFB1008) {
  LoadRequest request;
  request.file = "/nonexistent/forebay.yaml";
  EXPECT_EQ(to_text(load_file(request, machine()).diagnostics),
            "/nonexistent/forebay.yaml: error FB1008: the file cannot be read: No such file or directory\n");
  request.file = "/";
  EXPECT_EQ(codes(load_file(request, machine())), std::vector<int>{1008});
}

TEST(Diagnostics, HaveThreeForms) {
  const auto result = load_text(kOrigin + "a\"b: 1\n", {{"cache.kep", "1m"}});
  EXPECT_EQ(to_json(result.diagnostics),
            "[\n  "
            "{\"file\":\"test.yaml\",\"line\":2,\"column\":1,\"end_column\":4,\"severity\":\"error\",\"code\":"
            "\"FB1001\",\"path\":\"a\\\"b\",\"message\":\"unknown key \\\"a\\\"b\\\" at the top "
            "level\",\"hint\":\"\"},\n  {\"file\":\"--set "
            "cache.kep\",\"line\":0,\"column\":0,\"end_column\":0,\"severity\":\"error\",\"code\":\"FB1001\",\"path\":"
            "\"cache.kep\",\"message\":\"unknown "
            "key \\\"kep\\\" in cache\",\"hint\":\"did you mean \\\"keep\\\"?\"}\n]\n");
  EXPECT_EQ(to_github(result.diagnostics),
            "::error file=test.yaml,line=2,col=1,endColumn=4,title=FB1001::unknown key \"a\"b\" at the top level\n"
            "::error title=FB1001::--set cache.kep: unknown key \"kep\" in cache (did you mean \"keep\"?)\n");
  EXPECT_EQ(to_json({}), "[]\n");
  EXPECT_EQ(summary(result.diagnostics), "2 errors");
  EXPECT_NE(to_text(result.diagnostics, true).find("\x1b[1;31merror"), std::string::npos);
}

TEST(Print, LoadsAgainToTheSame) {
  const std::string text = R"(
listen: [":8080", { address: "unix:/run/f.sock", name: local }]
origins:
  web: { url: "http://w:81", host_header: "a.b:80", timeouts: { connect: 1.5s }, pool: { max_idle: 0 } }
origin: web
server: { trusted_proxies: [10.0.0.0/8, "fd00::/8"], forwarded: off, dns: { servers: [10.0.0.2, "[fd00::2]:5353"] } }
admin: { listen: off }
log: { access: { format: "{method} \"{path}\" $$ \\ {status}", when: [miss], sample: 33.3% } }
tracing: { request_id: off }
diagnostics: { cache_status: key }
metrics: { buckets: [1ms, 1s] }
routes:
  - path: "~ ^/v[0-9]+/\"x$$"
    host: ["*.example.com", a.b]
    origin: http://other:99
    methods: [GET, POST, M-SEARCH]
    cache: false
  - path: /**
    ttl: { default: 1m30s, status: { 4xx: 1s, "404": 0 }, jitter: 7% }
    stale: { errors: [timeout, 5xx] }
    key: { query: { except: [utm_*, "a,b"] }, headers: [X-A] }
    statuses: []
    targeted: { fields: [] }
    set_cookie: strip
)";
  const auto once = print(*good(text));
  const auto result = load_text(once);
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics) << once;
  EXPECT_EQ(print(*result.config), once);
  EXPECT_NE(once.find("# Worker threads"), std::string::npos);
}

TEST(Print, OfTheShippedFilesLoadsAgainToTheSame) {
  for (const std::string name : {"forebay.yaml", "examples/minimal.yaml", "examples/sidecar.yaml", "examples/edge.yaml",
                                 "examples/api-gateway.yaml"}) {
    const auto once = print(*good(content_of(std::string(FOREBAY_SOURCE_DIR) + "/config/" + name)));
    const auto result = load_text(once);
    ASSERT_TRUE(result.ok()) << to_text(result.diagnostics) << once;
    EXPECT_EQ(print(*result.config), once);
  }
}

class Cgroup : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("forebay-cgroup-" + std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_.string() + path).substr(0, (root_.string() + path).rfind('/')));
    std::ofstream(root_.string() + path) << text;
  }
  Surroundings read() { return surroundings_below(root_.string(), std::uint64_t{8} << 30, 4); }
  std::filesystem::path root_;
};

TEST_F(Cgroup, AbsentMeansTheMachine) {
  EXPECT_EQ(read().memory_limit, std::uint64_t{8} << 30);
  EXPECT_FALSE(read().memory_limit_is_cgroup);
  EXPECT_EQ(read().cpus, 4u);
}

TEST_F(Cgroup, V2TakesTheTightestOnTheWayUp) {
  write("/proc/self/cgroup", "0::/a.slice/b.scope\n");
  write("/sys/fs/cgroup/a.slice/memory.max", "1073741824\n");
  write("/sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n");
  write("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "150000 100000\n");
  EXPECT_EQ(read().memory_limit, 1u << 30);
  EXPECT_TRUE(read().memory_limit_is_cgroup);
  EXPECT_EQ(read().cpus, 2u) << "1.5 cores are rounded up";
}

TEST_F(Cgroup, V1SaysNoLimitByAHugeNumber) {
  write("/proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x\n");
  write("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
  write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(read().memory_limit_is_cgroup);
  EXPECT_EQ(read().cpus, 4u);
  write("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "536870912\n");
  EXPECT_EQ(read().memory_limit, 512u << 20);
}

}  // namespace
}  // namespace forebay::config::test
