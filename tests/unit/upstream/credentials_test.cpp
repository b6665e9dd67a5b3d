#include "upstream/credentials.hpp"

#include <atomic>
#include <cstdio>

#include "forebay/base/hash.hpp"
#include "unit/upstream/upstream_fixture.hpp"
#include "upstream/signer.hpp"

namespace forebay::upstream {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

config::Signing::Found endpoint_at(std::uint16_t port) {
  config::Signing::Found found;
  found.endpoint.host = "127.0.0.1";
  found.endpoint.port = port;
  found.endpoint.authority = "127.0.0.1:" + std::to_string(port);
  found.path = "/v2/credentials";
  return found;
}

std::string time_text(WallTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss time{seconds - days};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

/// What an endpoint answers.
std::string keys(const std::string& id, WallTime expires) {
  return R"({"AccessKeyId":")" + id + R"(","SecretAccessKey":"secret-of-)" + id + R"(","Token":"t","Expiration":")" +
         time_text(expires) + "\"}";
}

class CredentialsTest : public ::testing::Test {
 protected:
  Now now() const { return clock.now(); }
  std::string id() const {
    const auto usable = credentials.get(now().wall);
    return usable.keys ? usable.keys->access_key_id : std::string();
  }
  bool is_due() {
    const auto turn = credentials.take_turn(now());
    return turn != nullptr;
  }

  ManualClock clock;
  Credentials credentials{endpoint_at(1), "web"};
};

TEST_F(CredentialsTest, AreAskedForAtOnceAndRenewedFiveMinutesBeforeTheyExpire) {
  EXPECT_EQ(id(), "");
  EXPECT_THAT(credentials.get(now().wall).why, HasSubstr("has not answered yet"));
  EXPECT_TRUE(is_due());
  credentials.answered(200, keys("A1", now().wall + 1h), now());
  EXPECT_EQ(id(), "A1");
  EXPECT_FALSE(is_due());
  clock.advance(55min - 1s);
  EXPECT_FALSE(is_due());
  EXPECT_EQ(credentials.until_due(now()), 1s);
  clock.advance(1s);
  EXPECT_TRUE(is_due());
  EXPECT_EQ(id(), "A1") << "they are used until there are others";
  credentials.answered(200, keys("A2", now().wall + 1h), now());
  EXPECT_EQ(id(), "A2");
  EXPECT_FALSE(is_due());
}

TEST_F(CredentialsTest, ThatLiveShortAreRenewedAfterHalfOfTheirTime) {
  credentials.answered(200, keys("A1", now().wall + 4min), now());
  clock.advance(2min - 1s);
  EXPECT_FALSE(is_due());
  clock.advance(1s);
  EXPECT_TRUE(is_due());
}

TEST_F(CredentialsTest, OneAsksAtATime) {
  auto turn = credentials.take_turn(now());
  ASSERT_TRUE(turn);
  EXPECT_FALSE(credentials.take_turn(now()));
  EXPECT_FALSE(credentials.take_turn(now())) << "a refused turn gives nothing free";
  turn.reset();
  EXPECT_TRUE(is_due()) << "whoever asked has gone without an answer";
}

TEST_F(CredentialsTest, ThatCannotBeRenewedAreUsedUntilTheyExpire) {
  credentials.answered(200, keys("A1", now().wall + 10min), now());
  clock.advance(5min);
  EXPECT_TRUE(is_due());
  credentials.answered(503, "", now());
  EXPECT_FALSE(is_due()) << "not at once again";
  clock.advance(1s);
  EXPECT_TRUE(is_due());
  credentials.failed("connect: refused", now());
  clock.advance(1s);
  EXPECT_FALSE(is_due()) << "the pause doubles";
  clock.advance(5min - 3s);
  EXPECT_EQ(id(), "A1");
  clock.advance(1s);
  EXPECT_EQ(id(), "");
  const auto why = credentials.get(now().wall).why;
  EXPECT_THAT(why, HasSubstr("have expired"));
  EXPECT_THAT(why, HasSubstr("connect: refused"));
  EXPECT_THAT(why, Not(HasSubstr("secret")));
  EXPECT_TRUE(is_due());
  credentials.answered(200, keys("A2", now().wall + 10min), now());
  EXPECT_EQ(id(), "A2");
}

TEST_F(CredentialsTest, ThePauseAfterFailuresIsAMinuteAtMost) {
  for (int i = 0; i < 40; ++i) credentials.failed("no", now());
  EXPECT_EQ(credentials.until_due(now()), 1min);
  EXPECT_FALSE(is_due());
  clock.advance(1min);
  EXPECT_TRUE(is_due());
}

TEST_F(CredentialsTest, WhatHasExpiredOrIsNoneIsAFailure) {
  credentials.answered(200, keys("A1", now().wall), now());
  EXPECT_THAT(credentials.get(now().wall).why, HasSubstr("have expired"));
  credentials.answered(200, "<html>", now());
  EXPECT_THAT(credentials.get(now().wall).why, HasSubstr("something else than credentials"));
  credentials.answered(404, keys("A1", now().wall + 1h), now());
  EXPECT_THAT(credentials.get(now().wall).why, HasSubstr("404"));
  EXPECT_EQ(id(), "");
}

TEST_F(CredentialsTest, WithoutExpirationAreNotAskedForAgain) {
  credentials.answered(200, R"({"AccessKeyId":"A","SecretAccessKey":"s"})", now());
  clock.advance(1000h);
  EXPECT_FALSE(is_due());
  EXPECT_EQ(id(), "A");
}

TEST(FixedCredentials, AreThereAndAskNobody) {
  ManualClock clock;
  config::Signing::Found found;
  found.keys = {"A", "s", "", {}};
  Credentials fixed(found, "web");
  EXPECT_FALSE(fixed.are_renewed());
  EXPECT_FALSE(fixed.take_turn(clock.now()));
  EXPECT_EQ(fixed.get(clock.now().wall).keys->access_key_id, "A");
}

TEST(FixedCredentials, ThatAreMissingTellWhy) {
  config::Signing::Found found;
  found.missing = "no variable is set";
  Credentials none(found, "web");
  const auto usable = none.get({});
  EXPECT_FALSE(usable.keys);
  EXPECT_THAT(usable.why, HasSubstr("no variable is set"));
}

/// An endpoint that gives keys of one hour, with the number of the request, until it is broken.
class Renewal : public UpstreamTest {
 protected:
  static std::string http(const std::string& content) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
  }
  std::string id(const Credentials& credentials) const {
    const auto usable = credentials.get(clock.now().wall);
    return usable.keys ? usable.keys->access_key_id : std::string();
  }
};

TEST_F(Renewal, HappensOnTheLoopOfAWorkerBeforeTheKeysExpire) {
  clock.stop();
  ScriptedOrigin endpoint([start = clock.now().wall](Peer& peer, int n) {
    const auto head = peer.read_head();
    EXPECT_THAT(head, HasSubstr("GET /v2/credentials HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("Authorization: the-token\r\n"));
    peer.send(http(keys("A" + std::to_string(n), start + n * 1h)));
  });
  auto found = endpoint_at(endpoint.port());
  found.token = "the-token";
  const auto credentials = std::make_shared<Credentials>(found, "web");
  CredentialsRenewal renewal(worker, credentials, "web");
  pass(1ms);
  pass(5ms);
  run_until([&] { return id(*credentials) == "A1"; });
  for (int i = 0; i < 54; ++i) pass(1min);
  EXPECT_EQ(endpoint.connections(), 1);
  pass(1min);
  pass(1s);
  run_until([&] { return id(*credentials) == "A2"; });
}

TEST_F(Renewal, IsDoneByOneOfSeveralWorkersWhichAllUseTheKeys) {
  clock.stop();
  ScriptedOrigin endpoint([start = clock.now().wall](Peer& peer, int n) {
    peer.read_head();
    peer.send(http(keys("A" + std::to_string(n), start + n * 1h)));
  });
  const auto credentials = std::make_shared<Credentials>(endpoint_at(endpoint.port()), "web");
  config::Origin o;
  o.name = "web";
  o.sign.type = config::Signing::Type::AwsSigV4;
  o.sign.region = "r";
  o.sign.service = "lambda";
  Signer one(worker, o, credentials), two(worker, o, credentials);
  pass(1ms);
  pass(5ms);
  run_until([&] { return id(*credentials) == "A1"; });
  pass(1min);
  EXPECT_EQ(endpoint.connections(), 1);
  for (auto* signer : {&one, &two}) {
    std::string target = "/a b?x=1+2";
    http::Fields fields;
    fields.add("Host", "h");
    EXPECT_EQ(signer->sign("GET", target, fields, sha256_hex(""), clock.now().wall), "");
    EXPECT_EQ(target, "/a%20b?x=1%202");
    EXPECT_THAT(std::string(*fields.view().value(http::FieldId::Authorization)), HasSubstr("Credential=A1/"));
    signer->retire();
    EXPECT_EQ(signer->sign("GET", target, fields, sha256_hex(""), clock.now().wall), "") << "still signed";
  }
}

TEST_F(Renewal, EndsSilentlyWhileItAsks) {
  clock.stop();
  ScriptedOrigin endpoint([](Peer& peer, int) { peer.read_rest(); });
  const auto credentials = std::make_shared<Credentials>(endpoint_at(endpoint.port()), "web");
  auto renewal = std::make_unique<CredentialsRenewal>(worker, credentials, "web");
  pass(1ms);
  pass(5ms);
  run_until([&] { return endpoint.connections() == 1; });
  EXPECT_FALSE(credentials->take_turn(clock.now()));
  renewal.reset();
  EXPECT_TRUE(credentials->take_turn(clock.now())) << "the turn is free again";
}

TEST_F(Renewal, AnOriginStateAsksBeforeItsFirstRequestAndHandsTheKeysOn) {
  ScriptedOrigin endpoint([start = clock.now().wall](Peer& peer, int n) {
    peer.read_head();
    peer.send(http(keys("A" + std::to_string(n), start + n * 1h)));
  });
  ScriptedOrigin server([](Peer&, int) {});
  auto o = settings(server.port());
  o.sign.type = config::Signing::Type::AwsSigV4;
  o.sign.region = "r";
  o.sign.service = "lambda";
  o.sign.found = endpoint_at(endpoint.port());
  const OriginState first(o, {});
  EXPECT_EQ(endpoint.connections(), 1);
  o.retries = 3;
  const OriginState second(o, {}, &first);
  EXPECT_EQ(endpoint.connections(), 1) << "taken over";
  o.sign.found.path = "/other";
  const OriginState third(o, {}, &second);
  EXPECT_EQ(endpoint.connections(), 2) << "another endpoint";
}

/// Refuses to be sent.
class RefusingHead final : public RequestHead {
 public:
  std::string compose(Origin&, const config::Url&, std::string&, http::Fields&) override {
    return "there are no credentials";
  }
  void trim(Origin&, http::Fields&) override {}
};

TEST_F(UpstreamTest, ARequestThatMustNotBeSentIsNotSent) {
  std::atomic<bool> got{false};
  std::optional<ScriptedOrigin> server;
  server.emplace([&](Peer& peer, int) { got = !peer.read_head().empty(); });
  use(*server);
  RefusingHead head;
  FetchRequest request;
  request.method_text = "GET";
  request.head = &head;
  RecordingSink sink;
  const auto running = origin->fetch(request, 16 * 1024);
  running->start(sink);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.failure, FetchError::Credentials);
  EXPECT_EQ(sink.detail, "there are no credentials");
  EXPECT_EQ(errors(FetchError::Credentials), 1u);
  EXPECT_TRUE(state->up());
  origin.reset();
  server.reset();
  EXPECT_FALSE(got);
}

}  // namespace
}  // namespace forebay::upstream
