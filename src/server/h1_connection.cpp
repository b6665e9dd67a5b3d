#include "server/h1_connection.hpp"

#include <algorithm>
#include <utility>

#include "server/edge_error.hpp"

namespace forebay::server {

namespace {
// Answers are sent when nothing more of what was read can be answered, or when so much is queued.
constexpr std::size_t kFlushAt = 64 * 1024;
constexpr std::size_t kMostUnsent = 64;
// Requests per turn of a connection.
constexpr unsigned kRequestsPerTurn = 256;
// A client gets this long, and may send this much, between our last byte and the end of the connection, so that it
// reads our answer before the kernel resets what it still sends (RFC 9112 section 9.6).
constexpr Duration kLingerFor = std::chrono::seconds{2};
constexpr std::uint64_t kLingerBytes = 1024 * 1024;
// Many clients read the response only after sending all of their content: a client that continues to send gets up to
// this long.
constexpr Duration kUploadPause = std::chrono::seconds{5};
constexpr Duration kUploadFor = std::chrono::seconds{30};
constexpr std::uint64_t kUploadBytes = std::uint64_t{4} * 1024 * 1024 * 1024;
}  // namespace

H1Connection::H1Connection(std::shared_ptr<WorkerListener> listener, H1Protocol& protocol, Accepted accepted)
    : listener_(std::move(listener)),
      protocol_(protocol),
      stream_(std::move(accepted.stream)),
      peer_(std::move(accepted.peer)),
      place_(std::move(accepted.place)),
      limits_(listener_->handler.settings().request_limits),
      parser_(limits_),
      deadline_([this] { on_deadline(); }) {
  intrusive_ptr_add_ref(this);  // until `close`
  listener_->connections.push_back(*this);
  listener_->numbers->open.fetch_add(1, std::memory_order_relaxed);
}

void H1Connection::begin(std::string_view early) {
  or_close([&] {
    taking_.begin(listener_->handler.settings().min_rate);
    await(Awaiting::Request, now() + listener_->handler.settings().timeouts.idle);
    if (listener_->drains()) await_last_request();
    watch();
    if (early.empty()) return arm_read();
    in_.make_room(early.size(), early.size());
    std::copy(early.begin(), early.end(), in_.room().begin());
    in_.commit(early.size());
    turn();
  });
}

void H1Connection::begin_refusal(const EdgeError& why) {
  refusing_ = true;
  ++listener_->refusing;
  or_close([&] {
    reject(why);
    turn();
  });
}

void H1Connection::turn() {
  if (turning_ || closed_ || lingering_) return;
  const Ptr self(this);
  turning_ = true;
  turn_requests_ = 0;
  or_close([this] {
    while (!closed_ && step()) {
    }
    if (!closed_) settle();
  });
  turning_ = false;
}

// One step forward; false when there is something to wait for.
bool H1Connection::step() {
  if (cut_) {
    out_.write(stream_);  // whole answers of earlier requests
    note_sent();
    close(Ending::Reset);
    return false;
  }
  if (exchange_) {
    if (std::exchange(body_news_, false)) exchange_->wake_body_waiter();
    if (failure_ != nullptr && !exchange_->answered()) answer_failed_body();
    if (cut_) return true;
    if (upgrading_) return hand_over();
    if (end_is_leaving_ && eof_) {
      close(Ending::Plain);
      return false;
    }
    return exchange_->answered() && send_answer();
  }
  if (ending_ || !skip_body()) return false;
  if ((unsent_.size() >= kMostUnsent || out_.pending() > kFlushAt) && !flush()) return false;
  if (turn_requests_ >= kRequestsPerTurn) {
    again();
    return false;
  }
  return next_request();
}

// Sends and starts to wait when a turn can do no more.
void H1Connection::settle() {
  flush();
  if (closed_) return;
  if (upgrading_) {
    await(Awaiting::Nothing, Timestamp::max());
  } else if (exchange_) {
    if (!body_wanted_) await(Awaiting::Nothing, Timestamp::max());
    if (body_wanted_ || !blocked_) arm_read();
  } else if (blocked_) {
    await(Awaiting::Nothing, Timestamp::max());
  } else if (ending_) {
    linger();
  } else {
    settle_between_requests();
  }
  if (!closed_) watch();
}

void H1Connection::settle_between_requests() {
  const auto& timeouts = listener_->handler.settings().timeouts;
  if (!decoder_.done()) {
    await(Awaiting::Body, now() + timeouts.body);
    arm_read();
  } else if (kicked_) {
    await(Awaiting::Nothing, Timestamp::max());
  } else if (eof_) {
    close(Ending::Plain);
  } else if (in_.bytes().find_first_not_of("\r\n") != std::string_view::npos) {
    await(Awaiting::Head, head_began_ + timeouts.header);
    arm_read();
  } else if (requests_ > 0 && listener_->drains()) {
    await_last_request();
    arm_read();
  } else {
    await(Awaiting::Request, now() + timeouts.idle);
    // One turn of the loop before the next read: by then the next request has often arrived.
    if (turn_requests_ > 0) {
      defer_read();
    } else {
      arm_read();
    }
  }
}

// Asks for a turn, from outside of one.
void H1Connection::kick() {
  if (!turning_) again();
}

void H1Connection::again() {
  if (std::exchange(kicked_, true)) return;
  listener_->worker.post(kick_memory_.hold([self = Ptr(this)] {
    self->kicked_ = false;
    self->turn();
  }));
}

// True when all has gone out; false when the socket is full, or the connection is at its end.
bool H1Connection::flush() {
  if (blocked_ || closed_) return false;
  if (out_.empty()) return true;
  const net::IoResult written = out_.write(stream_);
  listener_->worker.tick();
  note_sent();
  if (written.state == net::Io::Done) {
    if (std::exchange(write_due_, Timestamp::max()) != Timestamp::max()) taking_.stop(now());
    return true;
  }
  if (written.state == net::Io::Failed) {
    close(Ending::Plain);
    return false;
  }
  blocked_ = true;
  backlog_ = stream_.unsent();
  note_taken(backlog_);
  taking_.wait(now());
  write_due_ = now() + listener_->handler.settings().timeouts.write;
  listener_->stalled.enter(*this);
  stream_.wait(written.wait, [self = Ptr(this)](net::Io state) { self->on_writable(state); });
  return false;
}

void H1Connection::on_writable(net::Io state) {
  blocked_ = false;
  if (closed_) return;
  listener_->stalled.leave(*this);
  listener_->worker.tick();
  if (state != net::Io::Done) {
    close(Ending::Plain);
    return;
  }
  turn();
}

// After a send: sets the times of the responses that have begun, and finishes the complete ones.
void H1Connection::note_sent() {
  const std::uint64_t written = out_.written();
  std::size_t whole = 0;
  while (whole < unsent_.size() && unsent_[whole]->end_at <= written) ++whole;
  for (std::size_t i = 0; i < whole; ++i) finish(std::move(unsent_[i]), true);
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(whole));
  H1Exchange* begun = !unsent_.empty() ? unsent_.front().get() : nullptr;
  if (!begun && exchange_ && exchange_->answered()) begun = exchange_.get();
  if (begun && begun->numbers().first_byte == Timestamp{} && begun->head_at < written)
    begun->numbers().first_byte = now();
}

void H1Connection::finish(std::shared_ptr<H1Exchange> exchange, bool completed) {
  Tally& tally = exchange->numbers();
  tally.finished = now();
  tally.completed = completed;
  if (completed && tally.first_byte == Timestamp{}) tally.first_byte = tally.finished;
  guarded([&] { listener_->handler.finished(*exchange); }, [] {});  // without memory there is no line of the log
  exchange->on_gone(nullptr);
  if (exchange.use_count() > 1) exchange->keep(peer_);
  protocol_.give_back(std::move(exchange));
}

// The last byte has been sent. Further bytes of the client are read and dropped for a while.
void H1Connection::linger() {
  if (eof_) {
    close(Ending::Plain);
    return;
  }
  lingering_ = true;
  stream_.shutdown_send();
  linger_left_ = uploading_ ? kUploadBytes : kLingerBytes;
  const auto upload_for = std::min(kUploadFor, listener_->handler.settings().timeouts.body);
  linger_until_ = now() + (uploading_ && !listener_->drains() ? upload_for : kLingerFor);
  linger_earned_ = now() + kUploadPause;
  await_leaving();
  arm_read();
}

void H1Connection::await_leaving() {
  await(Awaiting::Leaving,
        uploading_ ? std::min({linger_until_, linger_earned_, now() + kUploadPause}) : linger_until_);
}

bool H1Connection::idle() const noexcept {
  return !exchange_ && !ending_ && !lingering_ && out_.empty() && in_.empty() && decoder_.done();
}

// The complete request has arrived, and its handler waits. (The handler has copied what it needs of the head.)
bool H1Connection::waits_for_answer() const noexcept {
  return exchange_ && !exchange_->answered() && decoder_.done() && in_.empty() && out_.empty() && !held_ && !blocked_ &&
         !body_wanted_ && !ending_ && !cut_;
}

void H1Connection::drain() {
  if (lingering_ && !closed_) {
    linger_until_ = std::min(linger_until_, now() + kLingerFor);
    await_leaving();
    watch();
    return;
  }
  if (closed_ || !idle()) return;
  await_last_request();
  watch();
}

// A request may be on its way: in the kernel, in a read that has ended and not been told yet, or in the net. A client
// with a request gets `Connection: close`; only an idle connection is closed without notice.
void H1Connection::await_last_request() {
  constexpr Duration kGrace = std::chrono::milliseconds{500};
  constexpr Duration kGraceOfNew = std::chrono::seconds{1};
  const Duration grace = requests_ > 0 ? kGrace : kGraceOfNew;
  await(Awaiting::Request, std::min(awaiting_ == Awaiting::Request ? read_due_ : Timestamp::max(), now() + grace));
}

void H1Connection::abort() { close(Ending::Reset); }

Timestamp H1Connection::silent_since() const {
  if (!place_ || upgrading_) return Timestamp::max();
  if (blocked_) return end_is_leaving_ ? Timestamp::max() : stalled_since;
  return awaiting_ == Awaiting::Nothing ? Timestamp::max() : awaiting_since_;
}

bool H1Connection::pins() const { return out_.pins() || writer_.cursor().pins(); }

void H1Connection::close(Ending how) {
  if (closed_) return;
  const Ptr self(this);
  closed_ = true;
  deadline_.disarm();
  listener_->stalled.leave(*this);
  body_ready_.stop_waiting();
  how == Ending::Reset ? stream_.reset() : stream_.close();

  for (auto& exchange : std::exchange(unsent_, {})) finish(std::move(exchange), false);
  if (auto left = std::move(exchange_)) {
    if (!upgrading_)
      left->numbers().bytes_out = writer_.bytes() - std::min<std::uint64_t>(writer_.bytes(), out_.pending());
    writer_.stop();
    // A handler that closed the connection itself is not notified.
    if (!cut_) left->leave();
    if (held_) left->keep_bytes(in_.share());
    left->detach();
    finish(std::move(left), upgrade_completed_);
  }
  out_.discard();  // now, not when the operations under way have ended
  taker_ = nullptr;
  companion_.reset();
  unlink();
  listener_->numbers->open.fetch_sub(1, std::memory_order_relaxed);
  listener_->open.fetch_sub(1, std::memory_order_relaxed);
  if (refusing_) --listener_->refusing;
  place_ = ConnectionLimits::Place();
  intrusive_ptr_release(this);
}

}  // namespace forebay::server
