#include "forebay/http/event_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace forebay::http {
namespace {

std::vector<std::string> events_of(std::string_view stream) {
  EventBoundaries boundaries;
  std::vector<std::string> events;
  while (!stream.empty()) {
    const auto n = boundaries.take(stream);
    events.emplace_back(stream.substr(0, n));
    stream.remove_prefix(n);
  }
  return events;
}

TEST(EventBoundaries, AnEmptyLineEndsAnEventWhateverTheLinesEndWith) {
  EXPECT_EQ(events_of("data: a\n\ndata: b\n\n"), (std::vector<std::string>{"data: a\n\n", "data: b\n\n"}));
  EXPECT_EQ(events_of("data: a\r\rdata: b\r\r"), (std::vector<std::string>{"data: a\r\r", "data: b\r\r"}));
  // The LF that belongs to the last CR is of no event.
  EXPECT_EQ(events_of("data: a\r\n\r\ndata: b\r\n\r\n"),
            (std::vector<std::string>{"data: a\r\n\r", "\ndata: b\r\n\r", "\n"}));
  EXPECT_EQ(events_of("id: 1\ndata: a\ndata: b\n\n:"), (std::vector<std::string>{"id: 1\ndata: a\ndata: b\n\n", ":"}));
}

TEST(EventBoundaries, NoEventHasBegunAtTheStartAndBehindAnEnd) {
  EventBoundaries boundaries;
  EXPECT_TRUE(boundaries.at_boundary());
  for (const char* piece : {"d", "ata: x", "\n", "id: 3", "\r", "\n"}) {
    boundaries.take(piece);
    EXPECT_FALSE(boundaries.at_boundary()) << piece;
  }
  boundaries.take("\r");
  EXPECT_TRUE(boundaries.at_boundary());
  boundaries.take("\n");
  EXPECT_TRUE(boundaries.at_boundary()) << "the rest of the line's end";
  boundaries.take("\n\n\n");
  EXPECT_TRUE(boundaries.at_boundary()) << "more empty lines make no event";
  boundaries.take(":");
  EXPECT_FALSE(boundaries.at_boundary());
}

}  // namespace
}  // namespace forebay::http
