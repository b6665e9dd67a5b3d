#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "forebay/admin/status.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/config/config.hpp"
#include "forebay/server/handover.hpp"
#include "forebay/server/listener.hpp"
#include "tls_files.hpp"

namespace forebay::app {

/// Warns of sockets that systemd has handed over and nothing listens on: clients would wait for an answer in vain. Not
/// of those that were unused `before` already.
void warn_of_unused_sockets(const config::Config& config, const config::Config* before);

/// With the port in use.
std::string address_text(const server::Listener& listener);

/// The public listeners, across reloads. Used by the main thread unless stated otherwise.
class ListenerSet {
 public:
  using PartsMaker = std::function<std::vector<server::Listener::Part>()>;
  explicit ListenerSet(PartsMaker parts) : parts_(std::move(parts)) {}

  /// A change that has bound its new addresses but not opened them; dropping it undoes it.
  struct Change {
    std::vector<std::unique_ptr<server::Listener>> fresh;
    std::vector<config::Listener> wanted;
    TlsServers tls;
  };
  /// Binds the new addresses of `wanted`, or takes what the predecessor in `others` has handed over. A listener whose
  /// TLS alone has changed stays. Throws std::runtime_error on failure.
  Change prepare(const std::vector<config::Listener>& wanted, TlsServers tls, const server::Neighbours& others = {});
  /// Opens the new listeners, gives all their TLS, and closes those no longer wanted: their queues are accepted first,
  /// their connections end with their next response.
  void apply(Change change);

  /// Accepts what is queued, then no more; `drain` also ends connections with their next answer.
  void close();
  void drain();
  /// Leaves the queues of these to the process that has their sockets too.
  void leave(const std::vector<const server::Listener*>& taken);
  void abort();
  std::uint64_t open_connections() const;
  /// Removes closed listeners without connections.
  void tidy();
  /// After the workers have stopped.
  void clear();

  /// From any thread.
  std::vector<admin::ListenerView> views() const;
  /// Name and listener, in the order of the configuration.
  std::vector<std::pair<std::string, const server::Listener*>> current() const;
  /// Address as configured and listener, likewise.
  std::vector<server::Handover::Offer> offers() const;

 private:
  struct Open {
    config::Listener config;
    std::unique_ptr<server::Listener> listener;
    std::shared_ptr<const net::TlsServer> tls;  // of new connections
  };
  PartsMaker parts_;
  std::shared_ptr<server::ConnectionLimits> limits_ = server::make_connection_limits();  // of the whole process
  // Changed by the main thread alone, so that it reads them without the lock: this is against `views`.
  mutable Mutex mutex_;
  std::vector<Open> open_;
  std::vector<Open> retired_;
};

}  // namespace forebay::app
