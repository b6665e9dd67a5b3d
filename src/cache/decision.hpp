#pragma once

#include <string>

#include "forebay/cache/store.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "shard.hpp"

namespace forebay::cache {

/// What selects among the responses of a key for a request: its secondary key under the names of the slot, and the
/// codings it accepts. Built without the lock, since it normalises untrusted fields. The text is in a thread-local
/// buffer, so that a hit allocates nothing.
class Selection {
 public:
  explicit Selection(const LookupRequest& request) noexcept;
  /// Whether it fits the names of the slot; if not, `take` them under the lock and `build` after it.
  bool fits(const Slot& slot) const noexcept;
  void take(const Slot& slot);
  void build();
  /// Whether a response filed under this key is for this request. `refusable`: its Content-Encoding must be accepted.
  bool match(const VaryRef& names, const std::string& secondary) const noexcept {
    return names == names_ && (!names || secondary == text_);
  }
  bool accepts(const Head& head) const noexcept;
  const VaryRef& names() const noexcept { return names_; }
  const std::string& text() const noexcept { return text_; }

 private:
  const Selecting& request_;
  const bool ignored_;  // `vary: ignore`
  bool with_codings_ = false;
  VaryRef names_;
  std::string& text_;
  http::AcceptedCodings codings_;
  std::string scratch_;
};

/// What a look-up will do; it changes nothing.
struct Decision {
  enum class Fetch : std::uint8_t { None, Listed, Private };
  LookupKind kind = LookupKind::Pass;
  Variant* variant = nullptr;
  Variant* matched = nullptr;  // selected by the secondary key; equal to `variant`, unless this request may not have it
  Flight* flight = nullptr;
  Fetch fetch = Fetch::None;
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  bool unasked = false;  // serves in the place of an error, as the origin wants no request
  PassMemory pass_memory;

  bool serves() const noexcept { return kind == LookupKind::Fresh || kind == LookupKind::Stale; }
};
/// What purges have done to the shard, and what they named.
struct PurgeState {
  const PurgeMarks& marks;
  const PurgeLog& log;

  /// Begun before a purge that names it, as far as the slot was not searched for it: no request joins it.
  bool detaches(const Flight& flight) const noexcept {
    const auto began = flight.purge_sequence_;
    return began < marks.flights || (began < marks.tags && log.forbids_tags(began, flight.tags_));
  }
};
/// A pure function of what the slot (null: there is none) holds. `mine` fits the slot. Under the shard's lock.
Decision decide(const Slot* slot, const Selection& mine, const LookupRequest& request,
                const PurgeState& purges) noexcept;

}  // namespace forebay::cache
