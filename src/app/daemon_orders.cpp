// What operators order by the admin listener. The orders come from its thread, and are carried out on the main thread.
#include <string>
#include <utility>

#include "daemon.hpp"
#include "forebay/base/duration_text.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/log.hpp"

namespace forebay::app {

using boost::system::error_code;

admin::Orders Daemon::orders() {
  admin::Orders orders;
  orders.reload = [this](std::function<void(const admin::Reloaded&)> then) {
    boost::asio::post(control_, [this, then = std::move(then)]() mutable { queue_reload(std::move(then)); });
  };
  orders.drain = [this](std::optional<Duration> delay, std::function<void(bool)> then) {
    boost::asio::post(control_, [this, delay, then = std::move(then)] { then(begin_drain(delay)); });
  };
  orders.undrain = [this](std::function<void(bool)> then) {
    boost::asio::post(control_, [this, then = std::move(then)] { then(end_drain()); });
  };
  return orders;
}

// Those that come while one is queued share it, and those that come while one runs share the next: so that many of them
// cost two reloads.
void Daemon::queue_reload(std::function<void(const admin::Reloaded&)> then) {
  reload_waiters_.push_back(std::move(then));
  if (reload_waiters_.size() > 1) return;
  boost::asio::post(control_, [this] {
    const auto waiters = std::exchange(reload_waiters_, {});
    const auto outcome = reload();
    for (const auto& waiter : waiters) waiter(outcome);
  });
}

bool Daemon::begin_drain(std::optional<Duration> delay) {
  if (stopping_) return false;
  const auto wait = delay.value_or(runtime()->config->shutdown.delay);
  status_.state.store(admin::State::Draining, std::memory_order_release);
  const auto text = "draining: /readyz answers 503, and connections are closed after " + duration_text(wait);
  log::info(text);
  events::record(clock_.now().mono, events::Kind::Drain, text);
  shared_->sends_clients_away.store(false, std::memory_order_release);
  leaving_timer_.expires_after(wait);
  leaving_timer_.async_wait([this](error_code ec) {
    const bool over = leaving_timer_.expiry() <= std::chrono::steady_clock::now();
    if (!ec && over && status_.state.load(std::memory_order_acquire) == admin::State::Draining)
      shared_->sends_clients_away.store(true, std::memory_order_release);
  });
  return true;
}

bool Daemon::end_drain() {
  if (stopping_) return false;
  leaving_timer_.cancel();
  shared_->sends_clients_away.store(false, std::memory_order_release);
  if (status_.state.exchange(admin::State::Ready) == admin::State::Draining) {
    log::info("no longer draining");
    events::record(clock_.now().mono, events::Kind::Undrain, "no longer draining");
  }
  return true;
}

}  // namespace forebay::app
