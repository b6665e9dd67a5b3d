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
#include "forebay/net/scheduling.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::proxy {
namespace {

/// Orders that may wait.
constexpr std::size_t kMostQueued = 64;

struct Job {
  PreparedPurge purge;
  Purger::Then then;
};

struct Begun {
  std::vector<cache::PurgeRun> runs;
  PurgeEndPtr end;
};

/// Of writes that search for the same, by mode.
struct Search {
  cache::PurgeOrder order;
  std::vector<PurgeEndPtr> ends;
};

void tell(const PreparedPurge& purge, const PurgeDone& done) {
  const auto& order = purge.order;
  if (order.dry_run || order.by_write || done.failed) return;
  events::record(order.now, events::Kind::Purge, outcome_text(purge, done),
                 {{"purged", done.purged.total}, {"mode", order.mode == cache::PurgeMode::Soft ? "soft" : "hard"}});
}

}  // namespace

struct Purger::Private {
  explicit Private(cache::Store& s) : store(s) {}

  bool begin_thread() noexcept;
  void run();
  void do_job(Job& job);
  bool complete_writes();
  bool follow_up();
  cache::Purged carry_out(const cache::PurgeOrder& order);
  void purge_all(const cache::PurgeOrder& in_place_of);
  void wake() noexcept {
    signal.fetch_add(1, std::memory_order_release);
    signal.notify_all();
  }
  bool stops() const noexcept { return stopping.load(std::memory_order_acquire); }

  cache::Store& store;
  BoundedQueue<Job, kMostQueued> queue;
  BoundedQueue<Begun, kMostQueued> begun_writes;
  std::atomic<int> signal{0};  // changes when there may be something to do
  std::atomic<bool> stopping{false};
  std::atomic<bool> begun{false};
  Mutex mutex;
  std::thread thread FOREBAY_GUARDED_BY(mutex);
  std::array<Search, 2> searches FOREBAY_GUARDED_BY(mutex);  // by mode
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
  // It may have the processor of a worker that has hits to answer: it gives way after each step, in which alone it has
  // a lock. A lower priority would delay those who wait for that lock.
  net::take_short_turns();
  while (!stops()) {
    const int seen = signal.load(std::memory_order_acquire);
    const bool completed = complete_writes();
    const bool followed = follow_up();
    Job job;
    if (queue.pop(job))
      do_job(job);
    else if (!completed && !followed && !stops())
      signal.wait(seen, std::memory_order_acquire);
  }
}

void Purger::Private::do_job(Job& job) {
  const auto began = std::chrono::steady_clock::now();
  PurgeDone done;
  guarded([&] { done.purged = carry_out(job.purge.order); }, [&] { done.failed = true; });
  done.took = std::chrono::steady_clock::now() - began;
  guarded([&] { tell(job.purge, done); }, [] {});
  guarded([&] { job.then(job.purge, done); }, [] {});
}

cache::Purged Purger::Private::carry_out(const cache::PurgeOrder& order) {
  cache::PurgeRun run(store, order);
  for (; run.step(); std::this_thread::yield()) complete_writes();
  return run.purged();
}

// Where there is no memory for a search: this needs none.
void Purger::Private::purge_all(const cache::PurgeOrder& in_place_of) {
  cache::PurgeOrder all;
  all.all = all.by_write = true;
  all.mode = in_place_of.mode;
  all.now = in_place_of.now;
  guarded([&] { store.purge(all); }, [] {});
}

// Whether there was anything.
bool Purger::Private::complete_writes() {
  bool any = false;
  for (Begun write; begun_writes.pop(write); write = {}) {
    any = true;
    for (auto& run : write.runs)
      guarded(
          [&] {
            while (run.step()) std::this_thread::yield();
          },
          [&] { purge_all(run.order()); });
    write.runs.clear();
    write.end->count_down();
  }
  return any;
}

// Whether there was anything. A write that asks from now on is for the next time, since its order must be a later one.
bool Purger::Private::follow_up() {
  bool any = false;
  for (std::size_t mode = 0; mode < 2; ++mode) {
    Search search;
    {
      const MutexLock lock(mutex);
      search = std::exchange(searches[mode], {});
    }
    const auto& order = search.order;
    if (order.empty()) continue;
    any = true;
    guarded([&] { carry_out(order); }, [&] { purge_all(order); });
    for (const auto& end : search.ends) end->count_down();
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

bool Purger::complete(std::vector<cache::PurgeRun>& runs, const PurgeEndPtr& end) noexcept {
  auto& p = *p_;
  if (p.stops() || !p.begin_thread()) return false;
  Begun begun{std::move(runs), end};
  end->add();
  if (!p.begun_writes.push(begun)) {
    end->count_down();
    runs = std::move(begun.runs);
    return false;
  }
  p.wake();
  return true;
}

bool Purger::follow_up(const std::string& route, cache::PurgeMode mode, Timestamp now,
                       const PurgeEndPtr& end) noexcept {
  auto& p = *p_;
  if (p.stops() || !p.begin_thread()) return false;
  bool listed = false;
  forebay::guarded(
      [&] {
        const MutexLock lock(p.mutex);
        auto& [order, ends] = p.searches[static_cast<std::size_t>(mode)];
        ends.reserve(ends.size() + 1);
        if (std::find(order.routes.begin(), order.routes.end(), route) == order.routes.end())
          order.routes.push_back(route);
        ends.push_back(end);
        order.mode = mode;
        order.by_write = true;
        order.now = std::max(order.now, now);
        end->add();
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
  for (Begun begun; p.begun_writes.pop(begun);) begun = {};
}

}  // namespace forebay::proxy
