#include "warming.hpp"

#include <algorithm>
#include <atomic>

#include "forebay/base/guarded.hpp"

namespace forebay::admin {
namespace {

using namespace std::chrono_literals;
using proxy::InnerOutcome;
using proxy::InnerRequest;
using rules::CacheResult;

/// Timeouts of origins are shorter; this is for responses that have no end.
constexpr auto kLongestRequest = 60s;
constexpr auto kLongestRun = 15min;
constexpr std::size_t kMostFailures = 10;

bool was_there(CacheResult result) {
  return result == CacheResult::Hit || result == CacheResult::Stale || result == CacheResult::Coalesced ||
         result == CacheResult::Revalidated || result == CacheResult::StaleError;
}

}  // namespace

/// All but `active` is used on the admin worker's thread.
struct Warming::Run : std::enable_shared_from_this<Run> {
  Run(const Sources& s, net::Worker& w, std::vector<Url> list, unsigned most, Then what)
      : sources(s), here(w), urls(std::move(list)), at_once(most), then(std::move(what)), active(s.workers.size()) {}

  void go_on();
  void ask(std::size_t index);
  void count(std::size_t index, const InnerOutcome& outcome);
  bool may_ask() const {
    return !stopped.load(std::memory_order_acquire) && here.now().mono < until &&
           sources.status.state.load(std::memory_order_acquire) == State::Ready &&
           !sources.shared.replaced.load(std::memory_order_acquire);
  }

  const Sources& sources;
  net::Worker& here;
  const std::vector<Url> urls;
  const unsigned at_once;
  Then then;
  std::size_t next = 0;
  unsigned running = 0;
  Timestamp began = here.now().mono, until = began + kLongestRun;
  WarmReport report;
  bool over = false;
  std::atomic<bool> stopped{false};
  std::vector<std::vector<std::shared_ptr<InnerRequest>>> active;  // by worker; each is used on its thread
};

void Warming::Run::go_on() {
  while (running < at_once && next < urls.size() && may_ask()) ask(next++);
  if (running > 0 || over || stopped.load(std::memory_order_acquire)) return;
  over = true;
  report.requested = urls.size();
  report.not_asked = urls.size() - next;
  report.took = here.now().mono - began;
  then(report);
}

void Warming::Run::ask(std::size_t index) {
  ++running;
  const auto number = index % sources.workers.size();
  auto* const worker = sources.workers[number];
  worker->post([run = shared_from_this(), worker, number, index] {
    if (run->stopped.load(std::memory_order_acquire)) return;
    const auto done = [run, index](const InnerOutcome& outcome) {
      run->here.post([run, index, outcome] {
        run->here.tick();
        guarded([&] { run->count(index, outcome); }, [] {});
      });
    };
    const auto latest = worker->tick().mono + kLongestRequest;
    auto& list = run->active[number];
    std::erase_if(list, [](const auto& request) { return request->over(); });
    guarded(
        [&] {
          list.reserve(list.size() + 1);
          list.push_back(
              InnerRequest::ask(*worker, *run->sources.handlers[number], run->urls[index].parsed, latest, done));
        },
        [&] { done({}); });
  });
}

void Warming::Run::count(std::size_t index, const InnerOutcome& outcome) {
  --running;
  if (!outcome.completed || outcome.status >= 400) {
    ++report.failed;
    if (report.failures.size() < kMostFailures)
      report.failures.emplace_back(urls[index].text, outcome.completed ? outcome.status : 0);
  } else {
    ++(outcome.stored ? report.stored : was_there(outcome.result) ? report.hits : report.not_stored);
  }
  go_on();
}

bool Warming::busy() const noexcept { return stopped_ || (run_ && !run_->over); }

void Warming::begin(const Sources& sources, net::Worker& here, std::vector<Url> urls, unsigned at_once, Then then) {
  run_ = std::make_shared<Run>(sources, here, std::move(urls), at_once, std::move(then));
  run_->go_on();
}

void Warming::stop() noexcept {
  stopped_ = true;
  if (!run_ || run_->over) return;
  run_->stopped.store(true, std::memory_order_release);
  for (std::size_t i = 0; i < run_->active.size(); ++i)
    run_->sources.workers[i]->call([&list = run_->active[i]] {
      for (const auto& request : std::exchange(list, {})) request->leave();
    });
  run_.reset();
}

}  // namespace forebay::admin
