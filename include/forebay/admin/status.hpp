#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/admin/orders.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/http/h2_session.hpp"
#include "forebay/net/tls_peer.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/counters.hpp"
#include "forebay/proxy/runtime.hpp"
#include "forebay/server/listener.hpp"

namespace forebay::admin {

enum class State : std::uint8_t { Starting, Ready, Draining, Stopping };
inline constexpr std::size_t kStates = 4;
std::string_view to_string(State s) noexcept;

/// State of the process; written by the main thread, read by the admin worker.
struct Status {
  std::atomic<State> state{State::Starting};
  std::atomic<bool> last_reload_successful{true};
  std::atomic<std::int64_t> last_reload_success_at{0};  ///< Unix seconds.
  std::atomic<std::uint64_t> reloads_applied{0}, reloads_rejected{0};
  Timestamp started_at{};  ///< Set before the admin worker starts.
};

/// One listener as the metrics see it; holds its numbers.
struct ListenerView {
  std::string name;
  std::uint64_t open = 0, accepted = 0, rejected_limit = 0, rejected_timeout = 0, rejected_malformed = 0,
                rejected_tls = 0, rejected_stalled = 0;
  std::uint64_t open_http2 = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(http::H2Abuse::kCount)> http2_abuse{};
  bool tls = false;                                             ///< Now, or while there are connections with it.
  std::array<std::uint64_t, net::kTlsHandshakes> handshakes{};  ///< By `net::TlsHandshake`.
  std::optional<std::int64_t> certificate_expiry{};             ///< Unix seconds; the first of its certificates.
  std::string address{};                                        ///< With the port in use; of the first of that name.
};

/// Data sources of the admin listener. The functions may be called from the admin worker at any time until it has
/// stopped.
struct Sources {
  const Status& status;
  const cache::Store& store;
  const proxy::CounterRegistry& counters;
  std::function<proxy::RuntimePtr()> runtime;
  std::function<std::vector<ListenerView>()> listeners;
  std::vector<net::Worker*> workers;
  /// Lines that access logs of former configurations dropped are in it too.
  std::function<std::uint64_t()> access_log_dropped;
  proxy::Shared& shared;
  Orders orders{};
  std::vector<server::Handler*> handlers{};  ///< The proxy's, of each of `workers`.
};

}  // namespace forebay::admin
