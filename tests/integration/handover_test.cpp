// Replacing the binary: the next process takes the listening sockets over.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "handover.hpp"
#include "support/h2_client.hpp"

namespace forebay::test {
namespace {

TEST_F(Handover, NoRequestIsLostWhileTheBinaryIsReplacedThreeTimes) {
  start(config(2));
  std::unique_ptr<H2Client> h2;  // of one of its clients
  Load load;
  load.add(
      "new connections", [this] { return to_plain(); }, false);
  load.add(
      "a kept connection", [this] { return to_plain(); }, true);
  load.add(
      "new connections by TLS", [this] { return Client(over_tls_to()); }, false);
  load.add(
      "a kept connection by TLS", [this] { return Client(over_tls_to()); }, true);
  load.add(
      "HTTP/2", [this] { return by_http2(Socket::connect(plain_)); }, true, true);
  load.repeat("HTTP/2 by TLS", [&](const std::string& path) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const bool used = h2 != nullptr;
      if (!used) h2 = std::make_unique<H2Client>(over_tls_to("\x02h2"));
      const bool answered = h2->answer(h2->get(path)).body == path;
      if (!answered || !h2->in.goaways.empty()) h2.reset();
      if (answered || !used) return answered;
    }
    return false;
  });
  load.add(
      "a Unix socket", [this] { return Client(Socket::connect_unix(file())); }, false);
  load.repeat("readiness", [this](const std::string&) { return ready() == 200; });
  EXPECT_TRUE(load.goes_on());
  for (const int threads : {1, 3, 2}) {  // fewer, more
    SCOPED_TRACE(threads);
    replace(config(threads));
    EXPECT_TRUE(load.goes_on());
  }
  load.stop();
  load.expect_all_answered();
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "tls"}}, 1));
}

TEST_F(Handover, ANewProcessThatDiesInTheMiddleChangesNothing) {
  start(config());
  Load load;
  load.add(
      "new connections", [this] { return to_plain(); }, false);
  load.add(
      "a Unix socket", [this] { return Client(Socket::connect_unix(file())); }, false);
  for (int i = 0; i < 3; ++i) {
    Successor dies(control());
    dies.greet();
    EXPECT_TRUE(load.goes_on(5));
    EXPECT_THAT(why_not(config()), HasSubstr("another process is taking over; stop process "));
  }
  EXPECT_TRUE(eventually([&] { return daemon->log().find("has ended before it was ready") != std::string::npos; }));
  EXPECT_TRUE(load.goes_on());
  EXPECT_EQ(ready(), 200);
  EXPECT_EQ(to_plain().get("/a").get("Connection"), "") << "it does not drain";
  replace(config());
  EXPECT_TRUE(load.goes_on());
  load.stop();
  load.expect_all_answered();
}

TEST_F(Handover, ANewProcessThatCannotStartChangesNothing) {
  start(config());
  Load load;
  load.add(
      "new connections", [this] { return to_plain(); }, false);
  load.add(
      "a Unix socket", [this] { return Client(Socket::connect_unix(file())); }, false);
  EXPECT_THAT(why_not(config() + "nonsense: true\n"), HasSubstr("ended with 3"));
  std::uint16_t port = 0;
  const auto taken = Socket::listen(port);
  EXPECT_THAT(why_not(config(2, ", " + quoted(port))), HasSubstr("the port is in use by another process"));
  EXPECT_THAT(why_not(config(2, ", 'unix:/nowhere/at/all'")), HasSubstr("ended with 1"));
  EXPECT_TRUE(load.goes_on());
  EXPECT_EQ(ready(), 200);
  EXPECT_TRUE(std::filesystem::exists(control()));
  load.stop();
  load.expect_all_answered();
  EXPECT_TRUE(daemon->running());
}

TEST_F(Handover, TheNewConfigurationsAddressesAreInForce) {
  const auto more = free_port();
  start(settings() + "listen: [" + quoted(plain_) + ", 'unix:" + file() + "', ':" + std::to_string(tls_) + "']\n" +
        kRest);
  EXPECT_EQ(to_plain().get("/a").status, 200);
  // One stays, two go, one comes, and one is another address of the same port.
  replace(settings() + "listen: [" + quoted(plain_) + ", " + quoted(more) + ", " + quoted(tls_) + "]\n" + kRest);
  EXPECT_EQ(Client(Socket::connect(plain_)).get("/a").status, 200);
  EXPECT_EQ(Client(Socket::connect(more)).get("/a").status, 200);
  EXPECT_EQ(Client(Socket::connect(tls_)).get("/a").status, 200);
  EXPECT_FALSE(std::filesystem::exists(file()));
  replace(settings() + "listen: ['unix:" + file() + "', " + quoted(more) + "]\n" + kRest);
  EXPECT_TRUE(refuses([&] { return Socket::connect(plain_); }));
  EXPECT_EQ(Client(Socket::connect_unix(file())).get("/a").status, 200);
  EXPECT_EQ(Client(Socket::connect(more)).get("/a").status, 200);
  EXPECT_EQ(daemon->stop().value_or(-1), 0);
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_FALSE(std::filesystem::exists(control()));
}

TEST_F(Handover, PortsThatWereFreeStayTheSame) {
  const auto yaml = "server: {handover: " + control() +
                    "}\nadmin: {listen: '127.0.0.1:0'}\nlisten: ['127.0.0.1:0', "
                    "{address: '127.0.0.1:0', name: second}]\n" +
                    kRest;
  start(yaml);
  const auto first = daemon->port("127.0.0.1:0"), second = daemon->port("second"), admin = daemon->admin_port();
  replace(yaml);
  EXPECT_EQ(daemon->port("127.0.0.1:0"), first);
  EXPECT_EQ(daemon->port("second"), second);
  EXPECT_EQ(daemon->admin_port(), admin);
}

TEST_F(Handover, OpenConnectionsEndWithTheirNextAnswer) {
  auto hold = gate();
  origin.on("/slow", Reply::fresh("slow").after(hold));
  start(config());
  auto idle = to_plain(), busy = to_plain();
  EXPECT_EQ(idle.get("/a").get("Connection"), "");
  busy.request("GET", "/slow");
  EXPECT_TRUE(origin.wait_for("/slow", 1));
  auto next = another(config());
  EXPECT_TRUE(daemon->running());
  EXPECT_EQ(to_plain().get("/b").status, 200);
  const auto last = idle.get("/a");
  EXPECT_EQ(last.body, "/a");
  EXPECT_EQ(last.x_cache(), "BYPASS") << "purges reach the new process alone";
  EXPECT_EQ(last.get("Connection"), "close");
  EXPECT_TRUE(idle.closed());
  hold->open();
  EXPECT_EQ(busy.read().body, "slow");
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  daemon = std::move(next);
  EXPECT_EQ(to_plain().get("/a").x_cache(), "MISS") << "the new one begins without";
}

TEST_F(Handover, IdleConnectionsEndAfterHalfOfTheDrainOrByASignal) {
  for (const bool signalled : {false, true}) {
    SCOPED_TRACE(signalled);
    auto yaml = config();
    if (!signalled) yaml.replace(yaml.find("10m"), 3, "2s");
    start(yaml);
    auto idle = to_plain();
    EXPECT_EQ(idle.get("/a").status, 200);
    auto next = another(config());
    if (signalled) {
      EXPECT_TRUE(daemon->running());
      daemon->signal(SIGTERM);
    }
    EXPECT_TRUE(idle.closed());
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
    if (signalled) {
      EXPECT_THAT(daemon->log(), HasSubstr("drained in"));
    }
    daemon = std::move(next);
    EXPECT_EQ(daemon->stop().value_or(-1), 0);
  }
}

// `restart` of a supervisor that does not wait: the old one is told to stop while the new one starts.
TEST_F(Handover, AStopLetsTheNewProcessFinish) {
  auto yaml = config();
  yaml.replace(yaml.find("shutdown: {"), 11, "shutdown: {delay: 1h, ");
  start(yaml);
  daemon->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return ready() == 503; }));
  replace(config());
  EXPECT_EQ(ready(), 200);
}

// Counted from the signal.
TEST_F(Handover, AStopWaitsSecondsForTheNewProcess) {
  start(config());
  Successor s(control());
  s.greet();
  daemon->signal(SIGTERM);
  EXPECT_THAT(s.hear(), HasSubstr("it is stopping"));
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Handover, ASecondSignalLeavesTheSocketsToTheNewProcess) {
  start(config());
  Successor s(control());
  s.greet();
  daemon->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return daemon->log().find("stopping (SIGTERM)") != std::string::npos; }));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_EQ(s.hear(), "") << "the end";
  EXPECT_TRUE(std::filesystem::exists(file()));
  EXPECT_TRUE(std::filesystem::exists(control()));
}

TEST_F(Handover, WhateverElseIsAtThePathStays) {
  write_file(control(), "precious");
  EXPECT_THAT(why_not(config()), HasSubstr("a file of that name exists and is not a socket"));
  EXPECT_EQ(read_file(control()), "precious");
  std::filesystem::remove(control());
  start(config());
  struct stat found {};
  ASSERT_EQ(::stat(control().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  daemon->signal(SIGKILL);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 128 + SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(control()));
  start(config());  // what is left over is replaced
  EXPECT_EQ(to_plain().get("/a").status, 200);
}

TEST_F(Handover, StrangeMessagesAreRefusedWithTheirReason) {
  start(config());
  const std::pair<std::string, const char*> strange[] = {
      {"GET / HTTP/1.1\r\n\r\n", "what is no message of a handover"},
      {"forebay-handover 7 hello\nprogram=9.0\n", "it speaks version 7 of the handover, this program version 1"},
      {"forebay-handover 1 ready\ntaken=0\n", "an unexpected message"}};
  for (const auto& [said, why] : strange) {
    Successor s(control());
    s.say(said);
    EXPECT_THAT(s.hear(), HasSubstr(std::string("refused\nreason=")));
    EXPECT_TRUE(eventually([&, w = std::string(why)] { return daemon->log().find(w) != std::string::npos; })) << why;
  }
  Successor s(control());
  s.greet();
  s.say("forebay-handover 1 ready\ntaken=99\n");
  EXPECT_THAT(s.hear(), HasSubstr("an unexpected message"));
  EXPECT_EQ(to_plain().get("/a").status, 200);
}

TEST_F(Handover, AReloadSendsAHalfStartedSuccessorAway) {
  start(config());
  Successor s(control());
  s.greet();
  daemon->reload(with_origin(config()));
  EXPECT_THAT(s.hear(), HasSubstr("it was reloaded meanwhile"));
  EXPECT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, 1));
  replace(config());
}

TEST_F(Handover, SocketsOfSystemdAreHandedOverByTheirNames) {
  std::uint16_t port = 0;
  const auto socket = Socket::listen(port);
  const auto yaml = settings() + "listen: ['fd:web']\n" + kRest;
  daemon = std::make_unique<Daemon>(with_origin(yaml), forebay_binary(), Daemon::Inherited{{"web", socket.fd()}});
  EXPECT_EQ(Client(Socket::connect(port)).get("/a").status, 200);
  replace(yaml);
  EXPECT_EQ(Client(Socket::connect(port)).get("/a").status, 200);
}

// Without a handover: systemd holds the socket, and clients wait in its queue.
TEST_F(Handover, WithSocketActivationARestartRefusesNobody) {
  std::uint16_t port = 0;
  const auto socket = Socket::listen(port);
  const auto yaml = std::string("listen: ['fd:web']\n") + kRest;
  const Daemon::Inherited sockets{{"web", socket.fd()}};
  daemon = std::make_unique<Daemon>(with_origin(yaml), forebay_binary(), sockets);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Client(Socket::connect(port)).get("/a").status, 200);
    EXPECT_EQ(daemon->stop().value_or(-1), 0);
    std::vector<Client> waiting;
    for (int n = 0; n < 8; ++n) {
      waiting.emplace_back(Socket::connect(port));
      waiting.back().request("GET", "/" + std::to_string(n));
    }
    daemon = std::make_unique<Daemon>(with_origin(yaml), forebay_binary(), sockets);
    for (int n = 0; n < 8; ++n) EXPECT_EQ(waiting[static_cast<std::size_t>(n)].read().body, "/" + std::to_string(n));
  }
}

TEST_F(Handover, APathOfItsOwnIsNeeded) {
  auto yaml = config();
  yaml.replace(yaml.find(control()), control().size(), file());
  EXPECT_THAT(why_not(yaml), HasSubstr("is used twice"));
}

}  // namespace
}  // namespace forebay::test
