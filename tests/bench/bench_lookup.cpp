#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/rules/cache_status.hpp"
#include "forebay/rules/storability.hpp"
#include "requests.hpp"

namespace forebay::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kKeys = 1024;

Now start() { return ManualClock{}.now(); }

/// One request that has been read, with all that a look-up wants to know.
struct Asked {
  explicit Asked(std::string target_text, std::string more = {})
      : text("GET " + target_text + " HTTP/1.1\r\nHost: shop.example.com\r\n" + more + "\r\n") {
    (void)parser.parse(text);
    (void)target.read(http::Method::Get, parser.view().target);
    facts = rules::facts_of(parser.view(), policy);
    build(key);
    selecting = cache::Unchanged(parser.view().fields);
  }
  void build(cache::Key& into) const {
    (void)into.build({}, {"products", parser.view(), target, "http", "shop.example.com"});
  }
  cache::LookupRequest lookup(Now now) const { return {key, selecting, facts, policy, 0, now.mono, true}; }

  std::string text;
  http::RequestParser parser{http::HeadLimits{}};
  http::Target target;
  rules::Policy policy;
  rules::RequestFacts facts;
  cache::Key key;
  cache::Unchanged selecting{{}};
};

void put(cache::Store& store, const Asked& asked, std::string_view vary = {}) {
  http::Fields head;
  head.add("Content-Type", "application/json");
  head.add("Date", "Mon, 01 Jan 2024 00:00:00 GMT");
  head.add("Cache-Control", "max-age=3600");
  head.add("ETag", "\"1234567890\"");
  if (!vary.empty()) head.add("Vary", vary);
  const auto published = cache::PublishedHead::make(200, head);
  const http::ResponseView response{200, http::Version::Http11, head};
  const auto verdict = rules::judge(asked.facts, response, asked.policy, {start(), start()}, true, 0);
  const auto list = rules::read_vary(head);

  const auto body = Chunk::copy_of(std::string(1024, 'x'));
  cache::EntryParts parts;
  parts.head = published->head();
  parts.body = {body->slice()};
  parts.key_text = asked.key.text();
  auto ticket = store.private_ticket(asked.key);
  ticket.commit(parts, verdict.freshness, list, asked.selecting, asked.policy, 0, start().mono);
}

/// A store with `kKeys` fresh entries of 1 KiB, shared by the threads of a benchmark.
struct Filled {
  explicit Filled(std::string_view vary = {}, const std::string& more = {}) {
    for (int i = 0; i < kKeys; ++i) {
      asked.push_back(std::make_unique<Asked>("/api/products/" + std::to_string(i), more));
      put(store, *asked.back(), vary);
    }
  }
  cache::Store store{{256 * 1024 * 1024, 8}};
  std::vector<std::unique_ptr<Asked>> asked;
};

void look_up(benchmark::State& state, Filled& filled, bool one_key) {
  const Now now{start().mono + 10s, start().wall + 10s};
  // Threads begin at different keys and walk the same way round.
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 97;
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    const auto& asked = *filled.asked[one_key ? 0 : ++i % kKeys];
    auto found = filled.store.lookup(asked.lookup(now));
    if (cache::kind_of(found) != cache::LookupKind::Fresh) {
      state.SkipWithError("not a fresh hit");
      break;
    }
    benchmark::DoNotOptimize(cache::stored_of(found).entry);
  }
}

void LookUpFreshHit(benchmark::State& state) {
  static Filled filled;
  look_up(state, filled, false);
}
BENCHMARK(LookUpFreshHit)->Threads(1)->Threads(2)->UseRealTime();

void LookUpFreshHitOfOneHotKey(benchmark::State& state) {
  static Filled filled;
  look_up(state, filled, true);
}
BENCHMARK(LookUpFreshHitOfOneHotKey)->Threads(1)->Threads(2)->UseRealTime();

void LookUpFreshHitAmongVariants(benchmark::State& state) {
  static Filled filled("Accept-Encoding, Accept-Language",
                       "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.7,de;q=0.3\r\n");
  look_up(state, filled, false);
}
BENCHMARK(LookUpFreshHitAmongVariants)->Threads(1)->Threads(2)->UseRealTime();

// The work of the pure modules for a hit, from the request's bytes to the response's extra lines. `allocs` must be 0.
void WayOfAHit(benchmark::State& state) {
  static Filled filled;
  const Now now{start().mono + 10s, start().wall + 10s};
  http::RequestParser parser{http::HeadLimits{}};
  http::Target target;
  cache::Key key;
  std::string host, extra;
  const rules::Policy policy;
  const auto once = [&](const Asked& asked) {
    parser.reset();
    if (!parser.parse(asked.text)) return false;
    const auto& request = parser.view();
    if (!target.read(request.method, request.target)) return false;
    host.clear();
    if (!http::append_normal_host(*request.fields.value(http::FieldId::Host), "http", host)) return false;
    const auto facts = rules::facts_of(request, policy);
    (void)key.build({}, {"products", request, target, "http", host});
    auto found = filled.store.lookup({key, cache::Unchanged(request.fields), facts, policy, 0, now.mono, true});
    if (cache::kind_of(found) != cache::LookupKind::Fresh) return false;
    rules::CacheStatus status;
    status.result = rules::CacheResult::Hit;
    status.ttl = whole_seconds(cache::stored_of(found).freshness.ttl(now.mono));
    extra.clear();
    rules::append_cache_status(extra, "forebay", status);
    benchmark::DoNotOptimize(extra.data());
    return true;
  };
  for (const auto& asked : filled.asked) once(*asked);
  std::size_t i = 0;
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    if (!once(*filled.asked[++i % kKeys])) {
      state.SkipWithError("not a fresh hit");
      break;
    }
  }
}
BENCHMARK(WayOfAHit);

}  // namespace
}  // namespace forebay::bench
