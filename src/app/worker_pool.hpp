#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "forebay/net/worker.hpp"
#include "forebay/proxy/handler.hpp"
#include "forebay/server/listener.hpp"

namespace forebay::app {

/// The workers with their threads and proxy handlers. Used by the main thread.
class WorkerPool {
 public:
  WorkerPool(unsigned threads, const Clock& clock, proxy::Shared& shared, const proxy::RuntimePtr& runtime);
  ~WorkerPool();

  void start();
  std::vector<server::Listener::Part> parts();
  std::vector<net::Worker*> workers() const;
  std::vector<server::Handler*> handlers() const;
  net::Worker& first() { return *workers_.front(); }
  std::size_t size() const noexcept { return workers_.size(); }

  /// All workers use this configuration for new requests; returns when all have confirmed.
  void adopt(const proxy::RuntimePtr& runtime);
  /// Tunnels and event streams end in order; see `ProxyHandler::drain`.
  void drain();
  /// Sums the background fetches of all workers; `then` gets the sum, on some worker's thread.
  void count_background_fetches(std::function<void(std::size_t)> then);
  /// Pings every worker; `then` is called, on some worker's thread, when all have replied.
  void ping_all(std::function<void()> then);

  /// Ends all tasks, then the threads; no wake-ups happen afterwards. The listeners' connections must be closed.
  void stop();
  /// After `stop`, before the store is destroyed.
  void dismiss_handlers() { handlers_.clear(); }

 private:
  /// Runs `task(i)` on worker i for all, then `then` on the last one's thread.
  void on_all(std::function<void(std::size_t)> task, std::function<void()> then);
  void on_all_and_wait(std::function<void(std::size_t)> task);

  std::vector<std::unique_ptr<net::Worker>> workers_;
  std::vector<std::unique_ptr<proxy::ProxyHandler>> handlers_;
  std::vector<std::thread> threads_;
};

/// One worker with a thread of its own that serves one listener: the operators', or the demo's origin.
class SingleWorkerServer {
 public:
  SingleWorkerServer(unsigned index, const Clock& clock) : worker_(index, clock) {}
  ~SingleWorkerServer() { close(); }

  net::Worker& worker() noexcept { return worker_; }
  /// Binds and starts to serve, with TLS unless that is null; throws std::runtime_error when it cannot bind.
  void open(const config::Listener& config, server::Handler& handler, std::shared_ptr<const net::TlsServer> tls = {},
            const server::Neighbours& others = {});
  /// What new connections speak TLS with.
  void use_tls(const std::shared_ptr<const net::TlsServer>& tls) { listener_->use_tls(tls); }
  /// Begins to accept where `open` has not: on sockets that were inherited.
  void start();
  /// Leaves what waits for it to the process that has its sockets too; connections end with their next answer.
  void leave();
  /// Runs `end` on its thread, and lets it send what that has begun.
  void end_in_order(const std::function<void()>& end);
  /// Ends connections and the thread.
  void close();
  const server::Listener& listener() const { return *listener_; }

 private:
  net::Worker worker_;
  std::unique_ptr<server::Listener> listener_;
  bool started_ = false;
  std::thread thread_;
};

/// Waits until the listener has no connection, up to `patience`. Only for the end of the process.
void await_closed(const server::Listener& listener, Duration patience);

}  // namespace forebay::app
