#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using http::Method;
using net::FetchError;

class FillTest : public ProxiedTest {};

TEST_F(FillTest, AMissIsStoredAndTheNextRequestIsAHit) {
  auto& client = get("/a?x=1");
  ASSERT_EQ(asked(), 1u);
  EXPECT_EQ(source().target, "/a?x=1");
  EXPECT_EQ(source().fields.view().value("Host"), "example.org");
  source().answer(200, kForAMinute, "hello");
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.cache(), "MISS");
  EXPECT_EQ(client.length, 5u);
  EXPECT_EQ(client.read(), "hello");
  EXPECT_TRUE(client.notes().stored);
  EXPECT_TRUE(core.tasks.empty());

  auto& second = get("/a?x=1");
  EXPECT_EQ(second.cache(), "HIT");
  EXPECT_EQ(second.read(), "hello");
  EXPECT_EQ(asked(), 1u);
}

TEST_F(FillTest, AClientReadsWhileTheContentComes) {
  auto& client = get("/a");
  source().head(200, kForAMinute);
  EXPECT_EQ(client.status, 200);
  EXPECT_TRUE(source().data("ab"));
  EXPECT_EQ(client.read(), "ab");
  EXPECT_EQ(client.last, http::BodyCursor::State::Wait);
  EXPECT_TRUE(source().data("cd"));
  source().end();
  EXPECT_EQ(client.read(), "cd");
  EXPECT_TRUE(client.read_all());
}

TEST_F(FillTest, ANotModifiedFreshensWhatIsStored) {
  store("/a", kTagged, "kept");
  pass(2min);
  auto& client = get("/a");
  EXPECT_EQ(source().fields.view().value("If-None-Match"), "\"1\"");
  source().head(304, kTagged, {}, false);
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.cache(), "REVALIDATED");
  EXPECT_EQ(client.read(), "kept");
  EXPECT_TRUE(is_hit("/a"));
}

TEST_F(FillTest, ANotModifiedForAnotherResponseHasTheWholeAskedFor) {
  store("/a", kTagged);
  pass(2min);
  auto& client = get("/a");
  auto& first = source();
  first.head(304, {{"ETag", "\"other\""}}, {}, false);
  EXPECT_TRUE(first.cancelled);
  ASSERT_EQ(asked(), 3u);
  EXPECT_FALSE(source().fields.view().has(http::FieldId::IfNoneMatch));
  source().answer(200, kTagged, "new");
  EXPECT_EQ(client.read(), "new");
  EXPECT_EQ(client.cache(), "MISS");
  // The same validators would be answered by the same mistake.
  pass(2min);
  get("/a");
  EXPECT_FALSE(source().fields.view().has(http::FieldId::IfNoneMatch));
}

TEST_F(FillTest, ANotModifiedThatNobodyAskedForIsNoAnswer) {
  auto& client = get("/a");
  source().head(304, kTagged, {}, false);
  EXPECT_EQ(client.status, 502);
  EXPECT_TRUE(source().cancelled);
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(FillTest, AFailureWithoutAnAnswerIsAnError) {
  const std::pair<FetchError, int> cases[] = {
      {FetchError::Connect, 502},    {FetchError::Reset, 502},          {FetchError::Protocol, 502},
      {FetchError::Dns, 502},        {FetchError::ConnectTimeout, 504}, {FetchError::FirstByteTimeout, 504},
      {FetchError::DnsTimeout, 504}, {FetchError::TotalTimeout, 504},   {FetchError::CircuitOpen, 503},
      {FetchError::Queue, 503},      {FetchError::ClientStalled, 408}};
  for (const auto& [error, status] : cases) {
    auto& client = get("/a");
    source().fail(error);
    EXPECT_EQ(client.status, status) << to_string(error);
    EXPECT_EQ(client.notes().origin_error, to_string(error));
    EXPECT_TRUE(core.tasks.empty());
  }
}

TEST_F(FillTest, WhatIsStoredStandsInForAnError) {
  configure("stale: {if_error: 1h}");
  store("/a", kTagged, "kept");
  pass(2min);
  auto& unreached = get("/a");
  source().fail(FetchError::Connect);
  EXPECT_EQ(unreached.status, 200);
  EXPECT_EQ(unreached.read(), "kept");
  pass(2s);
  auto& refused = get("/a");
  source().head(503, {});
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.read(), "kept");
  EXPECT_TRUE(source().cancelled) << "nobody wants the error's content";
}

TEST_F(FillTest, AnErrorThatNothingStandsInForIsPassedOn) {
  auto& client = get("/a");
  source().answer(503, {{"Retry-After", "7"}}, "down");
  EXPECT_EQ(client.status, 503);
  EXPECT_EQ(client.read(), "down");
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(FillTest, ContentThatBreaksOffIsCutAndNotStored) {
  auto& client = get("/a");
  source().head(200, kForAMinute, 10);
  source().data("half");
  source().fail(FetchError::Reset);
  EXPECT_EQ(client.read(), "half");
  EXPECT_TRUE(client.broken());
  EXPECT_FALSE(client.notes().stored);
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(FillTest, ContentThatIsNotAsLongAsStatedIsCutAndNotStored) {
  for (const std::uint64_t stated : {10, 2}) {
    auto& client = get("/a");
    source().head(200, kForAMinute, stated);
    source().data("half");
    source().end();
    EXPECT_TRUE(client.broken()) << stated;
    EXPECT_TRUE(core.tasks.empty());
  }
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(FillTest, ContentBeyondMaxObjectStreamsOnAndIsNotStored) {
  configure("max_object: 10B");
  auto& client = get("/a");
  source().head(200, kForAMinute);
  EXPECT_TRUE(source().data("12345678"));
  EXPECT_TRUE(source().data("9012"));
  source().end();
  EXPECT_EQ(client.read(), "123456789012");
  EXPECT_TRUE(client.read_all());
  EXPECT_FALSE(client.notes().stored);
  EXPECT_EQ(client.notes().reason, rules::Reason::TooLarge);
  EXPECT_EQ(get("/a").status, 0) << "it is asked for again";
  EXPECT_EQ(asked(), 2u);
}

TEST_F(FillTest, ContentBeyondMaxObjectThatNobodyReadsEndsTheFetch) {
  configure("max_object: 10B");
  get("/a").leave();
  source().head(200, kForAMinute);
  source().data("12345678");
  EXPECT_FALSE(source().data("9012"));
  EXPECT_TRUE(source().cancelled);
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(FillTest, WithoutMemoryContentStreamsOnAndIsNotStored) {
  auto& client = get("/a");
  source().head(200, kForAMinute);
  cache.set_memory(0);
  EXPECT_TRUE(source().data("body"));
  source().end();
  EXPECT_EQ(client.read(), "body");
  EXPECT_TRUE(client.read_all());
  EXPECT_FALSE(client.notes().stored);
}

TEST_F(FillTest, ASlowReaderHasTheSourceWait) {
  auto& client = get("/a");
  source().head(200, kPrivate);
  const std::string piece(40 * 1024, 'x');
  EXPECT_TRUE(source().data(piece));
  EXPECT_FALSE(source().data(piece));
  settle();
  EXPECT_EQ(source().resumes, 0);
  client.read(piece.size());
  settle();
  EXPECT_EQ(source().resumes, 1);
  EXPECT_TRUE(source().data("rest"));
  source().end();
  EXPECT_EQ(client.read().size(), piece.size() + 4);
  EXPECT_TRUE(client.read_all());
}

TEST_F(FillTest, WhatAStreamOfHttp2HoldsIsChargedAndPinned) {
  const auto& budget = cache.budget();
  const std::string piece(20 * 1024, 'x');
  for (const auto of : {http::Version::Http11, http::Version::Http2}) {
    version = of;
    const auto before = budget.used();
    auto& client = get(of == http::Version::Http2 ? "/b" : "/a");
    source().head(200, kPrivate);
    EXPECT_TRUE(source().data(piece));
    EXPECT_TRUE(source().data(piece));
    source().end();
    const bool charged = of == http::Version::Http2;
    EXPECT_EQ(budget.pinned() >= 2 * piece.size(), charged);
    EXPECT_EQ(budget.used() >= before + 2 * piece.size(), charged);
    EXPECT_EQ(client.read().size(), 2 * piece.size());
    EXPECT_TRUE(client.read_all());
    EXPECT_EQ(budget.pinned(), 0u);
  }
}

TEST_F(FillTest, WhatOutgrowsTheStoreIsChargedToo) {
  configure("max_object: 10B");
  auto& client = get("/a");
  source().head(200, kForAMinute);
  EXPECT_TRUE(source().data("12345678"));
  EXPECT_TRUE(source().data(std::string(20 * 1024, 'x')));
  EXPECT_TRUE(source().data(std::string(20 * 1024, 'x')));
  EXPECT_GE(cache.budget().pinned(), 20u * 1024);
  client.read();
  EXPECT_EQ(cache.budget().pinned(), 0u);
}

TEST_F(FillTest, WithoutMemoryAStreamOfHttp2HoldsOnePortionOfTheSource) {
  version = http::Version::Http2;
  auto& client = get("/a");
  source().head(200, kPrivate);
  cache.set_memory(0);
  const std::string piece(16 * 1024, 'x');
  EXPECT_FALSE(source().data(piece)) << "the source waits for the client";
  settle();
  EXPECT_EQ(source().resumes, 0);
  EXPECT_EQ(client.read(), piece);
  settle();
  EXPECT_EQ(source().resumes, 1);
  cache.set_memory(16 * 1024 * 1024);
  EXPECT_TRUE(source().data(piece)) << "there is memory again";
  source().end();
  EXPECT_EQ(client.read(), piece);
  EXPECT_TRUE(client.read_all());
}

TEST_F(FillTest, WhatAPausedFillTakesBeyondItsWindowIsBounded) {
  auto& client = get("/a");
  source().head(200, kPrivate);
  const std::string piece(70 * 1024, 'x');
  EXPECT_FALSE(source().data(piece));
  EXPECT_FALSE(source().sink().drop_slowest()) << "there is but one reader";
  EXPECT_TRUE(source().sink().take_more(128 * 1024));
  EXPECT_TRUE(source().data(piece));
  EXPECT_FALSE(source().data(piece));
  EXPECT_EQ(client.read().size(), 3 * piece.size());
}

TEST_F(FillTest, AReaderThatHoldsUpTheOthersIsCutOff) {
  configure("max_object: 100KiB");
  auto& slow = get("/a");
  auto& quick = get("/a");
  source().head(200, kForAMinute);
  settle();
  const std::string piece(70 * 1024, 'x');
  EXPECT_TRUE(source().data(piece));
  quick.read();
  EXPECT_FALSE(source().data(piece));
  quick.read();
  settle();
  EXPECT_EQ(source().resumes, 0);
  pass(1100ms);
  pass(1100ms);
  EXPECT_EQ(source().resumes, 1);
  EXPECT_TRUE(slow.broken());
  EXPECT_TRUE(source().data("end"));
  source().end();
  EXPECT_TRUE(quick.read_all());
}

TEST_F(FillTest, AFillGoesOnWithoutItsClient) {
  get("/a").leave();
  EXPECT_FALSE(source().cancelled);
  source().answer(200, kForAMinute);
  EXPECT_TRUE(is_hit("/a"));
  get("/b").leave();
  source().head(200, kForAMinute);
  get("/c");
  source().head(200, kForAMinute);
  clients.back()->leave();
  source().data("body");
  source().end();
  EXPECT_TRUE(is_hit("/c"));
}

TEST_F(FillTest, WhatIsOnlyTheClientsEndsWithIt) {
  auto& early = get("/a");
  source().sent = false;
  early.leave();
  EXPECT_TRUE(source().cancelled) << "its place in the queue is the next one's";
  auto& late = get("/b");
  source().head(200, kPrivate);
  source().data("part");
  late.leave();
  EXPECT_TRUE(source().cancelled);
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(FillTest, AWriteThatMayHaveTakenEffectIsHeardOfWithoutItsClient) {
  store("/a", kForAMinute);
  auto& client = ask(Method::Delete, "/a");
  client.leave();
  EXPECT_FALSE(source().cancelled);
  source().head(204, {}, {}, false);
  EXPECT_TRUE(core.tasks.empty());
  EXPECT_FALSE(is_hit("/a")) << "what it deleted is stored no more";
}

TEST_F(FillTest, EndsInEveryPhaseAndHoldsNobody) {
  const auto end_all = [&] {
    for (const auto& task : std::exchange(core.tasks, {})) task->end();
    settle();
    for (const auto& source : core.sources) EXPECT_FALSE(source->wanted());
  };
  const std::string piece(100 * 1024, 'x');
  get("/asking");
  end_all();
  auto& storing = get("/storing");
  source().head(200, kForAMinute);
  source().data("part");
  end_all();
  EXPECT_TRUE(storing.broken());
  auto& passing = get("/passing");
  source().head(200, kPrivate);
  end_all();
  EXPECT_TRUE(passing.broken());
  get("/paused");
  source().head(200, kPrivate);
  EXPECT_FALSE(source().data(piece));
  end_all();
  EXPECT_EQ(asked(), 4u);
}

TEST_F(FillTest, AHeadIsFetchedByGetAndStored) {
  auto& client = ask(Method::Head, "/a");
  EXPECT_EQ(source().method, Method::Get);
  source().answer(200, kForAMinute, "hello");
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.length, 5u);
  EXPECT_EQ(client.read(), "");
  EXPECT_TRUE(is_hit("/a"));
}

TEST_F(FillTest, OfAHeadThatIsFetchedByGetInVainNobodyTakesTheContent) {
  auto& client = ask(Method::Head, "/a");
  source().head(200, kPrivate, 5);
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client.length, 5u);
  EXPECT_TRUE(source().cancelled);
  EXPECT_TRUE(core.tasks.empty());
}

TEST_F(FillTest, OfWhatIsNotStoredARangeAloneIsAskedFor) {
  auto& client = get("/a", {{"Range", "bytes=1-2"}});
  auto& whole = source();
  EXPECT_FALSE(whole.fields.view().has(http::FieldId::Range));
  whole.head(200, kPrivate, 100);
  EXPECT_TRUE(whole.cancelled);
  ASSERT_EQ(asked(), 2u);
  EXPECT_EQ(source().fields.view().value("Range"), "bytes=1-2");
  source().answer(206, {{"Content-Range", "bytes 1-2/100"}}, "bc");
  EXPECT_EQ(client.status, 206);
  EXPECT_EQ(client.read(), "bc");
}

TEST_F(FillTest, AStaleHitIsRefreshedBehindItsAnswer) {
  configure("stale: {while_revalidate: 1h}");
  store("/a", kTagged, "old");
  pass(2min);
  auto& client = get("/a");
  EXPECT_EQ(client.read(), "old");
  EXPECT_EQ(client.cache(), "STALE");
  ASSERT_EQ(asked(), 2u);
  source().answer(200, kTagged, "new");
  auto& next = get("/a");
  EXPECT_EQ(next.cache(), "HIT");
  EXPECT_EQ(next.read(), "new");
}

// Else each hit would ask an origin that always breaks off.
TEST_F(FillTest, ARefreshThatIsNotStoredLeavesAPause) {
  configure("stale: {while_revalidate: 1h}, max_object: 10B");
  for (const auto breaks_off : {true, false}) {
    const auto* const path = breaks_off ? "/a" : "/b";
    store(path, kTagged, "old");
    pass(2min);
    EXPECT_EQ(get(path).cache(), "STALE");
    const auto before = asked();
    source().head(200, kForAMinute);
    source().data(breaks_off ? "half" : "beyond max_object");
    if (breaks_off) source().fail(net::FetchError::Reset);
    EXPECT_EQ(get(path).cache(), "STALE");
    EXPECT_EQ(asked(), before);
    pass(1s);
    EXPECT_EQ(get(path).cache(), "STALE");
    EXPECT_EQ(asked(), before + 1);
  }
}

TEST_F(FillTest, WhatNobodyWantsIsNotAskedAgain) {
  get("/a").leave();
  EXPECT_TRUE(source().sink().is_wanted()) << "to be stored";
  auto& client = ask(Method::Delete, "/a");
  EXPECT_TRUE(source().sink().is_wanted());
  client.leave();
  ASSERT_FALSE(source().cancelled);
  EXPECT_FALSE(source().sink().is_wanted());
}

}  // namespace
}  // namespace forebay::proxy
