// Interim answers and event streams, as a fill passes them on.
#include <gmock/gmock.h>

#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HintsTest : public ProxiedTest {
 protected:
  void hint(const FieldList& list, int status = 103) {
    http::Fields fields;
    for (const auto& [name, value] : list) fields.add(name, value);
    source().sink().on_interim({status, http::Version::Http11, fields.view()});
  }
  std::uint64_t counted(HintsFrom from) {
    return counters.of("all", 0).early_hints[static_cast<std::size_t>(from)].read();
  }
};

const FieldList kLink{{"Link", "</s.css>; rel=preload"}};
const FieldList kPage{{"Cache-Control", "max-age=60"}, {"Link", "</s.css>; rel=preload; as=style, </2>; rel=next"}};

TEST_F(HintsTest, AnInterimAnswerIsTheClientsAlone) {
  auto& client = get("/a");
  auto& follower = get("/a");
  hint(kLink, 102);
  EXPECT_THAT(client.interims, ElementsAre(102));
  EXPECT_THAT(follower.interims, IsEmpty());
  EXPECT_EQ(client.status, 0);
}

TEST_F(HintsTest, OverHttp2EveryClientGetsThem) {
  version = http::Version::Http2;
  auto& client = get("/a", {{"Sec-Fetch-Mode", "cors"}});
  hint(kLink);
  EXPECT_THAT(client.interims, ElementsAre(103));
  EXPECT_EQ(client.interim_lines, "Link: </s.css>; rel=preload\r\n");
  EXPECT_EQ(counted(HintsFrom::Origin), 1U);
}

TEST_F(HintsTest, OverHttp11OnlyABrowserThatNavigatesDoes) {
  auto& plain = get("/a");
  hint(kLink);
  EXPECT_THAT(plain.interims, IsEmpty());
  auto& browser = get("/b", {{"Sec-Fetch-Mode", "navigate"}});
  hint(kLink);
  EXPECT_THAT(browser.interims, ElementsAre(103));
}

TEST_F(HintsTest, TheLinksOfWhatIsStoredGoAheadOfTheOriginsAnswer) {
  configure("early_hints: replay");
  version = http::Version::Http2;
  store("/a", kPage);
  EXPECT_TRUE(is_hit("/a"));
  EXPECT_THAT(clients.back()->interims, IsEmpty()) << "a hit needs none";
  pass(2min);
  auto& client = get("/a");
  EXPECT_EQ(client.status, 0) << "the origin has not answered";
  EXPECT_THAT(client.interims, ElementsAre(103));
  EXPECT_EQ(client.interim_lines, "Link: </s.css>; rel=preload; as=style\r\n");
  EXPECT_EQ(counted(HintsFrom::Cache), 1U);
  source().answer(200, kPage, "new");
  EXPECT_EQ(client.read(), "new");
}

TEST_F(HintsTest, NothingGoesAheadUnlessTheRouteAndTheClientWantIt) {
  for (const auto* route : {"early_hints: pass", "early_hints: off", ""}) {
    configure(route);
    const auto path = std::string("/") + std::to_string(std::string_view(route).size());
    store(path, kPage);
    pass(2min);
    version = http::Version::Http2;
    EXPECT_THAT(get(path).interims, IsEmpty()) << route;
    version = http::Version::Http11;
  }
  configure("early_hints: replay");
  store("/a", kPage);
  pass(2min);
  EXPECT_THAT(get("/a", {{"Sec-Fetch-Mode", "navigate"}}).interims, IsEmpty()) << "HTTP/1.1";
  source().fail(net::FetchError::Connect);
  version = http::Version::Http2;
  EXPECT_THAT(get("/a", {{"Sec-Fetch-Mode", "no-cors"}}).interims, IsEmpty());
}

TEST_F(HintsTest, NothingGoesAheadFromAPageThatIsNotForThisClient) {
  configure("early_hints: replay, ttl: 60s");
  version = http::Version::Http2;
  store("/configured", {{"Link", "</s.css>; rel=preload"}});
  store("/stated", kPage);
  pass(2min);
  EXPECT_THAT(get("/configured", {{"X-Api-Key", "1"}}).interims, IsEmpty())
      << "a lifetime of the route, and a credential";
  EXPECT_THAT(get("/stated", {{"Authorization", "x"}}).interims, IsEmpty());
}

TEST_F(HintsTest, NothingGoesAheadFromAnotherVariantOrAPurgedPage) {
  configure("early_hints: replay");
  version = http::Version::Http2;
  store("/written", kPage);
  get("/vary", {{"Accept-Language", "de"}});
  auto german = kPage;
  german.emplace_back("Vary", "Accept-Language");
  source().answer(200, german);
  pass(2min);
  EXPECT_THAT(get("/vary", {{"Accept-Language", "fr"}}).interims, IsEmpty());
  source().fail(net::FetchError::Connect);
  EXPECT_THAT(get("/vary", {{"Accept-Language", "de"}}).interims, ElementsAre(103));
  source().fail(net::FetchError::Connect);
  ask(http::Method::Delete, "/written");
  source().answer(204, {}, "");
  EXPECT_THAT(get("/written").interims, IsEmpty());
}

TEST_F(HintsTest, ARouteThatChangesTheLinksChangesWhatGoesAhead) {
  configure("early_hints: replay, response_headers: {set: {Link: \"</own.css>; rel=preload\"}}");
  version = http::Version::Http2;
  store("/a", kPage);
  pass(2min);
  EXPECT_EQ(get("/a").interim_lines, "Link: </own.css>; rel=preload\r\n");
  configure("early_hints: replay, response_headers: {remove: [Link]}");
  source().fail(net::FetchError::Connect);
  EXPECT_THAT(get("/a").interims, IsEmpty());
}

// --- event streams ---

class EventsTest : public ProxiedTest {
 protected:
  void drain() {
    shared.draining = true;
    const auto tasks = core.tasks;
    for (const auto& task : tasks) task->drain();
  }
};

const FieldList kStream{{"Content-Type", "text/event-stream"}};

TEST_F(EventsTest, MayBeSilentForAsLongAsATunnel) {
  get("/a");
  source().head(200, kStream);
  EXPECT_EQ(source().quiet, std::chrono::hours{1});
  get("/b");
  source().head(200, {{"Content-Type", "text/html"}});
  EXPECT_EQ(source().quiet, Duration{0});
}

TEST_F(EventsTest, AClientLeavesByItsLastByteWhereTheAnswerHasNoEnd) {
  struct Case {
    FieldList fields;
    std::optional<std::uint64_t> length;
    bool has_content, leaves;
  };
  const FieldList lines{{"Content-Type", "application/x-ndjson"}}, page{{"Content-Type", "text/html"}};
  for (const auto& c : {Case{kStream, {}, true, true}, Case{lines, {}, true, true}, Case{kStream, 100, true, false},
                        Case{kStream, {}, false, false}, Case{page, {}, true, false}}) {
    auto& client = get("/" + std::to_string(asked()));
    source().head(200, c.fields, c.length, c.has_content);
    EXPECT_EQ(client.leaves_by_end, c.leaves) << asked();
  }
}

TEST_F(EventsTest, AnEventGoesOnAtOnce) {
  auto& client = get("/a");
  source().head(200, kStream);
  for (const auto* event : {"data: 1\n\n", "data: 2\n", "\n"}) {
    EXPECT_TRUE(source().data(event));
    EXPECT_EQ(client.read(), event);
  }
}

TEST_F(EventsTest, EndsBetweenTwoEventsWhenTheProcessDrains) {
  auto& client = get("/a");
  source().head(200, kStream);
  source().data("data: 1\n\n");
  client.read();
  drain();
  pass(5s);
  EXPECT_TRUE(client.read_all());
  EXPECT_TRUE(source().cancelled);
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(EventsTest, EndsBehindTheEventThatHasBegun) {
  auto& client = get("/a");
  source().head(200, kStream);
  source().data("data: 1\n\ndata: ");
  drain();
  pass(5s);
  EXPECT_EQ(client.read(), "data: 1\n\ndata: ");
  EXPECT_EQ(client.last, http::BodyCursor::State::Wait);
  EXPECT_TRUE(source().data("2"));
  EXPECT_FALSE(source().data("\r\n\r\ndata: never sent\r\n\r\n"));
  EXPECT_EQ(client.read(), "2\r\n\r");
  EXPECT_EQ(client.last, http::BodyCursor::State::End);
}

TEST_F(EventsTest, OneThatBeginsWhileTheProcessDrainsEndsToo) {
  auto& client = get("/a");
  drain();
  source().head(200, kStream);
  pass(5s);
  EXPECT_TRUE(client.read_all());
}

TEST_F(EventsTest, NoOtherContentIsCutShort) {
  struct Case {
    FieldList fields;
    std::optional<std::uint64_t> length;
  };
  auto encoded = kStream;
  encoded.emplace_back("Content-Encoding", "gzip");
  for (const auto& c : {Case{{{"Content-Type", "text/html"}}, {}}, Case{encoded, {}}, Case{kStream, 100}}) {
    shared.draining = false;
    auto& client = get("/" + std::to_string(asked()));
    source().head(200, c.fields, c.length);
    source().data("x\n\n");
    drain();
    pass(5s);
    EXPECT_EQ(client.read(), "x\n\n");
    EXPECT_EQ(client.last, http::BodyCursor::State::Wait);
  }
}

}  // namespace
}  // namespace forebay::proxy
