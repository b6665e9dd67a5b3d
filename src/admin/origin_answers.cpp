#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "forebay/base/text.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

json::value why_or_null(std::string_view why) { return why.empty() ? json::value(nullptr) : json::value(why); }

json::object answers_of(const upstream::OriginNumbers& numbers) {
  static constexpr std::string_view kClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  json::object out;
  for (std::size_t i = 0; i < std::size(kClasses); ++i) out[kClasses[i]] = numbers.answers[i].load();
  out["error"] = numbers.failed.load();
  return out;
}

/// `without_url`: failures before a url was chosen.
template <class Count>
json::object errors_of(Count&& count) {
  json::object out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(upstream::FetchError::kCount); ++i) {
    const auto error = static_cast<upstream::FetchError>(i);
    if (!net::is_the_origins(error)) continue;
    if (const std::uint64_t n = count(error); n != 0) out[to_string(error)] = n;
  }
  return out;
}

json::object url_of(upstream::OriginState& origin, std::size_t i) {
  const auto& numbers = origin.numbers(i);
  json::object out{
      {"url", as_utf8(origin.url(i))},
      {"up", origin.up(i)},
      {"why_down", why_or_null(origin.why_down(i))},
      {"in_flight", numbers.in_flight.load()},
      {"connections", json::object{{"active", numbers.active.load()},
                                   {"idle", numbers.idle.load()},
                                   {"max", origin.config().pool.max_connections},
                                   {"opened", numbers.connects.load()}}},
      {"answers", answers_of(numbers)},
      {"errors", errors_of([&](auto error) { return numbers.errors[static_cast<std::size_t>(error)].load(); })},
      {"retries", numbers.retries.load()},
      {"circuit_opened", numbers.circuit_opened.load()}};
  if (const auto checks = origin.checks(i))
    out["health_checks"] = json::object{{"passed", checks->passed}, {"failed", checks->failed}, {"up", checks->up}};
  return out;
}

json::object one_of(const std::string& name, upstream::OriginState& origin) {
  json::array urls;
  for (std::size_t i = 0; i < origin.urls(); ++i) urls.push_back(url_of(origin, i));
  json::object out{{"name", as_utf8(name)}, {"up", origin.up()}, {"urls", std::move(urls)}};
  out["errors_without_url"] = errors_of([&](auto error) { return origin.errors_without_url(error); });
  if (const auto level = origin.level())
    out["places"] = json::object{{"used", level->in_flight}, {"allowed", level->allowed}, {"waiting", level->waiting}};
  if (const auto& to = origin.config().failover; !to.empty())
    out["failover"] = json::object{{"to", as_utf8(to)}, {"requests", origin.failovers().total()}};
  return out;
}

}  // namespace

std::optional<Answer> answer_origins(const Call& call) {
  json::array origins;
  for (const auto& [name, origin] : call.admin.sources.runtime()->origins) origins.push_back(one_of(name, *origin));
  return json_answer(json::object{{"origins", std::move(origins)}});
}

}  // namespace forebay::admin
