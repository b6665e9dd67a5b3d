// What the process has done lately, as time series and as a stream.
#include "stats_answers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "answers.hpp"
#include "forebay/base/duration_text.hpp"
#include "forebay/base/text.hpp"
#include "forebay/config/duration.hpp"
#include "json_text.hpp"
#include "query.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

/// Three significant decimals are enough, and half as long.
json::value number(double n) {
  if (!std::isfinite(n)) return nullptr;
  if (n == std::floor(n) && std::abs(n) < 9e15) return static_cast<std::int64_t>(n);
  return std::round(n * 1000) / 1000;
}

double unix_seconds(Timestamp at, const Now& now) {
  const auto wall = now.wall - (now.mono - at);
  return std::chrono::duration<double>(wall.time_since_epoch()).count();
}

void add_latencies(json::object& out, const Span& span) {
  out["hit_p50_ms"] = number(span.hit_p50);
  out["hit_p99_ms"] = number(span.hit_p99);
  out["miss_p50_ms"] = number(span.miss_p50);
  out["miss_p99_ms"] = number(span.miss_p99);
}

/// All rates of a second, by name.
json::object rates_json(const Span& span, std::size_t rates) {
  json::object out{{"requests", number(span.requests)}, {"hit_ratio", number(span.hit_ratio)}};
  for (std::size_t i = 0; i < rates; ++i) out[rate_name(i)] = number(span.rates[i]);
  add_latencies(out, span);
  return out;
}

json::object gauges_json(const Sample& sample) {
  json::object out;
  for (std::size_t i = 0; i < kGauges; ++i) out[gauge_name(i)] = number(sample.gauges[i]);
  return out;
}

json::object series_json(const std::vector<Stats::Point>& points, std::size_t values,
                         std::string_view (*name)(std::size_t) noexcept) {
  json::object out;
  json::array requests;
  for (const auto& point : points) {
    double sum = 0;
    for (std::size_t i = 0; i < rules::kCacheResults; ++i) sum += static_cast<double>(point.values[i]);
    requests.push_back(number(sum));
  }
  out["requests"] = std::move(requests);
  for (std::size_t i = 0; i < values; ++i) {
    json::array column;
    for (const auto& point : points) column.push_back(number(static_cast<double>(point.values[i])));
    out[name(i)] = std::move(column);
  }
  return out;
}

}  // namespace

json::object minute_json(const Stats& stats, bool with_routes) {
  const auto minute = stats.minute();
  json::object out{{"seconds", number(minute.all.seconds)}};
  for (auto& [name, value] : rates_json(minute.all, kRates)) out[name] = value;
  if (!with_routes) return out;
  json::object routes;
  for (const auto& [name, span] : minute.routes) routes[as_utf8(name)] = rates_json(span, kRouteRates);
  out["routes"] = std::move(routes);
  return out;
}

std::string second_json(const Stats& stats, State state, const Now& now) {
  const auto second = stats.second();
  json::object out{{"t", number(unix_seconds(stats.latest_at(), now))},
                   {"seconds", number(second.all.seconds)},
                   {"state", to_string(state)}};
  for (auto& [name, value] : rates_json(second.all, kRates)) out[name] = value;
  for (auto& [name, value] : gauges_json(stats.latest())) out[name] = value;
  json::object routes;
  for (const auto& [name, span] : second.routes) {
    json::object one{{"requests", number(span.requests)}, {"hit_ratio", number(span.hit_ratio)}};
    add_latencies(one, span);
    routes[as_utf8(name)] = std::move(one);
  }
  out["routes"] = std::move(routes);
  return with_plain_numbers(json::serialize(out));
}

std::optional<Answer> answer_stats(const Call& call) {
  std::string fault;
  const auto query = read_query(call.query, {"window", "route"}, fault);
  if (!query) return call.bad(fault);
  const auto asked = query->find("window"), route = query->find("route");
  const auto window =
      asked == query->end() ? std::optional(Duration{Stats::kMinute}) : config::read_duration(asked->second);
  if (!window || *window < Stats::kMinute || *window > Stats::kCoarse * Stats::kCoarsePoints)
    return call.bad("\"window\" must be a duration between 60s and 1h.");
  const auto& stats = call.admin.stats;
  const std::string_view name = route == query->end() ? std::string_view() : route->second;
  if (route != query->end()) {
    const auto& routes = stats.latest().routes;
    if (std::none_of(routes.begin(), routes.end(), [&](const auto& r) { return r.first == name; }))
      return call.refuse(404, "not_found", "Not found",
                         "There are no statistics of a route of this name; /api/v1/routes has all routes.");
  }
  const auto now = call.now();
  const auto points = stats.points(*window, now.mono, name);
  json::array times, seconds_of;
  for (const auto& point : points) {
    times.push_back(number(unix_seconds(point.at, now)));
    seconds_of.push_back(number(static_cast<double>(point.seconds)));
  }
  json::object document{
      {"now", number(unix_seconds(now.mono, now))},
      {"window_s", seconds(*window)},
      {"step_s", *window <= Stats::kFine * Stats::kFinePoints ? seconds(Stats::kFine) : seconds(Stats::kCoarse)},
      {"state", to_string(call.admin.sources.status.state.load(std::memory_order_acquire))},
      {"t", std::move(times)},
      {"seconds", std::move(seconds_of)}};
  if (name.empty()) {
    document["series"] = series_json(points, Stats::kValues, Stats::value_name);
    document["current"] = gauges_json(stats.latest());
    document["last_minute"] = minute_json(stats, true);
  } else {
    document["route"] = as_utf8(name);
    document["series"] = series_json(points, Stats::kRouteValues, Stats::route_value_name);
  }
  return json_answer(document);
}

std::optional<Answer> answer_stats_stream(const Call& call) {
  std::string fault;
  if (!read_query(call.query, {}, fault)) return call.bad(fault);
  auto& readers = call.admin.streams.stats;
  if (call.head) return head_of_stream();
  call.admin.streams.tidy(call.now().mono);
  if (readers.size() >= Streams::kMostStatsReaders) return call.too_many_streams(Streams::kMostStatsReaders);
  readers.emplace_back(std::size_t{64} * 1024, call.now().mono);
  return event_stream(readers.back());
}

}  // namespace forebay::admin
