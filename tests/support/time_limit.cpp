// Ends the executable at a test that hangs, with its name. Without this the whole run ends by ctest's limit, which
// tells nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace forebay::test {
namespace {

constexpr unsigned kLongest = 900;  // seconds, for one test on a slow machine

std::string& message() {
  static std::string text;
  return text;
}

extern "C" void on_alarm(int) {
  (void)!::write(STDERR_FILENO, message().data(), message().size());
  std::abort();
}

class TimeLimit : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo& test) override {
    message() = std::string("The test hangs: ") + test.test_suite_name() + '.' + test.name() + '\n';
    ::signal(SIGALRM, on_alarm);
    ::alarm(kLongest);
  }
  void OnTestEnd(const ::testing::TestInfo&) override { ::alarm(0); }
};

[[maybe_unused]] const bool installed = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new TimeLimit);
  return true;
}();

}  // namespace
}  // namespace forebay::test
