#include "fill_body.hpp"

#include <utility>

namespace forebay::proxy {
namespace {

/// What a body that is not kept may hold between a source and a slow client.
constexpr std::size_t kWindow = 64 * 1024;
/// The same where it should be charged and there is no memory: a single portion of the source goes beyond it.
constexpr std::size_t kNarrow = 4 * 1024;

/// How long one reader may hold up the others.
constexpr Duration kPatience = std::chrono::seconds{1};

}  // namespace

void FillBody::begin(Kept kept) {
  body_ = Ref<http::Body>(new http::Body(kept == Kept::Whole ? 0 : kWindow));
  charges_ = kept == Kept::ChargedWindow;
}

void FillBody::begin(const Ref<const cache::Entry>& entry) {
  begin(Kept::Whole);
  for (const auto& piece : entry->body()) body_->append({Owner(entry), piece});
  body_->finish();
}

void FillBody::append(std::string_view bytes, Charge charge) {
  const auto cost = Chunk::cost(bytes.size());
  if (charge.bytes() == 0 && beyond_window_.bytes() >= cost) charge = beyond_window_.split(cost);
  if (!charges_) return body_->append(Chunk::copy_of(bytes, std::move(charge))->slice());
  if (charge.bytes() == 0) {
    charge = core_.shared.store.reserve(cost);
    const bool none = charge.bytes() == 0;
    if (std::exchange(narrow_, none) != none) body_->set_window(none ? kNarrow : kWindow);
  }
  const auto chunk = Chunk::copy_of(bytes, std::move(charge));
  chunk->leave();
  body_->append(chunk->slice());
}

bool FillBody::has_room() {
  if (!body_->full()) return true;
  body_->wait_for_space(core_.worker, space_);
  if (!body_->full()) {
    space_.stop_waiting();
    return true;
  }
  if (body_->readers() > 1) core_.worker.deadlines().arm(patience_, core_.now().mono, kPatience);
  return false;
}

void FillBody::outgrow() {
  charges_ = true;
  body_->set_window(kWindow);
}

bool FillBody::drop_slowest() {
  if (readers() < 2) return false;
  body_->cut_off_stalled(core_.now().mono, Duration{0});
  if (body_->full()) return false;
  stop_waiting();
  return true;
}

bool FillBody::take_more(std::size_t bytes) {
  beyond_window_ = core_.shared.store.reserve(bytes);
  if (beyond_window_.bytes() == 0) return false;
  stop_waiting();
  body_->set_window(kWindow + bytes);
  return true;
}

void FillBody::woken() {
  if (body_->readers() != 0 && !has_room()) return;
  patience_.disarm();
  room_();
}

void FillBody::out_of_patience() {
  body_->cut_off_stalled(core_.now().mono, kPatience);
  if (space_.waiting() && !body_->full()) {
    space_.stop_waiting();
    woken();
  } else if (body_->full() && body_->readers() > 1) {
    core_.worker.deadlines().arm(patience_, core_.now().mono, kPatience);
  }
}

void FillBody::finish(const http::Fields& trailers) {
  if (body_) body_->finish(trailers);
}

void FillBody::break_off() {
  if (body_ && body_->end() == http::Body::End::Growing) body_->break_off();
}

void FillBody::stop_waiting() {
  space_.stop_waiting();
  patience_.disarm();
}

}  // namespace forebay::proxy
