#include "forebay/base/terminal_text.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(TerminalText, WhatATerminalActsOnBecomesAQuestionMark) {
  EXPECT_EQ(harmless("/a b\xC3\xA4\xE2\x82\xAC"), "/a b\xC3\xA4\xE2\x82\xAC");
  EXPECT_EQ(harmless("\x1b[31mred\x07\r\n\t\x7f"), "?[31mred?????");
  EXPECT_EQ(harmless("a\xC2\x9B"
                     "31m"),
            "a?31m")
      << "a C1 control sequence introducer";
  EXPECT_EQ(harmless("a\x9b\xff\xc3"), "a???") << "bytes that belong to no character";
  EXPECT_EQ(harmless("a\xE2\x80\xAE"
                     "b\xE2\x81\xA6\xE2\x80\x8F"),
            "a?b??");
}

TEST(TerminalText, ColumnsAreCutOrFilled) {
  EXPECT_EQ(in_columns("abc", 5), "abc  ");
  EXPECT_EQ(in_columns("abc", 5, true), "  abc");
  EXPECT_EQ(in_columns("abcdef", 5), "abcd~");
  EXPECT_EQ(in_columns("\xC3\xA4\xC3\xA4\xC3\xA4", 2), "\xC3\xA4~");
  EXPECT_EQ(in_columns("abc", 3), "abc");
  EXPECT_EQ(in_columns("abc", 0), "");
  EXPECT_EQ(in_columns("", 2), "  ");
}

}  // namespace
}  // namespace forebay
