#include "app/top_screen.hpp"

#include <gmock/gmock.h>

#include "app/terminal.hpp"

namespace forebay::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TopPage page() {
  TopPage p;
  p.address = "127.0.0.1:8081";
  p.status = R"({"version":"0.1.0","uptime_s":93784,"config":{"last_reload_successful":true}})";
  p.stats = R"({"state":"ready","current":{"memory_bytes":67108864,"memory_limit_bytes":268435456,"entries":12345,
    "connections":7,"in_flight":3,"origin_in_flight":1,"waiting":0},
    "last_minute":{"requests":1234.5,"hit_ratio":0.942,"origin_requests":71,"own_errors":0,"status_5xx":0.5,
    "hit_p50_ms":0.08,"hit_p99_ms":0.21,"miss_p50_ms":null,"miss_p99_ms":80.4,"evicted_capacity":0,
    "routes":{"shop":{"requests":1000,"hit_ratio":0.99,"hit_p99_ms":0.2,"miss_p99_ms":5,"own_errors":0,
    "bytes_from_cache":1048576,"bytes_from_origin":0,"bytes_from_forebay":0},
    "api":{"requests":234.5,"hit_ratio":null,"hit_p99_ms":null,"miss_p99_ms":80.4,"own_errors":1,
    "bytes_from_cache":0,"bytes_from_origin":100,"bytes_from_forebay":0}}}})";
  return p;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + '\n';
  return out;
}

TEST(TopScreen, TheHeaderHasTheNumbersOfTheLastMinute) {
  const auto lines = top_lines(page(), 120, 24);
  EXPECT_EQ(lines[0], "forebay 0.1.0  READY  up 1d 2h  127.0.0.1:8081");
  EXPECT_THAT(lines[1], HasSubstr("1234 req/s  hit 94.2 %  origin 71 req/s  errors 0/s  5xx 0.5/s"));
  EXPECT_THAT(lines[2], HasSubstr("hits p50 0.08 ms, p99 0.21 ms  misses p50 - ms, p99 80 ms"));
  EXPECT_THAT(lines[3], HasSubstr("[#####---------------] 64.0 MiB of 256.0 MiB  12.3k entries"));
}

TEST(TopScreen, RoutesAreSortedByWhatIsChosen) {
  auto p = page();
  auto lines = top_lines(p, 120, 24);
  EXPECT_THAT(lines[6], HasSubstr("routes by requests"));
  EXPECT_THAT(lines[7], StartsWith("ROUTE"));
  EXPECT_THAT(lines[8], AllOf(StartsWith("shop"), HasSubstr(" 1000 "), HasSubstr(" 99.0 "), HasSubstr("1.0 MiB")));
  EXPECT_THAT(lines[9], StartsWith("api"));
  p.sort = 2;
  lines = top_lines(p, 120, 24);
  EXPECT_THAT(lines[6], HasSubstr("routes by miss p99"));
  EXPECT_THAT(lines[8], StartsWith("api"));
}

TEST(TopScreen, KeysAndOriginsHaveTablesOfTheirOwn) {
  auto p = page();
  p.view = TopView::Keys;
  p.rows =
      "{\"by\":\"requests\",\"keys\":[{\"key\":\"GET|/a\\u001b[2Jb\\u009b\",\"count\":50,\"error\":2,\"share\":0.25}]}";
  const auto keys = joined(top_lines(p, 100, 24));
  EXPECT_THAT(keys,
              AllOf(HasSubstr("GET|/a?[2Jb"), HasSubstr("25.0%"), Not(HasSubstr("\x1b")), Not(HasSubstr("\xC2\x9B"))));
  p.view = TopView::Origins;
  p.rows = R"({"origins":[{"name":"web","urls":[{"url":"http://a:1","up":false,"in_flight":4,
    "connections":{"active":4,"idle":1},"answers":{"2xx":10,"error":5},"errors":{"connect":5}}]}]})";
  EXPECT_THAT(joined(top_lines(p, 100, 24)),
              AllOf(HasSubstr("web http://a:1"), HasSubstr("DOWN"), HasSubstr(" 10 "), Not(HasSubstr(" 15 "))));
}

TEST(TopScreen, NoLineIsLongerThanTheTerminalAndNoPageHigher) {
  for (const std::size_t columns : {1U, 20U, 40U, 80U, 200U})
    for (const std::size_t lines : {1U, 5U, 24U}) {
      const auto shown = top_lines(page(), columns, lines);
      EXPECT_LE(shown.size(), lines);
      for (const auto& line : shown) EXPECT_LE(line.size(), columns) << line;
    }
  EXPECT_GT(top_lines(page(), 80, 0).size(), 9U) << "0: all rows";
}

TEST(TopScreen, OnNarrowTerminalsColumnsGoByTheirRank) {
  const auto titles = [](std::size_t columns) { return top_lines(page(), columns, 24)[7]; };
  EXPECT_THAT(titles(80), AllOf(HasSubstr("HIT P99"), HasSubstr("OUT/S")));
  EXPECT_THAT(titles(60), AllOf(HasSubstr("MISS P99"), Not(HasSubstr(" HIT P99"))));
  EXPECT_THAT(titles(40), AllOf(StartsWith("ROUTE"), HasSubstr("REQ/S"), HasSubstr("HIT%"), HasSubstr("ERR/S"),
                                Not(HasSubstr("P99")), Not(HasSubstr("OUT/S"))));
  EXPECT_EQ(top_lines(page(), 40, 24)[6], "routes by requests  (r k o s p q)");
  auto p = page();
  p.view = TopView::Origins;
  p.rows = R"({"origins":[{"name":"web","urls":[{"url":"http://a:1","up":true,"in_flight":4,
    "connections":{"active":4,"idle":1},"answers":{"2xx":17},"errors":{"connect":5}}]}]})";
  EXPECT_THAT(joined(top_lines(p, 40, 24)), AllOf(HasSubstr("ANSWERS"), HasSubstr(" 17 "), Not(HasSubstr("IDLE"))));
}

TEST(TopScreen, WhatIsSmallIsNotNothing) {
  auto p = page();
  const std::string half = "\"status_5xx\":0.5";
  p.stats.replace(p.stats.find(half), half.size(), "\"status_5xx\":0.017");
  EXPECT_THAT(top_lines(p, 120, 24)[1], HasSubstr("5xx <0.1/s"));
}

TEST(TopScreen, WhatWasThereIsErasedBeforeALineIsWritten) {
  EXPECT_EQ(screen_text({"one", "two"}), "\x1b[H\x1b[Kone\r\n\x1b[Jtwo");
}

TEST(TopScreen, DocumentsOfAnotherVersionAreShownAsFarAsTheyGo) {
  TopPage p;
  for (const auto* text : {"", "{", "[]", "{\"last_minute\":5}", "{\"last_minute\":{\"routes\":[1]}}", "null"}) {
    p.status = p.stats = p.rows = text;
    for (const auto view : {TopView::Routes, TopView::Keys, TopView::Origins}) {
      p.view = view;
      EXPECT_GT(top_lines(p, 80, 24).size(), 5U) << text;
    }
  }
}

TEST(TopScreen, PausesTroubleAndRejectedReloadsAreSaid) {
  auto p = page();
  p.paused = true;
  p.trouble = "no daemon answers";
  p.status = R"({"config":{"last_reload_successful":false}})";
  const auto lines = top_lines(p, 200, 24);
  EXPECT_THAT(lines[0], AllOf(HasSubstr("PAUSED"), HasSubstr("LAST RELOAD REJECTED")));
  EXPECT_EQ(lines[1], "no daemon answers");
}

}  // namespace
}  // namespace forebay::app
