#include "app/printed_json.hpp"

#include <gtest/gtest.h>

namespace forebay::app {
namespace {

TEST(PrintedJson, HasWhatATerminalMayActOnAsEscapes) {
  EXPECT_EQ(printed_json(R"({"a":"b \n é 漢 😀"})"), R"({"a":"b \n é 漢 😀"})");
  EXPECT_EQ(printed_json("\"\xC2\x9B"
                         "31m\""),
            R"("\u009b31m")");
  EXPECT_EQ(printed_json("\"\x7F\""), R"("\u007f")");
  EXPECT_EQ(printed_json("\"\xE2\x80\xAE\xE2\x81\xA6\""), R"("\u202e\u2066")");
  EXPECT_EQ(printed_json("\x1b[2J"), "\\u001b[2J");
  EXPECT_EQ(printed_json("\"\xFF\xC2\""), R"("\ufffd\ufffd")");
  EXPECT_EQ(printed_json(""), "");
  EXPECT_EQ(printed_line("{}\n"), "{}\n");
  EXPECT_EQ(printed_line("a\x1b[2J"), "a\\u001b[2J\n");
}

}  // namespace
}  // namespace forebay::app
