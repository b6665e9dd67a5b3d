#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"

namespace forebay::net {

/// The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1), in memory alone. A new one each hour; older ones
/// open tickets as long as sessions may be resumed. Shared by all listeners and workers of the process, and kept over
/// reloads. From any thread.
class TicketKeys {
 public:
  static constexpr Duration kPeriod = std::chrono::hours{1};

  struct Key {
    Key() = default;
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();  ///< Wipes it.
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{}, mac{};
    Timestamp made{};
  };

  explicit TicketKeys(const Clock& clock) : clock_(clock) {}
  /// How long sessions may be resumed, at most.
  void keep_for(Duration lifetime);
  /// The key for new tickets. Nothing when there is no randomness.
  std::optional<Key> newest();
  struct Found {
    Key key;
    bool newest = false;
  };
  /// The key of a ticket, unless it is too old.
  std::optional<Found> find(std::span<const unsigned char> name);
  /// Forgets keys that are too old; `newest` and `find` do so too.
  void rotate();
  std::size_t size();

 private:
  void drop_old(Timestamp now) FOREBAY_REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  Duration lifetime_ FOREBAY_GUARDED_BY(mutex_) = std::chrono::hours{12};
  std::vector<Key> keys_ FOREBAY_GUARDED_BY(mutex_);  // the newest last
};

}  // namespace forebay::net
