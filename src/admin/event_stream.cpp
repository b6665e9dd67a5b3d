#include "event_stream.hpp"

#include <utility>

namespace forebay::admin {

EventReader::EventReader(std::size_t most, Timestamp now) : body_(new http::Body(most)), last_(now) {
  // Clients see that it has begun, and come back two seconds after it has broken.
  body_->append(Chunk::copy_of("retry: 2000\n\n")->slice());
}

bool EventReader::append(const Ref<const Chunk>& text, Timestamp now) {
  if (body_->full()) return false;
  body_->append(text->slice());
  last_ = now;
  return true;
}

void EventReader::tell_dropped(Timestamp now) {
  if (dropped_ != 0 && append(event_text("dropped", "{\"dropped\":" + std::to_string(dropped_) + '}'), now))
    dropped_ = 0;
}

void EventReader::send(const Ref<const Chunk>& text, Timestamp now) {
  tell_dropped(now);
  if (dropped_ != 0 || !append(text, now)) ++dropped_;
}

void EventReader::keep_alive(Timestamp now) {
  tell_dropped(now);  // the last ones, which no other event follows
  if (now - last_ >= kSilence) append(Chunk::copy_of(": nothing new\n\n"), now);
}

Answer event_stream(const EventReader& reader) {
  Answer answer;
  answer.content_type = kEventStreamType;
  answer.stream = reader.body();
  return answer;
}

Answer head_of_stream() {
  EventReader nobody(64, Timestamp{});
  nobody.end();
  return event_stream(nobody);
}

Ref<const Chunk> event_text(std::string_view kind, std::string_view data) {
  std::string text = "event: ";
  text.append(kind).append("\ndata: ").append(data).append("\n\n");
  return Chunk::copy_of(text);
}

}  // namespace forebay::admin
