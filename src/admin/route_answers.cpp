#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "forebay/base/text.hpp"
#include "json_text.hpp"
#include "route_sum.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& text : list) out.emplace_back(as_utf8(text));
  return out;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(as_utf8(text));
}

std::string_view answers_text(config::Answers answers) {
  switch (answers) {
    case config::Answers::Origin: return "origin";
    case config::Answers::Redirect: return "redirect";
    case config::Answers::Respond: return "respond";
  }
  return "";
}

json::array methods_of(const rules::Policy& policy) {
  json::array out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(http::Method::Other); ++i)
    if (policy.methods.test(i)) out.emplace_back(http::to_string(static_cast<http::Method>(i)));
  for (const auto& method : policy.other_methods) out.emplace_back(as_utf8(method));
  return out;
}

/// What matches, who answers, and for how long it is stored. `forebay check --print` has the rest.
json::object summary_of(const config::Route& route) {
  json::object out{{"name", as_utf8(route.name)},
                   {"index", route.index},
                   {"file", text_or_null(route.file)},
                   {"line", route.line},
                   {"hosts", texts(route.hosts)},
                   {"path", as_utf8(route.path.text())},
                   {"policy", text_or_null(route.policy_name)},
                   {"answers", answers_text(route.answers)}};
  if (route.answers != config::Answers::Origin) return out;
  const auto& policy = route.policy;
  out["origin"] = as_utf8(route.origin);
  out["cache"] = policy.cache;
  if (!policy.cache) return out;
  out["methods"] = methods_of(policy);
  out["ttl"] = json::object{{"default_s", seconds(policy.ttl.fallback)},
                            {"min_s", seconds(policy.ttl.min)},
                            {"max_s", seconds(policy.ttl.max)},
                            {"negative_s", seconds(policy.ttl.negative)}};
  return out;
}

/// Numbers by name, those that are 0 left out.
template <class Enum, class Pick>
json::object by_word(const proxy::CounterRegistry::Row& row, std::size_t from, std::size_t to, Pick&& pick) {
  json::object out;
  for (auto i = from; i < to; ++i)
    if (const auto n = sum(
            row, [&](auto& c) -> auto& { return pick(c)[i]; }))
      out[to_string(static_cast<Enum>(i))] = n;
  return out;
}

json::object counters_of(const proxy::CounterRegistry::Row& row) {
  auto results = by_word<rules::CacheResult>(
      row, 0, rules::kCacheResults, [](auto& c) -> auto& { return c.results; });
  std::uint64_t requests = 0;
  for (const auto& [word, n] : results) requests += n.as_uint64();
  return {{"requests", requests},
          {"in_flight", sum(
                            row, [](auto& c) -> auto& { return c.in_flight; })},
          {"results", std::move(results)},
          {"not_stored",
           by_word<rules::Reason>(
               row, 1, static_cast<std::size_t>(rules::Reason::kCount), [](auto& c) -> auto& { return c.not_stored; })},
          {"errors", by_word<proxy::RequestError>(
                         row, 0, static_cast<std::size_t>(proxy::RequestError::kCount),
                         [](auto& c) -> auto& { return c.errors; })},
          {"stored", sum(
                         row, [](auto& c) -> auto& { return c.stored; })},
          {"saved_origin_requests", sum(
                                        row, [](auto& c) -> auto& { return c.saved_requests; })},
          {"saved_origin_s", static_cast<double>(sum(
                                 row, [](auto& c) -> auto& { return c.saved_nanoseconds; })) /
                                 1e9},
          {"saved_origin_bytes", sum(
                                     row, [](auto& c) -> auto& { return c.saved_bytes; })},
          {"saved_cost", static_cast<double>(sum(
                             row, [](auto& c) -> auto& { return c.saved_cost; })) /
                             1e9}};
}

/// Null where it has none of its own: beyond `metrics.max_routes` all share those of `_other`.
json::value counters_of(const std::vector<proxy::CounterRegistry::Row>& rows, const std::string& name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.route == name; });
  return row == rows.end() ? json::value(nullptr) : json::value(counters_of(*row));
}

}  // namespace

std::optional<Answer> answer_routes(const Call& call) {
  const auto rows = call.admin.sources.counters.rows();
  json::array routes;
  for (const auto& route : call.admin.sources.runtime()->config->routes) {
    auto one = summary_of(route);
    one["counters"] = counters_of(rows, route.name);
    routes.push_back(std::move(one));
  }
  json::object document{{"routes", std::move(routes)}, {"unmatched", counters_of(rows, "_none")}};
  if (auto others = counters_of(rows, "_other"); !others.is_null()) document["others"] = std::move(others);
  return json_answer(document);
}

std::optional<Answer> answer_route(const Call& call) {
  const auto config = call.admin.sources.runtime()->config;
  const auto route = std::find_if(config->routes.begin(), config->routes.end(),
                                  [&](const auto& r) { return r.name == call.captured; });
  if (route == config->routes.end())
    return call.refuse(404, "not_found", "Not found", "There is no route of this name; /api/v1/routes has all.");
  auto one = summary_of(*route);
  one["counters"] = counters_of(call.admin.sources.counters.rows(), route->name);
  return json_answer(one);
}

}  // namespace forebay::admin
