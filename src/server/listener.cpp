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
// Maximum number of clients over the limit that get a 503 at a time; others are closed without a response.
constexpr unsigned kMostRefusing = 64;

// Adds a connection, on its listener's thread. It is counted in `listener->open` already.
void take_in(const std::shared_ptr<WorkerListener>& listener, ConnectionLimits& limits, net::ParkedStream parked) {
  if (listener->closed) {
    listener->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  auto peer = std::make_shared<const Peer>(peer_of(parked.native_handle(), listener->numbers->name));
  auto place = limits.enter(*peer, listener->handler.settings());
  listener->numbers->accepted.fetch_add(1, std::memory_order_relaxed);
  if (!place && listener->refusing >= kMostRefusing) {
    listener->numbers->rejected_limit.fetch_add(1, std::memory_order_relaxed);
    listener->handler.refused({kOverload.reason, kOverload.status, kOverload.code, kOverload.detail, {}, 0, {}}, *peer);
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
  std::shared_ptr<ListenerNumbers> numbers = std::make_shared<ListenerNumbers>();
  std::shared_ptr<ConnectionLimits> limits;
  std::vector<std::shared_ptr<WorkerListener>> listeners;
  std::vector<std::pair<std::shared_ptr<Acceptor>, WorkerListener*>> acceptors;
  bool closed = false;

  void accepted(std::size_t by, net::ParkedStream parked);
};

// On the thread of the listener that accepted. With one socket for all, every connection goes to the least loaded.
void Listener::Private::accepted(std::size_t by, net::ParkedStream parked) {
  const auto least = std::min_element(listeners.begin(), listeners.end(), [](const auto& a, const auto& b) {
    return a->open.load(std::memory_order_relaxed) < b->open.load(std::memory_order_relaxed);
  });
  const std::int64_t ahead =
      listeners[by]->open.load(std::memory_order_relaxed) - (*least)->open.load(std::memory_order_relaxed);
  const std::int64_t most = acceptors.size() < listeners.size() ? 0 : kMostAhead;
  const auto& listener = ahead > most ? *least : listeners[by];
  listener->open.fetch_add(1, std::memory_order_relaxed);
  // Without memory for it the connection is closed, here and on the other listener.
  const auto leave = [](WorkerListener* left) {
    return [left] { left->open.fetch_sub(1, std::memory_order_relaxed); };
  };
  if (listener == listeners[by])
    return guarded([&] { take_in(listener, *limits, std::move(parked)); }, leave(listener.get()));
  guarded(
      [&] {
        listener->worker.post([listener, leave, its_limits = limits, moved = std::move(parked)]() mutable {
          listener->worker.tick();
          guarded([&] { take_in(listener, *its_limits, std::move(moved)); }, leave(listener.get()));
        });
      },
      leave(listener.get()));
}

Listener::Listener(const config::Listener& config, std::vector<Part> parts, std::shared_ptr<ConnectionLimits> limits)
    : p_(std::make_shared<Private>()) {
  Listening listening = open_listening(config.address, parts.size());
  p_->address = std::move(listening.address);
  p_->numbers->name = config.name.empty() ? config.address.text : config.name;
  p_->limits = limits ? std::move(limits) : make_connection_limits();
  for (const Part& part : parts)
    p_->listeners.push_back(
        std::make_shared<WorkerListener>(*part.worker, *part.handler, p_->numbers, make_protocol(config)));
  for (std::size_t i = 0; i < listening.sockets.size(); ++i) {
    WorkerListener& listener = *p_->listeners[i];
    auto accepted = [owner = std::weak_ptr(p_), i](net::ParkedStream parked) {
      if (const auto p = owner.lock()) p->accepted(i, std::move(parked));
    };
    p_->acceptors.emplace_back(
        std::make_shared<Acceptor>(listener.worker, std::move(listening.sockets[i]), std::move(accepted)), &listener);
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
  for (const auto& [acceptor, listener] : p_->acceptors)
    listener->worker.call([&acceptor = acceptor] { acceptor->close(); });
  remove_socket_file(p_->address);
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
