// Tags and `invalidates`, and the graph that `check` prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forebay/config/invalidation_graph.hpp"
#include "support.hpp"

namespace forebay::config::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kOrigin = "origin: http://localhost:3000\n";

TEST(Tags, InvalidatesIsAListOrAMap) {
  const auto list = load_text(kOrigin + "routes: [{path: '/a/{id}', tags: {add: ['a-{id}']}, invalidates: 'a-{id}'}]");
  ASSERT_TRUE(list.ok()) << to_text(list.diagnostics);
  EXPECT_THAT(list.diagnostics, IsEmpty()) << to_text(list.diagnostics);
  const auto& one = list.config->routes[0].invalidates;
  ASSERT_EQ(one.tags.size(), 1u);
  EXPECT_EQ(one.mode, cache::PurgeMode::Hard);
  const auto map = load_text(kOrigin +
                             "routes: [{path: /a, tags: {add: [b]}, invalidates: {tags: ['{response_body:/a}'], mode: "
                             "soft, body_max: 1KiB}}]");
  ASSERT_TRUE(map.ok()) << to_text(map.diagnostics);
  EXPECT_EQ(map.config->routes[0].invalidates.mode, cache::PurgeMode::Soft);
  EXPECT_EQ(map.config->routes[0].invalidates.body_max, 1024u);
}

TEST(Tags, ThoseOfDefaultsArePartsOfEachRoute) {
  const auto result = load_text(kOrigin + "defaults: {tags: {add: ['x-{id}'], headers: [xkey], max: 3}}\n" +
                                "routes: [{path: '/{id}'}, {path: /own, tags: {add: []}}]");
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  EXPECT_EQ(result.config->routes[0].policy.tags.add.size(), 1u);
  EXPECT_THAT(result.config->routes[1].policy.tags.add, IsEmpty());
  EXPECT_THAT(result.config->routes[1].policy.tags.headers, ElementsAre("xkey"));
  const auto wrong = load_text(kOrigin + "defaults: {tags: {add: ['x-{id}']}}\nroutes: [{path: /own}]");
  EXPECT_THAT(codes(wrong), ElementsAre(1009));
}

TEST(Tags, TheGraphHasTheRoutesThatCanHaveEachTag) {
  const auto result = load_text(kOrigin + R"(
routes:
  - {name: write, path: "/orders/{id}", cache: false, invalidates: [orders, "order-{id}", "from-{body:/origin}"]}
  - {name: soft, path: /soft, cache: false, invalidates: {tags: [orders], mode: soft}}
  - {name: list, path: /orders, tags: {add: [orders]}}
  - {name: order, path: "/order/{nr}", tags: {add: [orders, "order-{nr}"]}}
  - {name: off, path: /off, cache: false, tags: {add: [orders]}}
)");
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  EXPECT_THAT(codes(result), ElementsAre(2083));
  EXPECT_EQ(to_text(invalidations(*result.config)),
            "writes on write invalidate:\n"
            "  orders -> list, order\n"
            "  order-{id} -> order\n"
            "  from-{body:/origin} -> responses whose origin names this tag\n"
            "writes on soft invalidate (soft):\n"
            "  orders -> list, order\n");
  EXPECT_EQ(to_text(invalidations(*load_text(kOrigin).config)), "");
}

TEST(Tags, WhereNoRouteReadsTagsNothingCanHaveThem) {
  const auto result = load_text(kOrigin + "defaults: {tags: {headers: []}}\n" +
                                "routes: [{path: /w, cache: false, invalidates: [a]}, {path: /r}]");
  ASSERT_THAT(codes(result), ElementsAre(2083));
  EXPECT_EQ(result.diagnostics[0].message, "no stored response can have the tag \"a\"");
}

}  // namespace
}  // namespace forebay::config::test
