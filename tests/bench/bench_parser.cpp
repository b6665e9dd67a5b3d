#include <benchmark/benchmark.h>

#include "allocations.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/http/target.hpp"
#include "requests.hpp"

namespace forebay::bench {
namespace {

// As a connection does it: one parser, reused from request to request.
void parse(benchmark::State& state, std::string_view request) {
  http::RequestParser parser{http::HeadLimits{}};
  (void)parser.parse(request);
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    parser.reset();
    auto done = parser.parse(request);
    if (!done) {
      state.SkipWithError("the request was refused");
      break;
    }
    benchmark::DoNotOptimize(parser.view());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
}

void ParseRequestOf42Bytes(benchmark::State& state) { parse(state, kSmallRequest); }
BENCHMARK(ParseRequestOf42Bytes);

void ParseRequestOf490BytesAnd11Fields(benchmark::State& state) { parse(state, kBrowserRequest); }
BENCHMARK(ParseRequestOf490BytesAnd11Fields);

void read_target(benchmark::State& state, std::string_view raw) {
  http::Target target;
  (void)target.read(http::Method::Get, raw);
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    auto done = target.read(http::Method::Get, raw);
    benchmark::DoNotOptimize(done);
    benchmark::DoNotOptimize(target.path());
  }
}

void ReadPlainTarget(benchmark::State& state) { read_target(state, "/api/products/1?lang=en&currency=EUR"); }
BENCHMARK(ReadPlainTarget);

void ReadTargetThatNeedsNormalising(benchmark::State& state) {
  read_target(state, "/api/./shelves/../products/%7Eone%2fa?lang=en&currency=EUR");
}
BENCHMARK(ReadTargetThatNeedsNormalising);

}  // namespace
}  // namespace forebay::bench
