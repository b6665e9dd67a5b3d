#include "forebay/proxy/purger.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "bounded_queue.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::proxy {
namespace {

/// Orders that may wait.
constexpr std::size_t kMostQueued = 64;

struct Job {
  PreparedPurge purge;
  Purger::Then then;
};

void tell(const PreparedPurge& purge, const PurgeDone& done) {
  const auto& order = purge.order;
  if (order.dry_run || done.failed) return;
  events::record(order.now, events::Kind::Purge, outcome_text(purge, done),
                 {{"purged", done.purged.total}, {"mode", order.mode == cache::PurgeMode::Soft ? "soft" : "hard"}});
}

}  // namespace

struct Purger::Private {
  explicit Private(cache::Store& s) : store(s) {}

  bool begin_thread() noexcept;
  void run();
  void do_job(Job& job);
  bool follow_up();
  void wake() noexcept {
    signal.fetch_add(1, std::memory_order_release);
    signal.notify_all();
  }
  bool stops() const noexcept { return stopping.load(std::memory_order_acquire); }

  cache::Store& store;
  BoundedQueue<Job, kMostQueued> queue;
  std::atomic<int> signal{0};  // changes when there may be something to do
  std::atomic<bool> stopping{false};
  std::atomic<bool> begun{false};
  Mutex mutex;
  std::thread thread FOREBAY_GUARDED_BY(mutex);
  std::array<cache::PurgeOrder, 2> of_writes FOREBAY_GUARDED_BY(mutex);  // by mode
};

bool Purger::Private::begin_thread() noexcept {
  if (begun.load(std::memory_order_acquire)) return true;
  const MutexLock lock(mutex);
  if (begun.load(std::memory_order_relaxed)) return true;
  if (stops()) return false;
  try {
    thread = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;  // no more threads for this process: a later order tries again
  } catch (const std::bad_alloc&) {
    return false;  // likewise without memory for one
  }
  begun.store(true, std::memory_order_release);
  return true;
}

void Purger::Private::run() {
  net::leave_signals_to_others();
  while (!stops()) {
    const int seen = signal.load(std::memory_order_acquire);
    const bool followed = follow_up();
    Job job;
    if (queue.pop(job))
      do_job(job);
    else if (!followed && !stops())
      signal.wait(seen, std::memory_order_acquire);
  }
}

void Purger::Private::do_job(Job& job) {
  const auto began = std::chrono::steady_clock::now();
  PurgeDone done;
  guarded([&] { done.purged = store.purge(job.purge.order); }, [&] { done.failed = true; });
  done.took = std::chrono::steady_clock::now() - began;
  guarded([&] { tell(job.purge, done); }, [] {});
  guarded([&] { job.then(job.purge, done); }, [] {});
}

// Whether there was anything. A write that asks from now on is for the next time, since its order must be a later one.
bool Purger::Private::follow_up() {
  bool any = false;
  for (std::size_t mode = 0; mode < 2; ++mode) {
    cache::PurgeOrder order;
    {
      const MutexLock lock(mutex);
      order = std::exchange(of_writes[mode], {});
    }
    if (order.empty()) continue;
    any = true;
    guarded([&] { store.purge(order); },
            [&] {
              // Without memory for the search, everything is soft-purged, which needs none.
              cache::PurgeOrder all;
              all.all = all.by_write = true;
              all.mode = cache::PurgeMode::Soft;
              all.now = order.now;
              guarded([&] { store.purge(all); }, [] {});
            });
  }
  return any;
}

Purger::Purger(cache::Store& store) : p_(std::make_unique<Private>(store)) {}
Purger::~Purger() { stop(); }

bool Purger::ask(PreparedPurge purge, Then then) noexcept {
  auto& p = *p_;
  if (p.stops() || !p.begin_thread()) return false;
  Job job{std::move(purge), std::move(then)};
  if (!p.queue.push(job)) return false;
  p.wake();
  return true;
}

bool Purger::follow_up(const std::string& route, cache::PurgeMode mode, Timestamp now) noexcept {
  auto& p = *p_;
  if (p.stops() || !p.begin_thread()) return false;
  bool listed = false;
  forebay::guarded(
      [&] {
        const MutexLock lock(p.mutex);
        auto& order = p.of_writes[static_cast<std::size_t>(mode)];
        if (std::find(order.routes.begin(), order.routes.end(), route) == order.routes.end())
          order.routes.push_back(route);
        order.mode = mode;
        order.by_write = true;
        order.now = std::max(order.now, now);
        listed = true;
      },
      [] {});
  if (listed) p.wake();
  return listed;
}

void Purger::stop() noexcept {
  auto& p = *p_;
  std::thread ending;
  {
    const MutexLock lock(p.mutex);
    p.stopping.store(true, std::memory_order_release);
    ending.swap(p.thread);
  }
  p.wake();
  if (ending.joinable()) ending.join();
  for (Job job; p.queue.pop(job);) job = {};
}

}  // namespace forebay::proxy
