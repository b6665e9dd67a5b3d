// Forwarding loops over real chains of daemons (RFC 8586).
#include <algorithm>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Loops : public ForebayTest {
 protected:
  void SetUp() override { FOREBAY_NOT_OVER_TLS("origins are plain HTTP"); }
  static std::string to(std::uint16_t port) {
    return "origin: http://127.0.0.1:" + std::to_string(port) + "\nroutes: [{path: /**, ttl: 60s}]\n";
  }
};

/// How often it was asked for this path.
std::ptrdiff_t passes(const Daemon& d, const std::string& path) {
  const auto lines = d.access();
  return std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.at("path") == path; });
}

TEST_F(Loops, ForebayPointedAtItselfAnswers508OnTheSecondPass) {
  start();
  daemon->reload(to(daemon->port()));
  ASSERT_TRUE(eventually([&] { return get("/ready").status == 508; }));
  EXPECT_EQ(get("/a").status, 508);
  EXPECT_TRUE(eventually([&] { return passes(*daemon, "/a") == 2; })) << "the first pass and the second";
  EXPECT_EQ(origin.count("/a"), 0u);
}

TEST_F(Loops, TwoThatPointAtEachOtherAnswer508WhenTheFirstIsReachedAgain) {
  start();
  Daemon other(to(daemon->port()));
  daemon->reload(to(other.port()));
  ASSERT_TRUE(eventually([&] { return get("/ready").status == 508; }));
  EXPECT_EQ(get("/a").status, 508);
  EXPECT_TRUE(eventually([&] { return passes(*daemon, "/a") == 2 && passes(other, "/a") == 1; }));
}

TEST_F(Loops, AHerdOnALoopEndsToo) {
  start();
  daemon->reload(to(daemon->port()));
  ASSERT_TRUE(eventually([&] { return get("/ready").status == 508; }));
  std::vector<Client> all;
  for (int i = 0; i < 50; ++i) all.push_back(connect());
  for (auto& c : all) c.request("GET", "/herd");
  for (auto& c : all) EXPECT_EQ(c.read().status, 508);
}

TEST_F(Loops, AChainIsNoLoopAndEachHasItsPlace) {
  origin.on("/a", Reply::fresh());
  start();
  Daemon middle(to(daemon->port()));
  Daemon front(to(middle.port()));
  Client client(front.port());
  const auto a = client.get("/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_THAT(a.cache_status(), MatchesRegex("forebay; fwd.*, forebay; fwd.*, forebay; fwd.*"));
  EXPECT_THAT(origin.last("/a").get("CDN-Loop"),
              MatchesRegex("forebay;id=[0-9a-f]+, forebay;id=[0-9a-f]+, forebay;id=[0-9a-f]+"));
}

}  // namespace
}  // namespace forebay::test
