#pragma once

#include <memory>

#include "forebay/cache/purge_order.hpp"
#include "forebay/cache/store.hpp"

namespace forebay::cache {

/// An order to purge in steps, for a thread that has other work to do: a step holds one lock once, and takes a fraction
/// of a millisecond. What `Store::purge` promises holds when the last step has returned. One that is dropped before has
/// purged a part. The store must outlive it.
class PurgeRun {
 public:
  PurgeRun(Store& store, PurgeOrder order);
  PurgeRun(PurgeRun&& o) noexcept;
  PurgeRun& operator=(PurgeRun&& o) noexcept;
  ~PurgeRun();

  /// False when it was the last one.
  bool step();
  const PurgeOrder& order() const noexcept { return *order_; }
  /// What was purged so far.
  const Purged& purged() const noexcept;

 private:
  friend class Store;
  class Work;
  std::unique_ptr<const PurgeOrder> order_;
  std::unique_ptr<Work> work_;
};

}  // namespace forebay::cache
