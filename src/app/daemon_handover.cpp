// Replacing the binary: what this process takes over at its start, and leaves to the next one.
#include <algorithm>
#include <string>
#include <utility>

#include "daemon.hpp"
#include "forebay/admin/build.hpp"
#include "forebay/base/duration_text.hpp"
#include "forebay/base/log.hpp"
#include "signals.hpp"

namespace forebay::app {
namespace {

using boost::system::error_code;

// For an answer of a process that has other things to do.
constexpr auto kPatience = std::chrono::seconds{20};
// For a purge that had to wait for others, or for memory.
constexpr auto kAgain = std::chrono::milliseconds{100};

}  // namespace

void Daemon::find_predecessor() {
  const auto& path = loaded_.config->server.handover;
  if (path.empty()) return;
  predecessor_ = server::Predecessor::find(path, admin::build().version, kPatience, stop_is_pending);
  if (predecessor_) log::info("taking the listening sockets of " + predecessor_->name() + " over");
}

server::Neighbours Daemon::others() {
  server::Neighbours out;
  if (!predecessor_) return out;
  out.inherited = &predecessor_->sockets();
  out.own = predecessor_->addresses();
  return out;
}

// Last before this process accepts: whatever fails earlier leaves the predecessor as it was.
void Daemon::take_over() {
  const auto& path = runtime()->config->server.handover;
  if (path.empty()) return;
  handover_ = std::make_unique<server::Handover>(control_, path, admin::build().version, predecessor_.get());
  if (!predecessor_) return;
  using Reply = server::Predecessor::Reply;
  const auto& name = predecessor_->name();
  switch (predecessor_->ready(kPatience)) {
    case Reply::Replaced:
      log::info(name + " is replaced, and ends its connections");
      follow_predecessor();
      break;
    case Reply::Gone: log::warn(name + " has ended before it was replaced"); break;
    case Reply::Silent:
      log::warn(name + " does not answer; this process serves in its place. Stop that one if it does not end");
      silent_ = true;
  }
}

// Not earlier: until it is replaced the files are the predecessor's. This process serves already, so that it does not
// end where it may not change them.
void Daemon::set_access(const ListenerSet::Change& listeners) {
  if (!predecessor_) return;
  const auto set = [](const server::Listener& listener, const config::Listener& wanted) {
    try {
      listener.set_access(wanted);
    } catch (const std::exception& e) {
      log::error(e.what());
    }
  };
  for (std::size_t i = 0; i < listeners.wanted.size(); ++i)
    if (listeners.fresh[i]) set(*listeners.fresh[i], listeners.wanted[i]);
  if (admin_) set(admin_->listener(), operators_listener(*runtime()->config));
}

// One that is silent still has to read that this process is ready, and answers only one that is there.
void Daemon::hear_predecessor() {
  if (!predecessor_) return;
  const auto& name = predecessor_->name();
  using Reply = server::Predecessor::Reply;
  try {
    switch (predecessor_->late_reply()) {
      case Reply::Silent: return;
      case Reply::Replaced:
        log::info(name + " is replaced, and ends its connections");
        follow_predecessor();
        break;
      case Reply::Gone: log::info(name + " has ended"); break;
    }
  } catch (const std::exception& e) {
    log::error(e.what());
  }
  predecessor_.reset();
}

void Daemon::offer_sockets() {
  if (!silent_) predecessor_.reset();
  if (!handover_) return;
  const auto offers = [this] {
    auto all = listeners_->offers();
    if (admin_) all.push_back({*runtime()->config->admin, &admin_->listener()});
    return all;
  };
  handover_->start({offers, [this](bool replaced) { set_replaced(replaced); },
                    [this](const auto& taken, const std::string& by, const auto& link) {
                      follow_successor(link);
                      begin_leaving(taken, by);
                    }});
}

// Before the new process accepts: from then on purges reach that one alone, so that nothing stored here is used.
void Daemon::set_replaced(bool replaced) {
  shared_->replaced.store(replaced, std::memory_order_release);
  if (replaced)
    shared_->successor.open([this] { boost::asio::post(control_, [this] { ask_successor(); }); });
  else
    shared_->successor.close();
}

// Clients learn with their next answer that this connection ends, so that no request is lost; those that send none for
// half of the time are idle, and are closed. No STOPPING is sent: to the manager, the service goes on.
void Daemon::begin_leaving(const std::vector<const server::Listener*>& taken, const std::string& by) {
  const auto patience = runtime()->config->shutdown.drain / 2;
  log::info("replaced by " + by + ": no more connections are accepted; up to " + duration_text(2 * patience) +
            " for those that are open");
  stopping_ = replaced_ = true;
  stop_began_ = clock_.now().mono;
  for (auto* timer : {&leaving_timer_, &duration_timer_, &drain_timer_}) timer->cancel();
  notifier_.status("replaced by another process; open connections end");
  shared_->sends_clients_away.store(true, std::memory_order_release);
  // A probe that is on its way asks about the service, which is ready.
  if (admin_ && std::find(taken.begin(), taken.end(), &admin_->listener()) != taken.end())
    admin_->leave();
  else
    status_.state.store(admin::State::Draining, std::memory_order_release);
  listeners_->leave(taken);
  listeners_->close();
  // Its memory is for the new process.
  proxy::PreparedPurge all;
  all.order.all = all.order.by_write = true;
  all.order.now = stop_began_;
  (void)shared_->purger.ask(std::move(all), [](const auto&, const auto&) {});
  // Not within a call of its own.
  boost::asio::post(control_, [this] { handover_.reset(); });
  drain_end_.expires_after(patience);
  drain_end_.async_wait([this, patience](error_code ec) {
    if (!ec && std::exchange(replaced_, false)) end_connections(patience);
  });
  await_idle();
}

// What writes on old connections make stale is stored here. They are few, and this process has begun without a cache,
// so everything goes that was fetched so far.
void Daemon::follow_predecessor() {
  to_predecessor_ = predecessor_->link(control_);
  to_predecessor_->start([this] { purge_for_predecessor(); }, [this] { to_predecessor_.reset(); });
}

void Daemon::purge_for_predecessor() {
  if (!std::exchange(told_of_purges_, true))
    log::info(
        "a write on a connection of the replaced process: all that is stored here is purged, now and at further "
        "ones (forebay_purges_total, kind \"write\")");
  const auto then = [this](bool done) { boost::asio::post(control_, [this, done] { purged_for_predecessor(done); }); };
  // A replaced one has nothing to purge, and passes it on.
  if (shared_->successor.purge([then] { then(true); })) return;
  proxy::PreparedPurge all;
  all.order.all = all.order.by_write = true;
  all.order.now = clock_.now().mono;
  if (!shared_->purger.ask(std::move(all), [then](const auto&, const proxy::PurgeDone& d) { then(!d.failed); }))
    purged_for_predecessor(false);
}

void Daemon::purged_for_predecessor(bool done) {
  if (!to_predecessor_) return;
  if (done) return to_predecessor_->say();
  purge_timer_.expires_after(kAgain);
  purge_timer_.async_wait([this](error_code ec) {
    if (!ec) purge_for_predecessor();
  });
}

void Daemon::follow_successor(const std::shared_ptr<server::HandoverLink>& link) {
  to_successor_ = link;
  const auto settled = [this] {
    shared_->successor.settle();
    ask_successor();
  };
  to_successor_->start(settled, [this] {
    to_successor_.reset();
    shared_->successor.close();
  });
}

void Daemon::ask_successor() {
  if (to_successor_ && shared_->successor.take()) to_successor_->say();
}

// Writes there reach the successor by this process.
bool Daemon::awaits_predecessor() const { return to_predecessor_ && to_successor_; }

}  // namespace forebay::app
