#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/rules/vocabulary.hpp"

namespace forebay::rules {

/// One member of Cache-Status (RFC 9211) for one answer.
struct CacheStatus {
  CacheResult result = CacheResult::Miss;
  Forward forward = Forward::None;    ///< None: `hit`.
  int forward_status = 0;             ///< 0: the origin did not answer.
  int sent_status = 0;                ///< What the client gets; `fwd-status` is shown where it is another. 0: the same.
  std::optional<std::int64_t> ttl{};  ///< Seconds, may be negative.
  bool stored = false;
  bool collapsed = false;
  bool max_stale = false;        ///< Of Stale: the client's max-stale allows it, and no window of the origin or route.
  Reason reason = Reason::None;  ///< As `detail`, where `result` has none of its own.
  Reason cause = Reason::None;   ///< Of PassMemory: what set it. Shown with the key alone.
  std::int64_t cause_left = 0;   ///< Seconds that the pass memory has left.
  std::string_view key{};        ///< Not shown when it is empty or longer than 4 KiB.
};
/// Appends e.g. `forebay; hit; ttl=27`, and nothing for Error: an answer of our own has no member (section 2). `name`
/// is an sf-token (or is quoted). Allocates nothing beyond `out`'s growth.
void append_cache_status(std::string& out, std::string_view name, const CacheStatus& s);

}  // namespace forebay::rules
