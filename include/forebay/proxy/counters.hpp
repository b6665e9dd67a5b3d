#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/histogram.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/http/message.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::proxy {

/// Label `reason` of forebay_request_errors_total.
enum class RequestError : std::uint8_t {
  BadRequest,
  HeaderTooLarge,
  TargetTooLong,
  BodyTooLarge,
  ClientTimeout,
  Overload,
  NoRoute,
  Loop,
  OnlyIfCached,
  Connect,
  Timeout,
  Protocol,
  Queue,
  Coalesce,
  Upgrade,
  Forbidden,
  kCount
};
std::string_view to_string(RequestError e) noexcept;

/// Label `method`: GET HEAD POST PUT PATCH DELETE OPTIONS QUERY OTHER.
inline constexpr std::size_t kMethodLabels = 9;
std::size_t method_label(http::Method m) noexcept;
std::string_view method_label_text(std::size_t label) noexcept;

/// Label `cache` of the duration histogram: hit, wait, miss, bypass, error.
inline constexpr std::size_t kLatencyClasses = 5;
std::size_t latency_class(rules::CacheResult r) noexcept;
std::string_view latency_class_text(std::size_t c) noexcept;

enum class Coalesced : std::uint8_t { Served, Timeout, Failed, NotStorable };
enum class Source : std::uint8_t { Cache, Origin, Forebay };
enum class Revalidated : std::uint8_t { NotModified, Modified, Error };

/// How a tunnel has ended; label `reason` of forebay_tunnels_closed_total.
enum class TunnelEnd : std::uint8_t {
  Closed,       ///< Both sides have said that they are done.
  ClientReset,  ///< The client's connection has broken.
  OriginReset,
  Idle,     ///< Nothing has moved for `server.timeouts.tunnel`.
  Stalled,  ///< One side took nothing for `server.timeouts.write`.
  Memory,   ///< There was no memory for what one side did not take.
  Drain,    ///< The process stops, and both sides have ended in order.
  Stop,     ///< The process has stopped, or its listener has gone.
  kCount
};
std::string_view to_string(TunnelEnd e) noexcept;
/// Label `direction` of forebay_tunnel_bytes_total.
enum class TunnelWay : std::uint8_t { FromClient, FromOrigin };
/// Label `source` of forebay_early_hints_total.
enum class HintsFrom : std::uint8_t { Origin, Cache };

/// Upper bounds of forebay_cache_object_bytes: 256 B, times 4, up to 16 MiB.
inline constexpr std::array<std::uint64_t, 9> kObjectBounds{256,     1024,      4096,      16'384,    65'536,
                                                            262'144, 1'048'576, 4'194'304, 16'777'216};

/// The counters of one route and one worker, which is the only writer. On their own cache lines, to avoid false
/// sharing.
struct alignas(64) RouteCounters {
  /// A response of this size went into the store.
  void count_stored(std::uint64_t bytes) noexcept {
    stored.add();
    object_bytes.observe(bytes, kObjectBounds.data(), kObjectBounds.size());
  }

  std::array<std::array<Cell, 5>, kMethodLabels> requests;  ///< [method][status class - 1]
  std::array<Cell, rules::kCacheResults> results;
  std::array<Cell, static_cast<std::size_t>(rules::Reason::kCount)> not_stored;
  std::array<Cell, static_cast<std::size_t>(RequestError::kCount)> errors;
  std::array<Histogram<24>, kLatencyClasses> duration;  ///< Nanoseconds, bounds of the registry.
  Cell in_flight;                                       ///< Up at start, down at finish.
  Cell request_bytes;
  std::array<Cell, 3> response_bytes;  ///< By Source.
  Cell stored;
  Histogram<kObjectBounds.size()> object_bytes;      ///< Sizes of what was stored.
  std::array<std::array<Cell, 3>, 2> revalidations;  ///< [background][Revalidated]
  std::array<Cell, 4> coalesced;
  Cell variants_evicted;
  Cell tags_dropped;      ///< Tags of stored responses beyond `tags.max`, and texts that are none.
  Cell writes_uncertain;  ///< Writes whose tags could not all be told, so that more was invalidated.
  Cell saved_nanoseconds, saved_requests, saved_bytes;
  Cell saved_cost;               ///< In billionths of the money that `cost_per_million` is in.
  Cell tunnels, tunnels_opened;  ///< Open now, and ever.
  std::array<Cell, static_cast<std::size_t>(TunnelEnd::kCount)> tunnels_closed;
  std::array<Cell, 2> tunnel_bytes;  ///< By TunnelWay.
  std::array<Cell, 2> early_hints;   ///< By HintsFrom.
};

/// Counters of all routes by name. They survive reloads: a route that keeps its name keeps its counters. Thread-safe.
class CounterRegistry {
 public:
  /// `bounds`: nanoseconds, of the duration histograms; at most 24. Fixed for the life of the process.
  CounterRegistry(std::size_t workers, std::vector<std::uint64_t> bounds, std::size_t max_routes);
  /// The numbers of this route for this worker; `_other` once `max_routes` names are in use (`_none` and `_other` not
  /// counted).
  RouteCounters& of(std::string_view route, std::size_t worker);
  const std::vector<std::uint64_t>& bounds() const noexcept { return bounds_; }
  std::size_t workers() const noexcept { return workers_; }

  struct Row {
    std::string route;
    std::vector<const RouteCounters*> workers;  ///< To be summed.
  };
  /// All routes seen so far. The pointers stay valid.
  std::vector<Row> rows() const;

 private:
  std::size_t workers_;
  std::vector<std::uint64_t> bounds_;
  std::size_t max_routes_;
  mutable Mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<RouteCounters>>, std::less<>> routes_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace forebay::proxy
