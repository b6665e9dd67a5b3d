#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "forebay/proxy/access_log.hpp"
#include "forebay/proxy/request_filter.hpp"

namespace forebay::proxy {

/// The records of requests on their way to those who watch them live. While nobody does, a request costs one load. A
/// worker never waits: what finds no room, or meets a change of the watchers, is dropped and counted.
class RequestTap {
 public:
  static constexpr std::size_t kMostWatchers = 8;

  explicit RequestTap(std::size_t workers);
  ~RequestTap();

  bool open() const noexcept { return watched_.load(std::memory_order_relaxed) != 0; }
  /// On that worker's thread. The record is redacted as the access log has it.
  void offer(std::size_t worker, const AccessRecord& record, const config::AccessLog& config);

  // --- the reader: one thread ---
  /// The number of a new watcher; nothing: there are too many.
  std::optional<std::size_t> watch(RequestFilter filter);
  void leave(std::size_t watcher);
  struct Line {
    std::uint32_t watchers = 0;  ///< Who wants it: a bit for each number.
    std::string json;
  };
  /// False: there is none now.
  bool take(Line& line);
  /// What was dropped for this watcher since the last call.
  std::uint64_t take_dropped(std::size_t watcher) noexcept;

 private:
  struct Private;
  void tell_workers();

  std::atomic<std::uint32_t> watched_{0};
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::proxy
