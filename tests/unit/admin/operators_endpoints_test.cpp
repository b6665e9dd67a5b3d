// The endpoints of operators: who may, what they answer, and what is written about changes.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "forebay/admin/endpoints.hpp"
#include "forebay/base/log.hpp"
#include "forebay/content/coding.hpp"
#include "operators.hpp"

namespace forebay::admin {
namespace {

using http::Method;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class OperatorsEndpoints : public ::testing::Test {
 protected:
  OperatorsEndpoints() {
    operators_.status.state = State::Ready;
    log::set_level(log::Level::Error);
  }
  ~OperatorsEndpoints() override { log::set_level(log::Level::Info); }

  std::shared_ptr<FakeExchange> request(Method method, std::string target, std::string content = {}) {
    auto exchange = std::make_shared<FakeExchange>(operators_.worker, method, std::move(target));
    exchange->made_notes = handler().make_notes();
    if (!content.empty()) exchange->content.pieces = {std::move(content)};
    return exchange;
  }
  std::shared_ptr<FakeExchange> ask(Method method, std::string target, std::string content = {}) {
    auto exchange = request(method, std::move(target), std::move(content));
    handler().start(exchange);
    return exchange;
  }
  /// Made at its first use, so that a test can set the orders before.
  AdminHandler& handler() {
    if (!handler_) {
      auto sources = operators_.sources();
      sources.orders = orders_;
      handler_ = std::make_unique<AdminHandler>(std::move(sources));
    }
    return *handler_;
  }
  /// What other threads have posted.
  void settle() {
    operators_.worker.io().restart();
    operators_.worker.io().poll();
  }
  void advance(Duration by) {
    operators_.clock.advance(by);
    operators_.worker.fire_deadlines();
  }
  static std::string unzipped(std::string_view bytes) {
    std::string out;
    return content::decode("gzip", bytes, 1 << 20, out) ? out : "not gzip";
  }
  static boost::json::value parsed(const FakeExchange& exchange) { return boost::json::parse(exchange.text); }
  static std::string text_at(const FakeExchange& exchange, const char* pointer) {
    return std::string(parsed(exchange).at_pointer(pointer).as_string());
  }

  Operators operators_;
  Orders orders_;
  std::unique_ptr<AdminHandler> handler_;
};

TEST_F(OperatorsEndpoints, ChangesNeedTheirMethod) {
  for (const auto* path : {"/api/v1/reload", "/api/v1/drain", "/api/v1/undrain"}) {
    for (const auto method : {Method::Get, Method::Head, Method::Put, Method::Delete}) {
      const auto answer = ask(method, path);
      EXPECT_EQ(answer->status, 405) << path;
      EXPECT_THAT(answer->lines, HasSubstr("Allow: POST\r\n"));
      EXPECT_THAT(answer->text, HasSubstr(R"("code":"method_not_allowed")"));
    }
  }
  const auto level = ask(Method::Post, "/api/v1/log/level");
  EXPECT_EQ(level->status, 405);
  EXPECT_THAT(level->lines, HasSubstr("Allow: GET, HEAD, PUT\r\n"));
  EXPECT_EQ(ask(Method::Delete, "/api/v1/status")->status, 405);
}

TEST_F(OperatorsEndpoints, OthersAreRefusedBeforeTheyLearnWhatIsAllowed) {
  operators_.change([](config::Config& c) { c.operators.token = "s3cret"; });
  for (const auto* path : {"/api/v1/status", "/api/v1/routes", "/api/v1/routes/x", "/api/v1/origins", "/api/v1/config",
                           "/api/v1/log/level", "/api/v1/reload"}) {
    auto exchange = request(Method::Get, path);
    exchange->from.ip[12] = 10;
    exchange->from.address = "10.0.0.9";
    handler().start(exchange);
    EXPECT_EQ(exchange->status, 401) << path;
    EXPECT_THAT(exchange->lines, HasSubstr("WWW-Authenticate: Bearer"));
    EXPECT_THAT(exchange->lines, Not(HasSubstr("Allow:")));
  }
}

TEST_F(OperatorsEndpoints, TheTokenForReadingChangesNothing) {
  operators_.change([](config::Config& c) {
    c.operators.token = "s3cret";
    c.operators.read_token = "reader";
  });
  const auto with = [&](const char* token, Method method, const char* path, const char* content = "") {
    auto exchange = request(method, path, content);
    exchange->field("Authorization", "Bearer " + std::string(token));
    handler().start(exchange);
    return exchange;
  };
  EXPECT_EQ(with("reader", Method::Get, "/api/v1/status")->status, 200);
  EXPECT_EQ(with("reader", Method::Post, "/api/v1/explain", R"({"url":"http://h/a"})")->status, 200);
  EXPECT_EQ(with("reader", Method::Get, "/api/v1/log/level")->status, 200);
  const auto refused = with("reader", Method::Put, "/api/v1/log/level", R"({"level":"info"})");
  EXPECT_EQ(refused->status, 403);
  EXPECT_THAT(refused->text, HasSubstr("admin.token is for changes"));
  EXPECT_EQ(with("reader", Method::Post, "/api/v1/reload")->status, 403);
  EXPECT_EQ(with("s3cret", Method::Put, "/api/v1/log/level", R"({"level":"error"})")->status, 200);
  EXPECT_EQ(with("other", Method::Get, "/api/v1/status")->status, 401);
  operators_.change([](config::Config& c) { c.operators.read_token.clear(); });
  EXPECT_EQ(with("", Method::Get, "/api/v1/status")->status, 401) << "no token is none";
}

TEST_F(OperatorsEndpoints, WhatComesThroughAProxyOnThisMachineNeedsAToken) {
  operators_.change([](config::Config& c) { c.operators.token = "s3cret"; });
  for (const auto* name : {"Via", "Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Real-IP", "CDN-Loop"}) {
    auto exchange = request(Method::Get, "/api/v1/status");
    exchange->field(name, "203.0.113.7");
    handler().start(exchange);
    EXPECT_EQ(exchange->status, 403) << name;
    EXPECT_THAT(exchange->text, HasSubstr("through a proxy"));
    exchange = request(Method::Get, "/api/v1/status");
    exchange->field(name, "203.0.113.7");
    exchange->field("Authorization", "Bearer s3cret");
    handler().start(exchange);
    EXPECT_EQ(exchange->status, 200) << name;
    exchange = request(Method::Get, "/livez");
    exchange->field(name, "203.0.113.7");
    handler().start(exchange);
    EXPECT_EQ(exchange->status, 200) << name;
  }
}

TEST_F(OperatorsEndpoints, LongContentsAreCompressedForClientsThatAskForIt) {
  const auto with = [&](const char* accepted, const char* path) {
    auto exchange = request(Method::Get, path);
    if (accepted) exchange->field("Accept-Encoding", accepted);
    handler().start(exchange);
    return exchange;
  };
  const auto plain = with(nullptr, "/api/v1/config");
  ASSERT_GT(plain->text.size(), 2048u);
  EXPECT_THAT(plain->lines, HasSubstr("Vary: Accept-Encoding\r\n"));
  EXPECT_THAT(plain->lines, Not(HasSubstr("Content-Encoding")));
  for (const auto* accepted : {"gzip", "br, gzip;q=0.5", "*"}) {
    const auto coded = with(accepted, "/api/v1/config");
    EXPECT_THAT(coded->lines, HasSubstr("Content-Encoding: gzip\r\n")) << accepted;
    EXPECT_LT(coded->text.size(), plain->text.size() / 2);
    EXPECT_EQ(unzipped(coded->text), plain->text);
  }
  for (const auto* refused : {"gzip;q=0", "br", "identity", ""})
    EXPECT_EQ(with(refused, "/api/v1/config")->text, plain->text) << refused;
  EXPECT_THAT(with("gzip", "/livez")->lines, Not(HasSubstr("Content-Encoding"))) << "too short";
}

TEST_F(OperatorsEndpoints, AMistypedPathIsToldWhatWasMeant) {
  EXPECT_THAT(ask(Method::Get, "/api/v1/statsu")->text, HasSubstr("did you mean /api/v1/status?"));
  EXPECT_THAT(ask(Method::Get, "/")->text, HasSubstr("/api/v1/origins"));
  EXPECT_EQ(ask(Method::Get, "/api/v1/routes/")->status, 404);
  EXPECT_EQ(ask(Method::Get, "/api/v1/routes/a/b")->status, 404);
}

TEST_F(OperatorsEndpoints, StatusTellsOfProcessConfigurationListenersAndTotals) {
  operators_.status.last_reload_success_at = 1'700'000'000;
  operators_.counters.of("_none", 0).results[0].add();
  const auto answer = ask(Method::Get, "/api/v1/status");
  ASSERT_EQ(answer->status, 200) << answer->text;
  EXPECT_EQ(text_at(*answer, "/state"), "ready");
  EXPECT_EQ(text_at(*answer, "/config/loaded_at"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(text_at(*answer, "/config/hash").size(), 64u);
  EXPECT_EQ(text_at(*answer, "/listeners/0/name"), "web");
  EXPECT_EQ(parsed(*answer).at_pointer("/totals/requests").to_number<int>(), 1);
  EXPECT_EQ(parsed(*answer).at_pointer("/memory/limit").to_number<int>(), 1 << 20);
}

TEST_F(OperatorsEndpoints, TheHashIsThatOfTheConfigurationInForceWithoutItsSecrets) {
  const auto hash = [&] { return text_at(*ask(Method::Get, "/api/v1/status"), "/config/hash"); };
  const auto first = hash();
  EXPECT_EQ(hash(), first);
  operators_.change([](config::Config& c) { c.operators.token = "one"; });
  const auto with_token = hash();
  operators_.change([](config::Config& c) { c.operators.token = "two"; });
  EXPECT_EQ(hash(), with_token);
  operators_.change([](config::Config& c) { c.shutdown.drain = 7s; });
  EXPECT_NE(hash(), with_token);
}

TEST_F(OperatorsEndpoints, ARouteIsFoundByItsNameAlsoWithASlash) {
  operators_.change([](config::Config& c) {
    c.routes.resize(2);
    c.routes[0].name = "search";
    c.routes[1].name = "/api/**";
  });
  operators_.counters.of("search", 0).not_stored[1].add();
  const auto all = ask(Method::Get, "/api/v1/routes");
  ASSERT_EQ(all->status, 200) << all->text;
  EXPECT_EQ(parsed(*all).at("routes").as_array().size(), 2u);
  EXPECT_TRUE(parsed(*all).at_pointer("/routes/1/counters").is_null());
  const auto one = ask(Method::Get, "/api/v1/routes/search");
  EXPECT_EQ(text_at(*one, "/name"), "search");
  EXPECT_EQ(parsed(*one).at_pointer("/counters/not_stored").as_object().size(), 1u);
  EXPECT_EQ(text_at(*ask(Method::Get, "/api/v1/routes/%2Fapi%2F**"), "/name"), "/api/**");
  EXPECT_EQ(ask(Method::Get, "/api/v1/routes/nothing")->status, 404);
}

TEST_F(OperatorsEndpoints, OriginsTellTheirUrlsAndWhetherTheyAreUp) {
  operators_.change([](config::Config& c) {
    auto& web = c.origins["web"];
    web.url.text = "http://localhost:3000";
    web.urls = {{web.url, 1}};
  });
  const auto answer = ask(Method::Get, "/api/v1/origins");
  ASSERT_EQ(answer->status, 200) << answer->text;
  EXPECT_EQ(text_at(*answer, "/origins/0/name"), "web");
  EXPECT_TRUE(parsed(*answer).at_pointer("/origins/0/urls/0/up").as_bool());
  EXPECT_TRUE(parsed(*answer).at_pointer("/origins/0/urls/0/why_down").is_null());
  EXPECT_EQ(parsed(*answer).at_pointer("/origins/0/urls/0/connections/max").to_number<int>(), 256);
}

TEST_F(OperatorsEndpoints, TheConfigurationIsShownAsJsonToo) {
  operators_.change([](config::Config& c) {
    c.operators.token = "s3cret";
    c.operators.changes_per_second = 7;
    c.operators.allow_loopback = true;
    c.shutdown.drain = 90s;
  });
  const auto answer = ask(Method::Get, "/api/v1/config?format=json");
  ASSERT_EQ(answer->status, 200) << answer->text;
  EXPECT_THAT(answer->lines, HasSubstr("Content-Type: application/json"));
  EXPECT_EQ(parsed(*answer).at_pointer("/admin/changes_per_second").to_number<int>(), 7);
  EXPECT_TRUE(parsed(*answer).at_pointer("/admin/allow_loopback").as_bool());
  EXPECT_EQ(text_at(*answer, "/shutdown/drain"), "1m30s");
  EXPECT_THAT(answer->text, Not(HasSubstr("s3cret")));
  EXPECT_EQ(ask(Method::Get, "/api/v1/config?format=xml")->status, 400);
}

TEST_F(OperatorsEndpoints, TheConfigurationIsShownWithoutSecrets) {
  operators_.change([](config::Config& c) { c.operators.token = "s3cret"; });
  const auto answer = ask(Method::Get, "/api/v1/config");
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->lines, HasSubstr("Content-Type: application/yaml\r\n"));
  EXPECT_THAT(answer->text, HasSubstr("(redacted)"));
  EXPECT_THAT(answer->text, Not(HasSubstr("s3cret")));
  EXPECT_EQ(ask(Method::Get, "/api/v1/config?format=yaml")->status, 200);
  EXPECT_EQ(ask(Method::Get, "/api/v1/config?format=xml")->status, 400);
}

TEST_F(OperatorsEndpoints, HotKeysShowNoValuesThatTheLogRedacts) {
  operators_.change([](auto& c) { c.access.redact_query = {"code"}; });
  auto& keys = operators_.shared.hot_keys.of(0);
  const auto count = [&](std::uint64_t id, std::string_view text, std::size_t size) {
    keys.count({id, id}, {text, size}, {}, operators_.worker.tick().mono);
  };
  const std::string whole = "r|GET|a.example|/p|q:code=hunter2&n=1|h:authorization=hunter2|c:sid=hunter2";
  count(1, whole, whole.size());
  // However it is cut.
  for (std::size_t n = 1; n < whole.size(); ++n) count(n + 1, std::string_view(whole).substr(0, n), whole.size());
  const auto answer = ask(Method::Get, "/api/v1/keys?limit=500");
  settle();
  ASSERT_EQ(answer->status, 200) << answer->text;
  EXPECT_THAT(answer->text, HasSubstr("q:code=(redacted)&n=1|h:authorization=(redacted)|c:sid=(redacted)"));
  EXPECT_THAT(answer->text, Not(HasSubstr("=h")));
  EXPECT_EQ(parsed(*answer).at("keys").as_array().size(), whole.size());
}

TEST_F(OperatorsEndpoints, HotKeysAreCollectedForOneAtATime) {
  const auto first = ask(Method::Get, "/api/v1/keys");
  EXPECT_FALSE(first->answered());
  const auto second = ask(Method::Get, "/api/v1/keys");
  EXPECT_EQ(second->status, 503);
  EXPECT_EQ(text_at(*second, "/code"), "busy");
  EXPECT_THAT(second->lines, HasSubstr("Retry-After: 1\r\n"));
  settle();
  EXPECT_EQ(first->status, 200);
  const auto third = ask(Method::Get, "/api/v1/keys");
  settle();
  EXPECT_EQ(third->status, 200);
  // One whose client has left is over, too.
  const auto left = ask(Method::Get, "/api/v1/keys");
  handler().finished(*left);
  settle();
  EXPECT_FALSE(left->answered());
  const auto last = ask(Method::Get, "/api/v1/keys");
  settle();
  EXPECT_EQ(last->status, 200);
}

TEST_F(OperatorsEndpoints, WhoHasLeftAStreamMakesRoomAtOnce) {
  for (const auto* path : {"/api/v1/stats/stream", "/api/v1/requests/stream"})
    for (int i = 0; i < 20; ++i) ASSERT_EQ(ask(Method::Get, path)->status, 200) << path << ' ' << i;
}

TEST_F(OperatorsEndpoints, AReloadIsAnsweredWhenItIsDone) {
  std::function<void(const Reloaded&)> then;
  orders_.reload = [&](auto done) { then = std::move(done); };
  const auto answer = ask(Method::Post, "/api/v1/reload");
  EXPECT_FALSE(answer->answered());
  Reloaded outcome;
  outcome.applied = true;
  outcome.changed = {"log.level", "server.threads"};
  outcome.restart_required = {"server.threads"};
  then(outcome);
  EXPECT_FALSE(answer->answered()) << "only the admin worker answers";
  settle();
  ASSERT_TRUE(answer->answered());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->text, R"({"applied":true,"diagnostics":[],"changed":["log.level","server.threads"],)"
                          R"("restart_required":["server.threads"]})");
}

TEST_F(OperatorsEndpoints, ARejectedReloadIs422WithItsDiagnostics) {
  orders_.reload = [&](auto done) {
    Reloaded outcome;
    outcome.why = "1 error";
    outcome.diagnostics.emplace_back().code = 1001;
    done(outcome);
  };
  const auto answer = ask(Method::Post, "/api/v1/reload");
  settle();
  EXPECT_EQ(answer->status, 422);
  EXPECT_THAT(answer->lines, HasSubstr("application/problem+json"));
  EXPECT_EQ(text_at(*answer, "/code"), "configuration_rejected");
  EXPECT_EQ(text_at(*answer, "/diagnostics/0/code"), "FB1001");
}

TEST_F(OperatorsEndpoints, AReloadThatTakesTooLongIs504AndItsEndIsForNobody) {
  std::function<void(const Reloaded&)> then;
  orders_.reload = [&](auto done) { then = std::move(done); };
  const auto answer = ask(Method::Post, "/api/v1/reload");
  advance(29s);
  EXPECT_FALSE(answer->answered());
  advance(2s);
  EXPECT_EQ(answer->status, 504);
  EXPECT_EQ(text_at(*answer, "/code"), "timeout");
  answer->text.clear();
  then({});
  settle();
  EXPECT_EQ(answer->text, "");
}

TEST_F(OperatorsEndpoints, AClientThatLeavesIsNotAnswered) {
  std::function<void(const Reloaded&)> then;
  orders_.reload = [&](auto done) { then = std::move(done); };
  auto left = ask(Method::Post, "/api/v1/reload");
  handler().finished(*left);
  then({});
  settle();
  EXPECT_FALSE(left->answered());
  auto gone = ask(Method::Post, "/api/v1/reload");
  gone.reset();
  then({});
  settle();
}

TEST_F(OperatorsEndpoints, DrainTakesADelayAndUndrainNothing) {
  std::vector<std::optional<Duration>> delays;
  orders_.drain = [&](std::optional<Duration> delay, auto then) {
    delays.push_back(delay);
    then(delays.size() < 4);
  };
  orders_.undrain = [&](auto then) { then(delays.size() < 3); };
  auto answer = ask(Method::Post, "/api/v1/drain");
  settle();
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->text, R"({"state":"draining"})");
  answer = ask(Method::Post, "/api/v1/undrain");
  settle();
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->text, R"({"state":"ready"})");
  ask(Method::Post, "/api/v1/drain", R"({"delay":"5s"})");
  ask(Method::Post, "/api/v1/drain", R"({"delay":null})");
  EXPECT_THAT(delays, ElementsAre(std::nullopt, Duration(5s), std::nullopt));
  for (const auto* bad : {"{", "[]", R"({"delay":5})", R"({"delay":"5"})", R"({"delay":"25h"})", R"({"dealy":"5s"})"})
    EXPECT_EQ(ask(Method::Post, "/api/v1/drain", bad)->status, 400) << bad;
  EXPECT_EQ(ask(Method::Post, "/api/v1/undrain", R"({"delay":"5s"})")->status, 400);
  answer = ask(Method::Post, "/api/v1/undrain");
  settle();
  EXPECT_EQ(answer->status, 409);
  EXPECT_EQ(text_at(*answer, "/code"), "stopping");
  testing::internal::CaptureStderr();
  answer = ask(Method::Post, "/api/v1/drain");
  settle();
  EXPECT_EQ(answer->status, 202) << "a process that stops drains already";
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the process is stopping, and drains already, 202"));
}

TEST_F(OperatorsEndpoints, ALevelOfTheLogHoldsForItsTime) {
  const auto set = ask(Method::Put, "/api/v1/log/level", R"({"level":"debug","for":"5m"})");
  EXPECT_EQ(set->status, 200);
  EXPECT_EQ(set->text, R"({"level":"debug","configured":"info","for_s":300})");
  EXPECT_EQ(log::level(), log::Level::Debug);
  advance(4min);
  EXPECT_EQ(ask(Method::Get, "/api/v1/log/level")->text, R"({"level":"debug","configured":"info","for_s":60})");
  advance(2min);
  EXPECT_EQ(log::level(), log::Level::Info);
  EXPECT_EQ(ask(Method::Get, "/api/v1/log/level")->text, R"({"level":"info","configured":"info","for_s":null})");
}

TEST_F(OperatorsEndpoints, ALevelWithoutATimeStaysAndReplacesOneWithIt) {
  ask(Method::Put, "/api/v1/log/level", R"({"level":"debug","for":"5m"})");
  ask(Method::Put, "/api/v1/log/level", R"({"level":"warn"})");
  advance(6min);
  EXPECT_EQ(log::level(), log::Level::Warn);
}

TEST_F(OperatorsEndpoints, WhatAReloadHasSetMeanwhileIsLeftAlone) {
  ask(Method::Put, "/api/v1/log/level", R"({"level":"debug","for":"5m"})");
  log::set_level(log::Level::Trace);
  EXPECT_THAT(ask(Method::Get, "/api/v1/log/level")->text, HasSubstr(R"("for_s":null)"));
  advance(6min);
  EXPECT_EQ(log::level(), log::Level::Trace);
}

TEST_F(OperatorsEndpoints, OnlyLevelsAndDurationsAreTaken) {
  for (const auto* bad : {"", "{}", "x", R"({"level":"loud"})", R"({"level":1})", R"({"level":"info","for":"0s"})",
                          R"({"level":"info","for":"31d"})", R"({"level":"info","until":"5m"})"}) {
    const auto answer = ask(Method::Put, "/api/v1/log/level", bad);
    EXPECT_EQ(answer->status, 400) << bad;
    EXPECT_EQ(text_at(*answer, "/code"), "bad_request");
  }
  EXPECT_EQ(ask(Method::Put, "/api/v1/log/level", std::string(5000, ' '))->status, 413);
  EXPECT_EQ(log::level(), log::Level::Error);
}

TEST_F(OperatorsEndpoints, ChangesAreLimitedAndReadingIsNot) {
  operators_.change([](config::Config& c) { c.operators.changes_per_second = 2; });
  const auto change = [&] { return ask(Method::Put, "/api/v1/log/level", R"({"level":"error"})"); };
  EXPECT_EQ(change()->status, 200);
  EXPECT_EQ(change()->status, 200);
  const auto refused = change();
  EXPECT_EQ(refused->status, 429);
  EXPECT_THAT(refused->lines, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(text_at(*refused, "/code"), "too_many_changes");
  EXPECT_EQ(ask(Method::Get, "/api/v1/log/level")->status, 200);
  advance(1s);
  EXPECT_EQ(change()->status, 200);
}

TEST_F(OperatorsEndpoints, EachChangeIsWrittenDownWhateverTheLevelIs) {
  operators_.change([](config::Config& c) { c.operators.token = "s3cret"; });
  auto exchange = request(Method::Put, "/api/v1/log/level", R"({"level":"error","for":"2m"})");
  exchange->field("Authorization", "Bearer s3cret");
  testing::internal::CaptureStderr();
  handler().start(exchange);
  ask(Method::Put, "/api/v1/log/level", "{");
  ask(Method::Get, "/api/v1/log/level");
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("admin: PUT /api/v1/log/level from 127.0.0.1 by right of admin.token: level error for 120 "
                             "s, 200\n"));
  EXPECT_THAT(log, HasSubstr("admin: PUT /api/v1/log/level from 127.0.0.1 by right of this machine: 400\n"));
  EXPECT_THAT(log, Not(HasSubstr("GET")));
  EXPECT_THAT(log, Not(HasSubstr("s3cret")));
}

TEST_F(OperatorsEndpoints, RefusedChangesAreLoggedOnceASecond) {
  log::set_level(log::Level::Warn);
  testing::internal::CaptureStderr();
  const auto refused = [&] {
    auto exchange = request(Method::Post, "/api/v1/drain");
    exchange->field("Host", "evil.test");
    handler().start(exchange);
    EXPECT_EQ(exchange->status, 403);
  };
  refused();
  refused();
  refused();
  advance(1s);
  refused();
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("admin: POST /api/v1/drain from 127.0.0.1: 403\n"));
  EXPECT_THAT(log, HasSubstr("admin: POST /api/v1/drain from 127.0.0.1: 403 (2 more since the last line)\n"));
}

}  // namespace
}  // namespace forebay::admin
