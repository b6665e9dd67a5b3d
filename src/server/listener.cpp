#include "forebay/server/listener.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "server/acceptor.hpp"
#include "server/connection_limits.hpp"
#include "server/edge_error.hpp"
#include "server/sockets.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

namespace {

// Number of connections above the least loaded worker at which a worker hands a connection over.
constexpr std::int64_t kMostAhead = 8;

// Adds a connection, on its listener's thread. It is counted in `listener->open` already.
void take_in(const std::shared_ptr<WorkerListener>& listener, net::ParkedStream parked) {
  if (listener->closed) {
    listener->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  auto peer = std::make_shared<const Peer>(peer_of(parked.native_handle(), listener->numbers->name));
  listener->numbers->accepted.fetch_add(1, std::memory_order_relaxed);
  // A client that has reset the connection already has no address: it must not be taken for a process of this machine.
  const bool gone = !peer->has_ip && !peer->unix_socket;
  const auto& settings = listener->handler.settings();
  const auto enter = [&] {
    return gone                               ? ConnectionLimits::Place()
           : listener->protocol->names_peer() ? listener->limits->enter(settings)
                                              : listener->limits->enter(*peer, settings);
  };
  auto place = enter();
  if (!gone && !place && !place.address_full() && listener->limits->silent_give_way && listener->make_room())
    place = enter();
  if (gone || (!place && !listener->may_refuse(*peer, place))) {
    listener->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  net::Stream stream(listener->worker.io());
  if (!stream.adopt(std::move(parked))) {
    listener->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  stream.no_delay();
  listener->protocol->open(listener, {std::move(stream), std::move(peer), std::move(place)});
}

}  // namespace

struct Listener::Private : std::enable_shared_from_this<Listener::Private> {
  config::Address address;
  std::shared_ptr<SocketFile> file;
  std::shared_ptr<ListenerNumbers> numbers = std::make_shared<ListenerNumbers>();
  std::vector<std::shared_ptr<WorkerListener>> listeners;
  std::vector<std::pair<std::shared_ptr<Acceptor>, WorkerListener*>> acceptors;
  bool closed = false;

  void accepted(std::size_t by, net::ParkedStream parked);
};

// On the thread of the listener that accepted. Without a socket for each, every connection goes to the least loaded.
void Listener::Private::accepted(std::size_t by, net::ParkedStream parked) {
  const auto least = std::min_element(listeners.begin(), listeners.end(), [](const auto& a, const auto& b) {
    return a->open.load(std::memory_order_relaxed) < b->open.load(std::memory_order_relaxed);
  });
  const std::int64_t ahead =
      listeners[by]->open.load(std::memory_order_relaxed) - (*least)->open.load(std::memory_order_relaxed);
  // Fewer sockets than workers were handed over by a process with fewer.
  const bool one_each = address.kind == config::Address::Kind::Tcp && acceptors.size() >= listeners.size();
  const std::int64_t most = one_each ? kMostAhead : 0;
  const auto& listener = ahead > most ? *least : listeners[by];
  listener->open.fetch_add(1, std::memory_order_relaxed);
  // Without memory for it the connection is closed, here and on the other listener.
  const auto leave = [](WorkerListener* left) {
    return [left] { left->open.fetch_sub(1, std::memory_order_relaxed); };
  };
  if (listener == listeners[by]) return guarded([&] { take_in(listener, std::move(parked)); }, leave(listener.get()));
  guarded(
      [&] {
        listener->worker.post([listener, leave, moved = std::move(parked)]() mutable {
          listener->worker.tick();
          guarded([&] { take_in(listener, std::move(moved)); }, leave(listener.get()));
        });
      },
      leave(listener.get()));
}

Listener::Listener(const config::Listener& config, const std::vector<Part>& parts,
                   std::shared_ptr<ConnectionLimits> limits, const Neighbours& neighbours)
    : p_(std::make_shared<Private>()) {
  Listening listening = neighbours.same ? neighbours.same->share() : open_listening(config, parts.size(), neighbours);
  p_->address = std::move(listening.address);
  p_->file = std::move(listening.file);
  p_->numbers->name = config.name.empty() ? config.address.text : config.name;
  if (!limits) limits = make_connection_limits();
  for (const Part& part : parts)
    p_->listeners.push_back(
        std::make_shared<WorkerListener>(*part.worker, *part.handler, p_->numbers, make_protocol(config), limits));
  for (std::size_t n = 0; n < listening.sockets.size(); ++n) {
    // The sockets of one name that were handed over may be more than the workers.
    const std::size_t i = n % p_->listeners.size();
    WorkerListener& listener = *p_->listeners[i];
    auto accepted = [owner = std::weak_ptr(p_), i](net::ParkedStream parked) {
      if (const auto p = owner.lock()) p->accepted(i, std::move(parked));
    };
    p_->acceptors.emplace_back(std::make_shared<Acceptor>(listener.worker, std::move(listening.sockets[n]),
                                                          std::move(accepted), neighbours.same || neighbours.inherited),
                               &listener);
  }
}

Listener::~Listener() {
  close();
  for (const auto& listener : p_->listeners) {
    listener->worker.call([&listener] {
      listener->closed = true;
      while (!listener->connections.empty()) listener->connections.front().abort();
    });
  }
}

void Listener::use_tls(const std::shared_ptr<const net::TlsServer>& tls) {
  for (const auto& listener : p_->listeners) listener->worker.call([&] { listener->tls = tls; });
}

void Listener::start() {
  for (const auto& [acceptor, listener] : p_->acceptors)
    listener->worker.post([acceptor = acceptor] { acceptor->start(); });
}

void Listener::close() {
  if (std::exchange(p_->closed, true)) return;
  // First, so that nobody connects between the last accept and the end of the socket.
  p_->file.reset();
  for (const auto& [acceptor, listener] : p_->acceptors)
    listener->worker.call([&acceptor = acceptor] { acceptor->close(); });
}

void Listener::leave() {
  if (std::exchange(p_->closed, true)) return;
  if (p_->file) p_->file->disown();
  p_->file.reset();
  for (const auto& [acceptor, listener] : p_->acceptors)
    listener->worker.call([&acceptor = acceptor] { acceptor->leave(); });
}

Listening Listener::share() const {
  Listening shared{{}, p_->address, p_->file};
  for (const auto& [acceptor, listener] : p_->acceptors) shared.sockets.push_back(acceptor->share());
  return shared;
}

void Listener::set_access(const config::Listener& config) const {
  if (p_->file) p_->file->set_access(config);
}

const config::Address& Listener::address() const noexcept { return p_->address; }

std::uint16_t Listener::port() const noexcept { return p_->address.port; }

ListenerNumbers& Listener::numbers() noexcept { return *p_->numbers; }

std::uint64_t Listener::open_connections() const noexcept {
  std::int64_t open = 0;
  for (const auto& listener : p_->listeners) open += listener->open.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(open, 0));
}

void Listener::drain() {
  for (const auto& listener : p_->listeners) {
    listener->worker.post([listener] {
      listener->worker.tick();
      listener->draining = true;
      for (auto it = listener->connections.begin(); it != listener->connections.end();) (it++)->drain();
    });
  }
}

void Listener::abort() {
  for (const auto& listener : p_->listeners) {
    listener->worker.post([listener] {
      listener->worker.tick();
      while (!listener->connections.empty()) listener->connections.front().abort();
    });
  }
}

}  // namespace forebay::server
