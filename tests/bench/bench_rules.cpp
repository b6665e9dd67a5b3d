#include <benchmark/benchmark.h>

#include <string>

#include "allocations.hpp"
#include "forebay/config/load.hpp"
#include "forebay/config/route_table.hpp"
#include "forebay/http/date.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/vary.hpp"

namespace forebay::bench {
namespace {

using namespace std::chrono_literals;

Now start() { return ManualClock{}.now(); }

http::Fields usual_head() {
  http::Fields head;
  head.add("Content-Type", "application/json; charset=utf-8");
  head.add("Date", "Mon, 01 Jan 2024 00:00:00 GMT");
  head.add("Cache-Control", "public, max-age=60, stale-while-revalidate=30, stale-if-error=600");
  head.add("ETag", "\"33a64df551425fcc55e4d42a148795d9f25f89d4\"");
  head.add("Last-Modified", "Sun, 31 Dec 2023 23:00:00 GMT");
  head.add("Vary", "Accept-Encoding");
  head.add("Content-Length", "1024");
  return head;
}

void MayReuseWhatIsFresh(benchmark::State& state) {
  rules::Freshness stored;
  stored.received = start().mono;
  stored.lifetime = 60s;
  const rules::RequestFacts facts;
  const rules::Policy policy;
  const auto now = start().mono + 10s;
  const AllocationsPerIteration count(state);
  for (auto _ : state) benchmark::DoNotOptimize(rules::may_reuse(stored, facts, policy, now));
}
BENCHMARK(MayReuseWhatIsFresh);

void JudgeAResponse(benchmark::State& state) {
  const auto head = usual_head();
  const http::ResponseView response{200, http::Version::Http11, head};
  const rules::RequestFacts facts;
  const rules::Policy policy;
  const rules::ExchangeTimes times{start(), start()};
  const AllocationsPerIteration count(state);
  for (auto _ : state) benchmark::DoNotOptimize(rules::judge(facts, response, policy, times, true, 0.5));
}
BENCHMARK(JudgeAResponse);

void ReadCacheControl(benchmark::State& state) {
  const auto head = usual_head();
  const rules::Policy policy;
  const AllocationsPerIteration count(state);
  for (auto _ : state) benchmark::DoNotOptimize(rules::read_response_directives(head, policy.targeted_fields));
}
BENCHMARK(ReadCacheControl);

void ReadADate(benchmark::State& state) {
  const auto now = start().wall;
  for (auto _ : state) benchmark::DoNotOptimize(http::parse_date("Mon, 01 Jan 2024 00:00:00 GMT", now));
}
BENCHMARK(ReadADate);

void BuildSecondaryKey(benchmark::State& state) {
  http::Fields request;
  request.add("Host", "shop.example.com");
  request.add("Accept-Encoding", "gzip, deflate, br, zstd");
  request.add("Accept-Language", "en-GB,en;q=0.7,de;q=0.3");
  const std::vector<std::string> names{"accept-encoding", "accept-language"};
  std::string key;
  rules::append_secondary_key(names, request, key);
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    key.clear();
    rules::append_secondary_key(names, request, key);
    benchmark::DoNotOptimize(key.data());
  }
}
BENCHMARK(BuildSecondaryKey);

/// A thousand routes of the kinds that people write, the last of which takes everything.
config::ConfigPtr thousand_routes() {
  config::LoadRequest request;
  request.file = "thousand.yaml";
  request.text = "origin: http://127.0.0.1:1\nroutes:\n";
  for (int i = 0; i < 333; ++i) {
    const auto n = std::to_string(i);
    request.text += "  - path: /exact/" + n + "/page\n";
    request.text += "  - path: /api/" + n + "/items/{id}\n";
    request.text += "  - path: /static/" + n + "/**\n";
  }
  request.text += "  - path: /**\n";
  config::Surroundings surroundings;
  surroundings.variable = [](const std::string&) { return std::nullopt; };
  surroundings.memory_limit = 1ULL << 30;
  return config::load(request, surroundings).config;
}

void find_route(benchmark::State& state, std::string_view path, std::size_t index) {
  static const auto config = thousand_routes();
  if (!config) return state.SkipWithError("the configuration was refused");
  static const config::RouteTable table(*config);
  http::RequestView request;
  request.method = http::Method::Get;
  request.method_text = "GET";
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    const auto found = table.find("shop.example.com", path, request);
    if (found.route == nullptr || found.route->index != index) {
      state.SkipWithError("another route");
      break;
    }
  }
}

void FindExactRouteAmong1000(benchmark::State& state) { find_route(state, "/exact/300/page", 900); }
BENCHMARK(FindExactRouteAmong1000);

void FindCaptureRouteAmong1000(benchmark::State& state) { find_route(state, "/api/300/items/7", 901); }
BENCHMARK(FindCaptureRouteAmong1000);

void FindPrefixRouteAmong1000(benchmark::State& state) { find_route(state, "/static/300/css/site.css", 902); }
BENCHMARK(FindPrefixRouteAmong1000);

void FindTheLastOf1000(benchmark::State& state) { find_route(state, "/something/else", 999); }
BENCHMARK(FindTheLastOf1000);

}  // namespace
}  // namespace forebay::bench
