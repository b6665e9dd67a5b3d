#include "server/h2_connection.hpp"

#include <algorithm>
#include <utility>

#include "server/edge_error.hpp"

namespace forebay::server {

namespace {
// So much output is made ahead of the socket, and so much with what is sent from where it is; then other connections
// have their turn after some rounds.
constexpr std::size_t kAhead = 64 * 1024;
constexpr std::size_t kMostAhead = 256 * 1024;
constexpr unsigned kRoundsPerTurn = 8;
// A portion of content from here on is sent from where it is.
constexpr std::size_t kCopied = 8 * 1024;
constexpr std::size_t kLittle = 4 * 1024;
constexpr std::size_t kMuch = 64 * 1024;
// A client gets this long, and may send this much, between our last byte and the end of the connection.
constexpr Duration kLingerFor = std::chrono::seconds{2};
constexpr std::uint64_t kLingerBytes = 1024 * 1024;

http::H2Limits limits_of(const config::Server& settings, const Peer& peer) {
  http::H2Limits limits;
  limits.head = settings.request_limits;
  limits.streams = settings.streams;
  limits.over_tls = peer.scheme == "https";
  return limits;
}
}  // namespace

H2Connection::H2Connection(std::shared_ptr<WorkerListener> listener, H2Protocol& protocol, Accepted accepted)
    : listener_(std::move(listener)),
      protocol_(protocol),
      stream_(std::move(accepted.stream)),
      peer_(std::move(accepted.peer)),
      place_(std::move(accepted.place)),
      session_(*this, limits_of(listener_->handler.settings(), *peer_)),
      deadline_([this] { on_deadline(); }) {
  intrusive_ptr_add_ref(this);  // until `close`
  listener_->connections.push_back(*this);
  listener_->numbers->open.fetch_add(1, std::memory_order_relaxed);
  listener_->numbers->open_http2.fetch_add(1, std::memory_order_relaxed);
}

void H2Connection::begin(std::string_view early) {
  or_close([&] {
    taking_.begin(listener_->handler.settings().min_rate);
    idle_since_ = now();
    watch_all();
    feed(early);
    turn();
  });
}

void H2Connection::begin_refusal(const EdgeError& why) {
  refusing_ = true;
  ++listener_->refusing;
  or_close([&] {
    count_rejection(why);
    listener_->handler.refused({why.reason, why.status, why.code, why.detail, {}, 0, {}}, *peer_);
    session_.terminate(http::H2Error::EnhanceYourCalm);
    turn();
  });
}

void H2Connection::feed(std::string_view bytes) {
  if (closed_ || bytes.empty()) return;
  const bool outermost = !std::exchange(busy_, true);
  or_close([&] { session_.feed(bytes, now()); });
  if (outermost) busy_ = false;
  if (!closed_) note_abuse();
}

void H2Connection::turn() {
  if (busy_ || closed_ || lingering_) return;
  const Ptr self(this);
  if (broken_) return close(Ending::Reset);
  busy_ = true;
  or_close([this] {
    if (failures_) answer_failures();
    pump();
    if (!closed_) settle();
  });
  busy_ = false;
}

// Makes output and sends it until there is nothing left, or the socket is full.
void H2Connection::pump() {
  for (unsigned rounds = 0; !blocked_ && !closed_; ++rounds) {
    if (rounds == kRoundsPerTurn) return again();
    session_.produce(*this);
    if (out_.empty()) {
      // What the library tells of the last frame may come only after that was sent.
      note_sent();
      break;
    }
    if (!flush()) break;
  }
  if (!closed_) note_abuse();
}

void H2Connection::settle() {
  if (!blocked_ && out_.empty()) {
    if (session_.over()) return linger();
    if (eof_ && exchanges_.empty()) return close(Ending::Plain);
    // All of its requests so far were answered, or it has begun while others were told to end.
    const bool leaves = listener_->drains() || (requests_ > 0 && listener_->handler.sends_away());
    if (leaves && !draining_) start_drain();
  }
  const bool starved_before = starved_;
  starved_ = !blocked_ && session_.credit() <= 0 &&
             std::any_of(exchanges_.begin(), exchanges_.end(),
                         [](const auto& e) { return e->answered() && !e->end_produced && !e->waits; });
  note_stall();
  if (starved_) {
    taking_.wait(now());
    if (!starved_before) write_due_ = now() + listener_->handler.settings().timeouts.write;
  } else if (!blocked_ && write_due_ != Timestamp::max()) {
    write_due_ = Timestamp::max();
    taking_.stop(now());
  }
  constexpr Duration kTidyAfter = std::chrono::seconds{2};
  const bool may_tidy = exchanges_.empty() && !tidying_ && in_.capacity() + out_.capacity() != 0;
  tidy_due_ = may_tidy ? now() + kTidyAfter : Timestamp::max();
  watch(connection_due());
  requests_ != 0 && !kicked_ ? defer_read() : arm_read();
}

// Asks for a turn, from outside of one.
void H2Connection::kick() {
  if (!busy_) again();
}

void H2Connection::again() {
  if (std::exchange(kicked_, true)) return;
  listener_->worker.post(kick_memory_.hold([self = Ptr(this)] {
    self->kicked_ = false;
    self->turn();
  }));
}

// True when all has gone out; false when the socket is full, or the connection is at its end.
bool H2Connection::flush() {
  const net::IoResult written = out_.write(stream_);
  listener_->worker.tick();
  note_sent();
  if (written.state == net::Io::Done) return true;
  if (written.state == net::Io::Failed) {
    close(Ending::Plain);
    return false;
  }
  blocked_ = true;
  note_stall();
  backlog_ = stream_.unsent();
  note_taken(backlog_);
  taking_.wait(now());
  write_due_ = now() + listener_->handler.settings().timeouts.write;
  watch(write_due_);
  stream_.wait(written.wait, [self = Ptr(this)](net::Io state) { self->on_writable(state); });
  return false;
}

void H2Connection::on_writable(net::Io state) {
  blocked_ = false;
  if (closed_) return;
  note_stall();
  listener_->worker.tick();
  if (state != net::Io::Done) {
    close(Ending::Plain);
    return;
  }
  turn();
}

// After a send: sets the times of the responses that have begun, and finishes the complete ones.
void H2Connection::note_sent() {
  const std::uint64_t written = out_.written();
  std::size_t done = 0;
  for (; done < marks_.size() && marks_[done].at <= written; ++done) {
    const Mark mark = marks_[done];
    if (mark.exchange == nullptr) continue;
    --mark.exchange->marks;
    Tally& tally = mark.exchange->numbers();
    if (tally.first_byte == Timestamp{}) tally.first_byte = now();
    if (mark.end) finish(*mark.exchange, true);
  }
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(done));
}

void H2Connection::note_abuse() {
  const auto kind = session_.abuse();
  if (!kind || std::exchange(abuse_noted_, true)) return;
  listener_->numbers->http2_abuse[static_cast<std::size_t>(*kind)].fetch_add(1, std::memory_order_relaxed);
}

void H2Connection::arm_read() {
  if (reading_ || eof_ || closed_) return;
  if (tidying_) {
    // A connection that has been idle for a while holds no buffer: the kernel reports readiness.
    reading_ = true;
    stream_.wait(net::Direction::Read, [self = Ptr(this)](net::Io state) {
      self->reading_ = self->tidying_ = false;
      if (self->closed_) return;
      self->listener_->worker.tick();
      self->or_close([&] { state == net::Io::Done ? self->arm_read() : self->on_read({state}); });
    });
    return;
  }
  in_.clear();
  in_.make_room(filled_ ? kMuch : kLittle, kMuch);
  reading_ = true;
  stream_.read(in_.room(), [self = Ptr(this)](const net::IoResult& read) {
    self->reading_ = false;
    if (self->closed_) return;
    self->listener_->worker.tick();
    self->or_close([&] { self->on_read(read); });
  });
}

// One turn of the loop before the next read: by then the next requests have often arrived.
void H2Connection::defer_read() {
  if (reading_ || std::exchange(deferred_, true)) return;
  listener_->worker.post([self = Ptr(this)] {
    self->deferred_ = false;
    self->or_close([&] { self->arm_read(); });
  });
}

void H2Connection::on_read(net::IoResult read) {
  if (read.state == net::Io::Cancelled && tidying_) {
    in_.release();
    if (out_.empty()) out_.release();
    session_.release();
    arm_read();
    return;
  }
  const bool ended = read.state == net::Io::End;
  if (!ended && read.state != net::Io::Done) return close(Ending::Plain);
  if (lingering_) {
    if (ended || read.bytes >= linger_left_) return close(Ending::Plain);
    linger_left_ -= read.bytes;
    arm_read();
    return;
  }
  tidying_ = false;
  if (ended) {
    on_end_of_input();
  } else {
    filled_ = read.bytes == in_.room().size();
    in_.commit(read.bytes);
    feed(in_.bytes());
    in_.consume(read.bytes);
  }
  turn();
}

// Content that was to follow never comes. Answers go on, since a client may close its sending side, but for those
// without an end.
void H2Connection::on_end_of_input() {
  eof_ = true;
  for (const auto& exchange : exchanges_) {
    failures_ |= exchange->leaves_by_end;
    if (!exchange->content_ended && exchange->failure == nullptr &&
        (!exchange->answered() || exchange->body_due != Timestamp::max()))
      fail_content(*exchange, kBadBody);
  }
}

// The last byte has been sent. Further bytes of the client are read and dropped for a while, so that it reads our last
// frames before the kernel resets what it still sends.
void H2Connection::linger() {
  if (eof_) return close(Ending::Plain);
  lingering_ = true;
  leave_all();
  stream_.shutdown_send();
  linger_left_ = kLingerBytes;
  linger_until_ = now() + kLingerFor;
  watch(linger_until_);
  arm_read();
}

void H2Connection::drain() {
  if (closed_ || lingering_ || draining_) return;
  or_close([this] {
    start_drain();
    watch(connection_due());
  });
}

// A request may be on its way. Whatever is sent before the client has heard of the end is handled (RFC 9113 section
// 6.8): the final GOAWAY follows its answer to a PING, or a second later.
void H2Connection::start_drain() {
  constexpr Duration kRoundTrip = std::chrono::seconds{1};
  draining_ = true;
  drain_due_ = now() + kRoundTrip;
  session_.announce_end();
  again();
}

void H2Connection::refuse_more() {
  drain_due_ = Timestamp::max();
  if (std::exchange(refusing_more_, true)) return;
  session_.refuse_more();
  kick();
}

void H2Connection::on_pong() {
  if (draining_) refuse_more();
}

void H2Connection::leave_all() {
  while (!exchanges_.empty()) {
    const auto left = exchanges_.back();
    // A handler that ended the stream itself is not notified.
    if (!left->was_cut) left->leave();
    if (left->attached()) finish(*left, false);
  }
}

void H2Connection::abort() { close(Ending::Reset); }

bool H2Connection::pins() const {
  return out_.pins() ||
         std::any_of(exchanges_.begin(), exchanges_.end(), [](const auto& e) { return e->content.cursor().pins(); });
}

void H2Connection::close(Ending how) {
  if (closed_) return;
  const Ptr self(this);
  closed_ = true;
  deadline_.disarm();
  listener_->stalled.leave(*this);
  how == Ending::Reset ? stream_.reset() : stream_.close();
  leave_all();
  unlink();
  listener_->numbers->open.fetch_sub(1, std::memory_order_relaxed);
  listener_->numbers->open_http2.fetch_sub(1, std::memory_order_relaxed);
  listener_->open.fetch_sub(1, std::memory_order_relaxed);
  if (refusing_) --listener_->refusing;
  place_ = ConnectionLimits::Place();
  intrusive_ptr_release(this);
}

// --- output ---

void H2Connection::text(std::string_view bytes) { out_.text() += bytes; }

void H2Connection::content(Slice&& slice) {
  if (slice.bytes.size() <= kCopied || !slice.owner)
    out_.text() += slice.bytes;
  else
    out_.add(std::move(slice));
}

bool H2Connection::full() const { return out_.text().size() >= kAhead || out_.pending() >= kMostAhead; }

}  // namespace forebay::server
