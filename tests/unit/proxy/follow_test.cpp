#include "faulty/faults.hpp"
#include "proxied.hpp"

namespace forebay::proxy {
namespace {

using net::FetchError;

class FollowTest : public ProxiedTest {
 protected:
  std::uint64_t counted(Coalesced outcome) {
    return counters.of("all", 0).coalesced[static_cast<std::size_t>(outcome)].read();
  }
};

TEST_F(FollowTest, ManyWaitForOneFetchAndAreServedAsItStreams) {
  auto& leader = get("/a");
  auto& one = get("/a");
  auto& two = get("/a");
  EXPECT_EQ(asked(), 1u);
  source().head(200, kForAMinute);
  settle();
  for (auto* client : {&leader, &one, &two}) EXPECT_EQ(client->status, 200);
  source().data("body");
  source().end();
  for (auto* client : {&leader, &one, &two}) EXPECT_EQ(client->read(), "body");
  EXPECT_EQ(one.cache(), "COALESCED");
  EXPECT_EQ(counted(Coalesced::Served), 2u);
  EXPECT_EQ(asked(), 1u);
}

TEST_F(FollowTest, OneThatCannotWaitForLackOfMemoryLeavesItsPlace) {
  auto& leader = get("/a");
  int failed = 0, waiting = 0;
  for (int nth = 1; waiting == 0; ++nth) {
    const auto client = std::make_shared<FakeClient>(worker, http::Method::Get, "/a", FieldList{});
    auto pending = core.take(client);
    ASSERT_TRUE(pending->reading.target.read(http::Method::Get, "/a"));
    ASSERT_TRUE(read_host("example.org", {}, false, "http", pending->reading));
    test::inject_fault("any-later=" + std::to_string(nth));
    try {
      go_to_route(pending);
    } catch (const std::bad_alloc&) {
      ++failed;
    }
    const bool past = test::inject_fault("any-later=0");
    if (!past) waiting = static_cast<int>(cache.numbers().waiting);
    ASSERT_EQ(cache.numbers().waiting, past ? 0u : 1u) << nth;
    clients.push_back(client);
  }
  EXPECT_GT(failed, 5);
  source().answer(200, kForAMinute);
  settle();
  EXPECT_EQ(clients.back()->read(), "body");
  EXPECT_EQ(leader.read(), "body");
}

TEST_F(FollowTest, OfAPrivateAnswerEachFetchesItsOwn) {
  auto& leader = get("/a");
  auto& one = get("/a");
  auto& two = get("/a");
  source().answer(200, kPrivate, "mine");
  settle();
  ASSERT_EQ(asked(), 3u);
  EXPECT_EQ(leader.read(), "mine");
  core.sources[1]->answer(200, kPrivate, "one");
  core.sources[2]->answer(200, kPrivate, "two");
  EXPECT_EQ(one.read(), "one");
  EXPECT_EQ(two.read(), "two");
  EXPECT_EQ(counted(Coalesced::NotStorable), 2u);
}

TEST_F(FollowTest, AnOriginThatIsDownIsNotAskedAgain) {
  auto& leader = get("/a");
  auto& one = get("/a");
  source().fail(FetchError::Connect);
  settle();
  EXPECT_EQ(leader.status, 502);
  EXPECT_EQ(one.status, 502);
  EXPECT_EQ(asked(), 1u);
  EXPECT_EQ(counted(Coalesced::Failed), 1u);
}

TEST_F(FollowTest, AfterAFailureOfTheLeadersOneMoreFetchIsMadeForAll) {
  auto& leader = get("/a");
  auto& one = get("/a");
  auto& two = get("/a");
  EXPECT_FALSE(source().sink().wants_retry()) << "one of those who wait asks";
  source().fail(FetchError::Reset);
  settle();
  ASSERT_EQ(asked(), 2u);
  EXPECT_FALSE(source().sink().wants_retry()) << "a second try is the last one";
  source().answer(200, kForAMinute);
  settle();
  for (auto* client : {&leader, &one, &two}) EXPECT_EQ(client->read(), "body");
  EXPECT_EQ(asked(), 2u);
}

TEST_F(FollowTest, WhoIsAloneHasTheSourceRepeat) {
  get("/a");
  EXPECT_TRUE(source().sink().wants_retry());
}

TEST_F(FollowTest, AFollowerOfAFailedFetchHasWhatIsStored) {
  configure("stale: {if_error: 1h}");
  store("/a", kTagged, "kept");
  pass(2min);
  auto& leader = get("/a");
  auto& one = get("/a");
  source().fail(FetchError::FirstByteTimeout);
  settle();
  EXPECT_EQ(leader.read(), "kept");
  EXPECT_EQ(one.read(), "kept");
  EXPECT_EQ(asked(), 2u);
}

TEST_F(FollowTest, TheFirstWhoseWaitIsOverFetchesForAllOthers) {
  configure("coalesce: {wait: 1s}");
  auto& leader = get("/a");
  auto& one = get("/a");
  auto& two = get("/a");
  pass(1100ms);
  ASSERT_EQ(asked(), 2u);
  source().answer(200, kForAMinute, "second");
  settle();
  EXPECT_EQ(one.read(), "second");
  EXPECT_EQ(two.read(), "second");
  EXPECT_EQ(leader.status, 0);
  core.sources[0]->answer(200, kForAMinute, "first");
  EXPECT_EQ(leader.read(), "first");
  EXPECT_EQ(counted(Coalesced::Timeout), 2u);
}

TEST_F(FollowTest, AWaitThatIsOverMayBeAnError) {
  configure("coalesce: {wait: 1s, on_timeout: error}");
  get("/a");
  auto& one = get("/a");
  pass(1100ms);
  EXPECT_EQ(one.status, 504);
  EXPECT_EQ(asked(), 1u);
}

TEST_F(FollowTest, TheQueueHasAnEnd) {
  configure("coalesce: {max_waiters: 1, on_timeout: error}");
  get("/a");
  get("/a");
  EXPECT_EQ(get("/a").status, 504);
}

TEST_F(FollowTest, AFillServesItsFollowersWithoutItsClient) {
  get("/a").leave();
  auto& one = get("/a");
  source().answer(200, kForAMinute);
  settle();
  EXPECT_EQ(one.read(), "body");
  auto& leader = get("/b");
  auto& two = get("/b");
  leader.leave();
  source().head(200, kForAMinute);
  settle();
  source().data("body");
  source().end();
  EXPECT_EQ(two.read(), "body");
}

TEST_F(FollowTest, AFollowerThatLeavesIsWaitedForNoMore) {
  get("/a");
  auto& one = get("/a");
  EXPECT_EQ(cache.numbers().waiting, 1u);
  one.leave();
  EXPECT_EQ(cache.numbers().waiting, 0u);
  EXPECT_EQ(core.tasks.size(), 1u);
}

TEST_F(FollowTest, ThoseWhoWaitOnALeaderThatGoesTakeOver) {
  auto& leader = get("/a");
  auto& one = get("/a");
  source().sent = false;
  leader.leave();
  EXPECT_FALSE(source().cancelled) << "somebody waits for it";
  source().fail(FetchError::ClientBody);
  settle();
  ASSERT_EQ(asked(), 2u);
  source().answer(200, kForAMinute);
  settle();
  EXPECT_EQ(one.read(), "body");
}

TEST_F(FollowTest, WhoComesToContentThatBrokeOffAsksOnceMore) {
  get("/a");
  source().head(200, kForAMinute, 8);
  auto& one = get("/a");
  EXPECT_EQ(one.status, 200) << "it joins while the content comes";
  source().data("half");
  source().fail(FetchError::Reset);
  EXPECT_TRUE(one.broken());
  auto& two = get("/a");
  EXPECT_EQ(asked(), 2u);
  source().answer(200, kForAMinute);
  EXPECT_EQ(two.read(), "body");
}

TEST_F(FollowTest, ARangeFarAheadOfTheContentIsAskedForAlone) {
  get("/a");
  source().head(200, kForAMinute);
  source().data("begin");
  auto& near = get("/a", {{"Range", "bytes=2-3"}});
  EXPECT_EQ(asked(), 1u);
  EXPECT_NE(near.status, 0);
  get("/a", {{"Range", "bytes=5000000-"}});
  ASSERT_EQ(asked(), 2u);
  EXPECT_EQ(source().fields.view().value("Range"), "bytes=5000000-");
}

TEST_F(FollowTest, WhoHasSentItsLastByteHasNothingFetchedForItAlone) {
  get("/a");
  auto& one = get("/a");
  one.sent_last_byte = true;
  source().answer(200, kPrivate);
  settle();
  EXPECT_TRUE(one.was_cut);
  EXPECT_EQ(asked(), 1u);
}

}  // namespace
}  // namespace forebay::proxy
