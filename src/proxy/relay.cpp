#include "relay.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

namespace forebay::proxy {

namespace {
constexpr std::size_t kRead = 64 * 1024;
// A busy tunnel must not monopolise the worker.
constexpr unsigned kStepsPerTurn = 8;
// How long a side that still sends may be silent once the other one has ended; and once a Close frame of ours has ended
// the conversation.
constexpr Duration kHalfOpen = std::chrono::seconds{60};
constexpr Duration kClosing = std::chrono::seconds{2};
// How often we look at a side that takes nothing, and at whether the one that sends is still there: nothing is read of
// that one meanwhile.
constexpr Duration kLook = std::chrono::seconds{1};

// What is read goes out of it within the same step, so that one is enough for all tunnels of a worker.
std::span<char> scratch() {
  thread_local std::array<char, kRead> buffer;
  return buffer;
}
}  // namespace

void Relay::start(Owner& owner, net::Stream client, std::string client_early, net::Stream origin,
                  std::string origin_early) {
  owner_ = &owner;
  streams_.reset(new std::array<net::Stream, 2>{std::move(client), std::move(origin)});
  auto& [client_stream, origin_stream] = *streams_;
  auto& up = way(TunnelWay::FromClient);
  auto& down = way(TunnelWay::FromOrigin);
  up.from = down.to = &client_stream;
  up.to = down.from = &origin_stream;
  client_stream.keep_alive();
  origin_stream.keep_alive();
  frames_.take_all(origin_early);
  up.held = std::move(client_early);
  down.held = std::move(origin_early);
  moved_at_ = worker_.now().mono;
  arm();
  worker_.post([self = shared_from_this()] {
    self->worker_.tick();
    for (auto& w : self->ways_) self->pump(w);
  });
}

// Moves bytes until there is something to wait for.
void Relay::pump(Way& w) {
  if (owner_ == nullptr) return;
  owner_->run([this, &w] {
    for (unsigned steps = 0; owner_ != nullptr && !w.writing && (!w.reading || !w.held.empty()); ++steps) {
      if (steps == kStepsPerTurn) {
        w.reading = true;  // its turn comes again
        worker_.post([self = shared_from_this(), &w] {
          w.reading = false;
          self->worker_.tick();
          self->pump(w);
        });
        return;
      }
      if (step(w) != Step::Again) return;
    }
  });
}

Relay::Step Relay::step(Way& w) {
  if (!w.held.empty()) return write_held(w);
  if (which(w) == TunnelWay::FromOrigin && !close_frame_.empty() && frames_.at_boundary()) {
    w.discards = true;
    return write(w, std::exchange(close_frame_, {}));
  }
  if (w.from_ended) {
    if (!std::exchange(w.to_told, true)) w.to->shutdown_send();
    if (std::all_of(ways_.begin(), ways_.end(), [](const Way& other) { return other.to_told; })) {
      end(TunnelEnd::Closed);
      return Step::Over;
    }
    arm();
    return Step::Wait;
  }
  return read(w);
}

Relay::Step Relay::write_held(Way& w) {
  const auto step = write(w, std::string_view(w.held).substr(w.taken));
  if (step != Step::Again) return step;
  release(w);
  return Step::Again;
}

// Again: all has gone. What has not is in `held` after that.
Relay::Step Relay::write(Way& w, std::string_view bytes) {
  const bool of_held = !w.held.empty();
  while (!bytes.empty()) {
    const auto written = w.to->write_some(bytes);
    bytes.remove_prefix(written.bytes);
    if (of_held) w.taken += written.bytes;
    if (written.bytes != 0) note_moved(w, written.bytes);
    if (written.state == net::Io::Done) continue;
    if (bytes.empty()) break;
    if (written.state != net::Io::Blocked) {
      give_up(w, written.error);
      return Step::Again;
    }
    if (!of_held && !hold(w, bytes)) {
      end(TunnelEnd::Memory);
      return Step::Over;
    }
    await_write(w, written.wait);
    return Step::Wait;
  }
  w.stalled_at = w.look_at = Timestamp::max();
  return Step::Again;
}

// `to` takes no more. What it has sent before it left is still in its socket, behind it an end or a failure: the other
// direction meets them, unless its own receiver takes nothing.
void Relay::give_up(Way& w, int error) {
  release(w);
  w.stalled_at = w.look_at = Timestamp::max();
  w.from_ended = w.to_told = true;
  if (error != EPIPE) back(w).from_gone = true;
}

bool Relay::hold(Way& w, std::string_view bytes) {
  w.charge = owner_->reserve(bytes.size());
  if (w.charge.bytes() == 0) return false;
  w.held.assign(bytes);
  w.taken = 0;
  return true;
}

void Relay::release(Way& w) noexcept {
  std::string().swap(w.held);
  w.charge = Charge();
  w.taken = 0;
}

Relay::Step Relay::read(Way& w) {
  const auto room = scratch();
  const auto got = w.from->read_some(room);
  switch (got.state) {
    case net::Io::Done: break;
    case net::Io::Blocked: await_read(w, got.wait); return Step::Wait;
    case net::Io::End: w.from_ended = true; return Step::Again;
    case net::Io::Cancelled:
    case net::Io::Failed: end(reset_by(w)); return Step::Over;
  }
  std::string_view bytes(room.data(), got.bytes);
  moved_at_ = worker_.now().mono;
  if (which(w) == TunnelWay::FromOrigin) bytes = cut_at_close(bytes);
  return bytes.empty() ? Step::Again : write(w, bytes);
}

// Follows the frames. Before a Close frame of ours, only bytes up to the next boundary go to the client; behind it none
// do.
std::string_view Relay::cut_at_close(std::string_view bytes) {
  if (way(TunnelWay::FromOrigin).discards) return {};
  if (close_frame_.empty()) {
    frames_.take_all(bytes);
    return bytes;
  }
  std::size_t n = 0;
  while (n < bytes.size() && !frames_.at_boundary()) n += frames_.take(bytes.substr(n));
  return bytes.substr(0, n);
}

void Relay::close_websocket(unsigned code) {
  auto& down = way(TunnelWay::FromOrigin);
  if (owner_ == nullptr || down.discards || !close_frame_.empty() || frames_.closing()) return;
  const auto frame = http::websocket_close(code);
  if (!frames_.at_boundary() || !down.held.empty()) {
    close_frame_ = frame;
    return;
  }
  down.discards = true;
  owner_->run([&] { write(down, frame); });
}

// The kernel tells of bytes, so that a tunnel without traffic needs no buffer. TLS may have to send records of its own
// first.
void Relay::await_read(Way& w, net::Direction direction) {
  w.reading = true;
  w.from->wait(direction, [self = shared_from_this(), &w](net::Io) {
    w.reading = false;
    self->worker_.tick();
    self->pump(w);
  });
}

void Relay::await_write(Way& w, net::Direction direction) {
  w.writing = true;
  w.backlog = w.to->unsent();
  if (w.stalled_at == Timestamp::max()) {
    wait_for(w);
    arm();
  }
  w.to->wait(direction, [self = shared_from_this(), &w](net::Io) {
    w.writing = false;
    self->worker_.tick();
    self->pump(w);
  });
}

// `to` has to take something from now on.
void Relay::wait_for(Way& w) {
  const auto now = worker_.now().mono;
  w.stalled_at = now + limits_.stalled;
  w.look_at = std::min(w.stalled_at, now + kLook);
}

void Relay::note_moved(Way& w, std::size_t bytes) {
  w.bytes += bytes;
  moved_at_ = worker_.now().mono;
  if (w.stalled_at != Timestamp::max()) wait_for(w);
  owner_->moved(which(w), bytes);
}

Timestamp Relay::idle_at() const noexcept {
  const bool half_open = std::any_of(ways_.begin(), ways_.end(), [](const Way& w) { return w.to_told; });
  const bool closing = half_open && ways_[static_cast<std::size_t>(TunnelWay::FromOrigin)].discards;
  return moved_at_ + std::min(limits_.idle, closing ? kClosing : half_open ? kHalfOpen : limits_.idle);
}

// The deadline in the wheel is moved only to an earlier time, and looks again when it fires.
void Relay::arm() {
  auto due = idle_at();
  for (const auto& w : ways_) due = std::min(due, w.look_at);
  if (deadline_.armed() && armed_for_ <= due) return;
  armed_for_ = due;
  worker_.deadlines().arm(deadline_, due);
}

void Relay::expired() {
  if (owner_ == nullptr) return;
  const auto self = shared_from_this();
  const auto now = worker_.now().mono;
  for (auto& w : ways_)
    if (w.look_at <= now)
      if (const auto how = look(w)) return end(*how);
  if (idle_at() <= now) return end(TunnelEnd::Idle);
  arm();
}

// At a side that takes nothing. A slow side is not a stalled one: the kernel reports a socket writable once a third of
// its buffer is free.
std::optional<TunnelEnd> Relay::look(Way& w) {
  const auto now = worker_.now().mono;
  if (const auto left = w.to->unsent(); left < w.backlog) {
    w.backlog = left;
    wait_for(w);
    moved_at_ = now;
  } else if (abandoned(w)) {
    return reset_by(w);
  } else if (w.stalled_at <= now) {
    return TunnelEnd::Stalled;
  }
  w.look_at = std::min(w.stalled_at, now + kLook);
  return std::nullopt;
}

// Whether `from` has left without its end. Nothing is read of it while `to` takes nothing, so nobody else would notice.
bool Relay::abandoned(Way& w) {
  if (w.from_ended) return false;
  if (const int error = w.from->take_error(); error != 0 && error != EPIPE) w.from_gone = true;
  return w.from_gone;
}

// What one side has got is not whole when the other one was reset, and it must see that.
void Relay::end(TunnelEnd how) {
  if (owner_ == nullptr) return;
  auto& owner = *std::exchange(owner_, nullptr);
  deadline_.disarm();
  for (auto& w : ways_) release(w);
  auto& [client, origin] = *streams_;
  if (how == TunnelEnd::ClientReset)
    origin.reset();
  else if (how == TunnelEnd::OriginReset)
    client.reset();
  client.close();
  origin.close();
  owner.ended(how);
}

void Relay::stop() noexcept {
  if (std::exchange(owner_, nullptr) == nullptr) return;
  deadline_.disarm();
  for (auto& w : ways_) release(w);
  for (auto& stream : *streams_) stream.close();
}

}  // namespace forebay::proxy
