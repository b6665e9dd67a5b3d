#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/base/clock.hpp"

namespace forebay::events {

// What has happened to the process that an operator may want to see later: the last `kMost` events, in memory, beside
// the operational log. Thread-safe, like the log; a call holds a lock for a few instructions and does no I/O.

enum class Kind : std::uint8_t {
  Start,
  Reload,    ///< Applied or rejected; detail `outcome`.
  Purge,     ///< detail: what was purged, and how many.
  Origin,    ///< A health check took a url out of use, or back; detail `state`: up, down.
  Circuit,   ///< Failures took a url out of use, or it answers again; detail `state`: open, closed.
  Failover,  ///< An origin's requests go to another one, or come back.
  Limit,     ///< Something reached a configured limit.
  LogLevel,
  Drain,
  Undrain,
  Stop,
  kCount
};
std::string_view to_string(Kind kind) noexcept;

/// Longer texts are cut.
inline constexpr std::size_t kMostText = 512;
inline constexpr std::size_t kMostDetails = 8;
inline constexpr std::size_t kMost = 1000;

/// A name, and a text or a number. Names are literals of ours.
struct Detail {
  Detail(std::string_view its_name, std::string_view its_text) : name(its_name), text(its_text) {}
  Detail(std::string_view its_name, std::uint64_t its_number) : name(its_name), number(its_number), is_number(true) {}
  std::string_view name, text{};
  std::uint64_t number = 0;
  bool is_number = false;
};

struct Event {
  std::uint64_t id = 0;  ///< 1, 2, ...
  Timestamp at{};
  Kind kind = Kind::Start;
  std::string text;     ///< A sentence. May contain untrusted bytes.
  std::string details;  ///< Members of a JSON object: `"origin":"shop","n":3`; or empty.
};
using EventPtr = std::shared_ptr<const Event>;

void record(Timestamp now, Kind kind, std::string_view text, std::initializer_list<Detail> details = {});
/// The newest first; at most `most`.
std::vector<EventPtr> latest(std::size_t most);

}  // namespace forebay::events
