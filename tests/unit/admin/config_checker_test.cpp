#include "admin/config_checker.hpp"

#include <gmock/gmock.h>

#include <future>

namespace forebay::admin {
namespace {

using namespace std::chrono_literals;

/// A text whose check takes a while.
std::string long_text() {
  std::string text = "origin: http://localhost:1\nroutes:\n";
  for (int i = 0; i < 9000; ++i) text += "- path: /a/" + std::to_string(i) + '\n';
  return text;
}

TEST(ConfigChecker, ChecksOneTextAtATime) {
  ConfigChecker checker;
  ASSERT_TRUE(checker.ask(long_text(), [](const config::TextVerdict&) {}));
  EXPECT_FALSE(checker.ask("origin: x\n", [](const config::TextVerdict&) { ADD_FAILURE(); }));
}

TEST(ConfigChecker, WhoHasTheVerdictMayAskAgain) {
  ConfigChecker checker;
  for (const bool good : {true, false, true}) {
    std::promise<bool> ok;
    ASSERT_TRUE(checker.ask(good ? "origin: http://localhost:1\n" : "orgin: x\n",
                            [&](const config::TextVerdict& verdict) { ok.set_value(verdict.ok); }));
    EXPECT_EQ(ok.get_future().get(), good);
  }
}

TEST(ConfigChecker, EndsWhatItChecksWhenItIsStopped) {
  std::promise<bool> given_up;
  ConfigChecker checker;
  ASSERT_TRUE(checker.ask(long_text(), [&](const config::TextVerdict& v) { given_up.set_value(v.given_up); }));
  checker.stop();
  auto told = given_up.get_future();
  ASSERT_EQ(told.wait_for(0s), std::future_status::ready) << "the thread has ended";
  EXPECT_TRUE(told.get());
  EXPECT_FALSE(checker.ask("a: b\n", [](const config::TextVerdict&) {}));
}

}  // namespace
}  // namespace forebay::admin
