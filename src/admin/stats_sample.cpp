#include "stats_sample.hpp"

#include <algorithm>
#include <utility>

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

double RunningSum::update(std::map<std::string, double> counters) {
  for (const auto& [name, value] : counters) {
    const auto before = before_.find(name);
    sum_ += before == before_.end() ? value : std::max(0.0, value - before->second);
  }
  before_ = std::move(counters);
  return sum_;
}

Sample Sampler::take(const Sources& sources) {
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
    if (sample.routes.size() < kMostRoutes) sample.routes.emplace_back(row.route, route);
  }
  std::map<std::string, double> requests, errors, accepted;
  if (const auto runtime = sources.runtime())
    for (const auto& [name, origin] : runtime->origins)
      for (std::size_t i = 0; i < origin->urls(); ++i) {
        const auto& numbers = origin->numbers(i);
        const auto key = name + ' ' + origin->url(i);
        for (const auto& n : numbers.answers) requests[key] += number(n.load());
        requests[key] += number(numbers.failed.load());
        for (const auto& n : numbers.errors) errors[key] += number(n.load());
        sample[Gauge::OriginInFlight] += number(numbers.in_flight.load());
      }
  sample.all[Rate::OriginRequests] = origin_requests_.update(std::move(requests));
  sample.all[Rate::OriginErrors] = origin_errors_.update(std::move(errors));
  const auto store = sources.store.numbers();
  sample.all[Rate::EvictedCapacity] = number(store.evicted_capacity);
  sample.all[Rate::EvictedExpired] = number(store.evicted_expired);
  sample.all[Rate::Purged] = number(store.evicted_purged);
  sample[Gauge::Memory] = number(store.bytes);
  sample[Gauge::MemoryLimit] = number(store.limit);
  sample[Gauge::Entries] = number(store.entries);
  sample[Gauge::Waiting] = number(store.waiting);
  for (const auto& listener : sources.listeners()) {
    accepted[listener.name] += number(listener.accepted);
    sample[Gauge::Connections] += number(listener.open);
  }
  sample.all[Rate::ConnectionsAccepted] = accepted_.update(std::move(accepted));
  return sample;
}

}  // namespace forebay::admin
