#include "upstream/held_connection.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/guarded.hpp"

namespace forebay::upstream {

bool HeldConnection::alive() {
  if (connection_ && (!pool().is_current(*connection_) || !connection_->quiet())) drop();
  return connection_ != nullptr;
}

ConnectionPtr HeldConnection::take() {
  if (!alive()) return nullptr;
  auto connection = release();
  connection->set_use(Connection::Use::Active);
  return connection;
}

void HeldConnection::put(ConnectionPtr connection, unsigned url) noexcept {
  if (!connection_) url_ = url;
  auto& held = pool().origin().held;
  // Held connections are not shared, so at most half of the connections are held.
  const unsigned most = pool().origin().config.pool.max_connections / 2;
  const bool refused = connection_ || pool().retired();
  if (refused || held.fetch_add(1, std::memory_order_relaxed) >= most) {
    if (!refused) held.fetch_sub(1, std::memory_order_relaxed);
    connection->close();
    return;
  }
  connection_ = std::move(connection);
  connection_->set_use(Connection::Use::Idle);
  auto& worker = pool().worker();
  connection_->rest(worker.now().mono);
  worker.deadlines().arm(deadline_, worker.now().mono, pool().origin().config.pool.idle_timeout);
  guarded([this] { watch(); }, [this] { drop(); });
}

ConnectionPtr HeldConnection::release() {
  deadline_.disarm();
  auto connection = std::exchange(connection_, nullptr);
  if (connection) pool().origin().held.fetch_sub(1, std::memory_order_relaxed);
  return connection;
}

void HeldConnection::drop() {
  if (const auto connection = release()) connection->close();
}

// As a connection that rests in the pool: readiness and no read.
void HeldConnection::watch() {
  connection_->stream().wait(
      net::Direction::Read, [bond = weak_from_this(), rest = connection_->watch()](net::Io state) {
        const auto self = bond.lock();
        if (state != net::Io::Done || !self || !self->connection_ || self->connection_->rests() != rest) return;
        self->pool().worker().tick();
        if (!self->connection_->quiet()) return self->drop();
        guarded([&] { self->watch(); }, [&] { self->drop(); });
      });
}

}  // namespace forebay::upstream
