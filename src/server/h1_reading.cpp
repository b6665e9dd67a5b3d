#include <algorithm>
#include <string>
#include <utility>

#include "server/edge_error.hpp"
#include "server/h1_connection.hpp"

namespace forebay::server {

namespace {
constexpr std::size_t kLittle = 1024;
constexpr std::size_t kMuch = 16 * 1024;
constexpr std::size_t kMost = 64 * 1024;
// Unread content is dropped up to this size, so that the connection can be reused; with more, it ends.
constexpr std::uint64_t kMostSkipped = 256 * 1024;
}  // namespace

void H1Connection::arm_read() {
  if (reading_ || eof_ || closed_ || upgrading_) return;
  if (tidying_) {
    // A connection that has been idle or waiting for a while holds no buffer: the kernel reports readiness.
    reading_ = true;
    stream_.wait(net::Direction::Read, [self = Ptr(this)](net::Io state) {
      self->reading_ = self->tidying_ = false;
      if (self->closed_) return;
      self->listener_->worker.tick();
      self->or_close([&] {
        if (self->upgrading_) return self->turn();
        state == net::Io::Done ? self->arm_read() : self->on_read({state});
      });
    });
    return;
  }
  std::size_t want = filled_ ? kMuch : kLittle, most = std::max(kMost, limits_.head + kLittle);
  if (lingering_) {
    in_.clear();
    want = uploading_ ? kMost : kLittle;
  } else if (body_wanted_ || (!exchange_ && !decoder_.done())) {
    if (filled_ && decoder_.remaining() > in_.bytes().size())
      want = std::clamp<std::size_t>(decoder_.remaining(), kLittle, kMost);
  } else if (exchange_ && in_.bytes().size() >= kMuch) {
    return;  // enough read ahead; the rest waits in the kernel
  }
  if (!held_) in_.make_room(want, most);
  const auto room = in_.room();
  if (room.empty()) return;
  reading_ = true;
  stream_.read(room, [self = Ptr(this)](const net::IoResult& read) {
    self->reading_ = false;
    if (self->closed_) return;
    self->listener_->worker.tick();
    self->or_close([&] { self->on_read(read); });
  });
}

void H1Connection::defer_read() {
  if (reading_ || std::exchange(deferred_, true)) return;
  listener_->worker.post([self = Ptr(this)] {
    self->deferred_ = false;
    self->or_close([&] { self->arm_read(); });
  });
}

void H1Connection::on_read(net::IoResult read) {
  if (upgrading_) return read_ended(read);
  if (read.state == net::Io::Cancelled && tidying_) {
    // An answer may have been queued since the read was cancelled.
    if (in_.empty() && !held_) in_.release();
    if (out_.empty()) out_.release();
    if (idle() || waits_for_answer()) parser_.forget_fields();
    arm_read();
    return;
  }
  const bool ended = read.state == net::Io::End;
  if (!ended && read.state != net::Io::Done) {
    close(Ending::Plain);
    return;
  }
  if (lingering_) {
    if (ended || read.bytes >= linger_left_) return close(Ending::Plain);
    linger_left_ -= read.bytes;
    linger_earned_ += kUploadByte * static_cast<std::int64_t>(read.bytes);
    await_leaving();
    watch();
    arm_read();
    return;
  }
  if (ended) {
    eof_ = true;
  } else {
    filled_ = read.bytes == in_.room().size();
    in_.commit(read.bytes);
  }
  tidying_ = false;
  body_news_ = exchange_ && body_wanted_;
  body_wanted_ = false;
  turn();
}

// A connection that is idle, or whose request waits, frees its buffers.
void H1Connection::tidy() {
  tidy_due_ = Timestamp::max();
  if ((!idle() && !waits_for_answer()) || !reading_ || tidying_) return;
  tidying_ = true;
  stream_.cancel();
}

// True when a request was begun, or turned away.
bool H1Connection::next_request() {
  const std::string_view bytes = in_.bytes();
  if (bytes.empty()) return false;
  const config::Server& settings = listener_->handler.settings();
  if (head_began_ == Timestamp{}) {
    head_began_ = now();
    if (limits_ != settings.request_limits) {
      limits_ = settings.request_limits;
      parser_ = http::RequestParser(limits_);
    }
    parser_.reset();
  }
  const auto parsed = parser_.parse(bytes);
  if (!parsed) {
    if (parsed.error() == Errc::Incomplete && !eof_) return false;
    if (bytes.find_first_not_of("\r\n") == std::string_view::npos && eof_) {
      in_.consume(bytes.size());
      return false;
    }
    if (parser_.bad_version() && go_on_as_http2(bytes)) return false;
    const bool too_many = parser_.too_many_fields();
    // The error is specific only for a complete message.
    const bool told = parsed.error() == Errc::Malformed || parsed.error() == Errc::Ambiguous || parser_.bad_version();
    reject(edge_error_for(parsed.error(), parser_.bad_version(), too_many), told ? parser_.problem() : "");
    return true;
  }
  head_began_ = Timestamp{};
  in_.consume(parser_.head_size());
  start_request(settings);
  return true;
}

// RFC 9113 section 3.3: a client that knows of HTTP/2 begins with the preface; with TLS ALPN decides instead. Nothing
// was sent to it yet.
bool H1Connection::go_on_as_http2(std::string_view bytes) {
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\n";
  Protocol* const http2 = protocol_.http2();
  if (http2 == nullptr || requests_ != 0 || reading_ || peer_->tls || !bytes.starts_with(kPreface)) return false;
  Accepted accepted{std::move(stream_), peer_, std::move(place_), std::string(bytes)};
  listener_->open.fetch_add(1, std::memory_order_relaxed);  // `close` takes this one off
  const auto listener = listener_;
  close(Ending::Plain);
  guarded([&] { http2->open(listener, std::move(accepted)); }, [&] { listener->open.fetch_sub(1); });
  return true;
}

void H1Connection::start_request(const config::Server& settings) {
  if (parser_.framing() == http::Framing::Length && parser_.content_length() > settings.request_body) {
    reject(kBodyTooLarge);
    return;
  }
  if (parser_.unknown_expectation()) {
    reject(kExpectation);
    return;
  }
  decoder_.start(parser_.framing(), parser_.content_length(), limits_);
  sending_.begin(settings.min_rate);
  skipped_ = 0;
  failure_ = nullptr;
  body_wanted_ = body_news_ = body_over_limit_ = continued_ = close_after_ = end_is_leaving_ = false;
  ++requests_;
  ++turn_requests_;
  exchange_ = protocol_.make_exchange(*listener_);
  exchange_->begin(*this, parser_, listener_->worker.now());
  guarded([&] { listener_->handler.start(exchange_); }, [&] { exchange_->out_of_memory(); });
}

net::BodySource::State H1Connection::pull(H1Exchange& exchange, std::string_view& out) {
  using State = net::BodySource::State;
  held_ = false;
  if (failure_ != nullptr) return State::Broken;
  if (body_over_limit_) return State::TooLarge;
  for (;;) {
    if (decoder_.done()) return State::End;
    const auto step = decoder_.step(in_.bytes());
    if (!step) {
      fail_body(kBadBody);
      // The following bytes may be content, so not even the current response can be completed safely.
      cut_ |= exchange.answered();
      return State::Broken;
    }
    in_.consume(step->consumed);
    if (decoder_.delivered() > listener_->handler.settings().request_body) {
      body_over_limit_ = true;
      return State::TooLarge;
    }
    if (!step->data.empty()) {
      exchange.numbers().bytes_in += step->data.size();
      sending_.moved(step->data.size(), now());
      held_ = true;
      out = step->data;
      return State::Data;
    }
    if (step->consumed == 0) break;
  }
  if (eof_) {
    fail_body(kBadBody);
    return State::Broken;
  }
  if (awaits_continue(exchange)) {
    continued_ = true;
    out_.text() += "HTTP/1.1 100 Continue\r\n\r\n";
    kick();
  }
  body_wanted_ = true;
  await(Awaiting::Body, now() + listener_->handler.settings().timeouts.body);
  if (!turning_) {
    watch();
    arm_read();
  }
  return State::Wait;
}

// RFC 9110 section 10.1.1: not where content has come already, nor after the final answer.
bool H1Connection::awaits_continue(const H1Exchange& exchange) const noexcept {
  return parser_.expects_continue() && !continued_ && !exchange.answered() && !exchange.begun() && !decoder_.done() &&
         in_.empty();
}

// The content will never be complete. The client gets an error if no response has begun; otherwise the connection ends.
void H1Connection::fail_body(const EdgeError& why) {
  failure_ = &why;
  body_wanted_ = false;
  count_rejection(why);
  kick();
}

void H1Connection::count_rejection(const EdgeError& why) noexcept {
  auto& counter = why.reason == Refusal::Overload        ? listener_->numbers->rejected_limit
                  : why.reason == Refusal::ClientTimeout ? listener_->numbers->rejected_timeout
                                                         : listener_->numbers->rejected_malformed;
  counter.fetch_add(1, std::memory_order_relaxed);
}

// The request is answered in its handler's place, in the next turn.
void H1Connection::out_of_memory() noexcept {
  if (failure_ == nullptr) fail_body(kNoMemory);
}

// Whether the rest of the content can be dropped after the response, so that the connection can be reused.
bool H1Connection::body_can_end() const noexcept {
  if (decoder_.done()) return true;
  if (failure_ != nullptr || body_over_limit_ || eof_) return false;
  // Without the expected 100, the client may or may not send the content (RFC 9110 section 10.1.1).
  if (parser_.expects_continue() && !continued_ && in_.empty()) return false;
  return decoder_.remaining() <= in_.bytes().size() + kMostSkipped;
}

// True when the content of the request before has been read off.
bool H1Connection::skip_body() {
  while (!decoder_.done()) {
    const auto step = decoder_.step(in_.bytes());
    if (!step || (skipped_ += step->data.size()) > kMostSkipped || (step->consumed == 0 && eof_)) {
      ending_ = uploading_ = true;
      return false;
    }
    in_.consume(step->consumed);
    sending_.moved(step->data.size(), now());
    if (step->consumed == 0) return false;
  }
  return true;
}

}  // namespace forebay::server
