#include "forebay/server/handover.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>

#include "forebay/base/log.hpp"
#include "server/handover_message.hpp"
#include "server/predecessor.hpp"

namespace forebay::server {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;
using Kind = HandoverMessage::Kind;

// For the first message; and for the start of the successor, which may have large files to read.
constexpr auto kGreeting = std::chrono::seconds{5};
constexpr auto kStart = std::chrono::seconds{60};
constexpr auto kPause = std::chrono::milliseconds{100};

HandoverMessage message_of(Kind kind, std::string text = {}) {
  HandoverMessage out;
  out.kind = kind;
  out.text = std::move(text);
  return out;
}

/// The messages of one listener. None if it cannot be handed over: an address that the other end would not understand,
/// or the file of a Unix socket that is another's by now.
std::vector<Packet> packets_of(unsigned number, const Handover::Offer& offer) {
  auto message = message_of(Kind::Sockets);
  message.listener = number;
  message.address = offer.address;
  const auto text = to_text(message);
  std::string fault;
  Listening shared = offer.listener->share();
  if (!parse_handover_message(text, fault) || shared.sockets.empty() || (shared.file && !shared.file->is_in_place()))
    return {};
  std::vector<Packet> out;
  for (auto& fd : shared.sockets) {
    if (out.empty() || out.back().descriptors.size() == kMostDescriptorsOfPacket) out.push_back({text, {}});
    out.back().descriptors.push_back(std::move(fd));
  }
  if (shared.file) out.back().descriptors.push_back(duplicate(shared.file->descriptor()));
  return out;
}

}  // namespace

/// One successor. On the main thread; at most one at a time gets as far as the sockets.
struct Handover::Private : std::enable_shared_from_this<Private> {
  struct Session : std::enable_shared_from_this<Session> {
    Session(boost::asio::io_context& io, Fd fd, const std::shared_ptr<Private>& owner)
        : process(peer_process(fd.get())), socket(io), deadline(io), handover(owner) {
      socket.assign(fd.get());
      (void)fd.release();
    }

    void begin() {
      arm(kGreeting);
      read();
    }
    void arm(Duration limit) {
      deadline.expires_after(limit);
      deadline.async_wait([self = shared_from_this()](error_code ec) {
        if (ec || self->over || self->deadline.expiry() > std::chrono::steady_clock::now()) return;
        // It may have said so while this process could not run.
        self->take();
        if (!self->over) self->refuse("it has waited too long for the new process");
      });
    }
    void read() {
      socket.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](error_code ec) {
        if (ec || self->over) return;
        self->take();
        if (!self->over) self->read();
      });
    }
    void take() {
      Packet packet;
      switch (receive_packet(socket.native_handle(), packet)) {
        case Transfer::Again: return;
        case Transfer::Full:
        case Transfer::Over:
          if (!listeners.empty())
            log::warn("handover: " + name + " has ended before it was ready; this process goes on serving");
          return end();
        case Transfer::Done: break;
      }
      std::string fault;
      const auto message = parse_handover_message(packet.text, fault);
      if (!message) return refuse(fault);
      if (message->kind == Kind::Hello && !greeted) return offer(message->text);
      if (message->kind == Kind::Ready && !listeners.empty() && out.empty()) return replaced(message->taken);
      if (message->kind == Kind::Refused) {
        log::info("handover: " + (name.empty() ? name_of(process) : name) + " gives up: " + message->text);
        return end();
      }
      refuse("an unexpected message");
    }
    void offer(const std::string& program) {
      const auto p = handover.lock();
      if (!p) return end();
      greeted = true;
      name = name_of(process) + " (version " + program + ')';
      if (p->busy()) return refuse("another process is taking over");
      try {
        for (const auto& o : p->calls.offers()) {
          auto packets = packets_of(static_cast<unsigned>(listeners.size()), o);
          if (packets.empty() || listeners.size() == HandoverMessage::kMostListeners) continue;
          listeners.push_back(o.listener);
          for (auto& packet : packets) out.push_back(std::move(packet));
        }
        if (listeners.empty()) return refuse("it has no listeners");
        out.push_back({to_text(message_of(Kind::Control)), {}});
        out.back().descriptors.push_back(duplicate(p->socket.native_handle()));
        out.back().descriptors.push_back(duplicate(p->file->descriptor()));
      } catch (const std::exception& e) {
        return refuse(e.what());
      }
      out.push_back({to_text(message_of(Kind::End, p->program)), {}});
      log::info("handover: " + name + " gets the listening sockets; this process goes on until that one is ready");
      arm(kStart);
      write();
    }
    void write() {
      while (!out.empty()) {
        switch (send_packet(socket.native_handle(), out.front())) {
          case Transfer::Done: out.pop_front(); continue;
          case Transfer::Full:
          case Transfer::Over: return refuse("the sockets cannot be sent");
          case Transfer::Again: break;
        }
        socket.async_wait(stream_descriptor::wait_write, [self = shared_from_this()](error_code ec) {
          if (!ec && !self->over) self->write();
        });
        return;
      }
    }
    void replaced(const std::vector<unsigned>& numbers) {
      const auto p = handover.lock();
      if (!p || (!numbers.empty() && numbers.back() >= listeners.size())) return refuse("an unexpected message");
      std::vector<const Listener*> taken;
      for (const auto n : numbers) taken.push_back(listeners[n]);
      // First, so that there is no moment in which neither accepts; and so that this process does not leave for one
      // that has ended since it said that it was ready.
      const auto& replacing = p->calls.replacing;
      if (replacing) replacing(true);
      if (!send_replaced()) {
        if (replacing) replacing(false);
        log::warn("handover: " + name + " has ended before it was answered; this process goes on serving");
        return end();
      }
      const auto link = std::make_shared<HandoverLink>(p->io, socket.release(), HandoverLink::Side::Predecessor);
      end();
      // The next one is the successor's.
      error_code ignored;
      p->socket.close(ignored);
      p->file->disown();
      p->calls.replaced(taken, name, link);
    }
    bool send_replaced() {
      const Packet packet{to_text(message_of(Kind::Replaced)), {}};
      // An error that the peer's end has left is reported once, before the call that tells of the end.
      auto sent = Transfer::Again;
      for (int i = 0; i < 2 && sent == Transfer::Again; ++i) sent = send_packet(socket.native_handle(), packet);
      return sent == Transfer::Done;
    }
    void refuse(const std::string& why) {
      log::warn("handover: " + (name.empty() ? name_of(process) : name) + " is refused: " + why);
      (void)send_packet(socket.native_handle(), {to_text(message_of(Kind::Refused, why)), {}});
      end();
    }
    void end() {
      if (over) return;
      over = true;
      error_code ignored;
      socket.close(ignored);
      deadline.cancel();
      if (const auto p = handover.lock()) std::erase(p->sessions, shared_from_this());
    }

    const PeerProcess process;
    stream_descriptor socket;
    boost::asio::steady_timer deadline;
    std::weak_ptr<Private> handover;
    std::string name;
    std::vector<const Listener*> listeners;  ///< Handed over, by their numbers.
    std::deque<Packet> out;
    bool greeted = false, over = false;
  };

  Private(boost::asio::io_context& its_io, std::string its_program)
      : io(its_io), socket(its_io), program(std::move(its_program)) {}

  bool busy() const {
    return std::any_of(sessions.begin(), sessions.end(), [](const auto& s) { return !s->listeners.empty(); });
  }

  void accept_more() {
    socket.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](error_code ec) {
      if (ec || !self->socket.is_open()) return;
      if (self->accept_one()) return self->accept_more();
      // Without descriptors an immediate retry would only spin.
      self->pause.expires_after(kPause);
      self->pause.async_wait([self](error_code stopped) {
        if (!stopped && self->socket.is_open()) self->accept_more();
      });
    });
  }
  /// False if there was nothing, or no room for it.
  bool accept_one() {
    std::shared_ptr<Session> session;
    try {
      return accept_into(session);
    } catch (const std::exception&) {
      // No memory, or no descriptor: this one sees the end of its connection, and the process goes on.
      if (session) session->end();
      return false;
    }
  }
  bool accept_into(std::shared_ptr<Session>& session) {
    constexpr std::size_t kMostSessions = 16;
    Fd fd(::accept4(socket.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return false;
    session = std::make_shared<Session>(io, std::move(fd), shared_from_this());
    if (!session->process.trusted) {
      session->refuse("it is another user's");
    } else if (sessions.size() == kMostSessions) {
      session->refuse("too many processes want to take over");
    } else {
      sessions.push_back(session);
      session->begin();
    }
    return true;
  }

  boost::asio::io_context& io;
  stream_descriptor socket;
  boost::asio::steady_timer pause{io};
  std::shared_ptr<SocketFile> file;
  const std::string program;
  Calls calls;
  std::vector<std::shared_ptr<Session>> sessions;
};

Handover::Handover(boost::asio::io_context& io, const std::string& path, const std::string& program,
                   Predecessor* predecessor)
    : p_(std::make_shared<Private>(io, program)) {
  Listening own;
  if (predecessor) {
    own.sockets.push_back(std::move(predecessor->p_->control));
    own.file = predecessor->p_->file;
  } else {
    own = open_packets({config::Address::Kind::Unix, path, 0, "unix:" + path + " (server.handover)"});
  }
  p_->file = std::move(own.file);
  p_->socket.assign(own.sockets.front().release());
}

Handover::~Handover() {
  error_code ignored;
  // A successor that has the sockets finds that this process is gone, and needs the file.
  if (p_->busy()) p_->file->disown();
  // First, so that nobody connects to a socket without a process.
  p_->file.reset();
  p_->socket.close(ignored);
  p_->pause.cancel();
  while (!p_->sessions.empty()) p_->sessions.back()->end();
}

void Handover::start(Calls calls) {
  p_->calls = std::move(calls);
  // Whoever connects is told the process that has called this last: no longer the predecessor (SO_PEERCRED).
  constexpr int kBacklog = 64;
  (void)::listen(p_->socket.native_handle(), kBacklog);
  p_->accept_more();
}

bool Handover::busy() const noexcept { return p_->busy(); }

void Handover::interrupt(const std::string& why) {
  const auto sessions = p_->sessions;
  for (const auto& s : sessions) {
    if (s->listeners.empty()) continue;
    // It may have said so while this process could not run.
    s->take();
    if (!s->over) s->refuse(why);
  }
}

std::vector<const Listener*> Handover::conclude() {
  std::vector<const Listener*> shared;
  const auto sessions = p_->sessions;
  for (const auto& s : sessions) {
    if (s->listeners.empty()) continue;
    s->take();
    if (s->over) continue;
    if (s->out.empty())
      shared = s->listeners;
    else
      s->refuse("it ends");  // some of the sockets are not sent yet
  }
  return shared;
}

}  // namespace forebay::server
