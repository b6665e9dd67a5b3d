#include "stats_sample.hpp"

#include <algorithm>

#include "route_sum.hpp"

namespace forebay::admin {
namespace {

double number(std::uint64_t n) { return static_cast<double>(n); }

void add_worker(Totals& to, const proxy::RouteCounters& from, std::size_t buckets) {
  for (std::size_t i = 0; i < rules::kCacheResults; ++i) to.rates[i] += number(from.results[i].read());
  for (const auto& of_method : from.requests)
    for (std::size_t c = 0; c < of_method.size(); ++c)
      to.rates[static_cast<std::size_t>(Rate::Status1xx) + c] += number(of_method[c].read());
  for (const auto& n : from.errors) to[Rate::Errors] += number(n.read());
  to[Rate::RequestBytes] += number(from.request_bytes.read());
  for (std::size_t i = 0; i < from.response_bytes.size(); ++i)
    to.rates[static_cast<std::size_t>(Rate::BytesFromCache) + i] += number(from.response_bytes[i].read());
  to[Rate::Stored] += number(from.stored.read());
  for (const auto& n : from.not_stored) to[Rate::NotStored] += number(n.read());
  to[Rate::SavedRequests] += number(from.saved_requests.read());
  to[Rate::SavedSeconds] += number(from.saved_nanoseconds.read()) / 1e9;
  constexpr std::size_t kHits = 0, kMisses = 2;  // of the classes of latencies
  for (std::size_t i = 0; i < buckets; ++i) {
    to.hits[i] += from.duration[kHits].bucket(i);
    to.misses[i] += from.duration[kMisses].bucket(i);
  }
}

void add(Totals& to, const Totals& from) {
  for (std::size_t i = 0; i < kRouteRates; ++i) to.rates[i] += from.rates[i];
  for (std::size_t i = 0; i < from.hits.size(); ++i) {
    to.hits[i] += from.hits[i];
    to.misses[i] += from.misses[i];
  }
}

}  // namespace

Sample take_sample(const Sources& sources) {
  Sample sample;
  const auto buckets = std::min(sources.counters.bounds().size() + 1, sample.all.hits.size());
  for (const auto& row : sources.counters.rows()) {
    Totals route;
    for (const auto* worker : row.workers) {
      add_worker(route, *worker, buckets);
      sample[Gauge::InFlight] += number(worker->in_flight.read());
      sample[Gauge::Tunnels] += number(worker->tunnels.read());
    }
    add(sample.all, route);
    sample.routes.emplace_back(row.route, route);
  }
  if (const auto runtime = sources.runtime())
    for (const auto& [name, origin] : runtime->origins)
      for (std::size_t i = 0; i < origin->urls(); ++i) {
        const auto& numbers = origin->numbers(i);
        for (const auto& n : numbers.answers) sample.all[Rate::OriginRequests] += number(n.load());
        sample.all[Rate::OriginRequests] += number(numbers.failed.load());
        for (const auto& n : numbers.errors) sample.all[Rate::OriginErrors] += number(n.load());
        sample[Gauge::OriginInFlight] += number(numbers.in_flight.load());
      }
  const auto store = sources.store.numbers();
  sample.all[Rate::EvictedCapacity] = number(store.evicted_capacity);
  sample.all[Rate::EvictedExpired] = number(store.evicted_expired);
  sample.all[Rate::Purged] = number(store.evicted_purged);
  sample[Gauge::Memory] = number(store.bytes);
  sample[Gauge::MemoryLimit] = number(store.limit);
  sample[Gauge::Entries] = number(store.entries);
  sample[Gauge::Waiting] = number(store.waiting);
  for (const auto& listener : sources.listeners()) {
    sample.all[Rate::ConnectionsAccepted] += number(listener.accepted);
    sample[Gauge::Connections] += number(listener.open);
  }
  return sample;
}

}  // namespace forebay::admin
