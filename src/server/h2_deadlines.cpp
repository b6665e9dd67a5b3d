#include <algorithm>

#include "server/edge_error.hpp"
#include "server/h2_connection.hpp"

namespace forebay::server {

// The deadline in the wheel is moved only to an earlier time, and checks again if it fires too early.
void H2Connection::watch(Timestamp due) {
  if (closed_ || due == Timestamp::max() || (deadline_.armed() && armed_for_ <= due)) return;
  armed_for_ = due;
  listener_->worker.deadlines().arm(deadline_, due);
}

void H2Connection::watch_all() {
  Timestamp due = connection_due();
  for (const auto& exchange : exchanges_)
    due = std::min({due, exchange->body_due, exchange->sending.due(), exchange->write_due, exchange->taking.due()});
  watch(due);
}

Timestamp H2Connection::connection_due() const noexcept {
  const auto& timeouts = listener_->handler.settings().timeouts;
  Timestamp due = std::min({write_due_, taking_.due(), drain_due_, linger_until_, tidy_due_});
  if (lingering_) return due;
  due = std::min(due, room_due_);
  if (session_.head_since() != Timestamp::max()) due = std::min(due, session_.head_since() + timeouts.header);
  if (exchanges_.empty() && !refusing_more_) due = std::min(due, idle_since_ + timeouts.idle);
  return due;
}

// Whether the client keeps an answer waiting by giving no credit for its stream.
void H2Connection::note_credit(H2Exchange& exchange) {
  if (exchange.closed || exchange.end_produced || exchange.was_cut) return;
  if (session_.credit(exchange.id) > 0) {
    stall_until(exchange, Timestamp::max());
    exchange.taking.stop(now());
    return;
  }
  stall_until(exchange, now() + listener_->handler.settings().timeouts.write);
  exchange.taking.wait(now());
  watch(std::min(exchange.write_due, exchange.taking.due()));
}

// The stream is being reset: nothing is waited for any more.
void H2Connection::mark_cut(H2Exchange& exchange) {
  exchange.was_cut = true;
  stall_until(exchange, Timestamp::max());
  exchange.taking.stop(now());
}

void H2Connection::stall_until(H2Exchange& exchange, Timestamp due) {
  const bool before = exchange.write_due != Timestamp::max(), after = due != Timestamp::max();
  exchange.write_due = due;
  if (before == after) return;
  after ? ++stalled_streams_ : --stalled_streams_;
  note_stall();
}

// While the client keeps the output waiting, it is among those that may hold too much memory.
void H2Connection::note_stall() {
  const bool stalls = blocked_ || starved_ || stalled_streams_ != 0;
  if (stalls == stall.is_linked() || closed_) return;
  stalls ? listener_->stalled.enter(*this) : listener_->stalled.leave(*this);
}

void H2Connection::on_credit(http::H2Stream* stream) {
  if (stream != nullptr) {
    auto& exchange = static_cast<H2Exchange&>(*stream);
    if (exchange.write_due != Timestamp::max() && session_.credit(exchange.id) > 0) note_credit(exchange);
    return;
  }
  // SETTINGS may give credit to all streams, or take it away.
  for (const auto& exchange : exchanges_) {
    if (!exchange->answered() || exchange->content.ended() || exchange->closed) continue;
    if ((exchange->write_due != Timestamp::max()) == (session_.credit(exchange->id) > 0)) note_credit(*exchange);
  }
}

// What has left the kernel's buffer since we last asked.
void H2Connection::note_taken(std::size_t unsent) {
  const std::uint64_t taken = out_.written() - std::min<std::uint64_t>(out_.written(), unsent);
  if (taken <= taken_) return;
  taking_.moved(taken - taken_, now());
  taken_ = taken;
}

void H2Connection::on_deadline() {
  if (closed_) return;
  or_close([this] {
    if (!check_connection()) return;
    check_exchanges();
    if (closed_) return;
    if (tidy_due_ <= now()) tidy();
    watch_all();
    // Nothing stays due once it was handled. If something does, it must not keep the worker from all other work.
    if (!closed_ && deadline_.armed() && armed_for_ <= now()) {
      armed_for_ = now() + kHandledTwice;
      listener_->worker.deadlines().arm(deadline_, armed_for_);
    }
  });
}

// False when the connection ends.
bool H2Connection::check_connection() {
  const auto& settings = listener_->handler.settings();
  const Timestamp time = now();
  if (linger_until_ <= time) return close(Ending::Plain), false;
  if (lingering_) return true;
  if (std::min(write_due_, taking_.due()) <= time) {
    // The kernel reports a socket writable once a third of its buffer is free, which may be megabytes. A slow client is
    // not a stalled one.
    const std::size_t left = stream_.unsent();
    if (blocked_ && left < backlog_) {
      backlog_ = left;
      write_due_ = time + settings.timeouts.write;
      note_taken(left);
    }
    if (std::min(write_due_, taking_.due()) <= time) {
      listener_->numbers->rejected_timeout.fetch_add(1, std::memory_order_relaxed);
      return close(Ending::Reset), false;
    }
  }
  if (drain_due_ <= time) refuse_more();
  if (room_due_ <= time) look_for_room();
  if (session_.head_since() != Timestamp::max() && session_.head_since() + settings.timeouts.header <= time) {
    // The field section is not known to its end, so that nothing can be answered, or read.
    count_rejection(kHeadTimeout);
    listener_->handler.refused(
        {kHeadTimeout.reason, kHeadTimeout.status, kHeadTimeout.code, detail_of(kHeadTimeout, settings, {}), {}, 0, {}},
        *peer_);
    session_.terminate(http::H2Error::EnhanceYourCalm);
    turn();
    return !closed_;
  }
  if (exchanges_.empty() && idle_since_ + settings.timeouts.idle <= time && !refusing_more_) {
    // What has just arrived is answered.
    if (stream_.peek() != net::Peek::Bytes) refuse_more();
  }
  return true;
}

void H2Connection::check_exchanges() {
  const Timestamp time = now();
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    H2Exchange& exchange = *exchanges_[i];
    if (exchange.body_due != Timestamp::max() && session_.room() <= 0) {
      // What other handlers have not read yet takes all of the connection's window: the client may not send.
      exchange.body_due = time + listener_->handler.settings().timeouts.body;
      exchange.sending.begin(listener_->handler.settings().min_rate);
      exchange.sending.wait(time);
    }
    if (std::min(exchange.body_due, exchange.sending.due()) <= time && exchange.body_due != Timestamp::max()) {
      fail_content(exchange, exchange.body_due <= time ? kBodyTimeout : kBodyTooSlow);
    }
    if (std::min(exchange.write_due, exchange.taking.due()) <= time) {
      stall_until(exchange, Timestamp::max());
      exchange.taking.stop(time);
      listener_->numbers->rejected_timeout.fetch_add(1, std::memory_order_relaxed);
      if (!exchange.closed) session_.reset(exchange.id, http::H2Error::Cancel);
      kick();
    }
  }
}

// A connection that is idle frees its buffers.
void H2Connection::tidy() {
  tidy_due_ = Timestamp::max();
  if (!exchanges_.empty() || !out_.empty() || !reading_ || tidying_) return;
  tidying_ = true;
  stream_.cancel();
}

}  // namespace forebay::server
