#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <string>

#include "config_source.hpp"
#include "exit_code.hpp"
#include "file_watch.hpp"
#include "forebay/admin/endpoints.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/config/route_epochs.hpp"
#include "limits.hpp"
#include "listener_set.hpp"
#include "notify.hpp"
#include "tls_files.hpp"
#include "worker_pool.hpp"

namespace forebay::app {

/// The admin listener, as configured.
config::Listener operators_listener(const config::Config& config);

/// The proxy process: builds everything in order, handles signals, reloads, drains. Runs on the caller's thread, which
/// waits for workers only where they reply at once.
class Daemon {
 public:
  struct Options {
    std::string port_file;
    /// Called once it is ready.
    std::function<void(const Daemon&)> ready;
    Duration stop_after{0};    ///< 0: never by itself.
    bool watch_files = false;  ///< Reload when a file of the configuration changes.
  };
  Daemon(ConfigSource& source, config::LoadResult loaded, Options options);
  ~Daemon();
  Daemon(const Daemon&) = delete;

  /// Runs until a signal. Prints on standard error why it could not start.
  ExitCode run();

  const ListenerSet& front() const { return *listeners_; }
  /// The operators' address in use, or null.
  const server::Listener* admin_listener() const { return admin_ ? &admin_->listener() : nullptr; }

 private:
  void build();
  void open();
  void watch(boost::asio::signal_set& signals);
  void on_signal(int signal);
  void each_second();
  void sweep(Duration wait);
  void weigh();
  void watch_dog();
  void announce();
  void write_port_file();

  // daemon_reload.cpp
  admin::Reloaded reload();
  void follow_files(const config::LoadResult& loaded);
  /// Fills in what has changed, or why nothing has.
  void try_reload(const config::LoadResult& loaded, TlsFiles tls, admin::Reloaded& outcome);
  void keep_tickets_for(const config::Config& config);
  void set_runtime(proxy::RuntimePtr runtime);
  proxy::RuntimePtr runtime() const;

  // daemon_orders.cpp: what operators order by the admin listener
  admin::Orders orders();
  void queue_reload(std::function<void(const admin::Reloaded&)> then);
  bool begin_drain(std::optional<Duration> delay);
  bool end_drain();

  // daemon_handover.cpp
  void find_predecessor();
  server::Neighbours others();
  void take_over();
  void set_access(const ListenerSet::Change& listeners);
  void hear_predecessor();
  void offer_sockets();
  void begin_leaving(const std::vector<const server::Listener*>& taken, const std::string& by);

  // daemon_stop.cpp
  void begin_stop(std::string_view why);
  void stop_accepting();
  void leave_to_successor();
  void end_connections(Duration patience);
  void await_idle();
  void stop_now(std::string_view why);
  void dismantle();

  void dump() const;

  ConfigSource& source_;
  config::LoadResult loaded_;
  Options options_;
  std::uint64_t fd_limit_ = 0;
  net::SystemClock clock_;
  std::shared_ptr<net::TicketKeys> tickets_ = std::make_shared<net::TicketKeys>(clock_);
  TlsFiles tls_;  // until the listeners and origins have it
  boost::asio::io_context control_{1};
  // Two sets, since a set delivers the lowest number first: many HUPs must not delay a TERM.
  boost::asio::signal_set stop_signals_{control_, SIGTERM, SIGINT, SIGQUIT},
      orders_{control_, SIGHUP, SIGUSR1, SIGUSR2};
  boost::asio::steady_timer second_{control_}, memory_timer_{control_}, drain_timer_{control_}, drain_end_{control_},
      watchdog_timer_{control_}, duration_timer_{control_}, leaving_timer_{control_};
  std::unique_ptr<FileWatch> file_watch_;
  Notifier notifier_;
  admin::Status status_;

  std::unique_ptr<cache::Store> store_;
  std::unique_ptr<proxy::CounterRegistry> counters_;
  std::unique_ptr<proxy::Shared> shared_;
  std::unique_ptr<MemoryGovernor> governor_;
  config::RouteEpochs epochs_;
  mutable Mutex runtime_mutex_;  // against the admin worker
  proxy::RuntimePtr runtime_ FOREBAY_GUARDED_BY(runtime_mutex_);
  std::uint64_t dropped_before_ FOREBAY_GUARDED_BY(runtime_mutex_) =
      0;  // access log lines, by logs that are no longer in use
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<boost::asio::steady_timer> sweep_timer_;  // of the first worker
  std::unique_ptr<ListenerSet> listeners_;
  std::unique_ptr<admin::AdminHandler> admin_handler_;
  std::unique_ptr<SingleWorkerServer> admin_;
  std::unique_ptr<server::Predecessor> predecessor_;  // until it is replaced
  bool silent_ = false;                               // the predecessor has not said that it is
  std::unique_ptr<server::Handover> handover_;

  std::vector<std::function<void(const admin::Reloaded&)>> reload_waiters_;  // of the reload that is next
  bool stopping_ = false;
  bool replaced_ = false;  // by a successor, and no signal to stop has come
  bool ended_ = false;
  std::atomic<std::size_t> background_fetches_{0};
  bool counting_ = false;
  std::atomic<bool> all_alive_{true};
  Timestamp stop_began_{};
};

}  // namespace forebay::app
