#include "streams.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/guarded.hpp"

namespace forebay::admin {

namespace {
constexpr std::size_t kMostWaiting = std::size_t{256} * 1024;
constexpr int kMostAtOnce = 4096;  // requests
}  // namespace

EventReader* Streams::watch_requests(proxy::RequestFilter filter, net::Worker& worker) {
  // The number may be that of one who has left, for whom something waits.
  if (watchers_.empty())
    drop_leftovers();
  else
    pass_requests();
  const auto number = tap_.watch(std::move(filter));
  if (!number) return nullptr;
  watchers_.push_back({*number, EventReader(kMostWaiting, worker.now().mono)});
  worker_ = &worker;
  if (!look_.armed()) worker.deadlines().arm(look_, worker.now().mono, kPause);
  return &watchers_.back().reader;
}

void Streams::pass_requests() {
  if (watchers_.empty()) return;
  const auto now = worker_->now().mono;
  for (auto& watcher : watchers_) watcher.reader.count_dropped(tap_.take_dropped(watcher.number));
  // Requests come meanwhile: not for ever.
  proxy::RequestTap::Line line;
  for (int n = 0; n < kMostAtOnce && tap_.take(line); ++n) {
    // Without memory it is one that was dropped, for those who have not got it.
    auto rest = line.watchers;
    guarded(
        [&] {
          const auto text = event_text("request", line.json);
          for (auto& watcher : watchers_) {
            const auto bit = std::uint32_t{1} << watcher.number;
            if ((rest & bit) != 0) watcher.reader.send(text, now);
            rest &= ~bit;
          }
        },
        [&] {
          for (auto& watcher : watchers_)
            if ((rest >> watcher.number & 1) != 0) watcher.reader.count_dropped(1);
        });
  }
  worker_->deadlines().arm(look_, now, kPause);
}

void Streams::drop_leftovers() {
  proxy::RequestTap::Line line;
  for (int n = 0; n < kMostAtOnce && tap_.take(line);) ++n;
}

void Streams::tidy(Timestamp now) {
  stats.remove_if([](const auto& reader) { return reader.left(); });
  for (auto& reader : stats) reader.keep_alive(now);
  for (auto at = watchers_.begin(); at != watchers_.end();) {
    if (at->reader.left()) {
      tap_.leave(at->number);
      at = watchers_.erase(at);
    } else {
      (at++)->reader.keep_alive(now);
    }
  }
}

void Streams::end() {
  for (auto& reader : stats) reader.end();
  stats.clear();
  for (auto& watcher : watchers_) {
    tap_.leave(watcher.number);
    watcher.reader.end();
  }
  watchers_.clear();
  look_.disarm();
}

}  // namespace forebay::admin
