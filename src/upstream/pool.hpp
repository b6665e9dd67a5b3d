#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "forebay/net/worker.hpp"
#include "upstream/connection.hpp"
#include "upstream/shared_origin.hpp"

namespace forebay::upstream {

/// A fetch for its pool, which cancels it when the pool ends.
class Cancellable
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void cancel() = 0;
  /// Its client keeps an origin's connection waiting for which others wait: reads on within a bound, or ends.
  virtual void give_way() = 0;

 protected:
  ~Cancellable() = default;
};

/// One worker's idle connections to one origin, and its fetches. Used only by its worker.
class Pool final : public std::enable_shared_from_this<Pool> {
 public:
  Pool(net::Worker& worker, std::shared_ptr<SharedOrigin> origin);
  Pool(const Pool&) = delete;
  ~Pool();

  net::Worker& worker() noexcept { return worker_; }
  SharedOrigin& origin() noexcept { return *origin_; }
  const std::shared_ptr<SharedOrigin>& shared() const noexcept { return origin_; }

  /// Starts to watch requests of other workers; once, after construction.
  void open();
  /// The most recently used connection, if it is still open.
  ConnectionPtr take_idle();
  /// Returns a connection after a complete response, for reuse.
  void put_back(ConnectionPtr connection) noexcept;

  using Resolved = std::function<void(const AddressList& list, const std::string& why)>;
  /// The origin's addresses: at once when some are known, else when they are resolved. Null with a reason.
  void resolve(Resolved then);

  /// Closes idle connections, now and in future.
  void retire();
  bool retired() const noexcept { return retired_; }
  /// `retire`, and all fetches end silently.
  void shut();
  void add(Cancellable& fetch) { fetches_.push_back(fetch); }
  /// The client of a fetch keeps its connection waiting, since then; or does not any more.
  void stalls(Cancellable& fetch, Timestamp since);
  void moves(Cancellable& fetch, Timestamp since);

 private:
  struct Wanted final : Waiter {
    explicit Wanted(Pool& p) : pool(p) {}
    void woken() override { pool.give_to_queue(); }
    Pool& pool;
  };
  void give_to_queue();
  void show_stalled() noexcept;
  void keep(const ConnectionPtr& connection);
  void check();
  bool watch(const ConnectionPtr& connection);
  void drop(Connection& connection);
  void start_resolving(std::shared_ptr<Addresses::Turn> turn);
  void resolved(const boost::system::error_code& error, const boost::asio::ip::tcp::resolver::results_type& found);
  void tell(const AddressList& list, const std::string& why);

  net::Worker& worker_;
  const std::shared_ptr<SharedOrigin> origin_;
  const std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
  Wanted wanted_{*this};
  std::vector<ConnectionPtr> idle_;  // the last used is last
  net::Deadline check_{[this] { check(); }};
  std::set<std::pair<Timestamp, Cancellable*>> stalled_;
  boost::intrusive::list<Cancellable, boost::intrusive::constant_time_size<false>> fetches_;
  boost::asio::ip::basic_resolver<boost::asio::ip::tcp, net::Worker::Executor> resolver_;
  std::vector<Resolved> unresolved_;
  bool resolving_ = false;
  bool retired_ = false;
};

}  // namespace forebay::upstream
