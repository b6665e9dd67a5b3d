#include "forebay/proxy/request_tap.hpp"

#include <utility>
#include <vector>

#include "access_format.hpp"
#include "bounded_queue.hpp"
#include "forebay/base/mutex.hpp"

namespace forebay::proxy {
namespace {

constexpr std::size_t kMostLines = 2048;
constexpr std::size_t kMostBytes = std::size_t{4} * 1024 * 1024;

using Filters = std::array<std::shared_ptr<const RequestFilter>, RequestTap::kMostWatchers>;

/// What one worker knows of the watchers. The worker never waits for the lock.
struct alignas(64) WorkerView {
  Mutex mutex;
  Filters filters FOREBAY_GUARDED_BY(mutex);
};

}  // namespace

struct RequestTap::Private {
  explicit Private(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) views.push_back(std::make_unique<WorkerView>());
  }
  Filters filters;  // the reader's
  std::vector<std::unique_ptr<WorkerView>> views;
  BoundedQueue<Line, kMostLines> lines;
  std::atomic<std::size_t> bytes{0};
  std::array<std::atomic<std::uint64_t>, kMostWatchers> dropped{};

  void drop(std::uint32_t watchers) noexcept {
    for (std::size_t i = 0; i < kMostWatchers; ++i)
      if ((watchers >> i & 1) != 0) dropped[i].fetch_add(1, std::memory_order_relaxed);
  }
};

RequestTap::RequestTap(std::size_t workers) : p_(std::make_unique<Private>(workers)) {}
RequestTap::~RequestTap() = default;

void RequestTap::offer(std::size_t worker, const AccessRecord& record, const config::AccessLog& config) {
  auto& p = *p_;
  Line line;
  {
    auto& view = *p.views[worker];
    if (!view.mutex.try_lock()) return p.drop(watched_.load(std::memory_order_relaxed));
    for (std::size_t i = 0; i < kMostWatchers; ++i)
      if (view.filters[i] && view.filters[i]->matches(record)) line.watchers |= std::uint32_t{1} << i;
    view.mutex.unlock();
  }
  if (line.watchers == 0) return;
  if (p.bytes.load(std::memory_order_relaxed) >= kMostBytes || p.lines.size() >= kMostLines)
    return p.drop(line.watchers);
  append_json(line.json, record, config);
  const auto size = line.json.size();
  p.bytes.fetch_add(size, std::memory_order_relaxed);
  if (p.lines.push(line)) return;
  p.bytes.fetch_sub(size, std::memory_order_relaxed);
  p.drop(line.watchers);
}

std::optional<std::size_t> RequestTap::watch(RequestFilter filter) {
  auto& p = *p_;
  for (std::size_t i = 0; i < kMostWatchers; ++i) {
    if (p.filters[i]) continue;
    p.filters[i] = std::make_shared<const RequestFilter>(std::move(filter));
    p.dropped[i].store(0, std::memory_order_relaxed);
    tell_workers();
    return i;
  }
  return std::nullopt;
}

void RequestTap::leave(std::size_t watcher) {
  p_->filters[watcher].reset();
  tell_workers();
  if (Line line; !open())
    while (take(line)) {
    }
}

void RequestTap::tell_workers() {
  std::uint32_t watched = 0;
  for (std::size_t i = 0; i < kMostWatchers; ++i)
    if (p_->filters[i]) watched |= std::uint32_t{1} << i;
  for (auto& view : p_->views) {
    const MutexLock lock(view->mutex);
    view->filters = p_->filters;
  }
  watched_.store(watched, std::memory_order_relaxed);
}

bool RequestTap::take(Line& line) {
  if (!p_->lines.pop(line)) return false;
  p_->bytes.fetch_sub(line.json.size(), std::memory_order_relaxed);
  return true;
}

std::uint64_t RequestTap::take_dropped(std::size_t watcher) noexcept {
  return p_->dropped[watcher].exchange(0, std::memory_order_relaxed);
}

}  // namespace forebay::proxy
