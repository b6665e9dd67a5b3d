#pragma once

#include <string>
#include <vector>

#include "forebay/cache/selecting.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/vary.hpp"
#include "shard.hpp"

namespace forebay::cache {

/// How long the names of a Vary select although no stored response states them any more, and keep a slot without
/// entries.
inline constexpr Duration kVaryRemembered = std::chrono::minutes{10};

/// Which codings a request accepts. `scratch` holds the field's text where it has several lines.
http::AcceptedCodings accepted_codings(const Selecting& request, std::string& scratch);

/// What a response is filed under: all names that some response of its key was selected by, and its request's secondary
/// key under them. A response that omits Vary, or has fewer names, is only for requests like its own: otherwise an
/// error response without Vary would hide the responses for others.
///
/// The names are read under the shard's lock, and secondary keys are built without it. So: `build`, lock; if `fits` is
/// false, `take`, unlock and repeat; then `file` under the same lock.
class Filing {
 public:
  /// `head`: of the response. `guess`: the slot's names when they were last seen.
  Filing(const rules::VaryList& stated, const Head& head, const Selecting& request, const rules::Policy& policy,
         Timestamp now, VaryRef guess = {});

  void build();
  /// Nothing was taken since it was built.
  bool built() const noexcept { return built_; }
  bool fits(const Slot* slot) const noexcept;
  void take(const Slot* slot);
  /// Sets the names of the slot, which `room` pays for as far as it goes. Variants under other names are removed, since
  /// nothing will find them.
  void file(Shard& shard, Slot& slot, Garbage& garbage, Charge room = {}) const FOREBAY_REQUIRES(shard.mutex);

  const VaryRef& names() const noexcept { return names_; }
  const VaryRef& stated() const noexcept { return stated_; }
  /// The same, if they are not the names of the slot.
  VaryRef own_stated() const noexcept { return stated_ == names_ ? VaryRef() : stated_; }
  const std::string& secondary() const noexcept { return secondary_; }
  /// Whether a request that the names select it for may refuse its coding: they do not include Accept-Encoding, or its
  /// own request refuses its coding.
  bool refusable() const noexcept { return refusable_; }
  /// Its own request refuses its coding.
  bool unwelcome() const noexcept { return unwelcome_; }

 private:
  bool forgets(const Slot& slot) const noexcept;

  const Selecting& request_;
  const bool ignored_;      // `vary: ignore`
  bool encoded_ = false;    // it has a coding
  bool unwelcome_ = false;  // which its own request refuses
  bool refusable_ = false;
  const Timestamp now_;
  VaryRef stated_;  // by the response itself
  VaryRef known_;   // of the slot
  bool built_ = false;
  bool weighed_ = false;        // the slot's names are old, and count only where a stored response still states them
  std::vector<VaryRef> basis_;  // then these
  VaryRef names_;
  std::string secondary_;
  std::string scratch_;
};

}  // namespace forebay::cache
