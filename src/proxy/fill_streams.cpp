// What has no end of its own: tunnels and event streams.
#include "fill.hpp"
#include "fill_client.hpp"
#include "forebay/rules/storability.hpp"
#include "tunnel.hpp"

namespace forebay::proxy {

namespace {

std::size_t take_all(http::EventBoundaries& boundaries, std::string_view bytes) {
  for (auto left = bytes; !left.empty();) left.remove_prefix(boundaries.take(left));
  return bytes.size();
}

}  // namespace

void Fill::on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) {
  guarded([&] {
    status_ = head.status;
    note_source(*pending_, plan_, source_->times(), status_);
    const auto pending = pending_;
    const auto status = plan_.status;
    finish();
    if (!pending->wanted()) return;
    const auto protocol = head.fields.value(http::FieldId::Upgrade).value_or("");
    std::make_shared<Tunnel>(*pending, protocol, std::move(stream), early)->start(*pending, head, status);
  });
}

/// The end of an event is known only where nothing encodes the events.
void Fill::follow_events(const http::ResponseView& head, const HeadFacts& facts) {
  if (!rules::is_event_stream(head) || !facts.has_content || stated_) return;
  if (head.fields.has(http::FieldId::ContentEncoding)) return;
  events_ = std::make_unique<EventStream>([this] { guarded([this] { end_events(); }); });
  if (core_.shared.draining.load(std::memory_order_relaxed)) drain();
}

bool Fill::pass_events(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = events_->ending ? events_->boundaries.take(bytes) : take_all(events_->boundaries, bytes);
    body_.append(bytes.substr(0, n), {});
    bytes.remove_prefix(n);
    if (events_->ending && events_->boundaries.at_boundary()) {
      end_events();
      return false;
    }
  }
  return go_on();
}

void Fill::drain() {
  if (events_ && !over()) core_.worker.deadlines().arm(events_->end_at, core_.now().mono, core_.drain_delay());
}

/// Ends the stream behind the current event, as its origin might: the client comes back for the rest.
void Fill::end_events() {
  if (over()) return;
  events_->ending = true;
  if (!events_->boundaries.at_boundary()) return;
  source_->cancel();
  body_.finish({});
  finish();
}

}  // namespace forebay::proxy
