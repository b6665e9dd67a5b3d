// `forebay top` and `forebay tail`: what they print, and exit codes. What `top` does on a terminal is in
// tests/terminal.
#include <signal.h>

#include <thread>

#include "admin_api.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class WatchingCommands : public AdminApiTest {
 protected:
  Outcome run(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& variables = {}) {
    words.insert(words.end(), {"--admin", address()});
    return run_forebay(words, variables);
  }
  /// Runs the command, and makes requests until it has ended.
  Outcome run_with_requests(const std::vector<std::string>& words, const std::string& path) {
    std::atomic<bool> done{false};
    std::thread load([&] {
      while (!done) get(path);
    });
    auto outcome = run(words);
    done = true;
    load.join();
    return outcome;
  }
};

TEST_F(WatchingCommands, TailPrintsRequestsUntilItsCountIsReached) {
  origin.on("/a", Reply::fresh("a"));
  start("routes: [{name: shop, path: /**}]\n");
  get("/a");
  const auto text =
      run_with_requests({"tail", "--count", "3", "--filter", "result=hit", "--filter", "route=shop"}, "/a");
  EXPECT_EQ(text.exit, 0) << text.err;
  std::istringstream lines(text.out);
  std::string line;
  int n = 0;
  for (; std::getline(lines, line); ++n)
    EXPECT_THAT(line, MatchesRegex("[0-9:.]+ GET .*/a 200 hit 1 B [0-9.]+ ms route=shop"));
  EXPECT_EQ(n, 3);
  const auto json = run_with_requests({"tail", "--count", "1", "--format", "json"}, "/a");
  EXPECT_EQ(json.exit, 0) << json.err;
  EXPECT_EQ(flatten_json(json.out).value().at("path"), "/a");
}

TEST_F(WatchingCommands, WhatStrangersSendCannotActOnTheTerminal) {
  start("routes: [{name: shop, path: /**}]\n");
  const auto tail = run_with_requests({"tail", "--count", "1"},
                                      "/a?\xC2\x9B"
                                      "31m");
  EXPECT_EQ(tail.exit, 0) << tail.err;
  EXPECT_THAT(tail.out, Not(HasSubstr("\xC2\x9B")));
}

TEST_F(WatchingCommands, AFilterThatIsWrongIsAnErrorOfTheCommandLine) {
  start();
  const auto wrong = run({"tail", "--filter", "rout=x"});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_THAT(wrong.err, HasSubstr("did you mean route?"));
}

TEST_F(WatchingCommands, WithoutADaemonTheyAre4) {
  start();
  const auto nobody = "127.0.0.1:1";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"tail", "--admin", nobody}, {"top", "--once", "--admin", nobody}, {"top", "--json", "--admin", nobody}}) {
    const auto outcome = run_forebay(words);
    EXPECT_EQ(outcome.exit, 4) << words[0];
    EXPECT_THAT(outcome.err, HasSubstr("no daemon answers at 127.0.0.1:1"));
  }
  // What listens there is no admin listener.
  const auto other = run_forebay({"tail", "--admin", origin.url().substr(7)});
  EXPECT_EQ(other.exit, 4);
}

TEST_F(WatchingCommands, TopInJsonEndsWith4WhenTheDaemonGoes) {
  start();
  std::thread end([this] {
    // `top` has asked by then.
    eventually([this] { return metric("forebay_admin_requests_total", {{"endpoint", "stats"}, {"code", "2xx"}}) > 0; });
    daemon->signal(SIGTERM);
  });
  const auto outcome = run({"top", "--json", "--interval", "100ms"});
  end.join();
  EXPECT_EQ(outcome.exit, 4);
  EXPECT_THAT(outcome.out, HasSubstr("\"stats\":"));
  EXPECT_THAT(outcome.err, HasSubstr("no daemon answers at"));
}

TEST_F(WatchingCommands, ARefusedTokenIs4) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, allow_loopback: false}\nroutes: [{path: /**}]\n");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"tail", "--count", "1"}, {"top", "--once"}}) {
    EXPECT_EQ(run(words).exit, 4) << words[0];
    EXPECT_EQ(run(words, {{"FOREBAY_ADMIN_TOKEN", "wrong"}}).exit, 4) << words[0];
  }
  EXPECT_EQ(run({"top", "--once"}, {{"FOREBAY_ADMIN_TOKEN", "0123456789abcdef"}}).exit, 0);
}

TEST_F(WatchingCommands, TopPrintsOnceWhatThereIs) {
  origin.on("/a", Reply::fresh("a"));
  start("routes: [{name: shop, path: /**}]\n");
  for (int i = 0; i < 4; ++i) get("/a");
  Outcome top;
  ASSERT_TRUE(eventually([&] {
    top = run({"top", "--once"});
    return top.out.find("hit 75.0 %") != std::string::npos;
  })) << top.out
      << top.err;
  EXPECT_EQ(top.exit, 0);
  EXPECT_THAT(top.out,
              AllOf(HasSubstr("READY"), HasSubstr("routes by requests"), ContainsRegex("shop +[0-9.]+ +75.0")));
  EXPECT_THAT(top.out, Not(HasSubstr("\x1b")));
  const auto keys = run({"top", "--once", "--view", "keys"});
  EXPECT_THAT(keys.out, AllOf(HasSubstr("keys by requests"), HasSubstr("/a")));
  const auto origins = run({"top", "--once", "--view", "origins"});
  EXPECT_THAT(origins.out, AllOf(HasSubstr("origins by in flight"), HasSubstr(origin.url())));
  const auto json = run({"top", "--once", "--json", "--view", "keys"});
  EXPECT_EQ(json.exit, 0);
  const auto document = flatten_json(json.out);
  ASSERT_TRUE(document) << json.out;
  EXPECT_EQ(document->at("status.state"), "ready");
  EXPECT_EQ(document->at("keys.by"), "requests");
  // Standard output is no terminal.
  EXPECT_EQ(run({"top"}).exit, 0);
}

}  // namespace
}  // namespace forebay::test
