#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "daemon.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/log.hpp"

namespace forebay::app {
namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr auto kLookAgain = 20ms;
// Since the signal, for a successor that has the sockets.
constexpr auto kSuccessor = 5s;

std::string seconds_text(Duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

}  // namespace

// Only readiness changes first, so that load balancers stop sending while all requests are still served.
void Daemon::begin_stop(std::string_view why) {
  const auto& shutdown = runtime()->config->shutdown;
  if (std::exchange(replaced_, false)) {
    log::info("stopping (" + std::string(why) + "): idle connections are closed");
    return end_connections(shutdown.drain);
  }
  if (std::exchange(stopping_, true)) return;
  stop_began_ = clock_.now().mono;
  const auto text = "stopping (" + std::string(why) + "): delay " + seconds_text(shutdown.delay) + ", then up to " +
                    seconds_text(shutdown.drain) + " for open requests";
  log::info(text);
  events::record(stop_began_, events::Kind::Stop, text);
  status_.state.store(admin::State::Draining, std::memory_order_release);
  notifier_.stopping();
  duration_timer_.cancel();
  // An operator's delay that runs gives way to shutdown.delay: clients are not sent away before that.
  leaving_timer_.cancel();
  drain_timer_.expires_after(shutdown.delay);
  drain_timer_.async_wait([this](error_code ec) {
    if (!ec) stop_accepting();
  });
}

void Daemon::stop_accepting() {
  if (replaced_) return;
  // A successor that has the sockets already is let finish: no connection is lost then.
  if (handover_ && handover_->busy() && clock_.now().mono - stop_began_ >= kSuccessor) {
    handover_->interrupt("it is stopping, and waits no longer for the new process");
    if (replaced_) return;
  }
  if (handover_ && handover_->busy()) {
    drain_timer_.expires_after(kLookAgain);
    drain_timer_.async_wait([this](error_code ec) {
      if (!ec) stop_accepting();
    });
    return;
  }
  handover_.reset();
  shared_->draining.store(true, std::memory_order_release);
  listeners_->close();
  end_connections(runtime()->config->shutdown.drain);
  await_idle();
}

// The acceptors have stopped.
void Daemon::end_connections(Duration patience) {
  shared_->draining.store(true, std::memory_order_release);
  listeners_->drain();
  workers_->drain();
  drain_end_.expires_after(patience);
  drain_end_.async_wait([this](error_code ec) {
    if (!ec) stop_now("shutdown.drain has passed");
  });
}

// Ends when no client and no background fetch is left.
void Daemon::await_idle() {
  if (ended_) return;
  ask_successor();  // where that has found no memory
  if (!counting_ && listeners_->open_connections() == 0 && !awaits_predecessor()) {
    counting_ = true;
    // `post` brings the answer back to this thread.
    workers_->count_background_fetches([this](std::size_t n) {
      boost::asio::post(control_, [this, n] {
        counting_ = false;
        background_fetches_ = n;
        if (n == 0 && listeners_->open_connections() == 0 && !awaits_predecessor()) stop_now("");
      });
    });
  }
  drain_timer_.expires_after(kLookAgain);
  drain_timer_.async_wait([this](error_code ec) {
    if (!ec) await_idle();
  });
}

void Daemon::stop_now(std::string_view why) {
  if (ended_) return;
  ended_ = true;
  const auto open = listeners_->open_connections();
  if (!why.empty())
    log::warn("stopping now (" + std::string(why) + "): " + std::to_string(open) + " connections and " +
              std::to_string(background_fetches_.load()) + " background fetches are aborted");
  else
    log::info("drained in " + seconds_text(clock_.now().mono - stop_began_));
  control_.stop();
}

// A successor that has the sockets, and has not been answered, takes over when it finds that this process is gone.
void Daemon::leave_to_successor() {
  const auto shared = handover_->conclude();
  if (shared.empty()) return;
  log::info("the sockets are left to the process that is about to take over");
  listeners_->leave(shared);
  if (admin_ && std::find(shared.begin(), shared.end(), &admin_->listener()) != shared.end()) admin_->leave();
}

// In this order: clients, tasks, threads, wakers, then what they used. See docs/architecture.md.
void Daemon::dismantle() {
  if (!store_) return;
  status_.state.store(admin::State::Stopping, std::memory_order_release);
  shared_->draining.store(true, std::memory_order_release);
  if (handover_ && handover_->busy()) leave_to_successor();
  if (listeners_ && sweep_timer_) {
    listeners_->close();
    listeners_->abort();
    for (Duration waited{0}; listeners_->open_connections() != 0 && waited < 1s; waited += 2ms)
      std::this_thread::sleep_for(2ms);
  }
  handover_.reset();
  predecessor_.reset();
  for (auto* link : {&to_predecessor_, &to_successor_})
    if (const auto ending = std::exchange(*link, nullptr)) ending->close();
  shared_->successor.close();
  shared_->purger.stop();
  if (admin_ && admin_handler_) admin_->end_in_order([this] { admin_handler_->end_streams(); });
  if (admin_) admin_->close();
  if (workers_) workers_->stop();
  // Only now: until then the workers may hand it what it has asked them for.
  admin_.reset();
  admin_handler_.reset();
  if (listeners_) listeners_->clear();
  sweep_timer_.reset();
  if (workers_) workers_->dismiss_handlers();
  {
    const MutexLock lock(runtime_mutex_);
    runtime_.reset();
  }
  shared_->compressor.stop();
  governor_.reset();
  store_.reset();
  workers_.reset();
  listeners_.reset();
  shared_.reset();
  counters_.reset();
}

}  // namespace forebay::app
