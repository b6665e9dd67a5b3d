#include "held_answer.hpp"

#include <utility>

#include "forebay/base/guarded.hpp"
#include "forebay/net/stream.hpp"

namespace forebay::proxy {

using net::FetchError;

net::SourcePtr HeldAnswer::own(std::shared_ptr<HeldAnswer> held) {
  auto* const source = held.get();
  return {source, [held = std::move(held)](net::Source*) { held->cancel(); }};
}

void HeldAnswer::start(net::Sink& sink) {
  sink_ = &sink;
  source_->start(hears_);
}

void HeldAnswer::cancel() {
  sink_ = nullptr;
  source_->cancel();
}

void HeldAnswer::take_head(const http::ResponseView& head, const net::Sink::HeadFacts& facts) {
  const auto self = shared_from_this();
  if (!facts.has_content || !rules_.holds(head, facts)) return sink_->on_head(head, facts);
  const auto stated = facts.content_length.value_or(0);
  if (stated > rules_.most) {
    state_ = Content::TooLarge;
    return sink_->on_head(head, facts);
  }
  guarded(
      [&] {
        head_ = http::Response(head);
        facts_ = facts;
        holding_ = true;
      },
      [&] {
        state_ = Content::TooLarge;
        sink_->on_head(head, facts);
      });
}

bool HeldAnswer::take_data(std::string_view bytes) {
  const auto self = shared_from_this();
  if (!holding_) return sink_->on_data(bytes);
  if (bytes_.size() + bytes.size() <= rules_.most) {
    bool kept = false;
    guarded(
        [&] {
          const auto needed = bytes_.size() + bytes.size();
          if (needed > charge_.bytes()) {
            auto more = rules_.reserve(needed);
            if (more.bytes() == 0) return;
            charge_.merge(std::move(more));
          }
          bytes_.append(bytes);
          kept = true;
        },
        [] {});
    if (kept) return true;
  }
  bytes_.append(bytes);  // together, since a sink that is full wants no more of it
  return release(Content::TooLarge);
}

/// Gives what is held. Whether the sink wants more.
bool HeldAnswer::release(Content state) {
  holding_ = false;
  state_ = state;
  sink_->on_head(head_.view(), facts_);
  const auto bytes = std::exchange(bytes_, {});
  const bool more = !sink_ || bytes.empty() || sink_->on_data(bytes);
  charge_ = {};
  return sink_ && more;
}

void HeldAnswer::Hears::on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) {
  const auto self = h_.shared_from_this();
  std::exchange(h_.sink_, nullptr)->on_switch(head, std::move(stream), early);
}

void HeldAnswer::Hears::on_end(const http::Fields& trailers) {
  const auto self = h_.shared_from_this();
  // The end is no content: a sink whose window is full may hear it.
  if (h_.holding_) h_.release(Content::Whole);
  if (auto* const sink = std::exchange(h_.sink_, nullptr)) sink->on_end(trailers);
}

void HeldAnswer::Hears::on_failure(FetchError error, std::string_view detail) {
  const auto self = h_.shared_from_this();
  if (h_.holding_) h_.release(Content::Cut);
  if (auto* const sink = std::exchange(h_.sink_, nullptr)) sink->on_failure(error, detail);
}

}  // namespace forebay::proxy
