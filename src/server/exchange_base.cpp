#include "server/exchange_base.hpp"

namespace forebay::server {

namespace {

// A waiter may take itself or others out of the list as it is woken.
void wake_all(WaiterList& waiters) {
  WaiterList now;
  now.swap(waiters);
  while (!now.empty()) {
    Waiter& waiter = now.front();
    waiter.stop_waiting();
    waiter.woken();
  }
}

}  // namespace

void ExchangeBase::begin_request(const http::RequestView& view, const Peer& peer, const Now& now, bool has_body,
                                 std::optional<std::uint64_t> length) {
  view_ = view;
  peer_ = &peer;
  has_body_ = has_body;
  length_ = length;
  begun_ = gone_ = answered_ = false;
  tally_ = Tally{};
  tally_.started = now.mono;
  tally_.started_wall = now.wall;
  notes_->reset();
  kept_peer_.reset();
}

void ExchangeBase::on_gone(Waiter* waiter) {
  gone_waiters_.clear();
  if (waiter != nullptr) gone_waiters_.push_back(*waiter);
}

void ExchangeBase::wait(Waiter& waiter) {
  if (!waiter.waiting()) body_waiters_.push_back(waiter);
}

void ExchangeBase::leave() {
  gone_ = true;
  wake_all(gone_waiters_);
}

void ExchangeBase::wake_body_waiter() { wake_all(body_waiters_); }

}  // namespace forebay::server
