#include "forebay/admin/metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <sstream>
#include <utility>

#include "endpoint_table.hpp"
#include "forebay/admin/build.hpp"
#include "forebay/base/log.hpp"
#include "process.hpp"
#include "route_sum.hpp"

namespace forebay::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::initializer_list<std::pair<const char*, std::string_view>>;
using Routes = std::vector<proxy::CounterRegistry::Row>;

constexpr std::array<std::string_view, 5> kClasses{"1xx", "2xx", "3xx", "4xx", "5xx"};

/// Collects the samples of one metric.
class Gathering {
 public:
  Gathering(std::vector<MetricFamily>& out, const char* name, const char* help, MetricType type)
      : out_(out), counter_(type == MetricType::Counter) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }
  // A metric without a sample is not printed.
  ~Gathering() {
    if (!family_.metric.empty()) out_.push_back(std::move(family_));
  }
  Gathering(const Gathering&) = delete;

  void sample(Labels labels, double value) {
    auto& m = add(labels);
    if (counter_)
      m.counter.value = value;
    else
      m.gauge.value = value;
  }
  void sample(Labels labels, std::uint64_t value) { sample(labels, static_cast<double>(value)); }
  /// `bucket(i)` counts what fell between bound i - 1 and bound i; i = bounds.size() is everything above.
  template <class Bucket>
  void histogram(Labels labels, const std::vector<double>& bounds, Bucket&& bucket, double sum) {
    auto& h = add(labels).histogram;
    std::uint64_t n = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      n += bucket(i);
      h.bucket.push_back({n, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
    }
    h.sample_count = n;
    h.sample_sum = sum;
  }

 private:
  ClientMetric& add(Labels labels) {
    auto& m = family_.metric.emplace_back();
    m.label.reserve(labels.size());
    for (const auto& [name, value] : labels) m.label.push_back({name, std::string(value)});
    return m;
  }
  std::vector<MetricFamily>& out_;
  MetricFamily family_;
  bool counter_;
};

class Metrics final : public prometheus::Collectable {
 public:
  Metrics(const Sources& sources, const AdminCounters& admin) : s_(sources), admin_(admin) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> out;
    const auto routes = s_.counters.rows();
    const auto runtime = s_.runtime();
    process_state(out);
    connections(out);
    tls(out);
    requests(out, routes);
    durations(out, routes);
    results(out, routes);
    store(out, routes, runtime);
    sharing(out, routes);
    compression(out);
    tunnels(out, routes);
    if (runtime) origins(out, *runtime);
    operation(out);
    process(out);
    return out;
  }

 private:
  void process_state(std::vector<MetricFamily>& out) const;
  void connections(std::vector<MetricFamily>& out) const;
  void tls(std::vector<MetricFamily>& out) const;
  void requests(std::vector<MetricFamily>& out, const Routes& routes) const;
  void durations(std::vector<MetricFamily>& out, const Routes& routes) const;
  void results(std::vector<MetricFamily>& out, const Routes& routes) const;
  void store(std::vector<MetricFamily>& out, const Routes& routes, const proxy::RuntimePtr& runtime) const;
  void purges(std::vector<MetricFamily>& out, const cache::StoreNumbers& n) const;
  void sharing(std::vector<MetricFamily>& out, const Routes& routes) const;
  void compression(std::vector<MetricFamily>& out) const;
  void tunnels(std::vector<MetricFamily>& out, const Routes& routes) const;
  void origins(std::vector<MetricFamily>& out, const proxy::Runtime& runtime) const;
  static void places(std::vector<MetricFamily>& out, const proxy::Runtime& runtime);
  void operation(std::vector<MetricFamily>& out) const;
  void process(std::vector<MetricFamily>& out) const;

  const Sources& s_;
  const AdminCounters& admin_;
};

void Metrics::process_state(std::vector<MetricFamily>& out) const {
  {
    const auto& b = build();
    Gathering g(out, "forebay_build_info", "Constant 1 with the build of this process in its labels.",
                MetricType::Gauge);
    g.sample({{"version", b.version}, {"revision", b.revision}, {"compiler", b.compiler}, {"boost", b.boost}}, 1.0);
  }
  {
    Gathering g(out, "forebay_state", "1 for the state the process is in, 0 for the others.", MetricType::Gauge);
    const auto now = s_.status.state.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < kStates; ++i) {
      const auto state = static_cast<State>(i);
      g.sample({{"state", to_string(state)}}, state == now ? 1.0 : 0.0);
    }
  }
  {
    Gathering g(out, "forebay_config_last_reload_successful",
                "1 if the last configuration load or reload succeeded, 0 if it was rejected.", MetricType::Gauge);
    g.sample({}, s_.status.last_reload_successful.load() ? 1.0 : 0.0);
  }
  {
    Gathering g(out, "forebay_config_last_reload_success_timestamp_seconds",
                "Unix time of the last configuration load or reload that succeeded.", MetricType::Gauge);
    g.sample({}, static_cast<double>(s_.status.last_reload_success_at.load()));
  }
  Gathering g(out, "forebay_config_reloads_total", "Configuration reloads by outcome.", MetricType::Counter);
  g.sample({{"outcome", "applied"}}, s_.status.reloads_applied.load());
  g.sample({{"outcome", "rejected"}}, s_.status.reloads_rejected.load());
}

void Metrics::connections(std::vector<MetricFamily>& out) const {
  const auto listeners = s_.listeners();
  {
    Gathering g(out, "forebay_connections", "Open client connections.", MetricType::Gauge);
    for (const auto& l : listeners) {
      g.sample({{"listener", l.name}, {"protocol", "http1"}}, l.open - std::min(l.open, l.open_http2));
      g.sample({{"listener", l.name}, {"protocol", "http2"}}, l.open_http2);
    }
  }
  {
    Gathering g(out, "forebay_connections_accepted_total", "Client connections accepted.", MetricType::Counter);
    for (const auto& l : listeners) g.sample({{"listener", l.name}}, l.accepted);
  }
  {
    Gathering g(out, "forebay_http2_abuse_total",
                "HTTP/2 connections ended with ENHANCE_YOUR_CALM, by what there was too much of.", MetricType::Counter);
    for (const auto& l : listeners)
      for (std::size_t i = 0; i < l.http2_abuse.size(); ++i)
        g.sample({{"listener", l.name}, {"kind", http::to_string(static_cast<http::H2Abuse>(i))}}, l.http2_abuse[i]);
  }
  Gathering g(out, "forebay_connections_rejected_total", "Client connections refused or cut.", MetricType::Counter);
  for (const auto& l : listeners) {
    g.sample({{"listener", l.name}, {"reason", "limit"}}, l.rejected_limit);
    g.sample({{"listener", l.name}, {"reason", "timeout"}}, l.rejected_timeout);
    g.sample({{"listener", l.name}, {"reason", "malformed"}}, l.rejected_malformed);
    if (l.tls) g.sample({{"listener", l.name}, {"reason", "tls"}}, l.rejected_tls);
    g.sample({{"listener", l.name}, {"reason", "stalled"}}, l.rejected_stalled);
  }
}

void Metrics::tls(std::vector<MetricFamily>& out) const {
  const auto listeners = s_.listeners();
  {
    Gathering g(out, "forebay_tls_handshakes_total", "TLS handshakes with clients.", MetricType::Counter);
    for (const auto& l : listeners)
      for (std::size_t i = 0; l.tls && i < l.handshakes.size(); ++i)
        g.sample({{"listener", l.name}, {"result", net::to_string(static_cast<net::TlsHandshake>(i))}},
                 l.handshakes[i]);
  }
  Gathering g(out, "forebay_tls_certificate_expiry_timestamp_seconds", "Unix time when the certificate ends.",
              MetricType::Gauge);
  for (const auto& l : listeners)
    if (l.certificate_expiry) g.sample({{"listener", l.name}}, static_cast<double>(*l.certificate_expiry));
}

// Series of methods, classes and reasons appear with their first count, so that unused ones cost nothing.
void Metrics::requests(std::vector<MetricFamily>& out, const Routes& routes) const {
  {
    Gathering g(out, "forebay_requests_in_flight", "Requests being handled.", MetricType::Gauge);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.in_flight; }));
  }
  {
    Gathering g(out, "forebay_requests_total", "Requests answered, by class of the status sent.", MetricType::Counter);
    for (const auto& r : routes)
      for (std::size_t m = 0; m < proxy::kMethodLabels; ++m)
        for (std::size_t s = 0; s < kClasses.size(); ++s)
          if (const auto n = sum(
                  r, [&](auto& c) -> auto& { return c.requests[m][s]; }))
            g.sample({{"route", r.route}, {"method", proxy::method_label_text(m)}, {"code", kClasses[s]}}, n);
  }
  {
    Gathering g(out, "forebay_request_errors_total", "Responses that Forebay made itself because of an error.",
                MetricType::Counter);
    for (const auto& r : routes)
      for (std::size_t e = 0; e < static_cast<std::size_t>(proxy::RequestError::kCount); ++e)
        if (const auto n = sum(
                r, [&](auto& c) -> auto& { return c.errors[e]; }))
          g.sample({{"route", r.route}, {"reason", to_string(static_cast<proxy::RequestError>(e))}}, n);
  }
  {
    Gathering g(out, "forebay_request_bytes_total", "Request body bytes received.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.request_bytes; }));
  }
  Gathering g(out, "forebay_response_bytes_total", "Response body bytes sent, by where they came from.",
              MetricType::Counter);
  static constexpr std::array<std::string_view, 3> kSources{"cache", "origin", "forebay"};
  for (const auto& r : routes)
    for (std::size_t i = 0; i < kSources.size(); ++i)
      g.sample({{"route", r.route}, {"source", kSources[i]}},
               sum(
                   r, [&](auto& c) -> auto& { return c.response_bytes[i]; }));
}

void Metrics::durations(std::vector<MetricFamily>& out, const Routes& routes) const {
  std::vector<double> bounds;
  for (const auto b : s_.counters.bounds()) bounds.push_back(static_cast<double>(b) / 1e9);
  Gathering g(out, "forebay_request_duration_seconds",
              "Time from the end of the request headers to the last byte of the response.", MetricType::Histogram);
  for (const auto& r : routes) {
    for (std::size_t k = 0; k < proxy::kLatencyClasses; ++k) {
      const auto bucket = [&](std::size_t i) {
        std::uint64_t n = 0;
        for (const auto* w : r.workers) n += w->duration[k].bucket(i);
        return n;
      };
      std::uint64_t all = 0;
      for (std::size_t i = 0; i <= bounds.size(); ++i) all += bucket(i);
      if (all == 0) continue;
      std::uint64_t nanoseconds = 0;
      for (const auto* w : r.workers) nanoseconds += w->duration[k].sum();
      g.histogram({{"route", r.route}, {"cache", proxy::latency_class_text(k)}}, bounds, bucket,
                  static_cast<double>(nanoseconds) / 1e9);
    }
  }
}

void Metrics::results(std::vector<MetricFamily>& out, const Routes& routes) const {
  {
    // All of them from the start, so that a rate over the first hits is correct.
    Gathering g(out, "forebay_cache_requests_total",
                "Requests by cache result; the sum over result is all requests of the route.", MetricType::Counter);
    for (const auto& r : routes)
      for (std::size_t i = 0; i < rules::kCacheResults; ++i)
        g.sample({{"route", r.route}, {"result", rules::to_string(static_cast<rules::CacheResult>(i))}},
                 sum(
                     r, [&](auto& c) -> auto& { return c.results[i]; }));
  }
  {
    Gathering g(out, "forebay_cache_not_stored_total", "Origin responses that were not stored.", MetricType::Counter);
    for (const auto& r : routes)
      for (std::size_t i = 1; i < static_cast<std::size_t>(rules::Reason::kCount); ++i)
        if (const auto n = sum(
                r, [&](auto& c) -> auto& { return c.not_stored[i]; }))
          g.sample({{"route", r.route}, {"reason", rules::to_string(static_cast<rules::Reason>(i))}}, n);
  }
  Gathering g(out, "forebay_cache_revalidations_total", "Refreshes of stored responses.", MetricType::Counter);
  static constexpr std::array<std::string_view, 2> kModes{"foreground", "background"};
  static constexpr std::array<std::string_view, 3> kOutcomes{"not_modified", "modified", "error"};
  for (const auto& r : routes)
    for (std::size_t m = 0; m < kModes.size(); ++m)
      for (std::size_t o = 0; o < kOutcomes.size(); ++o)
        g.sample({{"route", r.route}, {"mode", kModes[m]}, {"outcome", kOutcomes[o]}},
                 sum(
                     r, [&](auto& c) -> auto& { return c.revalidations[m][o]; }));
}

void Metrics::tunnels(std::vector<MetricFamily>& out, const Routes& routes) const {
  {
    Gathering g(out, "forebay_tunnels", "Client connections that have switched protocols (WebSocket).",
                MetricType::Gauge);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.tunnels; }));
  }
  {
    Gathering g(out, "forebay_tunnels_opened_total", "Client connections that switched protocols.",
                MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.tunnels_opened; }));
  }
  {
    Gathering g(out, "forebay_tunnels_closed_total", "Tunnels that ended, by how.", MetricType::Counter);
    for (const auto& r : routes)
      for (std::size_t e = 0; e < static_cast<std::size_t>(proxy::TunnelEnd::kCount); ++e)
        if (const auto n = sum(
                r, [&](auto& c) -> auto& { return c.tunnels_closed[e]; }))
          g.sample({{"route", r.route}, {"reason", to_string(static_cast<proxy::TunnelEnd>(e))}}, n);
  }
  {
    static constexpr std::array<std::string_view, 2> kWays{"from_client", "from_origin"};
    Gathering g(out, "forebay_tunnel_bytes_total", "Bytes that tunnels carried.", MetricType::Counter);
    for (const auto& r : routes)
      for (std::size_t i = 0; i < kWays.size(); ++i)
        if (const auto n = sum(
                r, [&](auto& c) -> auto& { return c.tunnel_bytes[i]; }))
          g.sample({{"route", r.route}, {"direction", kWays[i]}}, n);
  }
  static constexpr std::array<std::string_view, 2> kSources{"origin", "cache"};
  Gathering g(out, "forebay_early_hints_total", "103 responses sent to clients, by where their links came from.",
              MetricType::Counter);
  for (const auto& r : routes)
    for (std::size_t i = 0; i < kSources.size(); ++i)
      if (const auto n = sum(
              r, [&](auto& c) -> auto& { return c.early_hints[i]; }))
        g.sample({{"route", r.route}, {"source", kSources[i]}}, n);
}

void Metrics::store(std::vector<MetricFamily>& out, const Routes& routes, const proxy::RuntimePtr& runtime) const {
  const auto n = s_.store.numbers();
  {
    Gathering g(out, "forebay_cache_stored_total", "Responses stored in L1.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.stored; }));
  }
  {
    Gathering g(out, "forebay_cache_entries", "Responses held in L1.", MetricType::Gauge);
    g.sample({}, n.entries);
  }
  {
    Gathering g(out, "forebay_cache_memory_bytes", "Bytes charged to L1: keys, headers, bodies and bookkeeping.",
                MetricType::Gauge);
    g.sample({}, n.bytes);
  }
  {
    Gathering g(out, "forebay_cache_pinned_bytes",
                "Of forebay_cache_memory_bytes, what L1 has dropped and slow clients still read.", MetricType::Gauge);
    g.sample({}, n.pinned);
  }
  {
    Gathering g(out, "forebay_cache_memory_limit_bytes", "Value of cache.memory in bytes.", MetricType::Gauge);
    g.sample({}, runtime ? runtime->config->cache.memory : n.limit);
  }
  {
    Gathering g(out, "forebay_variants_evicted_total", "Variants dropped because a key had more than max_variants.",
                MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.variants_evicted; }));
  }
  purges(out, n);
  {
    Gathering g(out, "forebay_tags_dropped_total",
                "Tags of stored responses that were not kept: beyond tags.max, or too long.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.tags_dropped; }));
  }
  {
    Gathering g(out, "forebay_writes_uncertain_total",
                "Writes with a tag of invalidates that could not be told, so that whole routes were invalidated.",
                MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.writes_uncertain; }));
  }
  {
    Gathering g(out, "forebay_cache_evictions_total", "Entries that left L1.", MetricType::Counter);
    g.sample({{"reason", "capacity"}}, n.evicted_capacity);
    g.sample({{"reason", "expired"}}, n.evicted_expired);
    g.sample({{"reason", "replaced"}}, n.evicted_replaced);
    g.sample({{"reason", "purged"}}, n.evicted_purged);
  }
  Gathering g(out, "forebay_cache_object_bytes", "Sizes of the responses stored.", MetricType::Histogram);
  const std::vector<double> bounds(proxy::kObjectBounds.begin(), proxy::kObjectBounds.end());
  std::uint64_t bytes = 0;
  for (const auto& r : routes)
    for (const auto* w : r.workers) bytes += w->object_bytes.sum();
  const auto bucket = [&](std::size_t i) {
    std::uint64_t count = 0;
    for (const auto& r : routes)
      for (const auto* w : r.workers) count += w->object_bytes.bucket(i);
    return count;
  };
  g.histogram({}, bounds, bucket, static_cast<double>(bytes));
}

void Metrics::purges(std::vector<MetricFamily>& out, const cache::StoreNumbers& n) const {
  {
    Gathering g(out, "forebay_purges_total", "Purges that were accepted, by what they named.", MetricType::Counter);
    for (std::size_t m = 0; m < n.purges.size(); ++m)
      for (std::size_t k = 0; k < cache::kPurgeKinds; ++k)
        g.sample({{"kind", cache::to_string(static_cast<cache::PurgeKind>(k))},
                  {"mode", cache::to_string(static_cast<cache::PurgeMode>(m))}},
                 n.purges[m].orders[k]);
  }
  Gathering g(out, "forebay_purged_entries_total", "Responses that purges have removed or made stale.",
              MetricType::Counter);
  for (std::size_t k = 0; k < cache::kPurgeKinds; ++k)
    g.sample({{"kind", cache::to_string(static_cast<cache::PurgeKind>(k))}},
             n.purges[0].entries[k] + n.purges[1].entries[k]);
}

void Metrics::sharing(std::vector<MetricFamily>& out, const Routes& routes) const {
  {
    Gathering g(out, "forebay_saved_origin_seconds_total", "Measured fetch time saved by hits.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, static_cast<double>(sum(
                                         r, [](auto& c) -> auto& { return c.saved_nanoseconds; })) /
                                         1e9);
  }
  {
    Gathering g(out, "forebay_saved_origin_requests_total", "Origin requests saved by hits.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.saved_requests; }));
  }
  {
    Gathering g(out, "forebay_saved_origin_bytes_total", "Origin body bytes saved by hits.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, sum(
                                         r, [](auto& c) -> auto& { return c.saved_bytes; }));
  }
  {
    Gathering g(out, "forebay_saved_cost_total",
                "Price of the origin requests saved by hits, by origins.NAME.cost_per_million.", MetricType::Counter);
    for (const auto& r : routes)
      g.sample({{"route", r.route}}, static_cast<double>(sum(
                                         r, [](auto& c) -> auto& { return c.saved_cost; })) /
                                         1e9);
  }
  {
    Gathering g(out, "forebay_coalesced_requests_total", "Requests that waited for another request for the same key.",
                MetricType::Counter);
    static constexpr std::array<std::string_view, 4> kOutcomes{"served", "timeout", "failed", "not_storable"};
    for (const auto& r : routes)
      for (std::size_t i = 0; i < kOutcomes.size(); ++i)
        g.sample({{"route", r.route}, {"outcome", kOutcomes[i]}},
                 sum(
                     r, [&](auto& c) -> auto& { return c.coalesced[i]; }));
  }
  Gathering g(out, "forebay_coalesced_waiting", "Requests waiting for another request for the same key.",
              MetricType::Gauge);
  g.sample({}, s_.store.numbers().waiting);
}

void Metrics::compression(std::vector<MetricFamily>& out) const {
  const auto& compressor = s_.shared.compressor;
  const auto each = [&](const char* name, const char* help, auto&& tell) {
    Gathering g(out, name, help, MetricType::Counter);
    for (std::size_t i = 0; i < content::kCompressions; ++i) {
      const auto coding = static_cast<content::Compression>(i);
      tell(g, content::to_string(coding), compressor.numbers(coding));
    }
  };
  using Numbers = proxy::Compressor::Numbers;
  each("forebay_compress_total", "Compressed forms of stored responses that were to be made, by what became of them.",
       [](Gathering& g, std::string_view coding, const Numbers& n) {
         for (std::size_t o = 0; o < proxy::kCompressedOutcomes; ++o)
           g.sample({{"coding", coding}, {"outcome", to_string(static_cast<proxy::Compressed>(o))}},
                    n.outcomes[o].load(std::memory_order_relaxed));
       });
  each("forebay_compress_input_bytes_total", "Bytes of stored bodies that were compressed.",
       [](Gathering& g, std::string_view coding, const Numbers& n) {
         g.sample({{"coding", coding}}, n.bytes_in.load(std::memory_order_relaxed));
       });
  each("forebay_compress_output_bytes_total", "Bytes of their compressed forms.",
       [](Gathering& g, std::string_view coding, const Numbers& n) {
         g.sample({{"coding", coding}}, n.bytes_out.load(std::memory_order_relaxed));
       });
  each("forebay_compress_cpu_seconds_total", "CPU time of the thread that compresses.",
       [](Gathering& g, std::string_view coding, const Numbers& n) {
         g.sample({{"coding", coding}}, static_cast<double>(n.cpu_nanoseconds.load(std::memory_order_relaxed)) / 1e9);
       });
  const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
    Gathering g(out, name, help, MetricType::Gauge);
    g.sample({}, value);
  };
  gauge("forebay_compress_queue", "Compressed forms that wait to be made.", compressor.queued());
  gauge("forebay_compressed_bodies", "Compressed forms held in L1.", compressor.held().bodies());
  gauge("forebay_compressed_memory_bytes", "Bytes that they take of forebay_cache_memory_bytes.",
        compressor.held().bytes());
}

namespace {
/// One url of an origin. Its samples name the url where the origin has several.
struct OriginUrl {
  const std::string& name;
  upstream::OriginState& origin;
  std::size_t index;

  upstream::OriginNumbers& numbers() const { return origin.numbers(index); }
  template <class Value>
  void sample(Gathering& g, Value value) const {
    if (several())
      g.sample({{"origin", name}, {"url", origin.url(index)}}, value);
    else
      g.sample({{"origin", name}}, value);
  }
  template <class Value>
  void sample(Gathering& g, const std::pair<const char*, std::string_view>& label, Value value) const {
    if (several())
      g.sample({{"origin", name}, {"url", origin.url(index)}, label}, value);
    else
      g.sample({{"origin", name}, label}, value);
  }
  bool several() const { return origin.urls() > 1; }
};
}  // namespace

void Metrics::origins(std::vector<MetricFamily>& out, const proxy::Runtime& runtime) const {
  const auto each = [&](const char* name, const char* help, MetricType type, auto&& tell) {
    Gathering g(out, name, help, type);
    for (const auto& [origin, state] : runtime.origins)
      for (std::size_t i = 0; i < state->urls(); ++i) tell(g, OriginUrl{origin, *state, i});
  };
  each("forebay_origin_requests_total", "Requests sent to an origin, by class of its answer.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) {
         for (std::size_t i = 0; i < kClasses.size(); ++i)
           if (const auto n = o.numbers().answers[i].load()) o.sample(g, {"code", kClasses[i]}, n);
         o.sample(g, {"code", "error"}, o.numbers().failed.load());
       });
  each("forebay_origin_response_seconds", "Time from sending a request to the end of the response headers.",
       MetricType::Histogram, [](Gathering& g, const OriginUrl& o) {
         std::vector<double> bounds;
         for (const auto b : o.origin.buckets()) bounds.push_back(std::chrono::duration<double>(b).count());
         const auto bucket = [&](std::size_t i) { return o.numbers().head_seconds_buckets[i].load(); };
         const double sum = static_cast<double>(o.numbers().head_nanoseconds_sum.load()) / 1e9;
         if (o.several())
           g.histogram({{"origin", o.name}, {"url", o.origin.url(o.index)}}, bounds, bucket, sum);
         else
           g.histogram({{"origin", o.name}}, bounds, bucket, sum);
       });
  each("forebay_origin_errors_total", "Failed attempts to get a response.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) {
         for (std::size_t i = 0; i < static_cast<std::size_t>(upstream::FetchError::kCount); ++i) {
           const auto error = static_cast<upstream::FetchError>(i);
           if (!net::is_the_origins(error)) continue;
           // What failed before a url was chosen counts with the first, if that is the only one.
           const auto without = o.origin.errors_without_url(error);
           o.sample(g, {"reason", to_string(error)}, o.numbers().errors[i].load() + (o.several() ? 0 : without));
           if (o.several() && o.index == 0 && without != 0)
             g.sample({{"origin", o.name}, {"url", ""}, {"reason", to_string(error)}}, without);
         }
       });
  each("forebay_origin_retries_total", "Requests sent again.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) { o.sample(g, o.numbers().retries.load()); });
  {
    Gathering g(out, "forebay_origin_failovers_total", "Requests that went to an origin's failover.",
                MetricType::Counter);
    for (const auto& [origin, state] : runtime.origins)
      if (const auto& to = state->config().failover; !to.empty())
        g.sample({{"origin", origin}, {"to", to}}, state->failovers().total());
  }
  each("forebay_origin_retries_refused_total", "Requests that were not sent again, since retry_budget was used up.",
       MetricType::Counter, [](Gathering& g, const OriginUrl& o) { o.sample(g, o.numbers().retries_refused.load()); });
  each("forebay_origin_requests_in_flight", "Requests waiting for an origin.", MetricType::Gauge,
       [](Gathering& g, const OriginUrl& o) { o.sample(g, o.numbers().in_flight.load()); });
  each("forebay_origin_connections", "Connections to an origin.", MetricType::Gauge,
       [](Gathering& g, const OriginUrl& o) {
         o.sample(g, {"state", "active"}, o.numbers().active.load());
         o.sample(g, {"state", "idle"}, o.numbers().idle.load());
       });
  each("forebay_origin_connects_total", "New connections opened to an origin.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) { o.sample(g, o.numbers().connects.load()); });
  each("forebay_origin_tls_handshakes_total", "TLS handshakes with an origin.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) {
         if (!o.origin.config().url.is_https()) return;
         for (std::size_t i = 0; i < net::kTlsHandshakes; ++i)
           o.sample(g, {"result", net::origin_word(static_cast<net::TlsHandshake>(i))},
                    o.numbers().handshakes[i].load());
       });
  each("forebay_origin_resolutions_total", "Look-ups of the name of an origin, by result.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) {
         for (std::size_t i = 0; i < o.numbers().resolutions.size(); ++i)
           o.sample(g, {"result", to_string(static_cast<net::Resolution>(i))}, o.numbers().resolutions[i].load());
       });
  each("forebay_origin_stale_addresses_total",
       "Requests that were sent to addresses whose TTL had passed, since the name could not be looked up again.",
       MetricType::Counter, [](Gathering& g, const OriginUrl& o) { o.sample(g, o.numbers().stale_addresses.load()); });
  each("forebay_origin_up", "1 if the origin is considered healthy.", MetricType::Gauge,
       [](Gathering& g, const OriginUrl& o) { o.sample(g, o.origin.up(o.index) ? 1.0 : 0.0); });
  each("forebay_origin_circuit_opened_total", "How often an origin was taken out of use, since its requests failed.",
       MetricType::Counter, [](Gathering& g, const OriginUrl& o) { o.sample(g, o.numbers().circuit_opened.load()); });
  each("forebay_origin_health_checks_total", "Active health checks of an origin, by result.", MetricType::Counter,
       [](Gathering& g, const OriginUrl& o) {
         const auto checks = o.origin.checks(o.index);
         if (!checks) return;
         o.sample(g, {"result", "passed"}, checks->passed);
         o.sample(g, {"result", "failed"}, checks->failed);
       });
  places(out, runtime);
}

/// Of the origins with a limit of requests in flight.
void Metrics::places(std::vector<MetricFamily>& out, const proxy::Runtime& runtime) {
  const auto each = [&](const char* name, const char* help, auto&& value) {
    Gathering g(out, name, help, MetricType::Gauge);
    for (const auto& [origin, state] : runtime.origins)
      if (const auto level = state->level()) g.sample({{"origin", origin}}, std::uint64_t{value(*level)});
  };
  using Level = upstream::OriginState::Level;
  each("forebay_origin_places", "Requests that an origin may have in flight now, by max_concurrency and ramp.",
       [](const Level& l) { return l.allowed; });
  each("forebay_origin_places_used", "Requests in flight that count against these places.",
       [](const Level& l) { return l.in_flight; });
  each("forebay_origin_places_waiting", "Requests that wait for such a place.",
       [](const Level& l) { return l.waiting; });
}

void Metrics::operation(std::vector<MetricFamily>& out) const {
  {
    Gathering g(out, "forebay_worker_lag_seconds", "Longest delay of an event loop timer in the last 10 seconds.",
                MetricType::Gauge);
    for (const auto* w : s_.workers)
      g.sample({{"worker", std::to_string(w->index())}}, std::chrono::duration<double>(w->lag()).count());
  }
  {
    Gathering g(out, "forebay_log_messages_total", "Operational log messages.", MetricType::Counter);
    for (const auto level :
         {log::Level::Trace, log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error})
      g.sample({{"level", log::to_string(level)}}, static_cast<std::uint64_t>(log::count(level)));
  }
  {
    Gathering g(out, "forebay_access_log_dropped_total", "Access log lines dropped.", MetricType::Counter);
    g.sample({}, s_.access_log_dropped());
  }
  Gathering g(out, "forebay_admin_requests_total", "Admin API requests.", MetricType::Counter);
  for (std::size_t e = 0; e < admin_.requests.size(); ++e)
    for (std::size_t i = 0; i < kClasses.size(); ++i)
      if (const auto n = admin_.requests[e][i].read())
        g.sample({{"endpoint", endpoint_label(e)}, {"code", kClasses[i]}}, n);
}

void Metrics::process(std::vector<MetricFamily>& out) const {
  const auto p = read_process();
  const auto one = [&](const char* name, const char* help, MetricType type, auto value) {
    Gathering g(out, name, help, type);
    g.sample({}, value);
  };
  one("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", MetricType::Counter,
      p.cpu_seconds);
  one("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, p.open_fds);
  one("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge, p.max_fds);
  one("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge, p.resident_bytes);
  one("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge, p.virtual_bytes);
  one("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", MetricType::Gauge,
      p.start_time_seconds);
}

}  // namespace

std::string exposition(const Sources& sources, const AdminCounters& admin) {
  const Metrics metrics(sources, admin);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, metrics.Collect());
  return std::move(out).str();
}

}  // namespace forebay::admin
