#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <string>

#include "forebay/cache/store.hpp"
#include "shard.hpp"

namespace forebay::cache {

/// A request's secondary keys under the Vary lists of a slot. They are made between two holds of the lock: normalising
/// a stranger's fields is no work for a lock. The texts live in buffers of the thread, so that a hit allocates nothing.
class SecondaryKeys {
 public:
  SecondaryKeys();
  /// Whether these are the slot's lists; if not, `take` them under the lock and `build` after it.
  bool fit(const Slot& slot) const noexcept;
  void take(const Slot& slot);
  void build(http::FieldsView request);
  /// Whether a response chosen by these names, for a request with that secondary key, is one for this request.
  bool match(const VaryRef& vary, const std::string& secondary) const noexcept;
  const std::string& under(const VaryNames* vary) const noexcept;

 private:
  const std::string* text(const VaryNames* vary) const noexcept;
  boost::container::small_vector<VaryRef, kMaxVaryLists> lists_;
  std::array<std::string, kMaxVaryLists>& texts_;
};

/// What a look-up is going to do; nothing is changed yet.
struct Decision {
  enum class Fetch : std::uint8_t { None, Listed, Private };
  Lookup::Kind kind = Lookup::Kind::Pass;
  Variant* variant = nullptr;
  Variant* matched = nullptr;  // chosen by the secondary key; `variant` is it, unless this request may not have it
  Flight* flight = nullptr;
  Fetch fetch = Fetch::None;
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  bool queue_full = false;

  bool serves() const noexcept { return kind == Lookup::Kind::Fresh || kind == Lookup::Kind::Stale; }
};
/// A pure function of what the slot (null: there is none) holds. `mine` fits the slot. Under the shard's lock.
Decision decide(const Slot* slot, const SecondaryKeys& mine, const LookupRequest& request) noexcept;

}  // namespace forebay::cache
