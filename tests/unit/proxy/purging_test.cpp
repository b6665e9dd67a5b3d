#include "forebay/proxy/purging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "../config/support.hpp"
#include "forebay/proxy/purger.hpp"
#include "forebay/proxy/runtime.hpp"

namespace forebay::proxy {
namespace {

using ::testing::HasSubstr;
using How = cache::UrlPattern::How;

RuntimePtr runtime_of(const std::string& routes) {
  auto loaded = config::test::load_text("origin: http://127.0.0.1:1\nlog: {access: {output: off}}\n" + routes);
  EXPECT_TRUE(loaded.ok());
  return Runtime::make(loaded.config, nullptr, 1);
}

PreparedPurge prepared(const PurgeNames& names, const std::string& routes = "routes: [{path: /**}]\n") {
  auto made = prepare_purge(names, *runtime_of(routes));
  EXPECT_TRUE(std::holds_alternative<PreparedPurge>(made)) << std::get<PurgeFault>(made).why;
  return std::move(std::get<PreparedPurge>(made));
}
std::string fault(const PurgeNames& names) {
  const auto made = prepare_purge(names, *runtime_of("routes: [{name: shop, path: /**}]\n"));
  const auto* wrong = std::get_if<PurgeFault>(&made);
  return wrong ? wrong->why : std::string();
}
PurgeNames urls(std::vector<std::string> list) {
  PurgeNames names;
  names.urls = std::move(list);
  return names;
}

TEST(Purging, SpellingsOfOneUrlAreOneResource) {
  const auto one = prepared(urls({"http://shop.test/~a/b?x=1"})).order.resources;
  for (const auto* same : {"HTTP://SHOP.test:80/%7ea/./c/../b?x=1", "https://shop.test:443/~a/b?x=1"})
    EXPECT_EQ(prepared(urls({same})).order.resources, one) << same;
  EXPECT_NE(prepared(urls({"http://shop.test:443/~a/b?x=1"})).order.resources, one);
  EXPECT_NE(prepared(urls({"http://shop.test/~a/b"})).order.resources, one);
}

TEST(Purging, AUrlWithAHostIsNotSearchedFor) {
  const auto order =
      prepared(urls({"http://shop.test/a"}), "routes: [{path: /a, key: {host: false}}, {path: /**}]\n").order;
  EXPECT_EQ(order.resources.size(), 2u);
  EXPECT_TRUE(order.urls.empty());
}

TEST(Purging, AUrlOfEveryHostIsSearchedForOnceAsLongAsKeysAreAlike) {
  const auto order = prepared(urls({"/a?id=1&u=2"}), R"(
routes:
  - {name: a, host: [a.test], path: /**}
  - {name: b, host: [b.test], path: /**}
  - {name: only, path: /a, key: {query: [id]}}
  - {name: "off", path: /a, cache: false}
  - {name: capture, path: "/{name}", key: {path: [name]}}
  - {name: nohost, path: /a, key: {host: false}}
)")
                         .order;
  ASSERT_EQ(order.urls.size(), 3u);
  for (const auto& url : order.urls) EXPECT_EQ(url.how, How::Keyed);
  EXPECT_EQ(order.urls[0].text, "|/a|q:id=1&u=2");
  EXPECT_EQ(order.urls[0].route, "");
  EXPECT_EQ(order.urls[1].text, "|/a|q:id=1");
  EXPECT_EQ(order.urls[2].text, "|name=a|q:id=1&u=2");
  EXPECT_EQ(order.urls[2].route, "capture");
  EXPECT_EQ(order.resources.size(), 1u);
}

TEST(Purging, PatternsAreNormalisedAsPathsAre) {
  PurgeNames names;
  names.prefixes = {"/a/../%70/", "http://SHOP.test", "/p?x=%7E"};
  names.globs = {"*.jpg", "/a/*?v=*"};
  const auto order = prepared(names).order;
  ASSERT_EQ(order.urls.size(), 5u);
  EXPECT_EQ(order.urls[0].text, "/p/");
  EXPECT_EQ(order.urls[1].host, "shop.test");
  EXPECT_EQ(order.urls[1].text, "/");
  EXPECT_EQ(order.urls[2].text, "/p?x=%7E");
  EXPECT_EQ(order.urls[3].text, "*.jpg");
  EXPECT_EQ(order.urls[3].how, How::Glob);
  EXPECT_EQ(order.urls[4].text, "/a/*?v=*");
}

std::string routes_meant(const PurgeNames& names) {
  const auto order = prepared(names, R"(
routes:
  - {name: user, path: "/users/{id}", key: {path: [id]}}
  - {name: one, path: "/%75sers/list", key: {path: none}}
  - {name: deep, path: "/users/**/edit", key: {path: none}}
  - {name: globbed, path: "/static/a*b/{x}", key: {path: [x]}}
  - {name: regex, path: "~/r/.*", key: {path: none}}
  - {name: whole, path: /**}
)")
                         .order;
  std::string out;
  for (const auto& url : order.urls) {
    EXPECT_EQ(url.how, names.globs.empty() ? How::Prefix : How::Glob);
    out += ' ' + (url.route.empty() ? std::string("*") : url.route) + (url.host.empty() ? "" : '@' + url.host);
  }
  return out;
}

TEST(Purging, APatternTakesKeysWithoutThePathOnlyOfRoutesThatItMayMean) {
  const auto prefix = [](std::vector<std::string> list) {
    PurgeNames names;
    names.prefixes = std::move(list);
    return routes_meant(names);
  };
  const auto glob = [](std::string text) {
    PurgeNames names;
    names.globs = {std::move(text)};
    return routes_meant(names);
  };
  EXPECT_EQ(prefix({"/static/"}), " * globbed regex");
  EXPECT_EQ(prefix({"/static/b"}), " * regex");
  EXPECT_EQ(prefix({"/static/abc/1"}), " * globbed regex");
  EXPECT_EQ(prefix({"/"}), " * user one deep globbed regex");
  EXPECT_EQ(prefix({"/users"}), " * user one deep regex");
  EXPECT_EQ(prefix({"/users/7"}), " * user deep regex");
  EXPECT_EQ(prefix({"/users/7?a"}), " * user") << "of one path";
  EXPECT_EQ(prefix({"/users/list/"}), " * user deep regex");
  EXPECT_EQ(prefix({"/usersof"}), " * deep regex") << "which cannot be told from its beginning alone";
  EXPECT_EQ(prefix({"/shop/"}), " * regex");
  EXPECT_EQ(prefix({"/users/7", "http://a.test/users/8", "/users/9"}),
            " * *@a.test * user deep regex user@a.test deep@a.test regex@a.test");
  EXPECT_EQ(glob("/users/7"), " * user");
  EXPECT_EQ(glob("/users/7/edit"), " * deep");
  EXPECT_EQ(glob("/users/*"), " * user one deep regex");
  EXPECT_EQ(glob("/static/*?v=*"), " * globbed regex");
  EXPECT_EQ(glob("*.css"), " * user one deep globbed regex");
}

TEST(Purging, APathUnderNoVarySearchIsSearchedForWithoutItsQuery) {
  const auto order = prepared(urls({"/users/7?a=1"}), R"(
routes:
  - {name: user, path: "/users/{id}", key: {path: [id]}, no_vary_search: respect}
  - {name: all, path: /**, no_vary_search: respect}
)")
                         .order;
  ASSERT_EQ(order.urls.size(), 4u);
  EXPECT_EQ(order.urls[0].text, "|id=7|q:a=1");
  EXPECT_EQ(order.urls[1].how, How::Searched);
  EXPECT_EQ(order.urls[1].text, "|id=7");
  EXPECT_EQ(order.urls[1].route, "user");
  EXPECT_EQ(order.urls[3].how, How::Searched);
  EXPECT_EQ(order.urls[3].text, "|/users/7");
  EXPECT_EQ(order.urls[3].route, "all");
}

TEST(Purging, SaysWhatIsWrong) {
  EXPECT_THAT(fault({}), HasSubstr("Nothing is named"));
  EXPECT_THAT(fault(urls({"shop.test/a"})), HasSubstr("write http:// before a host"));
  EXPECT_THAT(fault(urls({"/a b"})), HasSubstr("percent-encoded"));
  EXPECT_THAT(fault(urls({std::string(10'000, '/')})), HasSubstr("8192"));
  EXPECT_THAT(fault(urls(std::vector<std::string>(1001, "/a"))), HasSubstr("1000"));
  PurgeNames names;
  names.ids = {"0123456789abcdef0123456789abcdeg"};
  EXPECT_THAT(fault(names), HasSubstr("32 hex digits"));
  names.ids.assign(101, "0123456789abcdef0123456789ABCDEF");
  EXPECT_THAT(fault(names), HasSubstr("More than 100"));
}

TEST(Purging, SaysWhatWasDone) {
  PurgeNames names = urls({"/1", "/2", "/3", "/4", "/5", "/6"});
  names.tags = {"a"};
  auto purge = prepared(names);
  purge.order.mode = cache::PurgeMode::Soft;
  PurgeDone done;
  done.purged.total = 1;
  done.purged.by[static_cast<std::size_t>(cache::PurgeKind::Tag)] = 1;
  done.took = std::chrono::microseconds{1500};
  EXPECT_EQ(to_json(purge, done), R"({"purged":1,"by":{"url":0,"tag":1},"mode":"soft","dry_run":false,"took_ms":1.500})"
                                  "\n");
  EXPECT_EQ(outcome_text(purge, done), "soft purge of url /1, url /2, url /3, url /4, url /5 and 2 more: 1 entry");
  names = {};
  names.all = true;
  EXPECT_EQ(outcome_text(prepared(names), {}), "hard purge of everything: 0 entries");
}

TEST(Purger, CarriesOutEveryOrderThatItTakesAndNoneAfterItsEnd) {
  cache::Store store({1024 * 1024, 1});
  Purger purger(store);
  std::atomic<int> done{0};
  int taken = 0;
  for (int i = 0; i < 500; ++i)
    taken += purger.ask(prepared(urls({"/a"})), [&](const PreparedPurge&, const PurgeDone&) { ++done; });
  EXPECT_GT(taken, 0);
  while (done < taken) std::this_thread::yield();
  purger.stop();
  EXPECT_FALSE(purger.ask(prepared(urls({"/a"})), [&](const PreparedPurge&, const PurgeDone&) { ++done; }));
  EXPECT_EQ(done, taken);
}

TEST(Purger, CompletesWhatWritesHaveBegun) {
  cache::Store store({1024 * 1024, 4});
  Purger purger(store);
  cache::PurgeOrder order;
  order.tags = {cache::tag_digest("a")};
  const auto end = std::make_shared<PurgeEnd>();
  std::vector<cache::PurgeRun> runs;
  runs.emplace_back(store, order);
  ASSERT_TRUE(purger.complete(runs, end));
  while (!end->reached()) std::this_thread::yield();
  EXPECT_EQ(store.numbers().purges[0].orders[static_cast<std::size_t>(cache::PurgeKind::Tag)], 1u);
  // Those that it does not take stay with whoever asks.
  std::atomic<bool> begun{false}, go_on{false};
  ASSERT_TRUE(purger.ask(prepared(urls({"/a"})), [&](const PreparedPurge&, const PurgeDone&) {
    begun = true;
    while (!go_on) std::this_thread::yield();
  }));
  while (!begun) std::this_thread::yield();
  int taken = 0;
  for (;; ++taken) {
    runs.clear();
    runs.emplace_back(store, order);
    if (!purger.complete(runs, std::make_shared<PurgeEnd>())) break;
  }
  EXPECT_EQ(taken, 64);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_TRUE(runs[0].step());
  go_on = true;
  purger.stop();
  EXPECT_FALSE(purger.complete(runs, end));
}

TEST(Purger, FollowsUpWritesTogether) {
  cache::Store store({1024 * 1024, 1});
  Purger purger(store);
  const auto before = store.purge_sequence();
  std::atomic<bool> begun{false}, go_on{false};
  ASSERT_TRUE(purger.ask(prepared(urls({"http://a.test/a"})), [&](const PreparedPurge&, const PurgeDone&) {
    begun = true;
    while (!go_on) std::this_thread::yield();
  }));
  while (!begun) std::this_thread::yield();
  const auto end = std::make_shared<PurgeEnd>();
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(purger.follow_up("r", cache::PurgeMode::Hard, {}, end));
    EXPECT_TRUE(purger.follow_up(i % 2 == 0 ? "r" : "s", cache::PurgeMode::Soft, {}, end));
  }
  EXPECT_FALSE(end->reached());
  go_on = true;
  while (!end->reached()) std::this_thread::yield();
  const auto writes = [&](cache::PurgeMode mode) {
    return store.numbers()
        .purges[static_cast<std::size_t>(mode)]
        .orders[static_cast<std::size_t>(cache::PurgeKind::Write)];
  };
  purger.stop();
  EXPECT_EQ(writes(cache::PurgeMode::Hard), 1u);
  EXPECT_EQ(writes(cache::PurgeMode::Soft), 1u);
  EXPECT_EQ(store.purge_sequence(), before + 3);
  EXPECT_FALSE(purger.follow_up("r", cache::PurgeMode::Hard, {}, end));
}

TEST(Purging, APatternWithAQueryIsForThePathAloneWhereKeysHaveAnotherQuery) {
  PurgeNames names;
  names.prefixes = {"/a/x?&fx=1"};
  names.globs = {"/a/*?fx=*&&y=2&"};
  const auto order = prepared(names, R"(
routes:
  - {name: none, path: /a/**, key: {query: none}}
  - {name: sorted, path: /a/**, key: {query_sort: true}}
  - {name: other, path: /b/**, key: {query: [id]}}
  - {name: all, path: /**}
)")
                         .order;
  ASSERT_EQ(order.urls.size(), 6u);
  EXPECT_EQ(order.urls[0].text, "/a/x?fx=1");
  EXPECT_EQ(order.urls[0].route, "");
  EXPECT_EQ(order.urls[1].text, "/a/*?fx=*&y=2");
  EXPECT_EQ(order.urls[2].text, "/a/x");
  EXPECT_EQ(order.urls[2].how, How::Glob);
  EXPECT_EQ(order.urls[2].route, "none");
  EXPECT_EQ(order.urls[3].route, "sorted");
  EXPECT_EQ(order.urls[4].text, "/a/*");
  EXPECT_EQ(order.urls[5].route, "sorted");
  names = {};
  names.prefixes = {"/p?a=1&"};
  EXPECT_EQ(prepared(names).order.urls[0].text, "/p?a=1&");
}

TEST(Purging, NamesThatCannotMatchAreRefused) {
  PurgeNames names;
  names.globs = {"*://h/a"};
  EXPECT_THAT(fault(names), HasSubstr("write http://"));
  names = {};
  for (const auto* tag : {"a b", "a,b"}) {
    names.tags = {tag};
    EXPECT_THAT(fault(names), HasSubstr("separate tags")) << tag;
  }
  for (const auto* tag : {"a\n", "a\tb", "\x7f"}) {
    names.tags = {tag};
    EXPECT_THAT(fault(names), HasSubstr("not a tag")) << tag;
  }
  names.tags = {"a b"};
  EXPECT_EQ(prepared(names, "routes: [{path: '/{id}', tags: {add: ['p-{id}']}}]\n").order.tags.size(), 1u);
}

}  // namespace
}  // namespace forebay::proxy
