#pragma once

#include <memory>

#include "forebay/upstream/origin.hpp"
#include "upstream/pool.hpp"

namespace forebay::upstream {

/// The connection of one client to one origin, idle between two of its requests. Used only by its worker.
class HeldConnection final : public Bond, public std::enable_shared_from_this<HeldConnection> {
 public:
  explicit HeldConnection(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  HeldConnection(const HeldConnection&) = delete;
  ~HeldConnection() override { drop(); }

  bool alive() override;
  const Pool& pool() const noexcept { return *pool_; }
  /// The connection, if there is one and the origin has not closed it.
  ConnectionPtr take();
  /// Keeps it for the next request; closes it where too many are held, or another one is.
  void put(ConnectionPtr connection) noexcept;

 private:
  ConnectionPtr release();
  void drop();
  void watch();

  const std::shared_ptr<Pool> pool_;
  ConnectionPtr connection_;
  net::Deadline deadline_{[this] { drop(); }};
};

}  // namespace forebay::upstream
