#include "forebay/base/log.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace forebay::log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Log : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "forebay_log_test." + std::to_string(::getpid());
    std::remove(path_.c_str());
  }
  void TearDown() override {
    configure({});
    std::remove(path_.c_str());
  }
  static std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> lines() const { return lines_of(path_); }
  std::string path_;
};

TEST_F(Log, JsonIsOneObjectALineWithTimeLevelAndMessage) {
  configure({.level = Level::Info, .format = Format::Json, .output = path_});
  warn("origin \"a\\b\"\nis\x01 down \xff \xc3\xa9");
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_THAT(lines()[0],
              MatchesRegex("\\{\"time\":\"....-..-..T..:..:..\\....Z\",\"level\":\"warn\",\"message\":.*\\}"));
  EXPECT_THAT(lines()[0], EndsWith("\"origin \\\"a\\\\b\\\"\\nis\\u0001 down \\ufffd \xc3\xa9\"}"));
}

TEST_F(Log, TextIsOneLineWhateverTheMessageHolds) {
  configure({.level = Level::Info, .format = Format::Text, .output = path_});
  info("first\r\nsecond %s {} \x1b[31m");
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_THAT(lines()[0], EndsWith("Z info first\\u000d\\nsecond %s {} \\u001b[31m"));
}

TEST_F(Log, WritesNothingBelowItsLevelAndCountsWhatItWrites) {
  configure({.level = Level::Warn, .format = Format::Text, .output = path_});
  const auto infos = count(Level::Info), errors = count(Level::Error);
  info("not this");
  error("this");
  EXPECT_FALSE(enabled(Level::Info));
  EXPECT_EQ(count(Level::Info), infos);
  EXPECT_EQ(count(Level::Error), errors + 1);
  set_level(Level::Debug);
  EXPECT_EQ(level(), Level::Debug);
  debug("now this too");
  ASSERT_EQ(lines().size(), 2u);
  EXPECT_THAT(lines()[1], HasSubstr("debug now this too"));
}

TEST_F(Log, ReopeningFollowsARotation) {
  configure({.level = Level::Info, .format = Format::Text, .output = path_});
  info("one");
  const auto rotated = path_ + ".1";
  ASSERT_EQ(std::rename(path_.c_str(), rotated.c_str()), 0);
  info("two");
  reopen();
  info("three");
  EXPECT_EQ(lines_of(rotated).size(), 2u);
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_THAT(lines()[0], HasSubstr("three"));
  std::remove(rotated.c_str());
}

TEST_F(Log, AFileThatCannotBeReopenedStaysOpen) {
  configure({.level = Level::Info, .format = Format::Text, .output = path_});
  info("before");
  const auto moved = path_ + ".moved";
  ASSERT_EQ(std::rename(path_.c_str(), moved.c_str()), 0);
  ASSERT_EQ(::mkdir(path_.c_str(), 0700), 0);
  reopen();
  info("after");
  const auto written = lines_of(moved);
  ::rmdir(path_.c_str());
  std::remove(moved.c_str());
  ASSERT_EQ(written.size(), 3u);
  EXPECT_THAT(written[1], HasSubstr("the open file stays in use"));
  EXPECT_THAT(written[2], HasSubstr("after"));
}

TEST_F(Log, NoDirectoryIsMade) {
  const auto folder = path_ + ".folder";
  try {
    configure({.level = Level::Info, .format = Format::Text, .output = folder + "/a/forebay.log"});
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string(e.what()),
              "cannot open the log " + folder + "/a/forebay.log: the directory " + folder + "/a does not exist");
  }
  EXPECT_NE(::access(folder.c_str(), F_OK), 0);
}

TEST_F(Log, AFileThatCannotBeOpenedIsSaid) {
  EXPECT_THROW(configure({.level = Level::Info, .format = Format::Text, .output = "/proc/no/such/place"}),
               std::runtime_error);
}

TEST_F(Log, TextHasNothingThatATerminalActsOn) {
  configure({.level = Level::Info, .format = Format::Text, .output = path_});
  info(
      "a\x1b[2J \xC2\x9B"
      "31m \xE2\x80\xAE"
      "b");
  const auto written = lines_of(path_);
  ASSERT_EQ(written.size(), 1u);
  EXPECT_THAT(written[0], HasSubstr("a\\u001b[2J ?31m ?b"));
}

}  // namespace
}  // namespace forebay::log
