// Several listeners, including a Unix socket.
#include <filesystem>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Listeners : public ForebayTest {};

TEST_F(Listeners, AUnixSocketServesLikeAPort) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  const TempDir dir;
  const auto path = dir.file("client.sock");
  start("listen: 'unix:" + path + "'\nroutes: [{path: /**}]\n");
  Client c(Socket::connect_unix(path));
  EXPECT_EQ(c.get("/a").body, "/a");
  EXPECT_EQ(c.get("/a").x_cache(), "HIT");
  std::vector<Client> all;
  for (int i = 0; i < 50; ++i) {
    all.emplace_back(Socket::connect_unix(path));
    all.back().request("GET", "/" + std::to_string(i % 5));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].read().body, "/" + std::to_string(i % 5));
  EXPECT_TRUE(access_line("/a").contains("cache.result"));
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "unix:" + path}}, 51));
}

TEST_F(Listeners, TheUnixSocketOfAStoppedDaemonDoesNotStopTheNextOne) {
  origin.on("/a", Reply::fresh());
  const TempDir dir;
  const auto path = dir.file("client.sock");
  for (const bool killed : {false, true, false}) {
    start("listen: 'unix:" + path + "'\nroutes: [{path: /**}]\n");
    Client c(Socket::connect_unix(path));
    EXPECT_EQ(c.get("/a").status, 200);
    if (killed)
      daemon.reset();
    else
      EXPECT_EQ(daemon->stop().value_or(-1), 0);
  }
}

TEST_F(Listeners, SeveralShareOneCacheAndHaveTheirNames) {
  origin.on("/a", Reply::fresh());
  const TempDir dir;
  start("listen: [{address: '127.0.0.1:0', name: public}, {address: 'unix:" + dir.file("s") +
        "', name: side}]\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a").x_cache(), "MISS");
  Client c(Socket::connect_unix(dir.file("s")));
  EXPECT_EQ(c.get("/a").x_cache(), "HIT");
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "public"}}, 1));
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "side"}}, 1));
}

}  // namespace
}  // namespace forebay::test
