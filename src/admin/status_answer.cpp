#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "forebay/admin/build.hpp"
#include "forebay/base/text.hpp"
#include "json_text.hpp"
#include "process.hpp"
#include "route_sum.hpp"
#include "stats_answers.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

json::object config_part(AdminState& admin, const config::ConfigPtr& config) {
  const auto& status = admin.sources.status;
  return {{"file", config->file.empty() ? json::value(nullptr) : json::value(as_utf8(config->file))},
          {"hash", admin.hash.of(config)},
          {"loaded_at", time_text(status.last_reload_success_at.load())},
          {"last_reload_successful", status.last_reload_successful.load()},
          {"reloads",
           json::object{{"applied", status.reloads_applied.load()}, {"rejected", status.reloads_rejected.load()}}}};
}

json::array listeners_part(const Sources& sources) {
  json::array out;
  for (const auto& l : sources.listeners())
    out.push_back(json::object{{"name", as_utf8(l.name)},
                               {"address", as_utf8(l.address)},
                               {"tls", l.tls},
                               {"open", l.open},
                               {"accepted", l.accepted}});
  return out;
}

json::object memory_part(const cache::StoreNumbers& store, const config::Config& config) {
  return {{"limit", config.cache.memory},
          {"used", store.bytes},
          {"pinned", store.pinned},
          {"resident", read_process().resident_bytes}};
}

/// Of all routes since the start.
json::object totals_part(const Sources& sources, const proxy::Runtime& runtime, const cache::StoreNumbers& store) {
  std::uint64_t requests = 0, in_flight = 0, received = 0, sent = 0;
  json::object results;
  for (std::size_t i = 0; i < rules::kCacheResults; ++i)
    results[rules::to_string(static_cast<rules::CacheResult>(i))] = std::uint64_t{0};
  for (const auto& row : sources.counters.rows()) {
    for (std::size_t i = 0; i < rules::kCacheResults; ++i) {
      const auto n = sum(
          row, [&](auto& c) -> auto& { return c.results[i]; });
      requests += n;
      auto& total = results[rules::to_string(static_cast<rules::CacheResult>(i))];
      total = total.as_uint64() + n;
    }
    in_flight += sum(
        row, [](auto& c) -> auto& { return c.in_flight; });
    received += sum(
        row, [](auto& c) -> auto& { return c.request_bytes; });
    for (std::size_t i = 0; i < 3; ++i)
      sent += sum(
          row, [&](auto& c) -> auto& { return c.response_bytes[i]; });
  }
  std::uint64_t fetches = 0;
  for (const auto& [name, origin] : runtime.origins) {
    for (std::size_t i = 0; i < origin->urls(); ++i) {
      for (const auto& answers : origin->numbers(i).answers) fetches += answers.load();
      fetches += origin->numbers(i).failed.load();
    }
  }
  return {{"requests", requests},       {"in_flight", in_flight},    {"results", std::move(results)},
          {"origin_requests", fetches}, {"request_bytes", received}, {"response_bytes", sent},
          {"entries", store.entries},   {"stored", store.stored}};
}

}  // namespace

std::optional<Answer> answer_status(const Call& call) {
  const auto& sources = call.admin.sources;
  const auto runtime = sources.runtime();
  const auto store = sources.store.numbers();
  const auto state = sources.status.state.load(std::memory_order_acquire);
  return json_answer(json::object{{"version", build().version},
                                  {"revision", build().revision},
                                  {"state", to_string(state)},
                                  {"uptime_s", whole_seconds(call.now().mono - sources.status.started_at)},
                                  {"config", config_part(call.admin, runtime->config)},
                                  {"listeners", listeners_part(sources)},
                                  {"memory", memory_part(store, *runtime->config)},
                                  {"totals", totals_part(sources, *runtime, store)},
                                  {"last_minute", minute_json(call.admin.stats, false)}});
}

}  // namespace forebay::admin
