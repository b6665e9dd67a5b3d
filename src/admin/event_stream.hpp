#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "forebay/http/body.hpp"

namespace forebay::admin {

/// One client that reads a stream of events (text/event-stream). What it does not read in time is dropped, which an
/// event `dropped` tells it; where it reads nothing at all, the edge ends the connection after a while. Used by the
/// admin worker only.
class EventReader {
 public:
  /// `most`: bytes that wait for the client.
  EventReader(std::size_t most, Timestamp now);
  /// For the answer.
  const Ref<http::Body>& body() const noexcept { return body_; }
  /// Whether the client has gone. To be asked once the answer is on its way.
  bool left() const { return body_->readers() == 0; }

  /// `text` is an event as `event_text` makes it.
  void send(const Ref<const Chunk>& text, Timestamp now);
  /// Events that were dropped before they came here.
  void count_dropped(std::uint64_t n) noexcept { dropped_ += n; }
  /// To be called each second. Tells of what was dropped as soon as there is room. Sends a comment where nothing was
  /// sent for long, so that no proxy and no client takes the connection for dead.
  void keep_alive(Timestamp now);
  /// Ends the answer in order.
  void end() { body_->finish(); }

  static constexpr Duration kSilence = std::chrono::seconds{15};

 private:
  bool append(const Ref<const Chunk>& text, Timestamp now);
  void tell_dropped(Timestamp now);

  Ref<http::Body> body_;
  Timestamp last_;
  std::uint64_t dropped_ = 0;
};

/// What this reader gets.
Answer event_stream(const EventReader& reader);
/// For one who asks for the head alone.
Answer head_of_stream();

/// An event with data in one line.
Ref<const Chunk> event_text(std::string_view kind, std::string_view data);

inline constexpr std::string_view kEventStreamType = "text/event-stream; charset=utf-8";

}  // namespace forebay::admin
