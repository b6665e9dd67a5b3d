// Several listeners: addresses of both families, Unix sockets, sockets of systemd, and changes of them by a reload.
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Listeners : public ForebayTest {
 protected:
  void answer_paths() {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  }
  bool reload(const std::string& yaml, const char* outcome = "applied") {
    const auto before = metric("forebay_config_reloads_total", {{"outcome", outcome}});
    daemon->reload(with_origin(yaml));
    return metric_reaches("forebay_config_reloads_total", {{"outcome", outcome}}, before + 1);
  }
  /// Why the daemon does not start.
  std::string why_not(const std::string& yaml, const Daemon::Inherited& sockets = {}) {
    try {
      const Daemon other(with_origin(yaml), forebay_binary(), sockets);
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "it starts";
  }
  static bool refuses(const std::function<Socket()>& connect) {
    try {
      connect();
    } catch (const std::system_error&) {
      return true;
    }
    return false;
  }
  static std::uint16_t free_port() {
    std::uint16_t port = 0;
    const auto taken = Socket::listen(port);
    return port;
  }
  static std::string body(Socket socket, const std::string& path = "/a") {
    return Client(std::move(socket)).get(path).body;
  }
  static struct stat file_at(const std::string& path) {
    struct stat file {};
    EXPECT_EQ(::lstat(path.c_str(), &file), 0) << path;
    return file;
  }
  static std::string listen(const std::string& items) { return "listen: " + items + "\nroutes: [{path: /**}]\n"; }
};

bool has_ipv6() {
  const Socket probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  return probe.open() && ::bind(probe.fd(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
}

/// A Unix socket in the file system, listening or merely bound.
Socket unix_socket(const std::string& path, bool listening, int type = SOCK_STREAM) {
  Socket s(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  EXPECT_EQ(::bind(s.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  if (listening) {
    EXPECT_EQ(::listen(s.fd(), 16), 0);
  }
  return s;
}

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

TEST_F(Listeners, AnAddressWithoutAHostTakesBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  answer_paths();
  const auto port = free_port();
  start(listen("':" + std::to_string(port) + "'"));
  EXPECT_EQ(body(Socket::connect_to("127.0.0.1", port)), "/a");
  EXPECT_EQ(body(Socket::connect_to("::1", port), "/b"), "/b");
  EXPECT_EQ(access_line("/a")["remote"], "127.0.0.1") << "not mapped";
  EXPECT_EQ(access_line("/b")["remote"], "::1");
  EXPECT_EQ(origin.last("/b").get("X-Forwarded-For"), "::1");
  EXPECT_THAT(origin.last("/b").get("Forwarded"), HasSubstr("for=\"[::1]\""));
}

TEST_F(Listeners, AnIpv4ListenerOfTheSamePortTakesTheIpv4Clients) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  answer_paths();
  const auto port = std::to_string(free_port());
  const auto number = static_cast<std::uint16_t>(std::stoi(port));
  for (const auto* v4 : {"0.0.0.0:", "127.0.0.1:"}) {
    SCOPED_TRACE(v4);
    daemon.reset();
    start(listen("[{address: ':" + port + "', name: all}, {address: '" + v4 + port + "', name: four}]"));
    EXPECT_EQ(body(Socket::connect_to("127.0.0.1", number)), "/a");
    EXPECT_EQ(body(Socket::connect_to("::1", number)), "/a");
    EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "four"}}, 1));
    EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "all"}}, 1));
    EXPECT_TRUE(metric_becomes("forebay_connections_accepted_total", {{"listener", "four"}}, 1));
  }
}

TEST_F(Listeners, AUnixSocketHasTheModeAndOwnerOfTheConfiguration) {
  answer_paths();
  const TempDir dir;
  const auto path = dir.file("s"), other = dir.file("t");
  const auto gid = std::to_string(::getegid()), uid = std::to_string(::geteuid());
  start(listen("[{address: 'unix:" + path + "', mode: '0660', owner: " + uid + ", group: " + gid + "}, 'unix:" + other +
               "']"));
  EXPECT_EQ(file_at(path).st_mode & 0777, 0660U);
  EXPECT_EQ(file_at(other).st_mode & 0777, 0666U);
  EXPECT_EQ(body(Socket::connect_unix(path)), "/a");
  // A reload changes them, and the socket stays the same one.
  const auto before = file_at(path);
  ASSERT_TRUE(reload(listen("[{address: 'unix:" + path + "', mode: '600'}, 'unix:" + other + "']")));
  EXPECT_EQ(file_at(path).st_mode & 0777, 0600U);
  EXPECT_EQ(file_at(path).st_ino, before.st_ino);
  EXPECT_EQ(body(Socket::connect_unix(path)), "/a");
}

TEST_F(Listeners, AnUnknownOwnerIsAnErrorOfTheStart) {
  const TempDir dir;
  const auto at = "address: 'unix:" + dir.file("s") + "'";
  EXPECT_THAT(why_not(listen("[{" + at + ", owner: no-such-user}]")), HasSubstr("there is no user \"no-such-user\""));
  const auto why = why_not(listen("[{" + at + ", group: no-such-group}]"));
  EXPECT_THAT(why, HasSubstr("there is no group \"no-such-group\""));
  EXPECT_THAT(why, Not(HasSubstr("No such file"))) << "that is not the reason";
  EXPECT_FALSE(std::filesystem::exists(dir.file("s"))) << "nothing is left behind";
}

TEST_F(Listeners, OnlyAStaleSocketIsRemoved) {
  answer_paths();
  const TempDir dir;
  const auto path = dir.file("s");
  {
    const auto live = unix_socket(path, true);
    EXPECT_THAT(why_not(listen("'unix:" + path + "'")), HasSubstr("another process listens on it"));
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  start(listen("'unix:" + path + "'"));
  EXPECT_EQ(body(Socket::connect_unix(path)), "/a") << "nobody listens on it any more";
  EXPECT_THAT(why_not(listen("'unix:" + path + "'")), HasSubstr("another process listens on it")) << "a second daemon";
  EXPECT_EQ(body(Socket::connect_unix(path)), "/a");

  const auto text = dir.file("text"), datagrams = dir.file("datagrams");
  write_file(text, "precious");
  EXPECT_THAT(why_not(listen("'unix:" + text + "'")), HasSubstr("is not a socket"));
  EXPECT_EQ(read_file(text), "precious");
  const auto foreign = unix_socket(datagrams, false, SOCK_DGRAM);
  EXPECT_THAT(why_not(listen("'unix:" + datagrams + "'")), HasSubstr("a socket of another type"));
  EXPECT_TRUE(std::filesystem::exists(datagrams));
}

TEST_F(Listeners, TheFileGoesAtTheEndUnlessItIsSomebodyElsesByThen) {
  const TempDir dir;
  const auto path = dir.file("s");
  start(listen("'unix:" + path + "'"));
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(daemon->stop().value_or(-1), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
  start(listen("'unix:" + path + "'"));
  std::filesystem::remove(path);
  const auto successor = unix_socket(path, true);
  EXPECT_EQ(daemon->stop().value_or(-1), 0);
  EXPECT_TRUE(std::filesystem::exists(path)) << "a successor's";
}

TEST_F(Listeners, AReloadAddsAndRemovesThemAndKeepsTheOthers) {
  answer_paths();
  const TempDir dir;
  const auto port = free_port(), more = free_port();
  const auto one = "'127.0.0.1:" + std::to_string(port) + "'", two = "'127.0.0.1:" + std::to_string(more) + "'";
  const auto path = dir.file("s");
  start(listen("[" + one + ", 'unix:" + path + "']"));
  Client kept(Socket::connect_to("127.0.0.1", port)), leaving(Socket::connect_unix(path));
  EXPECT_EQ(kept.get("/a").body, "/a");
  EXPECT_EQ(leaving.get("/a").body, "/a");
  ASSERT_TRUE(reload(listen("[" + one + ", " + two + "]")));
  EXPECT_EQ(kept.get("/a").get("Connection"), "") << "its listener is unchanged";
  EXPECT_EQ(body(Socket::connect_to("127.0.0.1", more)), "/a");
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(refuses([&] { return Socket::connect_unix(path); }));
  ASSERT_TRUE(reload(listen("[" + two + "]")));
  EXPECT_TRUE(refuses([&] { return Socket::connect_to("127.0.0.1", port); }));
  EXPECT_EQ(body(Socket::connect_to("127.0.0.1", more)), "/a");
}

TEST_F(Listeners, AReloadThatCannotBindOneChangesNone) {
  answer_paths();
  const TempDir dir;
  const auto port = free_port(), more = free_port();
  const auto one = "'127.0.0.1:" + std::to_string(port) + "'", two = "'127.0.0.1:" + std::to_string(more) + "'";
  start(listen("[{address: " + one + ", name: before}]"));
  const auto live = unix_socket(dir.file("s"), true);
  ASSERT_TRUE(
      reload(listen("[{address: " + one + ", name: after}, " + two + ", 'unix:" + dir.file("s") + "']"), "rejected"));
  EXPECT_THAT(daemon->log(), HasSubstr("another process listens on it"));
  EXPECT_TRUE(refuses([&] { return Socket::connect_to("127.0.0.1", more); }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(body(Socket::connect_to("127.0.0.1", port)), "/a");
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "before"}}, 20));
}

// The new listener takes the sockets over, so there is no moment at which nobody listens.
TEST_F(Listeners, AListenerWithOtherSettingsTakesTheSocketsOver) {
  answer_paths();
  for (const int threads : {1, 3}) {
    SCOPED_TRACE(threads);
    const auto port = free_port();
    const auto config = [&](const std::string& name) {
      return "server: {threads: " + std::to_string(threads) + "}\n" +
             listen("[{address: '127.0.0.1:" + std::to_string(port) + "', name: " + name + "}]");
    };
    daemon.reset();
    start(config("n0"));
    for (int i = 1; i <= 5; ++i) {
      const auto before = metric("forebay_config_reloads_total", {{"outcome", "applied"}});
      daemon->reload(with_origin(config("n" + std::to_string(i))));
      for (int k = 0; k < 20; ++k) EXPECT_EQ(body(Socket::connect_to("127.0.0.1", port)), "/a");
      ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, before + 1));
    }
    Client last(Socket::connect_to("127.0.0.1", port));
    EXPECT_EQ(last.get("/a").body, "/a");
    EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "n5"}}, 1));
  }
}

TEST_F(Listeners, AReloadMayReplaceAnAddressByAWiderOneOfThePort) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  answer_paths();
  const auto number = free_port();
  const auto port = std::to_string(number);
  start(listen("'127.0.0.1:" + port + "'"));
  for (const auto* address : {"':", "'0.0.0.0:", "'127.0.0.1:", "['0.0.0.0:"}) {
    SCOPED_TRACE(address);
    const bool both = *address == '[';
    ASSERT_TRUE(reload(listen(address + port + (both ? "', ':" + port + "']" : "'"))));
    EXPECT_EQ(body(Socket::connect_to("127.0.0.1", number)), "/a");
    const bool v6 = both || address == std::string("':");
    EXPECT_EQ(refuses([&] { return Socket::connect_to("::1", number); }), !v6);
  }
}

TEST_F(Listeners, APortOfAnotherProcessIsAnErrorWithOneThreadAsWithMany) {
  std::uint16_t port = 0;
  const auto taken = Socket::listen(port);
  for (const auto* threads : {"1", "3"})
    EXPECT_THAT(why_not(std::string("server: {threads: ") + threads + "}\n" +
                        listen("'127.0.0.1:" + std::to_string(port) + "'")),
                HasSubstr("the port is in use by another process"));
}

TEST_F(Listeners, WhyAnAddressCannotBeBoundIsSaid) {
  // Of the range for documentation (RFC 5737).
  EXPECT_THAT(why_not(listen("'192.0.2.1:0'")), HasSubstr("192.0.2.1:0: no interface has this address"));
  EXPECT_THAT(why_not(listen("'unix:/none/here/a.sock'")), HasSubstr("the directory /none/here/ does not exist"));
  EXPECT_THAT(why_not("server: {handover: /none/here/h.sock}\n" + listen("'127.0.0.1:0'")),
              AllOf(HasSubstr("(server.handover)"), HasSubstr("the directory /none/here/ does not exist")));
}

/// Whether the kernel still has the daemon's side of a connection. It hears of a reset some time after that was sent.
bool is_connected(std::uint16_t port, std::uint16_t from) {
  char wanted[32];
  std::snprintf(wanted, sizeof wanted, "0100007F:%04X 0100007F:%04X ", port, from);
  std::ifstream table("/proc/net/tcp");
  return std::string(std::istreambuf_iterator<char>(table), {}).find(wanted) != std::string::npos;
}

// Whoever has reset the connection before it is accepted has no address any more.
TEST_F(Listeners, AConnectionResetBeforeItIsAcceptedIsNotServed) {
  answer_paths();
  start("server: {threads: 1, trusted_proxies: [unix]}\n" + listen("'127.0.0.1:0'"));
  ASSERT_EQ(get("/first").status, 200);
  const std::string purge = "POST /purged HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  daemon->signal(SIGSTOP);
  for (const auto port : {daemon->port(), daemon->admin_port()}) {
    auto s = Socket::connect(port);
    EXPECT_TRUE(s.send(purge));
    const auto from = s.local_port();
    ASSERT_TRUE(is_connected(port, from));
    s.reset();
    EXPECT_TRUE(eventually([&] { return !is_connected(port, from); }));
  }
  daemon->signal(SIGCONT);
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {}, 2));
  EXPECT_EQ(get("/last").status, 200);
  EXPECT_EQ(origin.count("/purged"), 0U);
}

class Activated : public Listeners {
 protected:
  void start_with(const std::string& yaml, const Daemon::Inherited& sockets) {
    daemon = std::make_unique<Daemon>(with_origin(yaml), forebay_binary(), sockets);
  }
};

TEST_F(Activated, SocketsOfSystemdAreServedByTheirNames) {
  answer_paths();
  const TempDir dir;
  std::uint16_t one = 0, two = 0, three = 0;
  const auto first = Socket::listen(one), second = Socket::listen(two), third = Socket::listen(three);
  const auto local = unix_socket(dir.file("s"), true);
  start_with(listen("['fd:web', {address: 'fd:local', name: side}]"),
             {{"web", first.fd()}, {"local", local.fd()}, {"web", second.fd()}, {"forgotten", third.fd()}});
  EXPECT_EQ(body(Socket::connect(one)), "/a");
  EXPECT_EQ(body(Socket::connect(two)), "/a") << "one name may stand for several sockets";
  EXPECT_EQ(body(Socket::connect_unix(dir.file("s"))), "/a");
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "fd:web"}}, 2));
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "side"}}, 1));
  EXPECT_THAT(daemon->log(), HasSubstr("the socket \"forgotten\" was passed to this process"));
  EXPECT_THAT(daemon->log(), Not(HasSubstr("the socket \"web\"")));
  // A reload may take another one, and leave this one and come back to it.
  ASSERT_TRUE(reload(listen("['fd:forgotten']")));
  EXPECT_EQ(body(Socket::connect(three)), "/a");
  EXPECT_THAT(daemon->log(), HasSubstr("the socket \"web\" was passed"));
  ASSERT_TRUE(reload(listen("[{address: 'fd:web', name: again}]")));
  EXPECT_EQ(body(Socket::connect(one)), "/a");
  EXPECT_EQ(daemon->stop().value_or(-1), 0);
  EXPECT_TRUE(std::filesystem::exists(dir.file("s"))) << "systemd's file is systemd's";
}

TEST_F(Activated, ByTheProgramOfSystemd) {
  const std::string program = "/usr/bin/systemd-socket-activate";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "no " << program;
  answer_paths();
  const auto port = free_port();
  const TempDir dir;
  const auto script = dir.file("activate");
  write_file(script, "#!/bin/sh\nexec " + program + " -l 127.0.0.1:" + std::to_string(port) + " --fdname=web " +
                         forebay_binary() + " \"$@\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  // It starts the daemon for the first client, who waits in the queue until then.
  std::string first;
  std::thread client([&] {
    EXPECT_TRUE(eventually([&] { return !refuses([&] { return Socket::connect(port); }); }));
    first = body(Socket::connect(port));
  });
  EXPECT_NO_THROW(daemon = std::make_unique<Daemon>(with_origin(listen("'fd:web'")), script.c_str()));
  client.join();
  EXPECT_EQ(first, "/a");
}

TEST_F(Activated, MoreSocketsThanThreadsAreServed) {
  answer_paths();
  std::uint16_t ports[3] = {};
  const Socket all[] = {Socket::listen(ports[0]), Socket::listen(ports[1]), Socket::listen(ports[2])};
  start_with("server: {threads: 1}\n" + listen("'fd:web'"),
             {{"web", all[0].fd()}, {"web", all[1].fd()}, {"web", all[2].fd()}});
  for (const auto port : ports) EXPECT_EQ(body(Socket::connect(port)), "/a");
}

TEST_F(Activated, WhatIsMissingOrOfAWrongTypeIsAnError) {
  EXPECT_THAT(why_not(listen("'fd:web'")), HasSubstr("no sockets were passed to this process"));
  std::uint16_t port = 0;
  const auto good = Socket::listen(port);
  EXPECT_THAT(why_not(listen("'fd:web'"), {{"site", good.fd()}, {"api", good.fd()}}),
              HasSubstr("no socket of that name was passed (LISTEN_FDNAMES); there are: site, api"));
  const TempDir dir;
  const auto datagrams = unix_socket(dir.file("d"), false, SOCK_DGRAM);
  EXPECT_THAT(why_not(listen("'fd:web'"), {{"web", datagrams.fd()}}), HasSubstr("not of type stream"));
  const auto bound = unix_socket(dir.file("b"), false);
  EXPECT_THAT(why_not(listen("'fd:web'"), {{"web", bound.fd()}}), HasSubstr("not a listening socket"));
  const Socket file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(why_not(listen("'fd:web'"), {{"web", file.fd()}}), HasSubstr("the descriptor is not a socket"));
}

}  // namespace
}  // namespace forebay::test
