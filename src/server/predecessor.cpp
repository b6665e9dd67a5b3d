#include "server/predecessor.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "server/handover_message.hpp"

namespace forebay::server {
namespace {

using Kind = HandoverMessage::Kind;
using SteadyClock = std::chrono::steady_clock;
using Stop = std::function<bool()>;

constexpr auto kStopped = "it was told to stop";
// How often a wait looks whether this process is to stop: signals are held, so that they do not interrupt it.
constexpr auto kGlance = std::chrono::milliseconds{50};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error("cannot take over by " + path + " (server.handover): " + what);
}

[[noreturn]] void give_up(const std::string& path) {
  throw Predecessor::Stopped("does not take over by " + path + " (server.handover): " + kStopped);
}

bool stopped(const Stop& stop) { return stop && stop(); }

/// Waits until the socket is readable, or writable. False when the time is over, or this process is to stop.
bool await(int socket, short what, SteadyClock::time_point until, const Stop& stop) {
  for (;;) {
    if (stopped(stop)) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (left < 0) return false;
    pollfd one{socket, what, 0};
    const int n = ::poll(&one, 1, static_cast<int>(std::min<long>(left + 1, kGlance.count())));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

/// An empty one if nobody listens there.
Fd connect_to(const std::string& path, SteadyClock::time_point until, const Stop& stop) {
  constexpr auto kAgain = std::chrono::milliseconds{10};
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) fail(path, "the path is too long");
  std::memcpy(name.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail(path, std::strerror(errno));
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    switch (errno) {
      case ENOENT:
      case ECONNREFUSED: return {};
      case EPROTOTYPE: fail(path, "a socket of another kind is there; give server.handover a path of its own");
      case EACCES: fail(path, "it is another user's; run this process as that user");
      case EAGAIN:  // its queue is full
      case EINTR: break;
      default: fail(path, std::strerror(errno));
    }
    if (stopped(stop)) give_up(path);
    if (SteadyClock::now() >= until) fail(path, "the process there takes no connection; stop it, and start again");
    std::this_thread::sleep_for(kAgain);
  }
  return socket;
}

Got receive_now(int socket, Packet& packet) {
  switch (receive_packet(socket, packet)) {
    case Transfer::Done: return Got::Message;
    case Transfer::Over: return Got::End;
    case Transfer::Full: return Got::Full;
    case Transfer::Again: break;
  }
  return Got::Late;
}

Got receive(int socket, Packet& packet, SteadyClock::time_point until, const Stop& stop) {
  for (;;) {
    if (const auto got = receive_now(socket, packet); got != Got::Late) return got;
    if (!await(socket, POLLIN, until, stop)) return stopped(stop) ? Got::Stopped : Got::Late;
  }
}

bool send(int socket, const HandoverMessage& message, SteadyClock::time_point until, const Stop& stop) {
  const Packet packet{to_text(message), {}};
  for (;;) {
    const auto sent = send_packet(socket, packet);
    if (sent != Transfer::Again) return sent == Transfer::Done;
    if (!await(socket, POLLOUT, until, stop)) return false;
  }
}

SteadyClock::time_point after(Duration patience) { return SteadyClock::now() + patience; }

HandoverMessage message_of(Kind kind, std::string text = {}) {
  HandoverMessage out;
  out.kind = kind;
  out.text = std::move(text);
  return out;
}

[[noreturn]] void give_up(const std::string& path, int socket) {
  (void)send_packet(socket, {to_text(message_of(Kind::Refused, kStopped)), {}});
  give_up(path);
}

}  // namespace

Predecessor::Predecessor(std::unique_ptr<Private> p) : p_(std::move(p)) {}
Predecessor::~Predecessor() = default;

Inheritance& Predecessor::sockets() noexcept { return p_->sockets; }
std::vector<config::Address> Predecessor::addresses() const { return p_->sockets.addresses(); }
const std::string& Predecessor::name() const noexcept { return p_->name; }

std::unique_ptr<Predecessor> Predecessor::find(const std::string& path, const std::string& program, Duration patience,
                                               std::function<bool()> stop) {
  const auto until = after(patience);
  auto p = std::make_unique<Private>();
  p->path = path;
  p->stop = std::move(stop);
  p->socket = connect_to(path, until, p->stop);
  if (!p->socket) return nullptr;
  p->process = peer_process(p->socket.get());
  p->name = name_of(p->process);
  if (!p->process.trusted) fail(path, p->name + " is another user's");
  const auto instead = "; stop " + p->name + ", and start again";
  const bool greeted = send(p->socket.get(), message_of(Kind::Hello, program), until, p->stop);
  if (!greeted && !stopped(p->stop)) fail(path, p->name + " ends the connection" + instead);
  for (;;) {
    Packet packet;
    switch (receive(p->socket.get(), packet, until, p->stop)) {
      case Got::Stopped: give_up(path, p->socket.get());
      case Got::Late: fail(path, p->name + " does not answer" + instead);
      case Got::Full:
        fail(path, "this process may not open enough files for the sockets of " + p->name +
                       "; raise its limit (LimitNOFILE=, ulimit -n)");
      case Got::End: fail(path, p->name + " ends the connection" + instead);
      case Got::Message: break;
    }
    std::string fault;
    const auto message = parse_handover_message(packet.text, fault);
    if (!message) fail(path, p->name + ": " + fault + instead);
    auto& given = packet.descriptors;
    const bool control = message->kind == Kind::Control && given.size() == 2 && !p->control;
    if (control) {
      p->control = std::move(given.front());
      p->file = std::make_shared<SocketFile>(config::Address{config::Address::Kind::Unix, path, 0, "unix:" + path},
                                             std::move(given.back()));
    } else if (message->kind == Kind::Sockets) {
      if (!p->sockets.add(message->listener, message->address, std::move(given)))
        fail(path, p->name + " hands over other sockets than it says" + instead);
    } else if (message->kind == Kind::End && p->control) {
      p->name += " (version " + message->text + ')';
      return std::unique_ptr<Predecessor>(new Predecessor(std::move(p)));
    } else {
      fail(path, p->name + ": " + (message->kind == Kind::Refused ? message->text : "an unexpected message") + instead);
    }
  }
}

Predecessor::Reply Predecessor::Private::heed(Got got, const Packet& packet) {
  // Until it has answered the files stay its own: if this process ends first, that one goes on.
  if (got == Got::Late || got == Got::Stopped) return Reply::Silent;
  if (got == Got::Message) {
    std::string fault;
    const auto message = parse_handover_message(packet.text, fault);
    if (!message || message->kind != Kind::Replaced)
      fail(path, name + " refuses: " + (message ? message->text : fault) + "; start again");
    keep();
    return Reply::Replaced;
  }
  auto gone = sockets.missing_file();
  if (gone.empty() && !file->is_in_place()) gone = path;
  if (!gone.empty()) fail(path, name + " has ended, and the file " + gone + " is gone; start again");
  keep();
  return Reply::Gone;
}

void Predecessor::Private::keep() {
  sockets.keep();
  file->own();
}

Predecessor::Reply Predecessor::ready(Duration patience) {
  const auto until = after(patience);
  const int socket = p_->socket.get();
  if (stopped(p_->stop)) give_up(p_->path, socket);
  auto ready = message_of(Kind::Ready);
  ready.taken = p_->sockets.taken();
  // Where this fails it may have refused already, which is read next.
  (void)send(socket, ready, until, p_->stop);
  Packet packet;
  auto got = receive(socket, packet, until, p_->stop);
  if (got == Got::Stopped) {
    // From here on it cannot answer, and goes on serving, unless it has answered already.
    (void)::shutdown(socket, SHUT_RD);
    got = receive_now(socket, packet);
    if (got != Got::Message) give_up(p_->path, socket);
  }
  return p_->heed(got, packet);
}

Predecessor::Reply Predecessor::late_reply() {
  Packet packet;
  const auto got = receive_now(p_->socket.get(), packet);
  return p_->heed(got, packet);
}

std::shared_ptr<HandoverLink> Predecessor::link(boost::asio::io_context& io) {
  return std::make_shared<HandoverLink>(io, p_->socket.release(), HandoverLink::Side::Successor);
}

}  // namespace forebay::server
