#include "app/demo_shop.hpp"

#include <gmock/gmock.h>

namespace forebay::app {
namespace {

using http::Method;
using ::testing::HasSubstr;

const WallTime kNow{std::chrono::seconds{1704067200}};

TEST(DemoShop, EachEndpointShowsOneThingAboutCaching) {
  DemoShop shop;
  const auto products = shop.answer(Method::Get, "/api/products", kNow);
  EXPECT_EQ(products.status, 200);
  const auto cache_control = [](const DemoShop::Answer& a) {
    return std::string(a.fields.view().value(http::FieldId::CacheControl).value_or("none"));
  };
  EXPECT_EQ(cache_control(products), "public, max-age=10");
  EXPECT_EQ(products.after, std::chrono::milliseconds{300});
  EXPECT_THAT(cache_control(shop.answer(Method::Get, "/api/products/7", kNow)),
              HasSubstr("max-age=30, stale-while-revalidate=30"));
  EXPECT_EQ(shop.answer(Method::Get, "/api/slow", kNow).after, std::chrono::seconds{2});
  EXPECT_THAT(cache_control(shop.answer(Method::Get, "/api/me", kNow)), HasSubstr("private"));
  EXPECT_TRUE(shop.answer(Method::Get, "/api/time", kNow).fields.view().empty());
}

TEST(DemoShop, WhatIsNotThereIs404AndChangesAre405) {
  DemoShop shop;
  for (const auto* path : {"/", "/api/products/0", "/api/products/x", "/api/products/99999", "/api/products/"})
    EXPECT_EQ(shop.answer(Method::Get, path, kNow).status, 404) << path;
  EXPECT_EQ(shop.answer(Method::Post, "/api/products", kNow).status, 405);
}

TEST(DemoShop, ASearchIsAPostWithoutALifetime) {
  DemoShop shop;
  const auto found = shop.answer(Method::Post, "/api/search", kNow);
  EXPECT_EQ(found.status, 200);
  EXPECT_TRUE(found.fields.view().empty());
  EXPECT_THAT(shop.answer(Method::Post, "/api/search", kNow).body, HasSubstr("\"search\":2"));
  EXPECT_EQ(shop.answer(Method::Get, "/api/search", kNow).status, 404);
}

TEST(DemoShop, WhileItIsDownAllFailsButTheCounts) {
  DemoShop shop;
  shop.down() = true;
  for (const auto* path : {"/api/products", "/api/time", "/nowhere"})
    EXPECT_EQ(shop.answer(Method::Get, path, kNow).status, 503) << path;
  EXPECT_EQ(shop.answer(Method::Get, "/stats", kNow).status, 200);
  shop.down() = false;
  EXPECT_EQ(shop.answer(Method::Get, "/api/time", kNow).status, 200);
}

TEST(DemoShop, FlakyFailsEverySecondTime) {
  DemoShop shop;
  for (const int wanted : {200, 503, 200, 503}) EXPECT_EQ(shop.answer(Method::Get, "/api/flaky", kNow).status, wanted);
}

TEST(DemoShop, StatsCountWhatTheShopWasAsked) {
  DemoShop shop;
  shop.answer(Method::Get, "/api/products", kNow);
  shop.answer(Method::Get, "/api/products/1", kNow);
  shop.answer(Method::Head, "/api/products/2", kNow);
  EXPECT_EQ(shop.answer(Method::Get, "/stats", kNow).body,
            "{\"products\":1,\"product\":2,\"slow\":0,\"me\":0,\"flaky\":0,\"time\":0,\"search\":0}\n");
}

}  // namespace
}  // namespace forebay::app
