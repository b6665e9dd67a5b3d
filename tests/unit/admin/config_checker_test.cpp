#include "admin/config_checker.hpp"

#include <gmock/gmock.h>

#include <future>

namespace forebay::admin {
namespace {

using namespace std::chrono_literals;

TEST(ConfigChecker, ChecksOneTextAtATime) {
  std::promise<void> go_on;
  std::promise<bool> first, second;
  ConfigChecker checker;
  ASSERT_TRUE(checker.ask("origin: http://localhost:1\n", [&](const config::TextVerdict& verdict) {
    first.set_value(verdict.ok);
    go_on.get_future().wait();
  }));
  EXPECT_FALSE(checker.ask("origin: x\n", [](const config::TextVerdict&) { ADD_FAILURE(); }));
  EXPECT_TRUE(first.get_future().get());
  go_on.set_value();
  // The thread says so a moment after its last word.
  while (!checker.ask("orgin: x\n", [&](const config::TextVerdict& verdict) { second.set_value(verdict.ok); }))
    std::this_thread::yield();
  EXPECT_FALSE(second.get_future().get());
}

TEST(ConfigChecker, EndsWhatItChecksWhenItIsStopped) {
  std::string text = "origin: http://localhost:1\nroutes:\n";
  for (int i = 0; i < 9000; ++i) text += "- path: /a/" + std::to_string(i) + '\n';
  std::promise<bool> given_up;
  ConfigChecker checker;
  ASSERT_TRUE(checker.ask(text, [&](const config::TextVerdict& v) { given_up.set_value(v.given_up); }));
  checker.stop();
  auto told = given_up.get_future();
  ASSERT_EQ(told.wait_for(0s), std::future_status::ready) << "the thread has ended";
  EXPECT_TRUE(told.get());
  EXPECT_FALSE(checker.ask("a: b\n", [](const config::TextVerdict&) {}));
}

}  // namespace
}  // namespace forebay::admin
