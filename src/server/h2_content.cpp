#include <algorithm>
#include <string>
#include <utility>

#include "server/edge_document.hpp"
#include "server/edge_error.hpp"
#include "server/h2_connection.hpp"

// Content of requests: from the session to the handlers, and what it may take of memory.

namespace forebay::server {

namespace {

// Content that a connection may hold before it takes of what all share: the window of one stream. The session tells the
// client of credit once half of the connection's window has come back, so this must be less than the other half.
constexpr std::size_t kOwnContent = 64 * 1024;
constexpr Duration kLookAgain = std::chrono::seconds{1};

H2Exchange& exchange_of(http::H2Stream& stream) { return static_cast<H2Exchange&>(stream); }

}  // namespace

void H2Connection::on_content(http::H2Stream& stream, std::string_view bytes) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.received += bytes.size();
  exchange.sending.moved(bytes.size(), now());
  exchange.over_limit |= exchange.received > listener_->handler.settings().request_body;
  // What nobody will read costs no memory, and this stream gets no credit for more. The handler may go on reading while
  // its answer is sent.
  if (exchange.own || exchange.over_limit || exchange.failure != nullptr) {
    session_.refill(bytes.size());
  } else {
    exchange.numbers().bytes_in += bytes.size();
    hold(exchange, bytes);
  }
  if (exchange.body_due == Timestamp::max()) return;
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  exchange.wake_body_waiter();
}

void H2Connection::on_content_end(http::H2Stream& stream, http::Fields& trailers) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.request_trailers = std::move(trailers);
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  exchange.wake_body_waiter();
}

// The stream is being reset. The client gets no answer, and the handler sees a client that has left.
void H2Connection::on_content_malformed(http::H2Stream& stream) {
  H2Exchange& exchange = exchange_of(stream);
  if (exchange.failure != nullptr) return;
  exchange.failure = &kBadBody;
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  count_rejection(kBadBody);
  if (!exchange.answered()) {
    (void)listener_->handler.content_failed(exchange, kBadBody.code, kBadBody.detail);
    exchange.mark_answered();
  }
  exchange.leave();
  exchange.wake_body_waiter();
}

net::BodySource::State H2Connection::pull(H2Exchange& exchange, std::string_view& out) {
  using State = net::BodySource::State;
  if (exchange.failure != nullptr) return State::Broken;
  if (!exchange.lent.empty()) {
    const std::size_t used = exchange.lent.size();
    exchange.lent.clear();
    let_go(exchange, used);  // first: the other one may find no memory
    session_.refill(exchange.id, used);
    kick();
  }
  if (exchange.over_limit) {
    forget_content(exchange);
    return State::TooLarge;
  }
  if (!exchange.incoming.empty()) {
    exchange.lent.swap(exchange.incoming);
    out = exchange.lent;
    return State::Data;
  }
  // It may wait for long.
  exchange.free_content();
  if (exchange.content_ended) return State::End;
  if (eof_) return State::Broken;
  if (exchange.awaits_continue()) {
    exchange.continued = true;
    session_.interim(exchange.id, 100, {});
    kick();
  }
  exchange.body_due = now() + listener_->handler.settings().timeouts.body;
  exchange.sending.wait(now());
  watch(std::min(exchange.body_due, exchange.sending.due()));
  return State::Wait;
}

// The content will never be complete. The client gets an error if no response has begun.
void H2Connection::fail_content(H2Exchange& exchange, const EdgeError& why) {
  exchange.failure = &why;
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  count_rejection(why);
  failures_ = true;
  kick();
}

void H2Connection::out_of_memory(H2Exchange& exchange) noexcept {
  if (exchange.failure == nullptr) fail_content(exchange, kNoMemory);
}

void H2Connection::answer_failures() {
  failures_ = false;
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    const auto exchange = exchanges_[i];
    if (eof_ && exchange->leaves_by_end && !exchange->was_cut && !exchange->closed) {
      break_answer(*exchange);
      continue;
    }
    if (exchange->failure == nullptr || exchange->was_cut) continue;
    const bool begun = exchange->answered();
    exchange->wake_body_waiter();
    if (!exchange->attached()) continue;
    if (!exchange->answered())
      answer_failed(*exchange);
    else if (begun && !exchange->own && !exchange->closed)
      break_answer(*exchange);
  }
}

// The client hears why, the handler sees a client that is gone.
void H2Connection::answer_failed(H2Exchange& exchange) {
  exchange.mark_answered();
  const EdgeError& why = *exchange.failure;
  const auto detail = detail_of(why, listener_->handler.settings(), {});
  const EdgeDocument document(why, detail, listener_->handler.content_failed(exchange, why.code, detail), {});
  const auto content = Chunk::copy_of(document.body.body);
  answer(exchange, document.head(), http::BodyCursor(Owner(content), content->bytes()));
  exchange.leave();
}

// The answer has begun, and the content that it may depend on is not whole: it cannot be completed.
void H2Connection::break_answer(H2Exchange& exchange) {
  mark_cut(exchange);
  session_.reset(exchange.id, http::H2Error::Cancel);
  exchange.leave();
  kick();
}

// --- its memory ---

// The client may send as much again in this connection at once: what one handler does not use never keeps another from
// its content. What each stream holds is bounded by its own window, and what all connections hold by what they share.
// Only where that is used up do the streams of a connection share its window.
void H2Connection::hold(H2Exchange& exchange, std::string_view bytes) {
  exchange.add_content(bytes);
  withheld_ += bytes.size();
  if (withheld_ <= kOwnContent || share(exchange, bytes.size())) return;
  if (room_due_ == Timestamp::max()) room_due_ = now() + kLookAgain;
}

bool H2Connection::share(H2Exchange& exchange, std::size_t bytes) {
  if (!listener_->limits->content.take(bytes)) return false;
  exchange.shared += bytes;
  withheld_ -= bytes;
  session_.refill(bytes);
  return true;
}

// So much of what the exchange holds has left.
void H2Connection::let_go(H2Exchange& exchange, std::size_t bytes) {
  const std::size_t shared = std::min(bytes, exchange.shared), own = bytes - shared;
  exchange.shared -= shared;
  listener_->limits->content.give_back(shared);
  withheld_ -= own;
  if (!closed_ && own != 0) session_.refill(own);
}

// What is not lent will not be used.
void H2Connection::forget_content(H2Exchange& exchange) {
  if (exchange.incoming.empty()) return;
  let_go(exchange, exchange.incoming.size());
  std::string().swap(exchange.incoming);
}

// Other connections may have given back what they held of that which all share.
void H2Connection::look_for_room() {
  room_due_ = Timestamp::max();
  for (const auto& exchange : exchanges_) {
    if (withheld_ <= kOwnContent) break;
    const std::size_t own = exchange->held() - exchange->shared;
    if (own != 0 && share(*exchange, own)) kick();
  }
  if (withheld_ > kOwnContent) room_due_ = now() + kLookAgain;
}

}  // namespace forebay::server
