#include "admin/event_stream.hpp"

#include <gtest/gtest.h>

namespace forebay::admin {
namespace {

std::string read(http::BodyCursor& cursor) {
  std::string out;
  Slice piece;
  while (cursor.next(1 << 20, piece) == http::BodyCursor::State::Data) out += piece.bytes;
  return out;
}

TEST(EventReader, GetsEventsInOrderAndEndsInOrder) {
  ManualClock clock;
  EventReader reader(1000, clock.now().mono);
  http::BodyCursor cursor(reader.body());
  EXPECT_EQ(read(cursor), "retry: 2000\n\n");
  reader.send(event_text("stats", "{\"a\":1}"), clock.now().mono);
  EXPECT_EQ(read(cursor), "event: stats\ndata: {\"a\":1}\n\n");
  EXPECT_FALSE(reader.left());
  reader.end();
  Slice piece;
  EXPECT_EQ(cursor.next(100, piece), http::BodyCursor::State::End);
}

TEST(EventReader, WhatIsNotReadInTimeIsDroppedAndTold) {
  ManualClock clock;
  EventReader reader(50, clock.now().mono);
  http::BodyCursor cursor(reader.body());
  const auto event = event_text("x", std::string(40, '1'));
  for (int i = 0; i < 5; ++i) reader.send(event, clock.now().mono);
  const auto first = read(cursor);
  EXPECT_EQ(first, "retry: 2000\n\n" + std::string(event->bytes()));
  reader.send(event_text("y", "2"), clock.now().mono);
  EXPECT_EQ(read(cursor), "event: dropped\ndata: {\"dropped\":4}\n\nevent: y\ndata: 2\n\n");
  reader.count_dropped(7);
  reader.send(event_text("y", "3"), clock.now().mono);
  EXPECT_EQ(read(cursor), "event: dropped\ndata: {\"dropped\":7}\n\nevent: y\ndata: 3\n\n");
}

TEST(EventReader, WhatWasDroppedLastIsToldThoughNothingFollows) {
  ManualClock clock;
  EventReader reader(50, clock.now().mono);
  http::BodyCursor cursor(reader.body());
  const auto event = event_text("x", std::string(40, '1'));
  for (int i = 0; i < 3; ++i) reader.send(event, clock.now().mono);
  reader.keep_alive(clock.now().mono);  // there is no room yet
  EXPECT_EQ(read(cursor), "retry: 2000\n\n" + std::string(event->bytes()));
  reader.keep_alive(clock.now().mono);
  EXPECT_EQ(read(cursor), "event: dropped\ndata: {\"dropped\":2}\n\n");
  reader.keep_alive(clock.now().mono);
  EXPECT_EQ(read(cursor), "");
}

TEST(EventReader, SilenceIsBrokenByAComment) {
  ManualClock clock;
  EventReader reader(1000, clock.now().mono);
  http::BodyCursor cursor(reader.body());
  read(cursor);
  clock.advance(EventReader::kSilence - Duration{1});
  reader.keep_alive(clock.now().mono);
  EXPECT_EQ(read(cursor), "");
  clock.advance(1ns);
  reader.keep_alive(clock.now().mono);
  EXPECT_EQ(read(cursor), ": nothing new\n\n");
  reader.keep_alive(clock.now().mono);
  EXPECT_EQ(read(cursor), "");
}

TEST(EventReader, HasLeftWhenItsCursorHasGone) {
  EventReader reader(1000, {});
  {
    http::BodyCursor cursor(reader.body());
    EXPECT_FALSE(reader.left());
  }
  EXPECT_TRUE(reader.left());
}

}  // namespace
}  // namespace forebay::admin
