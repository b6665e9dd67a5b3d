#pragma once

#include <memory>

#include "forebay/upstream/origin.hpp"
#include "upstream/group.hpp"

namespace forebay::upstream {

/// The connection of one client to one origin, idle between two of its requests. Used only by its worker.
class HeldConnection final : public Bond, public std::enable_shared_from_this<HeldConnection> {
 public:
  explicit HeldConnection(std::shared_ptr<Group> group) : group_(std::move(group)) {}
  HeldConnection(const HeldConnection&) = delete;
  ~HeldConnection() override { drop(); }

  bool alive() override;
  const Group& group() const noexcept { return *group_; }
  /// The url that its connection belongs to.
  unsigned url() const noexcept { return url_; }
  /// The connection, if there is one and the origin has not closed it.
  ConnectionPtr take();
  /// Keeps it for the next request; closes it where too many are held, or another one is.
  void put(ConnectionPtr connection, unsigned url) noexcept;

 private:
  ConnectionPtr release();
  void drop();
  void watch();
  Pool& pool() const noexcept { return *group_->pool(url_); }

  const std::shared_ptr<Group> group_;
  unsigned url_ = 0;
  ConnectionPtr connection_;
  net::Deadline deadline_{[this] { drop(); }};
};

}  // namespace forebay::upstream
