#pragma once

#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "forebay/net/resolver.hpp"
#include "forebay/net/worker.hpp"
#include "upstream/connection.hpp"
#include "upstream/name_lookup.hpp"
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

  using Known = std::function<void(const AddressList& list, const std::string& why)>;
  /// The origin's addresses: at once when good ones are known, else when they are resolved, or when that takes so long
  /// that the last good ones have to do. Null with a reason.
  void resolve(Known then);
  /// Whether the connection's address is still one of the origin's.
  bool is_current(Connection& connection) const noexcept;

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
  struct Changed final : Waiter {
    explicit Changed(Pool& p) : pool(p) {}
    void woken() override { pool.addresses_changed(); }
    Pool& pool;
  };
  void give_to_queue();
  void show_stalled() noexcept;
  void keep(const ConnectionPtr& connection);
  void check();
  bool watch(const ConnectionPtr& connection);
  void drop(Connection& connection);
  void await_change();
  void addresses_changed();
  void adopt(const AddressList& list);
  void refresh();
  void ask(std::shared_ptr<Addresses::Turn> turn);
  void answered(NameLookup::Found&& found);
  void could_not(net::Resolution why);
  void tell(const Addresses::Look& look);
  void tell(const AddressList& list, const std::string& why);

  net::Worker& worker_;
  const std::shared_ptr<SharedOrigin> origin_;
  const std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
  Wanted wanted_{*this};
  std::vector<ConnectionPtr> idle_;  // the last used is last
  net::Deadline check_{[this] { check(); }};
  std::set<std::pair<Timestamp, Cancellable*>> stalled_;
  boost::intrusive::list<Cancellable, boost::intrusive::constant_time_size<false>> fetches_;
  Changed changed_{*this};
  AddressList list_;
  unsigned sets_ = 0;  // counts the changes by which an address left
  net::Deadline refresh_{[this] { refresh(); }};
  std::vector<Known> unresolved_;
  net::Deadline patience_{[this] { tell({Addresses::Use::Stale, list_}); }};  // of those
  std::shared_ptr<Addresses::Turn> turn_;
  std::unique_ptr<NameLookup> lookup_;
  bool retired_ = false;
};

}  // namespace forebay::upstream
