#include "forebay/config/route_epochs.hpp"

#include <gtest/gtest.h>

#include "unit/config/support.hpp"

namespace forebay::config {
namespace {

class RouteEpochsTest : public ::testing::Test {
 protected:
  /// The fingerprint of the route `a` after this configuration's routes have come; 0 where there is none.
  std::uint64_t after(const std::string& routes) {
    LoadRequest request;
    request.file = "forebay.yaml";
    request.text = "origin: http://127.0.0.1:3000\nroutes: [" + routes + "]\n";
    const auto loaded = load(request, Surroundings{});
    EXPECT_TRUE(loaded.ok()) << to_text(loaded.diagnostics);
    if (!loaded.ok()) return 0;
    auto config = *loaded.config;
    epochs.enter(config);
    for (const auto& route : config.routes)
      if (route.name == "a") return route.key.fingerprint;
    return 0;
  }
  RouteEpochs epochs;
};

TEST_F(RouteEpochsTest, ARouteThatStaysKeepsWhatIsStored) {
  const auto first = after("{name: a, path: /**}");
  EXPECT_EQ(after("{name: a, path: /**, ttl: 5s}"), first);
  EXPECT_EQ(after("{name: a, path: /**}, {name: b, path: '/b/**'}"), first);
}

TEST_F(RouteEpochsTest, OneThatChangesAndComesBackDoesNot) {
  for (const auto* other :
       {"{name: a, path: /**, key: {query: [id]}}", "{name: a, path: '/a/**'}", "{name: a, path: /**, host: shop.test}",
        "{name: a, path: /**, cache: false}", "{name: b, path: /**}"}) {
    SCOPED_TRACE(other);
    const auto first = after("{name: a, path: /**}");
    const auto between = after(other);
    EXPECT_NE(between, first);
    const auto again = after("{name: a, path: /**}");
    EXPECT_NE(again, first);
    EXPECT_NE(again, between);
    EXPECT_EQ(after("{name: a, path: /**}"), again);
  }
}

}  // namespace
}  // namespace forebay::config
