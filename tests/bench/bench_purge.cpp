#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "forebay/cache/listing.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/rules/storability.hpp"

// Orders to purge, the freeing of what they purged, and listings, in a store with a million entries
// (FOREBAY_BENCH_ENTRIES). Meanwhile another thread looks up without a pause: `longest_hit_us`.

namespace forebay::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

const Timestamp kNow{1000h};

/// A tenth is below /p/ and has the tag `tenth`, the rest is below /q/. All have the tag `all`, and one of their own.
class Full {
 public:
  Full() {
    for (std::size_t i = 0; i < count; ++i) {
      const auto path = (i % 10 == 0 ? "/p/" : "/q/") + std::to_string(i);
      http::Target target;
      (void)target.read(http::Method::Get, path);
      const http::RequestView request{http::Method::Get, "GET", path, http::Version::Http11, {}};
      (void)keys.emplace_back().build({}, {"products", request, target, "http", "shop.example.com"});
    }
    fill();
  }
  void fill() {
    http::Fields head;
    head.add("Content-Type", "text/plain");
    const auto published = cache::PublishedHead::make(200, head);
    const auto body = Chunk::copy_of(std::string(64, 'x'));
    for (std::size_t i = 0; i < count; ++i) {
      if (look_up(i)) continue;
      const auto own = "product-" + std::to_string(i);
      const std::string_view tags[] = {own, "all", "tenth"};
      cache::EntryParts parts;
      parts.head = published->head();
      parts.body = {body->slice()};
      parts.tags = std::span(tags, i % 10 == 0 ? 3 : 2);
      auto ticket = store.private_ticket(keys[i]);
      ticket.commit(parts, freshness, {}, cache::Unchanged({}), policy, 0, kNow);
    }
  }
  bool look_up(std::size_t i) {
    const auto found = store.lookup({keys[i], cache::Unchanged({}), facts, policy, 0, kNow, false});
    return cache::kind_of(found) == cache::LookupKind::Fresh;
  }
  static Full& one() {
    static Full full;
    full.fill();
    return full;
  }

  std::size_t count = [] {
    const char* set = std::getenv("FOREBAY_BENCH_ENTRIES");
    return set ? std::strtoul(set, nullptr, 10) : 1'000'000UL;
  }();
  cache::Store store{{std::size_t{8} << 30, 16}};
  std::vector<cache::Key> keys;
  rules::Policy policy;
  rules::RequestFacts facts;
  rules::Freshness freshness = [] {
    rules::Freshness f;
    f.received = kNow;
    f.lifetime = 1h;
    return f;
  }();
};

/// Looks up while it lives. A look-up during which the system took the core away is not counted.
class Clients {
 public:
  explicit Clients(Full& full) : thread_([this, &full] { run(full); }) {
    while (!running_) std::this_thread::yield();
  }
  Clients(const Clients&) = delete;
  ~Clients() { thread_.join(); }
  void stop(benchmark::State& state) {
    stopped_ = true;
    while (running_) std::this_thread::yield();
    state.counters["longest_hit_us"] = seconds(longest_) * 1e6;
  }

 private:
  static long interruptions() {
    rusage use{};
    getrusage(RUSAGE_THREAD, &use);
    return use.ru_nivcsw;
  }
  void run(Full& full) {
    running_ = true;
    for (std::size_t i = 0; !stopped_; i = (i + 7919) % full.count) {
      const auto before = interruptions();
      const auto begun = Clock::now();
      full.look_up(i);
      const auto took = Clock::now() - begun;
      if (took > longest_ && interruptions() == before) longest_ = took;
    }
    running_ = false;
  }
  Clock::duration longest_{};
  std::atomic<bool> running_{false}, stopped_{false};
  std::thread thread_;
};

/// Each iteration with a full store.
template <class Act>
void in_full_store(benchmark::State& state, Act&& act) {
  for (auto _ : state) {
    auto& full = Full::one();
    Clients clients(full);
    const auto begun = Clock::now();
    act(full);
    state.SetIterationTime(seconds(Clock::now() - begun));
    clients.stop(state);
  }
}

void purge(benchmark::State& state, cache::PurgeOrder order) {
  order.now = kNow;
  order.mode = state.range(0) != 0 ? cache::PurgeMode::Soft : cache::PurgeMode::Hard;
  in_full_store(state, [&](Full& full) { state.counters["entries"] = double(full.store.purge(order).total); });
  auto& full = Full::one();
  // What is soft-purged would be looked for in vain.
  if (order.mode == cache::PurgeMode::Soft) full.store.purge({.all = true});
  while (full.store.sweep(kNow)) {
  }
}

using How = cache::UrlPattern::How;
#define FOREBAY_PURGE(name, ...)                                      \
  void name(benchmark::State& state) { purge(state, {__VA_ARGS__}); } \
  BENCHMARK(name)->ArgName("soft")->Arg(0)->Arg(1)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond)

FOREBAY_PURGE(PurgeEverything, .all = true);
FOREBAY_PURGE(PurgeTagOfAll, .tags = {cache::tag_digest("all")});
FOREBAY_PURGE(PurgeTagOfATenth, .tags = {cache::tag_digest("tenth")});
FOREBAY_PURGE(PurgeTagOfOne, .tags = {cache::tag_digest("product-5")});
FOREBAY_PURGE(PurgePrefixOfATenth, .urls = {{How::Prefix, "", "/p/"}});
FOREBAY_PURGE(PurgePrefixOfNone, .urls = {{How::Prefix, "", "/none/"}});
FOREBAY_PURGE(PurgeGlobWithoutFolder, .urls = {{How::Glob, "", "*99"}});
FOREBAY_PURGE(PurgeRoute, .routes = {"products"});
FOREBAY_PURGE(PurgeOneUrl, .resources = {Full::one().keys[5].resource()});

// The calls of the timer after a purge of everything: together, and the longest.
void SweepAfterPurgeOfEverything(benchmark::State& state) {
  Clock::duration longest{};
  double calls = 0;
  for (auto _ : state) {
    auto& full = Full::one();
    full.store.purge({.all = true});
    Clients clients(full);
    const auto begun = Clock::now();
    for (bool more = true; more; ++calls) {
      const auto from = Clock::now();
      more = full.store.sweep(kNow);
      longest = std::max(longest, Clock::now() - from);
    }
    state.SetIterationTime(seconds(Clock::now() - begun));
    clients.stop(state);
  }
  state.counters["calls"] = calls;
  state.counters["longest_call_us"] = seconds(longest) * 1e6;
}
BENCHMARK(SweepAfterPurgeOfEverything)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void list(benchmark::State& state, cache::ListQuery query, bool all) {
  query.now = kNow;
  in_full_store(state, [&](Full& full) {
    std::size_t rows = 0, pages = 0;
    Clock::duration longest{};
    for (;;) {
      const auto from = Clock::now();
      const auto page = full.store.list(query);
      longest = std::max(longest, Clock::now() - from);
      rows += page.rows.size();
      ++pages;
      if (!all || !page.next) break;
      query.from = *page.next;
    }
    state.counters["rows"] = double(rows);
    state.counters["pages"] = double(pages);
    state.counters["longest_page_us"] = seconds(longest) * 1e6;
  });
}

#define FOREBAY_LIST(name, all, ...)                                      \
  void name(benchmark::State& state) { list(state, {__VA_ARGS__}, all); } \
  BENCHMARK(name)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond)

FOREBAY_LIST(ListFirstPage, false, .rows = 100);
FOREBAY_LIST(ListAll, true, .rows = 1000);
FOREBAY_LIST(ListNoneOfAll, true, .least_hits = 1'000'000);
FOREBAY_LIST(ListTagOfOne, true, .tag = cache::tag_digest("product-5"));
FOREBAY_LIST(FindById, true, .id = Full::one().keys[5].id(), .visits = SIZE_MAX);

}  // namespace
}  // namespace forebay::bench
