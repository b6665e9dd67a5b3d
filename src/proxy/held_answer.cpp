#include "held_answer.hpp"

#include "forebay/base/log.hpp"
#include "forebay/net/stream.hpp"

namespace forebay::proxy {

using net::FetchError;

namespace {
/// How long an answer waits for its purges: a search of ten million entries takes some seconds.
constexpr Duration kPatience = std::chrono::seconds{30};
}  // namespace

net::SourcePtr HeldAnswer::own(std::shared_ptr<HeldAnswer> held) {
  auto* const source = held.get();
  return {source, [held = std::move(held)](net::Source*) { held->cancel(); }};
}

void HeldAnswer::start(net::Sink& sink) {
  sink_ = &sink;
  source_->start(hears_);
}

void HeldAnswer::resume() {
  paused_ = false;
  source_->resume();
}

void HeldAnswer::cancel() {
  sink_ = nullptr;
  end_of_wait_.reset();
  changed_.stop_waiting();
  deadline_.disarm();
  source_->cancel();
}

void HeldAnswer::take_head(const http::ResponseView& head, const net::Sink::HeadFacts& facts) {
  facts_ = facts;
  if (facts.has_content && rules_.holds && rules_.holds(head, facts)) {
    if (facts.content_length.value_or(0) > rules_.most)
      state_ = Content::TooLarge;
    else
      forebay::guarded(
          [&] {
            head_ = http::Response(head);
            holding_ = true;
          },
          [&] { state_ = Content::TooLarge; });
    if (holding_) return;
  }
  auto end = rules_.before(head);
  if (!sink_) return;
  if (end) {
    head_ = http::Response(head);
    if (waits_for(std::move(end))) return;
  }
  sink_->on_head(head, facts);
}

/// Whether it is not there yet.
bool HeldAnswer::waits_for(PurgeEndPtr end) {
  end->changed.wait(worker_, changed_);
  if (end->reached()) {
    changed_.stop_waiting();
    return false;
  }
  end_of_wait_ = std::move(end);
  worker_.deadlines().arm(deadline_, worker_.now().mono, kPatience);
  return true;
}

void HeldAnswer::look() {
  if (!end_of_wait_) return;
  if (!end_of_wait_->reached()) {
    end_of_wait_->changed.wait(worker_, changed_);
    if (!end_of_wait_->reached()) return;
  }
  go_on();
}

/// Gives what has come meanwhile.
void HeldAnswer::go_on() {
  if (!end_of_wait_) return;
  if (!end_of_wait_->reached())
    log::warn("an answer to a write did not wait any longer for what it purges, which goes on; it took more than 30 s");
  end_of_wait_.reset();
  changed_.stop_waiting();
  deadline_.disarm();
  const bool more = give_held();
  if (!sink_) return;
  if (ended_) return give_end(*ended_);
  if (more && paused_) resume();
}

/// The head and the content. Whether the sink wants more.
bool HeldAnswer::give_held() {
  sink_->on_head(head_.view(), facts_);
  const auto bytes = std::exchange(bytes_, {});
  const bool more = !sink_ || bytes.empty() || sink_->on_data(bytes);
  charge_ = {};
  return sink_ && more;
}

void HeldAnswer::give_end(const End& end) {
  auto* const sink = std::exchange(sink_, nullptr);
  if (!sink) return;
  if (end.failed)
    sink->on_failure(end.error, end.detail);
  else
    sink->on_end(end.trailers);
}

bool HeldAnswer::take_data(std::string_view bytes) {
  const auto self = shared_from_this();
  if (end_of_wait_) {
    bytes_.append(bytes);
    paused_ = bytes_.size() >= room_;
    return !paused_;
  }
  if (!holding_) return sink_->on_data(bytes);
  if (bytes_.size() + bytes.size() <= rules_.most) {
    bool kept = false;
    forebay::guarded(
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

/// While the answer waits and others wait for its source's connection.
bool HeldAnswer::make_room(std::size_t bytes) {
  auto more = rules_.reserve(bytes);
  if (more.bytes() == 0) return false;
  charge_.merge(std::move(more));
  room_ = bytes_.size() + bytes;
  paused_ = false;
  return true;
}

/// Gives what is held, unless it has to wait. Whether more is wanted.
bool HeldAnswer::release(Content state) {
  holding_ = false;
  state_ = state;
  auto end = rules_.before(head_.view());
  if (!sink_) return false;
  if (end && waits_for(std::move(end))) {
    paused_ = state == Content::TooLarge;  // in the middle of the content
    return false;
  }
  return give_held();
}

void HeldAnswer::take_end(End end) {
  // The end is no content: a sink whose window is full may hear it.
  if (holding_) release(end.failed ? Content::Cut : Content::Whole);
  if (end_of_wait_)
    ended_ = std::move(end);
  else
    give_end(end);
}

void HeldAnswer::run_out_of_memory() noexcept {
  auto* const sink = sink_;
  cancel();
  if (sink) forebay::guarded([&] { sink->on_failure(FetchError::Memory, {}); }, [] {});
}

void HeldAnswer::Hears::on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) {
  const auto self = h_.shared_from_this();
  std::exchange(h_.sink_, nullptr)->on_switch(head, std::move(stream), early);
}

void HeldAnswer::Hears::on_head(const http::ResponseView& head, const HeadFacts& facts) {
  h_.guarded([&] { h_.take_head(head, facts); });
}

void HeldAnswer::Hears::on_end(const http::Fields& trailers) {
  h_.guarded([&] { h_.take_end({false, trailers, {}, {}}); });
}

void HeldAnswer::Hears::on_failure(FetchError error, std::string_view detail) {
  h_.guarded([&] { h_.take_end({true, {}, error, std::string(detail)}); });
}

}  // namespace forebay::proxy
