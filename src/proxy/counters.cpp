#include "forebay/proxy/counters.hpp"

#include <utility>

#include "forebay/base/terminate.hpp"

namespace forebay::proxy {
namespace {

constexpr std::string_view kOther = "_other";
constexpr std::string_view kNone = "_none";

constexpr std::array<std::string_view, kMethodLabels> kMethods{"GET",    "HEAD",    "POST",  "PUT",  "PATCH",
                                                               "DELETE", "OPTIONS", "QUERY", "OTHER"};
constexpr std::array<std::string_view, kLatencyClasses> kClasses{"hit", "wait", "miss", "bypass", "error"};

}  // namespace

std::string_view to_string(RequestError e) noexcept {
  switch (e) {
    case RequestError::BadRequest: return "bad_request";
    case RequestError::HeaderTooLarge: return "header_too_large";
    case RequestError::TargetTooLong: return "target_too_long";
    case RequestError::BodyTooLarge: return "body_too_large";
    case RequestError::ClientTimeout: return "client_timeout";
    case RequestError::Overload: return "overload";
    case RequestError::NoRoute: return "no_route";
    case RequestError::Loop: return "loop";
    case RequestError::OnlyIfCached: return "only_if_cached";
    case RequestError::Connect: return "connect";
    case RequestError::Timeout: return "timeout";
    case RequestError::Protocol: return "protocol";
    case RequestError::Queue: return "queue";
    case RequestError::Coalesce: return "coalesce";
    case RequestError::Upgrade: return "upgrade";
    case RequestError::Forbidden: return "forbidden";
    case RequestError::kCount: break;
  }
  return "";
}

std::string_view to_string(TunnelEnd e) noexcept {
  switch (e) {
    case TunnelEnd::Closed: return "closed";
    case TunnelEnd::ClientReset: return "client_reset";
    case TunnelEnd::OriginReset: return "origin_reset";
    case TunnelEnd::Idle: return "idle";
    case TunnelEnd::Stalled: return "stalled";
    case TunnelEnd::Memory: return "memory";
    case TunnelEnd::Drain: return "drain";
    case TunnelEnd::Stop: return "stop";
    case TunnelEnd::kCount: break;
  }
  return "";
}

std::size_t method_label(http::Method m) noexcept {
  switch (m) {
    case http::Method::Get: return 0;
    case http::Method::Head: return 1;
    case http::Method::Post: return 2;
    case http::Method::Put: return 3;
    case http::Method::Patch: return 4;
    case http::Method::Delete: return 5;
    case http::Method::Options: return 6;
    case http::Method::Query: return 7;
    case http::Method::Trace:
    case http::Method::Connect:
    case http::Method::Other: break;
  }
  return 8;
}

std::string_view method_label_text(std::size_t label) noexcept {
  return kMethods[label < kMethodLabels ? label : kMethodLabels - 1];
}

std::size_t latency_class(rules::CacheResult r) noexcept {
  switch (r) {
    case rules::CacheResult::Hit:
    case rules::CacheResult::Stale: return 0;
    case rules::CacheResult::Coalesced: return 1;
    case rules::CacheResult::Miss:
    case rules::CacheResult::Revalidated:
    case rules::CacheResult::StaleError: return 2;
    case rules::CacheResult::Bypass: return 3;
    case rules::CacheResult::Error: break;
  }
  return 4;
}

std::string_view latency_class_text(std::size_t c) noexcept {
  return kClasses[c < kLatencyClasses ? c : kLatencyClasses - 1];
}

CounterRegistry::CounterRegistry(std::size_t workers, std::vector<std::uint64_t> bounds, std::size_t max_routes)
    : workers_(workers), bounds_(std::move(bounds)), max_routes_(max_routes) {
  ensure(bounds_.size() <= 24, "a histogram has up to 24 bounds");
}

RouteCounters& CounterRegistry::of(std::string_view route, std::size_t worker) {
  ensure(worker < workers_, "counters are those of a worker");
  const MutexLock lock(mutex_);
  auto found = routes_.find(route);
  if (found == routes_.end()) {
    if (route != kNone && route != kOther) {
      std::size_t named = routes_.size();
      named -= routes_.count(kNone) + routes_.count(kOther);
      if (named >= max_routes_) route = kOther;
    }
    found = routes_.try_emplace(std::string(route)).first;
    auto& rows = found->second;
    // `route` may have become `_other`, which exists already.
    while (rows.size() < workers_) rows.push_back(std::make_unique<RouteCounters>());
  }
  return *found->second[worker];
}

std::vector<CounterRegistry::Row> CounterRegistry::rows() const {
  std::vector<Row> out;
  const MutexLock lock(mutex_);
  out.reserve(routes_.size());
  for (const auto& [name, workers] : routes_) {
    Row row;
    row.route = name;
    for (const auto& w : workers) row.workers.push_back(w.get());
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace forebay::proxy
