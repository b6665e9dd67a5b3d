#pragma once

#include <string>

#include "forebay/cache/store.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "shard.hpp"

namespace forebay::cache {

/// What of a request selects among the responses of its key: its secondary key under the names that the slot knows, and
/// the codings it accepts. It is made between two holds of the lock: normalising a stranger's fields is no work for a
/// lock. The text lives in a buffer of the thread, so that a hit allocates nothing.
class Selection {
 public:
  explicit Selection(const LookupRequest& request) noexcept;
  /// Whether it has what the slot needs; if not, `take` that under the lock and `build` after it.
  bool fits(const Slot& slot) const noexcept;
  void take(const Slot& slot);
  void build();
  /// Whether a response that is filed so is one for this request. `refusable`: its Content-Encoding has to be accepted.
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

/// What a look-up is going to do; nothing is changed yet.
struct Decision {
  enum class Fetch : std::uint8_t { None, Listed, Private };
  LookupKind kind = LookupKind::Pass;
  Variant* variant = nullptr;
  Variant* matched = nullptr;  // chosen by the secondary key; `variant` is it, unless this request may not have it
  Flight* flight = nullptr;
  Fetch fetch = Fetch::None;
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  PassMemory pass_memory;

  bool serves() const noexcept { return kind == LookupKind::Fresh || kind == LookupKind::Stale; }
};
/// A pure function of what the slot (null: there is none) holds. `mine` fits the slot. Under the shard's lock.
Decision decide(const Slot* slot, const Selection& mine, const LookupRequest& request) noexcept;

}  // namespace forebay::cache
