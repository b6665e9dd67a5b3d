#include "upstream/held_connection.hpp"

#include <algorithm>
#include <utility>

namespace forebay::upstream {

bool HeldConnection::alive() {
  if (connection_ && !connection_->quiet()) drop();
  return connection_ != nullptr;
}

ConnectionPtr HeldConnection::take() {
  if (!alive()) return nullptr;
  auto connection = release();
  connection->idle_deadline.reset();
  connection->set_use(Connection::Use::Active);
  return connection;
}

void HeldConnection::put(ConnectionPtr connection) {
  auto& held = pool_->origin().held;
  // Held connections are not shared, so at most half of the connections are held.
  const unsigned most = pool_->origin().config.pool.max_connections / 2;
  const bool refused = connection_ || pool_->retired();
  if (refused || held.fetch_add(1, std::memory_order_relaxed) >= most) {
    if (!refused) held.fetch_sub(1, std::memory_order_relaxed);
    connection->close();
    return;
  }
  connection_ = std::move(connection);
  connection_->set_use(Connection::Use::Idle);
  watch();
}

ConnectionPtr HeldConnection::release() {
  auto connection = std::exchange(connection_, nullptr);
  if (connection) pool_->origin().held.fetch_sub(1, std::memory_order_relaxed);
  return connection;
}

void HeldConnection::drop() {
  if (const auto connection = release()) connection->close();
}

// As a connection that rests in the pool: readiness and no read, and a deadline that is ended by a post.
void HeldConnection::watch() {
  const auto rests = ++connection_->rests;
  const std::weak_ptr<HeldConnection> bond = weak_from_this();
  connection_->stream().wait(net::Direction::Read, [bond, rests](net::Io state) {
    const auto self = bond.lock();
    if (state != net::Io::Done || !self || !self->connection_ || self->connection_->rests != rests) return;
    self->pool_->worker().tick();
    if (self->connection_->quiet()) return self->watch();
    self->drop();
  });
  connection_->idle_deadline = std::make_unique<net::Deadline>([bond, rests] {
    const auto owner = bond.lock();
    if (!owner) return;
    owner->pool_->worker().post([bond, rests] {
      const auto self = bond.lock();
      if (self && self->connection_ && self->connection_->rests == rests) self->drop();
    });
  });
  auto& worker = pool_->worker();
  worker.deadlines().arm(*connection_->idle_deadline, worker.now().mono, pool_->origin().config.pool.idle_timeout);
}

}  // namespace forebay::upstream
