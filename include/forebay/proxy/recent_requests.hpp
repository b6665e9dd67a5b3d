#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/proxy/access_log.hpp"

namespace forebay::proxy {

/// A client's request id with more characters is not used.
inline constexpr std::size_t kLongestRequestId = 128;

/// The last requests of one worker that have an id, so that an operator can ask what was decided about one of them. A
/// ring in bounded memory, which is taken as requests come. Used on the thread of its worker only.
class RecentRequests {
 public:
  explicit RecentRequests(std::size_t most) : most_(most) {}

  /// Copies the record, and forgets the oldest one where there is no room. Does nothing for a record without an id, and
  /// where there is no memory.
  void keep(const AccessRecord& record) noexcept;

  struct Found {
    WallTime at{};
    rules::Reason reason = rules::Reason::None;
    std::string json;  ///< The record as the access log has it, redacted.
  };
  /// Those with this id, the latest first; clients may use one id for several requests.
  std::vector<Found> find(std::string_view id, std::size_t most, const config::AccessLog& config) const;

 private:
  struct Slot {
    AccessRecord record;
    std::unique_ptr<char[]> text;  ///< What the views of the record show.
  };
  bool add_slot() noexcept;

  std::size_t most_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;  ///< The oldest one, once all slots are in use.
};

/// Those of all workers.
class RecentRequestsOfAll {
 public:
  /// How many are kept in all, where there are not more workers than that.
  static constexpr std::size_t kMost = 1024;

  explicit RecentRequestsOfAll(std::size_t workers);
  /// On the thread of that worker.
  RecentRequests& of(std::size_t worker) noexcept { return *workers_[worker]; }

 private:
  std::vector<std::unique_ptr<RecentRequests>> workers_;
};

}  // namespace forebay::proxy
