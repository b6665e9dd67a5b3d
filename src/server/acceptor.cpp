#include "server/acceptor.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include "forebay/base/events.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"

namespace forebay::server {

namespace {
// Connections accepted per turn of the loop.
constexpr unsigned kBatch = 64;
// Without descriptors or memory, an immediate retry would only spin.
constexpr Duration kPause = std::chrono::milliseconds{100};
}  // namespace

Acceptor::Acceptor(net::Worker& worker, Fd socket, Accepted accepted, bool shared)
    : worker_(worker),
      socket_(worker.io().get_executor(), socket.release()),
      accepted_(std::move(accepted)),
      pause_([this] { wait(); }),
      shared_(shared) {}

void Acceptor::start() {
  started_ = true;
  wait();
}

void Acceptor::wait() {
  if (!socket_.is_open()) return;
  guarded(
      [this] {
        socket_.async_wait(
            boost::asio::posix::descriptor_base::wait_read,
            [self = shared_from_this()](const boost::system::error_code& error) { self->on_ready(error); });
      },
      [this] { worker_.deadlines().arm(pause_, worker_.now().mono, kPause); });
}

void Acceptor::on_ready(const boost::system::error_code& error) {
  if (error || !socket_.is_open()) return;
  worker_.tick();
  switch (accept_some(kBatch)) {
    case Outcome::Empty:
    case Outcome::More: wait(); break;
    case Outcome::Exhausted: worker_.deadlines().arm(pause_, worker_.now().mono, kPause); break;
    case Outcome::Dead: break;
  }
}

Acceptor::Outcome Acceptor::accept_some(unsigned most) {
  for (unsigned i = 0; i < most; ++i) {
    net::ParkedStream taken(::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (taken) {
      accepted_(std::move(taken));
      continue;
    }
    switch (errno) {
      case EAGAIN: return Outcome::Empty;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        if (!std::exchange(warned_, true)) {
          const auto text =
              std::string("cannot accept connections: ") + std::strerror(errno) + "; trying again every 100 ms";
          log::warn(text);
          events::record(worker_.now().mono, events::Kind::Limit, text);
        }
        return Outcome::Exhausted;
      case EBADF:
      case EINVAL:
      case ENOTSOCK: return Outcome::Dead;
      default: break;  // that one connection is gone again
    }
  }
  return Outcome::More;
}

Fd Acceptor::share() { return duplicate(socket_.native_handle()); }

void Acceptor::close() {
  if (!socket_.is_open()) return;
  // What waits for a listener that was never in force is for the one that has the socket too.
  if (started_ || !shared_) accept_some(std::numeric_limits<unsigned>::max());
  leave();
}

void Acceptor::leave() {
  if (!socket_.is_open()) return;
  pause_.disarm();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace forebay::server
