#include <benchmark/benchmark.h>

#include <string>

#include "allocations.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/http/h1_parser.hpp"
#include "requests.hpp"

namespace forebay::bench {
namespace {

void build_key(benchmark::State& state, std::string_view request, const cache::KeySpec& spec) {
  http::RequestParser parser{http::HeadLimits{}};
  if (!parser.parse(request)) return state.SkipWithError("the request was refused");
  http::Target target;
  if (!target.read(http::Method::Get, parser.view().target)) return state.SkipWithError("the target was refused");
  std::string host;
  (void)http::append_normal_host(*parser.view().fields.value(http::FieldId::Host), "http", host);
  const cache::KeyInput input{"products", parser.view(), target, "http", host};
  cache::Key key;
  key.build(spec, input);
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    key.build(spec, input);
    benchmark::DoNotOptimize(key.id());
  }
}

void BuildKeyOfPath(benchmark::State& state) { build_key(state, kSmallRequest, {}); }
BENCHMARK(BuildKeyOfPath);

void BuildKeyWithSortedQuery(benchmark::State& state) { build_key(state, kBrowserRequest, {}); }
BENCHMARK(BuildKeyWithSortedQuery);

void BuildKeyWithChosenQueryAndHeader(benchmark::State& state) {
  cache::KeySpec spec;
  spec.query = cache::QueryMode::Only;
  spec.query_names = {"lang"};
  spec.headers = {"accept-language"};
  build_key(state, kBrowserRequest, spec);
}
BENCHMARK(BuildKeyWithChosenQueryAndHeader);

void BuildKeyWithoutMarketingParameters(benchmark::State& state) {
  cache::KeySpec spec;
  spec.query = cache::QueryMode::Except;
  spec.query_names = {"utm_*", "gclid", "fbclid"};
  build_key(state, kBrowserRequest, spec);
}
BENCHMARK(BuildKeyWithoutMarketingParameters);

}  // namespace
}  // namespace forebay::bench
