#include "forebay/http/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace forebay::http {
namespace {

using Lines = std::vector<std::pair<const char*, std::string>>;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c", kSpan = "b7ad6b7169203331";

Fields fields(const Lines& lines) {
  Fields out;
  for (const auto& [name, value] : lines) out.add(name, value);
  return out;
}

std::string written(const TraceContext& context) {
  std::string out;
  append_traceparent(out, context);
  return out;
}

TEST(Traceparent, HasFourPartsOfFixedLength) {
  const auto read = read_traceparent("00-" + kTrace + "-" + kSpan + "-01");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace_id(), kTrace);
  EXPECT_EQ(read->span_id(), kSpan);
  EXPECT_EQ(read->flags, TraceContext::kSampled);
}

TEST(Traceparent, IsRefusedWhenAnyPartIsMalformed) {
  const std::string good = "00-" + kTrace + "-" + kSpan + "-01";
  const std::string bad[] = {"",
                             "00",
                             good.substr(1),
                             good + " ",
                             good + "-",
                             good + "-00",
                             "ff" + good.substr(2),
                             "0g" + good.substr(2),
                             "0A" + good.substr(2),
                             "00_" + kTrace + "-" + kSpan + "-01",
                             "00-" + kTrace + "_" + kSpan + "-01",
                             "00-" + kTrace + "-" + kSpan + "_01",
                             "00-" + std::string(32, '0') + "-" + kSpan + "-01",
                             "00-" + kTrace + "-" + std::string(16, '0') + "-01",
                             "00-0AF7651916CD43DD8448EB211C80319C-" + kSpan + "-01",
                             "00-" + kTrace + "-" + kSpan + "-0G",
                             "00-" + kTrace + "-" + kSpan + "-0A",
                             "00-" + kTrace + "-b7ad6b716920333-101"};
  for (const auto& value : bad) EXPECT_FALSE(read_traceparent(value)) << value;
}

TEST(Traceparent, OfAHigherVersionIsReadUpToItsFlags) {
  const std::string rest = "-" + kTrace + "-" + kSpan + "-01";
  for (const auto& value : {"01" + rest, "fe" + rest + "-", "cc" + rest + "-what-the-future-will-be-like"}) {
    const auto read = read_traceparent(value);
    ASSERT_TRUE(read) << value;
    EXPECT_EQ(written(*read), "00" + rest);
  }
  EXPECT_FALSE(read_traceparent("01" + rest + "."));
  EXPECT_FALSE(read_traceparent("01" + rest + "0"));
}

TEST(Traceparent, KeepsTheFlagsThatAreKnown) {
  const std::pair<const char*, const char*> flags[] = {{"00", "00"}, {"01", "01"}, {"02", "02"},
                                                       {"03", "03"}, {"ff", "03"}, {"fc", "00"}};
  for (const auto& [sent, kept] : flags) {
    const auto read = read_traceparent("00-" + kTrace + "-" + kSpan + "-" + sent);
    ASSERT_TRUE(read) << sent;
    EXPECT_EQ(written(*read), "00-" + kTrace + "-" + kSpan + "-" + kept);
  }
}

TEST(Traceparent, IsOneLine) {
  const auto line = "00-" + kTrace + "-" + kSpan + "-01";
  EXPECT_TRUE(traceparent_of(fields({{"Traceparent", line}})));
  EXPECT_FALSE(traceparent_of(fields({})));
  EXPECT_FALSE(traceparent_of(fields({{"traceparent", line}, {"traceparent", line}})));
}

TEST(NewTrace, HasIdsThatAreNotZero) {
  const auto zero = new_trace(0, 0, 0, false);
  EXPECT_EQ(written(zero), "00-00000000000000000000000000000001-0000000000000001-02");
  const auto made = new_trace(0x0af7651916cd43dd, 0x8448eb211c80319c, 0xb7ad6b7169203331, true);
  EXPECT_EQ(written(made), "00-" + kTrace + "-" + kSpan + "-03");
  const auto read = read_traceparent(written(made));
  ASSERT_TRUE(read);
  EXPECT_EQ(written(*read), written(made));
}

TEST(NewTrace, IsNamedByItsTwoIds) {
  std::string name;
  append_span_name(name, new_trace(0x0af7651916cd43dd, 0x8448eb211c80319c, 0xb7ad6b7169203331, true));
  EXPECT_EQ(name, kTrace + "-" + kSpan);
}

std::string state(const std::vector<std::string>& lines) {
  Fields out;
  for (const auto& line : lines) out.add("tracestate", line);
  return tracestate_of(out);
}

TEST(Tracestate, CombinesItsLinesInOrder) {
  EXPECT_EQ(state({"rojo=00f067aa0ba902b7"}), "rojo=00f067aa0ba902b7");
  EXPECT_EQ(state({"a=1 ,\tb=2", "", " , ", "c@d=3,"}), "a=1,b=2,c@d=3");
  EXPECT_EQ(state({"0key=v", "a_-*/b=with blanks inside"}), "0key=v,a_-*/b=with blanks inside");
  EXPECT_EQ(state({}), "");
  EXPECT_EQ(state({","}), "");
}

TEST(Tracestate, IsDroppedWholeWhenAPartIsMalformed) {
  for (const auto* bad : {"b", "=1", "b=", "B=1", "b=1=2", "_b=1", "b=\x7f", "b=\xc3\xa9", "b c=1", "a=2"})
    EXPECT_EQ(state({"a=1", bad}), "") << bad;
  EXPECT_NE(state({std::string(256, 'k') + "=" + std::string(256, 'v')}), "");
  EXPECT_EQ(state({std::string(257, 'k') + "=v"}), "");
  EXPECT_EQ(state({"k=" + std::string(257, 'v')}), "");
}

TEST(Tracestate, HasAtMost32Members) {
  std::string list;
  for (int i = 0; i < 32; ++i) list += "k" + std::to_string(i) + "=v,";
  list.pop_back();
  EXPECT_EQ(state({list}), list);
  EXPECT_EQ(state({list, "more=v"}), "");
}

}  // namespace
}  // namespace forebay::http
