// A graceful stop completes what has begun, within its time limit.
#include <signal.h>

#include <thread>

#include "support/command.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Drain : public ForebayTest {
 protected:
  bool draining() {
    return eventually([&] {
      try {
        return daemon->admin("GET", "/readyz").status == 503;
      } catch (const std::exception&) {
        return false;
      }
    });
  }
};

TEST_F(Drain, ARequestInFlightIsAnsweredWholeAndTheConnectionClosed) {
  auto hold = gate();
  origin.on("/slow", Reply::fresh(pattern(100000)).gate_at(50000, hold));
  origin.on("/late", Reply::fresh("late").after(hold));
  start();
  auto streaming = connect();
  streaming.request("GET", "/slow");
  auto stream = streaming.read_head();
  EXPECT_EQ(stream.status, 200);
  auto waiting = connect();
  waiting.request("GET", "/late");
  EXPECT_TRUE(origin.wait_for("/late", 1));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(draining());
  EXPECT_TRUE(daemon->running());
  hold->open();
  streaming.read_content(stream);
  EXPECT_TRUE(stream.complete());
  EXPECT_TRUE(stream.body == pattern(100000));
  const auto a = waiting.read();
  EXPECT_EQ(a.body, "late");
  EXPECT_EQ(a.get("Connection"), "close");
  EXPECT_TRUE(waiting.closed());
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(Drain, IdleConnectionsAreClosedAndTheProcessEndsAtOnce) {
  origin.on("/a", Reply::fresh());
  start("shutdown: {drain: 1h}\nroutes: [{path: /**}]\n");
  auto idle = connect();
  EXPECT_EQ(idle.get("/a").status, 200);
  auto fresh = connect();
  daemon->signal(SIGTERM);
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0) << "the drain time is a limit, not a wait";
}

TEST_F(Drain, TheDrainTimeBoundsWhatHangs) {
  origin.on("/never", Reply::silence());
  start("shutdown: {drain: 300ms}\nroutes: [{path: /**}]\n");
  auto stuck = connect();
  stuck.request("GET", "/never");
  EXPECT_TRUE(origin.wait_for("/never", 1));
  const auto before = Clock::now();
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_GE(Clock::now() - before, milliseconds{250});
  EXPECT_NE(stuck.read().status, 200);
}

TEST_F(Drain, ASecondSignalEndsItAtOnce) {
  origin.on("/never", Reply::silence());
  start("shutdown: {drain: 10m}\nroutes: [{path: /**}]\n");
  auto stuck = connect();
  stuck.request("GET", "/never");
  EXPECT_TRUE(origin.wait_for("/never", 1));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(draining());
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(Drain, SignalsThatComeLaterNeverChangeTheExitCode) {
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2}) {
    start();
    get("/a");
    daemon->signal(SIGTERM);
    while (daemon->running()) daemon->signal(number);  // until nothing is left of the process
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0) << number;
  }
}

TEST_F(Drain, SignalsAfterTheDaemonHasSaidThatItStoppedAreDropped) {
  for (int i = 0; i < 5; ++i) {
    start();
    daemon->signal(SIGINT);
    while (daemon->running() && daemon->log().find("stopped") == std::string::npos) std::this_thread::yield();
    while (daemon->running())
      for (const int number : {SIGTERM, SIGHUP, SIGUSR1, SIGQUIT, SIGUSR2}) daemon->signal(number);
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  }
}

TEST_F(Drain, ASignalThatComesBeforeTheDaemonIsReadyIsObeyedWhenItIs) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"TERM", "stopping (SIGTERM)"}, {"INT", "stopping (SIGINT)"}, {"QUIT", "stopping (SIGQUIT)"}};
  for (const auto& [name, said] : cases) {
    // Whoever starts it may hold signals back; the mask and what waits outlive the exec.
    const auto o = run_program(
        {"/usr/bin/env", "--block-signal", "/bin/sh", "-c",
         "kill -HUP $$; kill -USR1 $$; kill -USR2 $$; kill -" + name + " $$; exec \"$0\" run -c -", forebay_binary()},
        {}, with_origin("listen: 127.0.0.1:0\nadmin: {listen: 127.0.0.1:0}\nroutes: [{path: /**}]"));
    EXPECT_EQ(o.exit, 0) << o.err;
    EXPECT_THAT(o.err, HasSubstr(said));
    EXPECT_THAT(o.err, HasSubstr("stopped"));
  }
}

TEST_F(Drain, LaterSignalsDoNotChangeTheExitCodeOfTheDemoEither) {
  const auto o = run_program({"/bin/sh", "-c", R"(
      "$0" demo --listen 127.0.0.1:0 --admin 127.0.0.1:0 --port-file ports &
      until [ -s ports ]; do sleep 0.02; done
      kill -INT $!
      while [ -e /proc/$!/exe ]; do kill -TERM $!; kill -HUP $!; kill -QUIT $!; done
      wait $!)",
                              forebay_binary()});
  EXPECT_EQ(o.exit, 0) << o.out << o.err;
  EXPECT_THAT(o.out, HasSubstr("Ctrl-C stops it"));
}

TEST_F(Drain, DuringTheDelayNewConnectionsAreStillServedWhileReadinessIsOff) {
  origin.on("/a", Reply::fresh());
  // What happens within the delay has to fit into it on a slow machine too; the second signal ends the wait.
  start("shutdown: {delay: 10m, drain: 10m}\nroutes: [{path: /**}]\n");
  daemon->signal(SIGTERM);
  EXPECT_TRUE(draining());
  EXPECT_THAT(daemon->admin("GET", "/readyz").body, HasSubstr("draining"));
  EXPECT_EQ(daemon->admin("GET", "/livez").status, 200);
  EXPECT_EQ(get("/a").status, 200);
  EXPECT_TRUE(metric_becomes("forebay_state", {{"state", "draining"}}, 1));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(Drain, TheDelayEndsByItself) {
  origin.on("/a", Reply::fresh());
  start("shutdown: {delay: 300ms, drain: 10m}\nroutes: [{path: /**}]\n");
  const auto before = Clock::now();
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_GE(Clock::now() - before, milliseconds{250});
}

TEST_F(Drain, IntAndQuitAreGracefulAsWell) {
  for (const int number : {SIGINT, SIGQUIT}) {
    start();
    daemon->signal(number);
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0) << number;
  }
}

TEST_F(Drain, NoRequestFailsWhileTheDaemonStops) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  start("shutdown: {delay: 200ms, drain: 5m}\nroutes: [{path: /**}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/" + std::to_string(i % 50));
  }
  daemon->signal(SIGTERM);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto a = all[i].read();
    EXPECT_EQ(a.status, 200) << i;
    EXPECT_TRUE(a.complete());
    EXPECT_EQ(a.body, "/" + std::to_string(i % 50));
  }
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(Drain, HupPipeAndUsr1DoNotEndIt) {
  start();
  daemon->signal(SIGPIPE);
  daemon->signal(SIGUSR1);
  daemon->signal(SIGUSR2);
  EXPECT_TRUE(alive());
  EXPECT_TRUE(daemon->running());
}

}  // namespace
}  // namespace forebay::test
