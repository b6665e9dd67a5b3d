#include <algorithm>

#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using http::Method;
using net::FetchError;

/// Two origins: `spare` is asked where `main` fails.
class FailoverTest : public ProxiedTest {
 protected:
  FailoverTest() {
    origins_yaml =
        "origins: {main: {url: 'http://127.0.0.1:3000'}, spare: {url: 'http://127.0.0.1:3001'}}\norigin: main\n";
    adjust = [this](config::Config& c) {
      auto& main = c.origins.at("main");
      main.failover = "spare";
      main.failover_on = on;
      for (auto* origin : {&main, &c.origins.at("spare")}) {
        origin->host_header = "origin";
        origin->headers = {{"X-For", origin->name, {}}};
      }
    };
    configure("");
  }
  upstream::OriginState& state(const std::string& name) { return core.runtime->origins.at(name)->state(); }
  std::uint64_t failovers() { return state("main").failovers().total(); }
  /// Whom the sources asked, in their order.
  std::vector<std::string> whom() const {
    std::vector<std::string> names;
    for (const auto& s : core.sources) names.push_back(s->origin());
    return names;
  }

  config::Origin::FailoverOn on;
};

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(FailoverTest, WithoutAnAnswerTheOtherOriginIsAskedWithItsOwnHostAndFields) {
  for (const auto error :
       {FetchError::Dns, FetchError::Connect, FetchError::ConnectTimeout, FetchError::Tls, FetchError::TlsTimeout,
        FetchError::Reset, FetchError::FirstByteTimeout, FetchError::BetweenBytesTimeout, FetchError::Protocol,
        FetchError::TooLarge, FetchError::Queue, FetchError::CircuitOpen, FetchError::Credentials}) {
    core.sources.clear();
    auto& client = get("/" + std::string(to_string(error)));
    EXPECT_EQ(source().fields.view().value("Host"), "127.0.0.1:3000");
    EXPECT_EQ(source().fields.view().value("X-For"), "main");
    source().fail(error);
    ASSERT_THAT(whom(), ElementsAre("main", "spare")) << to_string(error);
    EXPECT_EQ(source().fields.view().value("Host"), "127.0.0.1:3001");
    EXPECT_EQ(source().fields.view().value("X-For"), "spare");
    source().answer(200, kForAMinute, "spare's");
    EXPECT_EQ(client.status, 200);
    EXPECT_EQ(client.read(), "spare's");
    EXPECT_EQ(client.notes().origin_name, "spare");
    EXPECT_EQ(client.notes().failed_origin, "main");
    EXPECT_EQ(client.notes().failed_by, to_string(error));
    EXPECT_EQ(client.notes().origin_error, "");
    EXPECT_TRUE(core.tasks.empty());
  }
  EXPECT_EQ(failovers(), 13u);
}

TEST_F(FailoverTest, AnAnswerOfAListedStatusIsDroppedForThatOfTheOtherOrigin) {
  auto& client = get("/a");
  auto& first = source();
  first.head(503, {{"Cache-Control", "max-age=60"}}, 4);
  ASSERT_THAT(whom(), ElementsAre("main", "spare"));
  EXPECT_EQ(client.status, 0);
  EXPECT_TRUE(first.data("down")) << "what is short is read, and its connection used again";
  first.end();
  source().answer(200, kForAMinute, "good");
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.read(), "good");
  EXPECT_EQ(client.notes().failed_by, "503");
  EXPECT_TRUE(is_hit("/a"));
}

TEST_F(FailoverTest, TheRestOfALongAnswerIsNotRead) {
  get("/a");
  source().head(503, {}, 1 << 20);
  EXPECT_TRUE(core.sources[0]->cancelled);
  source().answer(200, kForAMinute);

  get("/b");
  auto& first = source();
  first.head(503, {});
  EXPECT_FALSE(first.cancelled);
  EXPECT_TRUE(first.data(std::string(64 * 1024, 'x')));
  EXPECT_FALSE(first.cancelled);
  first.data("x");
  EXPECT_TRUE(first.cancelled);
  // Neither is it once the request is over.
  get("/c");
  auto& third = source();
  third.head(503, {});
  source().answer(200, kForAMinute);
  EXPECT_TRUE(third.cancelled);
}

TEST_F(FailoverTest, OtherAnswersAreUsed) {
  for (const int status : {200, 404, 429, 500}) {
    const auto before = asked();
    auto& client = get("/" + std::to_string(status));
    source().answer(status, {});
    EXPECT_EQ(client.status, status);
    EXPECT_EQ(client.notes().origin_name, "main");
    EXPECT_EQ(client.notes().failed_origin, "");
    EXPECT_EQ(asked(), before + 1);
  }
  auto& stalled = get("/a");
  source().fail(FetchError::ClientStalled);
  EXPECT_EQ(stalled.status, 408) << "no failure of the origin";
  EXPECT_EQ(failovers(), 0u);
}

TEST_F(FailoverTest, EachCaseCanBeSwitchedOff) {
  on = {false, true, {}};
  configure("");
  EXPECT_EQ(get("/a").status, 0);
  source().fail(FetchError::Connect);
  EXPECT_EQ(asked(), 1u);
  get("/b");
  source().head(503, {});
  EXPECT_EQ(asked(), 2u);
  get("/c");
  source().fail(FetchError::ConnectTimeout);
  EXPECT_EQ(asked(), 4u);
  get("/open");
  source().fail(FetchError::CircuitOpen);
  EXPECT_EQ(asked(), 6u) << "nobody else would answer";
  on = {true, false, {{404, 404}}};
  configure("");
  get("/d");
  source().fail(FetchError::FirstByteTimeout);
  EXPECT_EQ(asked(), 7u);
  get("/e");
  source().head(404, {});
  EXPECT_EQ(asked(), 9u);
}

TEST_F(FailoverTest, NothingFailsOverBehindTheHeadOfAnAnswer) {
  auto& client = get("/a");
  source().head(200, kForAMinute, 10);
  source().data("half");
  source().fail(FetchError::Reset);
  EXPECT_EQ(client.read(), "half");
  EXPECT_TRUE(client.broken());
  EXPECT_EQ(asked(), 1u);
}

TEST_F(FailoverTest, AnInterimAnswerBeforeDoesNotMatter) {
  auto& client = get("/a");
  source().sink().on_interim({102, http::Version::Http11, {}});
  source().fail(FetchError::Reset);
  source().sink().on_interim({102, http::Version::Http11, {}});
  EXPECT_THAT(client.interims, ElementsAre(102, 102));
  source().answer(200, kForAMinute);
  EXPECT_EQ(client.status, 200);
}

TEST_F(FailoverTest, UnsafeMethodsStayWithTheirOrigin) {
  for (const auto method : {Method::Post, Method::Put, Method::Delete, Method::Patch}) {
    const auto before = asked();
    auto& client = ask(method, "/a");
    source().fail(FetchError::Connect);
    EXPECT_EQ(client.status, 502) << http::to_string(method);
    auto& second = ask(method, "/a");
    source().answer(503, {});
    EXPECT_EQ(second.status, 503);
    EXPECT_EQ(asked(), before + 2);
  }
  for (const auto method : {Method::Head, Method::Options}) {
    auto& client = ask(method, "/b");
    source().fail(FetchError::Connect);
    source().head(200, kForAMinute, 4, method != Method::Head);
    EXPECT_EQ(client.status, 200) << http::to_string(method);
    EXPECT_EQ(client.notes().origin_name, "spare");
  }
}

TEST_F(FailoverTest, ContentIsSentAgainWhereItIsStillThere) {
  auto& whole = ask(Method::Query, "/a", {{"Content-Type", "text/plain"}},
                    [](ScriptedContent& c) { c.add("question", ScriptedContent::Is::Last); });
  std::string_view bytes;
  EXPECT_EQ(source().body().pull(bytes), net::BodySource::State::Data);
  auto& first = source();
  first.head(503, {}, 4);
  ASSERT_EQ(asked(), 2u);
  EXPECT_TRUE(first.cancelled) << "the content has one reader";
  ASSERT_TRUE(source().body().can_rewind());
  source().body().rewind();
  EXPECT_EQ(source().body().pull(bytes), net::BodySource::State::Data);
  EXPECT_EQ(bytes, "question");
  source().answer(200, kForAMinute);
  EXPECT_EQ(whole.status, 200);

  configure("request_buffer: 0");
  auto& streamed = ask(Method::Query, "/b", {}, [](ScriptedContent& c) { c.add("a", ScriptedContent::Is::Part); });
  EXPECT_EQ(source().body().pull(bytes), net::BodySource::State::Data);
  source().fail(FetchError::Reset);
  EXPECT_EQ(asked(), 3u);
  EXPECT_EQ(streamed.status, 502);
  auto& unread = ask(Method::Query, "/b", {}, [](ScriptedContent& c) { c.add("a", ScriptedContent::Is::Part); });
  source().fail(FetchError::Connect);
  EXPECT_EQ(asked(), 5u) << "nothing of it was sent";
  source().answer(200, {});
  EXPECT_EQ(unread.status, 200);
}

TEST_F(FailoverTest, WhenBothFailTheClientGetsWhatTheLastOneGave) {
  auto& unreached = get("/a");
  source().head(503, {{"Retry-After", "5"}}, 0, false);
  source().fail(FetchError::ConnectTimeout);
  EXPECT_EQ(unreached.status, 504);
  EXPECT_EQ(unreached.notes().origin_name, "spare");
  EXPECT_EQ(unreached.notes().origin_error, "connect_timeout");
  EXPECT_EQ(unreached.notes().origin_detail, "as the test says; before it main: it answered 503");
  auto& answered = get("/a");
  source().fail(FetchError::Connect);
  source().answer(503, {{"Retry-After", "7"}}, "spare's words");
  EXPECT_EQ(answered.status, 503);
  EXPECT_EQ(answered.field("Retry-After"), "7");
  EXPECT_EQ(answered.read(), "spare's words");
  EXPECT_EQ(asked(), 4u) << "there is no third";
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(FailoverTest, WhatIsStoredStandsInWhenBothFail) {
  configure("stale: {if_error: 1h}");
  store("/a", kTagged, "kept");
  pass(2min);
  auto& client = get("/a");
  source().fail(FetchError::Connect);
  EXPECT_EQ(client.status, 0);
  source().fail(FetchError::Connect);
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.read(), "kept");
  EXPECT_EQ(client.cache(), "STALE");
}

TEST_F(FailoverTest, FollowersGetTheAnswerOfTheOtherOrigin) {
  get("/a");
  auto& follower = get("/a");
  EXPECT_EQ(asked(), 1u);
  source().fail(FetchError::FirstByteTimeout);
  source().answer(200, kForAMinute, "good");
  settle();
  EXPECT_EQ(follower.status, 200);
  EXPECT_EQ(follower.cache(), "COALESCED");
  EXPECT_EQ(follower.read(), "good");
}

TEST_F(FailoverTest, AResetWithFollowersGoesToTheOtherOriginAtOnce) {
  auto& leader = get("/a");
  auto& follower = get("/a");
  EXPECT_FALSE(source().sink().wants_retry());
  source().fail(FetchError::Reset);
  source().answer(200, kForAMinute, "good");
  settle();
  EXPECT_EQ(leader.status, 200);
  EXPECT_EQ(follower.status, 200);
  EXPECT_EQ(asked(), 2u);
}

TEST_F(FailoverTest, ValidatorsGoToTheOriginThatGaveThemAlone) {
  store("/a", kTagged, "main's");
  pass(2min);
  auto& client = get("/a");
  EXPECT_EQ(source().fields.view().value("If-None-Match"), "\"1\"");
  source().fail(FetchError::Connect);
  EXPECT_FALSE(source().fields.view().has(http::FieldId::IfNoneMatch));
  source().answer(200, kTagged, "spare's");
  EXPECT_EQ(client.read(), "spare's");
  // What is stored now is the other origin's.
  pass(2min);
  auto& back = get("/a");
  EXPECT_EQ(source().origin(), "main");
  EXPECT_FALSE(source().fields.view().has(http::FieldId::IfNoneMatch));
  source().fail(FetchError::Connect);
  EXPECT_EQ(source().fields.view().value("If-None-Match"), "\"1\"");
  source().head(304, kTagged, {}, false);
  EXPECT_EQ(back.cache(), "REVALIDATED");
  EXPECT_EQ(back.read(), "spare's");
  EXPECT_TRUE(is_hit("/a"));
}

TEST_F(FailoverTest, A304OfTheOtherOriginToNoConditionIsNoAnswer) {
  store("/a", kTagged, "main's");
  pass(2min);
  auto& client = get("/a");
  source().fail(FetchError::Connect);
  source().head(304, kTagged, {}, false);
  EXPECT_EQ(client.status, 502);
}

TEST_F(FailoverTest, AHeadOfTheOtherOriginDoesNotFreshenWhatIsStored) {
  store("/a", kTagged, "kept");
  pass(2min);
  auto& client = ask(Method::Head, "/a");
  source().fail(FetchError::Connect);
  source().head(200, kTagged, 4, false);
  EXPECT_EQ(client.status, 200);
  EXPECT_FALSE(is_hit("/a"));
}

// The pause that another origin asks for says nothing of this one.
TEST_F(FailoverTest, RetryAfterOfTheOtherOriginKeepsNobodyFromThisOne) {
  on.statuses = {};
  configure("stale: {while_revalidate: 1h, if_error: 1h}");
  store("/a", kTagged, "main's");
  pass(2min);
  EXPECT_EQ(get("/a").cache(), "STALE");
  source().fail(FetchError::Connect);
  source().answer(503, {{"Retry-After", "300"}});
  const auto before = asked();
  pass(1s);
  EXPECT_EQ(get("/a").cache(), "STALE");
  EXPECT_EQ(asked(), before + 1);
  EXPECT_EQ(whom().back(), "main");
}

TEST_F(FailoverTest, ASecondQuestionGoesToWhoAnsweredTheFirst) {
  auto& client = get("/a", {{"Range", "bytes=0-1"}});
  source().fail(FetchError::FirstByteTimeout);
  source().head(200, kPrivate, 4);
  ASSERT_THAT(whom(), ElementsAre("main", "spare", "spare"));
  EXPECT_EQ(source().fields.view().value("Range"), "bytes=0-1");
  source().answer(206, {{"Content-Range", "bytes 0-1/4"}}, "bo");
  EXPECT_EQ(client.status, 206);
  EXPECT_EQ(client.notes().failed_origin, "main") << "for the log";
}

TEST_F(FailoverTest, AClientThatLeavesEndsWhatIsAskedThen) {
  auto& client = get("/a", {{"Cache-Control", "no-store"}, {"Authorization", "Basic x"}});
  source().fail(FetchError::Connect);
  source().sent = false;
  client.leave();
  EXPECT_TRUE(source().cancelled);
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(FailoverTest, TheContentOfTheOtherOriginWaitsForItsReaders) {
  configure("cache: false");
  auto& client = get("/a");
  source().fail(FetchError::Connect);
  source().head(200, {});
  while (source().data(std::string(16 * 1024, 'x'))) continue;
  EXPECT_EQ(source().resumes, 0);
  client.read();
  settle();
  EXPECT_EQ(source().resumes, 1);
  EXPECT_EQ(core.sources[0]->resumes, 0);
  source().end();
  EXPECT_TRUE(client.read_all());
}

TEST_F(FailoverTest, RequestsOfAnAuthenticatedConnectionStayWithTheirOrigin) {
  auto& client = get("/a", {{"Authorization", "NTLM abc"}});
  source().fail(FetchError::Connect);
  EXPECT_EQ(client.status, 502);
  EXPECT_EQ(asked(), 1u);
}

TEST_F(FailoverTest, AnAuthenticatedConnectionToTheOtherOriginServesNoRequestOfThisOne) {
  configure_routes("{name: own, path: /own, origin: spare}, {name: all, path: /**}");
  connection.emplace();
  get("/own", {{"Authorization", "NTLM abc"}});
  ASSERT_TRUE(source().bond) << "with the other origin";
  source().answer(401, {});
  get("/a");
  source().fail(FetchError::Connect);
  EXPECT_EQ(source().origin(), "spare");
  EXPECT_FALSE(source().bond);
  source().answer(200, kForAMinute, "for all");
  EXPECT_TRUE(is_hit("/a"));
}

TEST_F(FailoverTest, ABondWhoseConnectionHasEndedDoesNotHoldARequestBack) {
  connection.emplace();
  get("/a", {{"Authorization", "NTLM abc"}});
  ASSERT_TRUE(source().bond);
  ASSERT_FALSE(source().bond->alive());
  source().answer(401, {});
  get("/b");
  EXPECT_TRUE(source().bond);
  source().fail(FetchError::Connect);
  EXPECT_EQ(source().origin(), "spare");
}

/// `main` gets a signature, `spare` none.
class SignedFailoverTest : public FailoverTest {
 protected:
  SignedFailoverTest() { sign("main"); }
  void sign(const std::string& name) {
    const auto keys = [&](const std::string& origin) {
      return origin == name ? ", sign: {type: aws_sigv4, service: lambda, region: eu-central-1, body_max: 10B, "
                              "access_key_id: AKIA1, secret_access_key: x}"
                            : "";
    };
    origins_yaml = "origins: {main: {url: 'http://127.0.0.1:3000'" + std::string(keys("main")) +
                   "}, spare: {url: 'http://127.0.0.1:3001'" + keys("spare") + "}}\norigin: main\n";
    configure("");
  }
};

TEST_F(SignedFailoverTest, CredentialsThatAnOriginWithASignatureDoesNotGetDoNotGoToItsFailover) {
  connection.emplace();
  for (const auto* credential : {"NTLM abc", "Basic abc"}) {
    get("/a", {{"Authorization", credential}, {"X-Amz-Acl", "public"}, {"X-Own", "1"}});
    EXPECT_FALSE(source().for_connection);
    source().fail(FetchError::Connect);
    ASSERT_EQ(source().origin(), "spare") << credential;
    const auto fields = source().fields.view();
    EXPECT_FALSE(fields.has(http::FieldId::Authorization)) << credential;
    EXPECT_FALSE(fields.find("X-Amz-Acl"));
    EXPECT_TRUE(fields.find("X-Own"));
    EXPECT_FALSE(source().for_connection);
    EXPECT_FALSE(source().bond);
    source().answer(200, kPrivate);
  }
}

TEST_F(SignedFailoverTest, ContentIsReadWholeWhereTheFailoverSignsIt) {
  sign("spare");
  configure("request_buffer: 0");
  auto& client = ask(Method::Query, "/a", {}, [](ScriptedContent& c) { c.add("1234", ScriptedContent::Is::Part); });
  EXPECT_EQ(asked(), 0u) << "the rest is waited for";
  client.content->add("5", ScriptedContent::Is::Last);
  ASSERT_EQ(asked(), 1u);
  source().fail(FetchError::Connect);
  ASSERT_EQ(source().origin(), "spare");
  const auto fields = source().fields.view();
  EXPECT_TRUE(fields.has(http::FieldId::Authorization)) << "the signature";
  // More than the failover signs goes to the origin.
  const auto before = asked();
  ask(Method::Query, "/b", {}, [](ScriptedContent& c) { c.add("12345678901", ScriptedContent::Is::Part); });
  EXPECT_EQ(asked(), before + 1);
  EXPECT_EQ(clients.back()->status, 0);
  // So does what never fails over.
  ask(Method::Post, "/c", {}, [](ScriptedContent& c) { c.add("1", ScriptedContent::Is::Part); });
  EXPECT_EQ(asked(), before + 2);
}

}  // namespace
}  // namespace forebay::proxy
