#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "allocations.hpp"
#include "forebay/content/coding.hpp"
#include "forebay/content/form.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/content/json.hpp"

namespace forebay::bench {
namespace {

// What a search page posts, 1 KiB.
std::string search_request() {
  std::string text =
      R"({"query": "running shoes \"trail\"", "lang": "en-GB", "page": {"number": 3, "size": 48, "sort": "price_asc"},)"
      "\n  "
      R"("filters": {"brand": ["acme", "globex", "initech"], "price": {"min": 19.99, "max": 149.5}, "size": [41, 42, 43.5],)"
      "\n    "
      R"("colour": ["red", "blue"], "in_stock": true, "rating": {"min": 4}}, "facets": ["brand", "price", "size"],)"
      "\n  "
      R"("context": {"channel": "web", "store": null, "currency": "EUR", "experiments": [{"id": "exp-17", "arm": "b"},)"
      R"({"id": "exp-23", "arm": "control"}], "session": "8f14e45f-ceea-467f-ab73-2d1c1f3a9b60"},)"
      "\n  "
      R"("projection": [)";
  for (int i = 0; text.size() < 1000; ++i) text += (i > 0 ? ", \"field_" : "\"field_") + std::to_string(i) + '"';
  return text + "]}";
}

void ReadJsonWithThreePointers(benchmark::State& state) {
  const std::string text = search_request();
  const std::vector<content::JsonPointer> pointers = {*content::JsonPointer::parse("/query"),
                                                      *content::JsonPointer::parse("/filters"),
                                                      *content::JsonPointer::parse("/page")};
  content::CanonicalJson json;
  if (!json.read(text, pointers, content::Numbers::Written)) return state.SkipWithError("the text was refused");
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(json.read(text, pointers, content::Numbers::Written));
    benchmark::DoNotOptimize(json.value(2));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(ReadJsonWithThreePointers);

void ReadWholeJson(benchmark::State& state) {
  const std::string text = search_request();
  const std::vector<content::JsonPointer> pointers = {*content::JsonPointer::parse("")};
  const auto numbers = static_cast<content::Numbers>(state.range(0));
  content::CanonicalJson json;
  if (!json.read(text, pointers, numbers)) return state.SkipWithError("the text was refused");
  const AllocationsPerIteration count(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(json.read(text, pointers, numbers));
    benchmark::DoNotOptimize(json.value(0));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(ReadWholeJson)->ArgName("by_value")->Arg(0)->Arg(1);

constexpr std::string_view kGraphql =
    R"({"operationName":"Product","variables":{"id":"p-17","first":20,"currency":"EUR"},"query":"query Product($id: ID!, )"
    R"($first: Int = 10, $currency: Currency!) {\n  product(id: $id) {\n    id\n    name\n    ...Price\n    reviews(first: )"
    R"($first, order: {by: DATE, dir: \"desc\"}) {\n      edges {\n        node { id rating text author { name } }\n      }\n)"
    R"(    }\n  }\n}\n\nfragment Price on Product {\n  price(currency: $currency) { amount currency }\n}\n"})";

void ReadGraphqlContent(benchmark::State& state) {
  content::GraphqlRequest request;
  content::GraphqlDocument document;
  const auto read = [&] {
    return content::read_graphql_content("application/json", kGraphql, content::Numbers::Written, {}, request)
               .has_value() &&
           content::read_graphql(*request.query, document).has_value();
  };
  if (!read()) return state.SkipWithError("the request was refused");
  const AllocationsPerIteration count(state);
  for (auto _ : state) benchmark::DoNotOptimize(read());
}
BENCHMARK(ReadGraphqlContent);

void ReadForm(benchmark::State& state) {
  constexpr std::string_view kForm =
      "q=running+shoes&brand=acme%20%26+co&page=3&size=48&sort=price_asc&lang=en-GB&currency=EUR";
  std::string buffer;
  std::vector<content::FormField> fields;
  if (!content::read_form(kForm, buffer, fields)) return state.SkipWithError("the form was refused");
  const AllocationsPerIteration count(state);
  for (auto _ : state) benchmark::DoNotOptimize(content::read_form(kForm, buffer, fields));
}
BENCHMARK(ReadForm);

}  // namespace
}  // namespace forebay::bench
