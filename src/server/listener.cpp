#include "forebay/server/listener.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "server/acceptor.hpp"
#include "server/connection_limits.hpp"
#include "server/lane.hpp"
#include "server/sockets.hpp"
#include "server/turned.hpp"

namespace forebay::server {

namespace {

// Number of connections above the least loaded worker at which a worker hands a connection over.
constexpr std::int64_t kMostAhead = 8;
// Maximum number of clients over the limit that get a 503 at a time; others are closed without a response.
constexpr unsigned kMostRefusing = 64;

// Adds a connection, on its lane's thread. It is counted in `lane->open` already.
void take_in(const std::shared_ptr<Lane>& lane, ConnectionLimits& limits, net::ParkedStream parked) {
  if (lane->closed) {
    lane->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  auto peer = std::make_shared<const Peer>(peer_of(parked.native_handle(), lane->numbers->name));
  auto place = limits.enter(*peer, lane->handler.settings());
  lane->numbers->accepted.fetch_add(1, std::memory_order_relaxed);
  if (!place && lane->refusing >= kMostRefusing) {
    lane->numbers->rejected_limit.fetch_add(1, std::memory_order_relaxed);
    lane->handler.refused({kOverload.reason, kOverload.status, kOverload.code, kOverload.detail, {}, 0, {}}, *peer);
    lane->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  net::Stream stream(lane->worker.io());
  if (!stream.adopt(std::move(parked))) {
    lane->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  stream.no_delay();
  lane->protocol->open(lane, {std::move(stream), std::move(peer), std::move(place)});
}

}  // namespace

struct Listener::Private : std::enable_shared_from_this<Listener::Private> {
  config::Address address;
  std::shared_ptr<ListenerNumbers> numbers = std::make_shared<ListenerNumbers>();
  std::shared_ptr<ConnectionLimits> limits;
  std::vector<std::shared_ptr<Lane>> lanes;
  std::vector<std::pair<std::shared_ptr<Acceptor>, Lane*>> acceptors;
  bool closed = false;

  void accepted(std::size_t by, net::ParkedStream parked);
};

// On the thread of the lane that accepted. With one socket for all, every connection goes to the least loaded.
void Listener::Private::accepted(std::size_t by, net::ParkedStream parked) {
  const auto least = std::min_element(lanes.begin(), lanes.end(), [](const auto& a, const auto& b) {
    return a->open.load(std::memory_order_relaxed) < b->open.load(std::memory_order_relaxed);
  });
  const std::int64_t ahead =
      lanes[by]->open.load(std::memory_order_relaxed) - (*least)->open.load(std::memory_order_relaxed);
  const std::int64_t most = acceptors.size() < lanes.size() ? 0 : kMostAhead;
  const auto& lane = ahead > most ? *least : lanes[by];
  lane->open.fetch_add(1, std::memory_order_relaxed);
  // Without memory for it the connection is closed, here and on the other lane.
  const auto leave = [](Lane* left) { return [left] { left->open.fetch_sub(1, std::memory_order_relaxed); }; };
  if (lane == lanes[by]) return guarded([&] { take_in(lane, *limits, std::move(parked)); }, leave(lane.get()));
  guarded(
      [&] {
        lane->worker.post([lane, leave, its_limits = limits, moved = std::move(parked)]() mutable {
          lane->worker.tick();
          guarded([&] { take_in(lane, *its_limits, std::move(moved)); }, leave(lane.get()));
        });
      },
      leave(lane.get()));
}

Listener::Listener(const config::Listener& config, std::vector<Part> parts, std::shared_ptr<ConnectionLimits> limits)
    : p_(std::make_shared<Private>()) {
  Listening listening = open_listening(config.address, parts.size());
  p_->address = std::move(listening.address);
  p_->numbers->name = config.name.empty() ? config.address.text : config.name;
  p_->limits = limits ? std::move(limits) : make_connection_limits();
  for (const Part& part : parts)
    p_->lanes.push_back(std::make_shared<Lane>(*part.worker, *part.handler, p_->numbers, make_protocol(config)));
  for (std::size_t i = 0; i < listening.sockets.size(); ++i) {
    Lane& lane = *p_->lanes[i];
    auto accepted = [owner = std::weak_ptr(p_), i](net::ParkedStream parked) {
      if (const auto p = owner.lock()) p->accepted(i, std::move(parked));
    };
    p_->acceptors.emplace_back(
        std::make_shared<Acceptor>(lane.worker, std::move(listening.sockets[i]), std::move(accepted)), &lane);
  }
}

Listener::~Listener() {
  close();
  for (const auto& lane : p_->lanes) {
    lane->worker.call([&lane] {
      lane->closed = true;
      while (!lane->connections.empty()) lane->connections.front().abort();
    });
  }
}

void Listener::start() {
  for (const auto& [acceptor, lane] : p_->acceptors) lane->worker.post([acceptor = acceptor] { acceptor->start(); });
}

void Listener::close() {
  if (std::exchange(p_->closed, true)) return;
  for (const auto& [acceptor, lane] : p_->acceptors) lane->worker.call([&acceptor = acceptor] { acceptor->close(); });
  remove_socket_file(p_->address);
}

const config::Address& Listener::address() const noexcept { return p_->address; }

std::uint16_t Listener::port() const noexcept { return p_->address.port; }

ListenerNumbers& Listener::numbers() noexcept { return *p_->numbers; }

std::uint64_t Listener::open_connections() const noexcept {
  std::int64_t open = 0;
  for (const auto& lane : p_->lanes) open += lane->open.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(open, 0));
}

void Listener::drain() {
  for (const auto& lane : p_->lanes) {
    lane->worker.post([lane] {
      lane->worker.tick();
      lane->draining = true;
      for (auto it = lane->connections.begin(); it != lane->connections.end();) (it++)->drain();
    });
  }
}

void Listener::abort() {
  for (const auto& lane : p_->lanes) {
    lane->worker.post([lane] {
      lane->worker.tick();
      while (!lane->connections.empty()) lane->connections.front().abort();
    });
  }
}

}  // namespace forebay::server
