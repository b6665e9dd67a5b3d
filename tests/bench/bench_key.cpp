#include <benchmark/benchmark.h>

#include <string>

#include "allocations.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/learned.hpp"
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
  if (key.build(spec, input) != rules::Reason::None) return state.SkipWithError("there is no key");
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    (void)key.build(spec, input);
    benchmark::DoNotOptimize(key.id());
  }
}

void BuildKeyOfPath(benchmark::State& state) { build_key(state, kSmallRequest, {}); }
BENCHMARK(BuildKeyOfPath);

void BuildKeyWithSortedQuery(benchmark::State& state) { build_key(state, kBrowserRequest, {.query_sort = true}); }
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

// The whole way of a POST's key: what its content is, beside what a GET has too.
void build_post_key(benchmark::State& state, const cache::KeySpec& spec, std::string_view content,
                    cache::PersistedQueries* persisted = nullptr, std::string_view request = kSmallPost) {
  http::RequestParser parser{http::HeadLimits{}};
  if (!parser.parse(request)) return state.SkipWithError("the request was refused");
  http::Target target;
  if (!target.read(http::Method::Post, parser.view().target)) return state.SkipWithError("the target was refused");
  cache::KeyInput input{"search", parser.view(), target, "http", "127.0.0.1:8080"};
  input.content = content;
  input.persisted = persisted;
  cache::Key key;
  if (key.build(spec, input) != rules::Reason::None) return state.SkipWithError("there is no key");
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    (void)key.build(spec, input);
    benchmark::DoNotOptimize(key.id());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
}

void BuildKeyOfRawContent(benchmark::State& state) { build_post_key(state, {}, json_of_1k()); }
BENCHMARK(BuildKeyOfRawContent);

cache::KeySpec three_pointers() {
  cache::KeySpec spec;
  spec.body = cache::BodyMode::Pointers;
  for (const char* text : {"/query", "/filters", "/page"})
    spec.pointers.push_back(content::JsonPointer::parse(text).value());
  return spec;
}

void BuildKeyOfThreePointers(benchmark::State& state) { build_post_key(state, three_pointers(), json_of_1k()); }
BENCHMARK(BuildKeyOfThreePointers);

void BuildKeyOfForm(benchmark::State& state) {
  cache::KeySpec spec;
  spec.form = {"q", "page"};
  http::RequestParser parser{http::HeadLimits{}};
  if (!parser.parse(kFormPost)) return state.SkipWithError("the request was refused");
  http::Target target;
  (void)target.read(http::Method::Post, parser.view().target);
  cache::KeyInput input{"search", parser.view(), target, "http", "127.0.0.1:8080"};
  input.content = "q=shoes+for+running&page=2&session=0123456789abcdef&utf8=%E2%9C%93";
  cache::Key key;
  if (key.build(spec, input) != rules::Reason::None) return state.SkipWithError("there is no key");
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    (void)key.build(spec, input);
    benchmark::DoNotOptimize(key.id());
  }
}
BENCHMARK(BuildKeyOfForm);

// The worst that a stranger may send to a route with twenty names: 64 KiB of fields, of steps, and of semicolons.
void BuildKeyOfLongForm(benchmark::State& state) {
  cache::KeySpec spec;
  for (int i = 0; i < 20; ++i) spec.form.push_back("field_" + std::to_string(i));
  const std::string_view pieces[] = {"a&", "field_7=1&", "f.f.f.f.f.f.f.f.f.f.f.f.f.f.f.field_7=1&", ";f",
                                     "%66ield_7[x]=1&"};
  std::string content = "field_1=1&";
  while (content.size() < 64 * 1024 - 64) content += pieces[state.range(0)];
  build_post_key(state, spec, content, nullptr, kFormPost);
}
BENCHMARK(BuildKeyOfLongForm)->DenseRange(0, 4)->Unit(benchmark::kMicrosecond);

void BuildKeyOfGraphql(benchmark::State& state) {
  static constexpr std::string_view kContent =
      R"j({"operationName":"Product","variables":{"id":"1234","first":20},"query":"query Product($id: ID!, )j"
      R"j($first: Int) {\n  product(id: $id) {\n    id\n    name\n    price { amount currency }\n    reviews()j"
      R"j(first: $first) {\n      nodes { id rating text author { name } }\n    }\n  }\n}\n"})j";
  cache::KeySpec spec;
  spec.graphql = true;
  cache::PersistedQueries persisted;
  build_post_key(state, spec, kContent, state.range(0) != 0 ? &persisted : nullptr);
}
BENCHMARK(BuildKeyOfGraphql)->ArgName("known")->Arg(0)->Arg(1);

}  // namespace
}  // namespace forebay::bench
