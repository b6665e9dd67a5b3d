#include "forebay/server/listener.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <barrier>
#include <future>
#include <optional>
#include <system_error>
#include <thread>

#include "forebay/base/log.hpp"
#include "forebay/server/giving_way.hpp"
#include "server/sockets.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using testing::HasSubstr;
using ListenerTest = EdgeTest;

config::Listener tcp(std::uint16_t port) {
  config::Listener c;
  c.address.host = "127.0.0.1";
  c.address.port = port;
  c.address.text = "127.0.0.1:" + std::to_string(port);
  c.name = c.address.text;
  return c;
}

std::string why_not(const config::Listener& config, net::Worker& worker, Handler& handler, std::size_t parts = 1) {
  try {
    Listener l(config, std::vector<Listener::Part>(parts, {&worker, &handler}));
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

TEST_F(ListenerTest, ConnectionsOverTheLimitHear503) {
  on_worker([&] { handler.server.max_connections = 2; });
  auto a = connect(), b = connect();
  EXPECT_EQ(a.get("/").status, 200);
  EXPECT_EQ(b.get("/").status, 200);
  auto c = connect();
  const auto r = c.reply();
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(r.field("Retry-After"), "1");
  EXPECT_EQ(r.field("Content-Type"), "application/problem+json");
  EXPECT_TRUE(c.closed_silently());
  EXPECT_EQ(handler.refusals(1)[0], std::make_pair(Refusal::Overload, 503));
  EXPECT_EQ(listener->numbers().rejected_limit, 1u);
  a.close();
  c.close();
  until([&] { return listener->open_connections() == 1; });
  auto d = connect();
  EXPECT_EQ(d.get("/").status, 200) << "a place that was left is free again";
}

TEST_F(ListenerTest, OneAddressMayNotTakeAllPlaces) {
  on_worker([&] { handler.server.connections_per_address = 1; });
  auto a = connect();
  EXPECT_EQ(a.get("/").status, 200);
  auto b = connect();
  const auto refused = b.reply();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("server.limits.connections_per_address"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.body.find("server.max_connections"), std::string::npos) << refused.body;
}

TEST_F(ListenerTest, ATrustedProxyIsNotCountedAsOneAddress) {
  on_worker([&] {
    handler.server.connections_per_address = 1;
    handler.server.trusted_proxies.networks = {*http::parse_cidr("127.0.0.0/8")};
  });
  auto a = connect(), b = connect();
  EXPECT_EQ(a.get("/").status, 200);
  EXPECT_EQ(b.get("/").status, 200);
}

TEST_F(ListenerTest, ListenersMayCountTogether) {
  const auto limits = make_connection_limits();
  on_worker([&] { handler.server.max_connections = 1; });
  listener.reset();
  open(limits);
  Listener other(tcp(0), {{&worker, &handler}}, limits);
  other.start();
  auto a = connect();
  EXPECT_EQ(a.get("/").status, 200);
  Client b(other.port());
  EXPECT_EQ(b.reply().status, 503);
}

TEST_F(ListenerTest, WhereSilentConnectionsGiveWayTheLongestSilentOneDoes) {
  on_worker([&] { handler.server.max_connections = 2; });
  listener.reset();
  open(limits_with_giving_way());
  auto a = connect();
  EXPECT_EQ(a.get("/").status, 200);
  pass(100ms);
  auto b = connect();
  EXPECT_EQ(b.get("/").status, 200);
  auto c = connect();
  EXPECT_EQ(c.get("/").status, 200);
  EXPECT_EQ(b.get("/").status, 200);
  EXPECT_EQ(listener->open_connections(), 2u);
  EXPECT_EQ(listener->numbers().rejected_limit, 1u);
}

TEST_F(ListenerTest, ManyRefusedClientsCostAtMostSoMuch) {
  on_worker([&] { handler.server.max_connections = 0; });
  std::vector<Client> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(connect());
  handler.refusals(200);
  on_worker([&] { EXPECT_LE(listener->open_connections(), 64u); });
}

TEST_F(ListenerTest, WithoutDescriptorsAcceptingPausesAndGoesOn) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan itself needs descriptors to look at an object's type";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  std::promise<void> go;
  worker.post([held = go.get_future()] { held.wait(); });
  auto client = connect();  // waits in the kernel's queue
  const int next = ::dup(0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  const auto warnings = log::count(log::Level::Warn);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  go.set_value();
  until([&] { return log::count(log::Level::Warn) > warnings; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(listener->numbers().accepted, 0u);
  pass(100ms);
  EXPECT_EQ(client.get("/").status, 200);
}

TEST_F(ListenerTest, CloseAcceptsWhatWaitsInTheQueue) {
  // Nobody runs the worker while these connect: they stay in the kernel's queue.
  listener.reset();
  worker.stop();
  thread.join();
  worker.io().restart();
  const config::Listener config = tcp(0);
  listener = std::make_unique<Listener>(config, std::vector<Listener::Part>{{&worker, &handler}});
  listener->start();
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(listener->port());
  listener->close();
  EXPECT_EQ(listener->numbers().accepted, 5u);
  thread = std::thread([this] { worker.run(); });
  for (auto& c : clients) EXPECT_EQ(c.get("/").status, 200);
}

TEST_F(ListenerTest, SaysWhyItCannotListen) {
  EXPECT_THAT(why_not(tcp(listener->port()), worker, handler), HasSubstr("in use"));
  EXPECT_THAT(why_not(tcp(listener->port()), worker, handler, 2), HasSubstr("in use"))
      << "also where the port could be shared";
  auto unknown = tcp(0);
  unknown.address.host = "203.0.113.7";
  EXPECT_NE(why_not(unknown, worker, handler), "");
  unknown.address.kind = config::Address::Kind::Fd;
  unknown.address.host = "elsewhere";
  EXPECT_THAT(why_not(unknown, worker, handler), HasSubstr("LISTEN_"));
  unknown.address.kind = config::Address::Kind::Unix;
  unknown.address.host = std::string(200, 'x');
  EXPECT_THAT(why_not(unknown, worker, handler), HasSubstr("too long"));
}

TEST_F(ListenerTest, WithoutHostIpv4ClientsAreShownAsWhatTheyAre) {
  auto config = tcp(0);
  config.address.host.clear();
  std::string seen;
  handler.script = [&](const ExchangePtr& exchange) {
    seen = exchange->peer().address;
    EXPECT_TRUE(exchange->peer().has_ip);
    EXPECT_EQ(exchange->peer().ip[11], 0xFF);
    EXPECT_EQ(exchange->peer().ip[12], 127);
    EXPECT_NE(exchange->peer().port, 0);
    answer_text(*exchange, exchange->peer().listener);
  };
  Listener any(config, {{&worker, &handler}});
  any.start();
  Client client(any.port());
  EXPECT_EQ(client.get("/").body, config.name);
  EXPECT_EQ(seen, "127.0.0.1");
}

struct UnixTest : ListenerTest {
  UnixTest() {
    char directory[] = "/tmp/forebay-test-XXXXXX";
    EXPECT_NE(::mkdtemp(directory), nullptr);
    path = std::string(directory) + "/s";
    config.address.kind = config::Address::Kind::Unix;
    config.address.host = path;
    config.address.text = "unix:" + path;
    config.name = "u";
  }
  ~UnixTest() override {
    ::unlink(path.c_str());
    ::rmdir(path.substr(0, path.size() - 2).c_str());
  }
  std::string path;
  config::Listener config;
};

TEST_F(UnixTest, ServesASocketFileAndRemovesItAtTheEnd) {
  std::atomic<bool> checked{false};
  handler.script = [&](const ExchangePtr& exchange) {
    EXPECT_EQ(exchange->peer().address, "");
    EXPECT_FALSE(exchange->peer().has_ip);
    checked = true;
    answer_text(*exchange, "unix");
  };
  {
    Listener l(config, {{&worker, &handler}});
    l.start();
    Client client(path);
    EXPECT_EQ(client.get("/").body, "unix");
    struct stat file {};
    EXPECT_EQ(::stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0666u);
    EXPECT_THAT(why_not(config, worker, handler), HasSubstr("another process")) << "a socket in use is not taken away";
  }
  EXPECT_TRUE(checked);
  struct stat file {};
  EXPECT_NE(::stat(path.c_str(), &file), 0);
}

TEST_F(UnixTest, AStaleSocketFileIsReplacedAndOtherFilesAreNot) {
  {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    ::close(fd);
  }
  EXPECT_EQ(why_not(config, worker, handler), "");
  ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_THAT(why_not(config, worker, handler), HasSubstr("not a socket"));
}

TEST_F(UnixTest, ALinkInThePlaceOfTheSocketIsNotFollowed) {
  const auto victim = path + "-victim";
  ::close(::open(victim.c_str(), O_CREAT | O_WRONLY, 0600));
  ::chmod(victim.c_str(), 0600);
  {
    Listener l(config, {{&worker, &handler}});
    ::unlink(path.c_str());
    ASSERT_EQ(::symlink(victim.c_str(), path.c_str()), 0);
    config.mode = 0666;
    EXPECT_THROW(l.set_access(config), std::system_error);
    EXPECT_THROW(SocketFile{config.address}, std::system_error);
  }
  struct stat file {};
  EXPECT_EQ(::stat(victim.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  EXPECT_EQ(::lstat(path.c_str(), &file), 0) << "nor is it removed";
  ::unlink(victim.c_str());
}

// With a file that was left over, so that each of them has something to remove.
TEST_F(UnixTest, OfTwoThatStartAtOnceOneHasTheSocketAndTheOtherIsTold) {
  for (int round = 0; round < 200; ++round) {
    ::unlink(path.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    ::close(fd);
    std::barrier both(2);
    std::array<std::optional<Listening>, 2> opened;
    const auto open = [&](std::size_t i) {
      both.arrive_and_wait();
      try {
        opened[i] = open_listening(config, 1);
      } catch (const std::system_error& e) {
        EXPECT_EQ(e.code().value(), EADDRINUSE) << e.what();
      }
    };
    std::thread other([&] { open(1); });
    open(0);
    other.join();
    ASSERT_NE(opened[0].has_value(), opened[1].has_value()) << round;
    Client client(path);
  }
}

TEST_F(ListenerTest, TakesASocketThatWasHandedOver) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(fd, 5), 0);
  // The protocol numbers descriptors from 3 on; this one is wherever it came to be.
  std::string names;
  for (int i = 3; i < fd; ++i) names += "other:";
  ::setenv("LISTEN_PID", std::to_string(::getppid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(fd - 2).c_str(), 1);
  ::setenv("LISTEN_FDNAMES", (names + "web").c_str(), 1);
  config::Listener config;
  config.address.kind = config::Address::Kind::Fd;
  config.address.host = "web";
  config.address.text = "fd:web";
  auto strange = config;
  strange.address.host = "strange";
  ::setenv("LISTEN_FDNAMES", (names + "strange").c_str(), 1);
  EXPECT_THAT(why_not(strange, worker, handler), HasSubstr("LISTEN_")) << "they are another process's";
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDNAMES", (names + "web").c_str(), 1);
  for (int again = 0; again < 2; ++again) {
    Listener l(config, {{&worker, &handler}});
    l.start();
    Client client(l.port());
    EXPECT_EQ(client.get("/").status, 200);
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    EXPECT_EQ(std::getenv(name), nullptr) << "for a child of this process it would be wrong";
  ::close(fd);
}

TEST(ListenerWorkers, ConnectionsAreSpreadAndEachStaysOnItsWorker) {
  const net::SystemClock clock;
  std::vector<std::unique_ptr<net::Worker>> workers;
  std::vector<std::unique_ptr<FakeHandler>> handlers;
  std::vector<Listener::Part> parts;
  for (unsigned i = 0; i < 3; ++i) {
    workers.push_back(std::make_unique<net::Worker>(i, clock));
    handlers.push_back(std::make_unique<FakeHandler>());
    handlers.back()->script = [i](const ExchangePtr& e) { answer_text(*e, std::to_string(i)); };
    parts.push_back({workers.back().get(), handlers.back().get()});
  }
  char directory[] = "/tmp/forebay-test-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  config::Listener one;
  one.address.kind = config::Address::Kind::Unix;
  one.address.host = std::string(directory) + "/s";
  one.address.text = "unix:" + one.address.host;
  auto shared = std::make_unique<Listener>(one, parts);
  auto own = std::make_unique<Listener>(tcp(0), parts);
  shared->start();
  own->start();
  std::vector<std::thread> threads;
  for (auto& w : workers) threads.emplace_back([&w] { w->run(); });

  // One socket for all: evenly. A socket each: whoever is more than 8 ahead hands over.
  std::array<int, 3> of_shared{}, of_own{};
  std::vector<Client> clients;
  for (int i = 0; i < 60; ++i) {
    clients.emplace_back(one.address.host);
    const std::string first = clients.back().get("/").body;
    ++of_shared[static_cast<std::size_t>(first[0] - '0')];
    EXPECT_EQ(clients.back().get("/").body, first);
    clients.emplace_back(own->port());
    ++of_own[static_cast<std::size_t>(clients.back().get("/").body[0] - '0')];
  }
  for (const int n : of_shared) EXPECT_EQ(n, 20);
  const auto [least, most] = std::minmax_element(of_own.begin(), of_own.end());
  EXPECT_LE(*most - *least, 9);
  EXPECT_EQ(shared->numbers().open, 60u);

  // Load from several threads while it closes: whoever was accepted is answered.
  std::atomic<int> answered{0};
  std::vector<std::thread> load;
  for (int t = 0; t < 3; ++t) {
    load.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i)
        answered += clients[static_cast<std::size_t>(t * 30 + i % 30)].get("/x").status == 200;
    });
  }
  for (auto& l : load) l.join();
  EXPECT_EQ(answered, 600);
  own->close();
  own->drain();
  own->abort();
  shared.reset();
  own.reset();
  for (auto& w : workers) w->stop();
  for (auto& t : threads) t.join();
  ::rmdir(directory);
}

}  // namespace
}  // namespace forebay::server::test
