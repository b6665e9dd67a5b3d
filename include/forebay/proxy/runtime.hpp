#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "forebay/base/noticed.hpp"
#include "forebay/base/rate_limit.hpp"
#include "forebay/cache/learned.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/config/config.hpp"
#include "forebay/config/route_table.hpp"
#include "forebay/proxy/access_log.hpp"
#include "forebay/proxy/compressor.hpp"
#include "forebay/proxy/counters.hpp"
#include "forebay/proxy/hot_keys.hpp"
#include "forebay/proxy/purger.hpp"
#include "forebay/proxy/recent_requests.hpp"
#include "forebay/proxy/request_tap.hpp"
#include "forebay/proxy/successor.hpp"
#include "forebay/upstream/origin.hpp"

namespace forebay::proxy {

/// One configuration in force. Immutable; each worker holds a pointer to the current one, a request that waits holds
/// its own.
struct Runtime {
  config::ConfigPtr config;
  config::RouteTable routes;
  /// By origin name. An origin whose settings did not change carries over from the previous runtime.
  std::map<std::string, std::shared_ptr<upstream::OriginState>> origins;
  std::shared_ptr<AccessLog> access;

  /// What the https origins of a configuration speak TLS with, by name, for each of their urls.
  using TlsClients = std::map<std::string, std::vector<std::shared_ptr<const net::TlsClient>>>;
  /// From now on new connections use these; before the first request, and at a reload.
  void use_tls(const TlsClients& clients) const;

  /// `previous` may be null. Throws std::runtime_error when the access log cannot be opened.
  static std::shared_ptr<const Runtime> make(const config::ConfigPtr& config, const Runtime* previous,
                                             std::size_t workers);
};
using RuntimePtr = std::shared_ptr<const Runtime>;

/// State that is shared by all workers and runtimes and lives as long as the process.
struct Shared {
  cache::Store& store;
  CounterRegistry& counters;
  std::string instance_id;                     ///< Random hex, for CDN-Loop.
  std::atomic<bool> draining{false};           ///< The process stops.
  cache::PersistedQueries persisted;           ///< GraphQL documents by their hash.
  cache::SearchRules searches;                 ///< No-Vary-Search rules of what is stored.
  std::atomic<std::uint64_t> tunnels{0};       ///< Open, or about to be; see `server.limits.tunnels`.
  std::atomic<std::uint64_t> content_held{0};  ///< Bytes of requests' content that is still being read for a key.
  Noticed untrusted{};                         ///< Networks of peers whose X-Forwarded-* fields were replaced.
  Compressor compressor{store};
  Purger purger{store};
  /// By the hash of a route's name: until when workers leave the search for all its responses to the purger, in
  /// nanoseconds of the clock.
  std::array<std::atomic<std::int64_t>, 64> searched_until{};
  RateLimit purges_taken{}, purges_refused{};   ///< Of clients; the lines about those that are refused.
  std::atomic<bool> sends_clients_away{false};  ///< An operator drains: answers close their connections.
  std::atomic<bool> replaced{false};            ///< Another process serves; nothing stored here is looked up.
  Successor successor{};                        ///< That process.
  Noticed uncertain_writes{};                   ///< Routes with writes whose tags could not all be told.
  HotKeysOfAll hot_keys{counters.workers()};
  RequestTap tap{counters.workers()};
  RecentRequestsOfAll recent{counters.workers()};
};

}  // namespace forebay::proxy
