#include <algorithm>

#include "server/edge_error.hpp"
#include "server/h1_connection.hpp"

namespace forebay::server {

void H1Connection::await(Awaiting what, Timestamp until) {
  constexpr Duration kTidyAfter = std::chrono::seconds{2};
  constexpr Duration kTidyWaitingAfter = std::chrono::milliseconds{250};
  // A client that sends its head byte by byte is silent too.
  if (what != awaiting_ || what == Awaiting::Request) awaiting_since_ = now();
  awaiting_ = what;
  read_due_ = until;
  if (what == Awaiting::Body)
    sending_.wait(now());
  else
    sending_.stop(now());
  const bool waits = what == Awaiting::Nothing && waits_for_answer();
  const bool may_tidy = (what == Awaiting::Request || waits) && !tidying_ && in_.capacity() + out_.capacity() != 0;
  tidy_due_ = may_tidy ? now() + (waits ? kTidyWaitingAfter : kTidyAfter) : Timestamp::max();
}

// The deadline in the wheel is moved only to an earlier time, and checks again if it fires too early: so a request of a
// busy connection costs nothing here.
void H1Connection::watch() {
  const Timestamp due = std::min({read_due_, sending_.due(), write_due_, taking_.due(), tidy_due_});
  if (due == Timestamp::max() || (deadline_.armed() && armed_for_ <= due)) return;
  armed_for_ = due;
  listener_->worker.deadlines().arm(deadline_, due);
}

void H1Connection::on_deadline() {
  if (closed_) return;
  or_close([this] {
    if (std::min(write_due_, taking_.due()) <= now()) {
      on_write_deadline();
    } else if (std::min(read_due_, sending_.due()) <= now()) {
      on_read_deadline();
    } else if (tidy_due_ <= now()) {
      tidy();
    }
    if (closed_) return;
    watch();
    // One kind is handled at a time. What is handled does not stay due; if it did, no other work would be done.
    if (deadline_.armed() && armed_for_ <= now()) {
      armed_for_ = now() + kHandledTwice;
      listener_->worker.deadlines().arm(deadline_, armed_for_);
    }
  });
}

// What has left the kernel's buffer since we last asked.
void H1Connection::note_taken(std::size_t unsent) {
  const std::uint64_t taken = out_.written() - std::min<std::uint64_t>(out_.written(), unsent);
  if (taken <= taken_) return;
  taking_.moved(taken - taken_, now());
  taken_ = taken;
}

// The kernel reports a socket writable once a third of its buffer is free, which may be megabytes. A slow client is not
// a stalled one.
void H1Connection::on_write_deadline() {
  const std::size_t left = stream_.unsent();
  if (left < backlog_) {
    backlog_ = left;
    write_due_ = now() + listener_->handler.settings().timeouts.write;
    note_taken(left);
    if (taking_.due() > now()) return;
  }
  listener_->numbers->rejected_timeout.fetch_add(1, std::memory_order_relaxed);
  close(Ending::Reset);
}

void H1Connection::on_read_deadline() {
  const Awaiting what = awaiting_;
  const auto& late = sending_.due() <= now() && now() < read_due_ ? kBodyTooSlow : kBodyTimeout;
  await(Awaiting::Nothing, Timestamp::max());
  switch (what) {
    case Awaiting::Request:
      // What has just arrived is answered. Over TLS it may be less than a record.
      if (stream_.peek() != net::Peek::Bytes) return close(Ending::Plain);
      await(Awaiting::Head, now() + listener_->handler.settings().timeouts.header);
      break;
    case Awaiting::Head:
      reject(kHeadTimeout);
      turn();
      break;
    case Awaiting::Body:
      if (exchange_) {
        fail_body(late);
        body_news_ = true;
      } else {
        ending_ = true;
      }
      turn();
      break;
    case Awaiting::Leaving: close(Ending::Plain); break;
    case Awaiting::Nothing: break;
  }
}

}  // namespace forebay::server
