#include "upstream/health_check.hpp"

#include <random>
#include <utility>
#include <vector>

#include "forebay/base/duration_text.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/base/log.hpp"

namespace forebay::upstream {
namespace {

constexpr std::size_t kLargestHead = 16 * 1024;

/// Of the url alone, without what concerns its requests.
config::Origin settings_of(const config::Origin& o) {
  config::Origin settings;
  settings.name = o.name + " (its health)";
  settings.url = o.url;
  settings.timeouts.total = o.health.timeout;
  settings.timeouts.connect = settings.timeouts.first_byte = settings.timeouts.dns = o.health.timeout;
  settings.retries = 0;
  settings.pool.max_connections = 1;
  settings.pool.max_idle = 0;
  settings.passive.failures = 0;
  settings.dns_refresh = o.dns_refresh;
  settings.srv = o.srv;
  settings.tls = o.tls;
  return settings;
}

double random_share() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

std::string_view host_of(const config::Origin& o) {
  if (!o.health.host.empty()) return o.health.host;
  return o.host_header == "origin" || o.host_header == "preserve" ? o.url.authority : o.host_header;
}

}  // namespace

HealthCheck::HealthCheck(net::Worker& worker, std::shared_ptr<SharedOrigin> url, Signer* signer)
    : worker_(worker), url_(std::move(url)), signer_(signer) {
  wait(worker_.now().mono);
}

HealthCheck::~HealthCheck() {
  if (source_) source_->cancel();
  give_turn();
}

void HealthCheck::give_turn() noexcept {
  if (std::exchange(asking_, false)) url_->condition->checks.taken = false;
}

void HealthCheck::wait(Timestamp until) { worker_.deadlines().arm(timer_, until); }

void HealthCheck::look() {
  auto& checks = url_->condition->checks;
  const Timestamp now = worker_.now().mono;
  const Timestamp due = checks.due;
  if (now < due) return wait(due);
  if (checks.taken.exchange(true)) return wait(now + url_->config.health.interval);
  asking_ = true;
  if (const Timestamp since = checks.due; now < since) {  // another worker has been quicker
    give_turn();
    return wait(since);
  }
  guarded([this] { ask(); }, [this] { broken(); });
}

void HealthCheck::ask() {
  std::string target = url_->config.health.path;
  http::Fields fields;
  if (const auto why = compose(target, fields); !why.empty()) return ended(Health::Check::Failed, why);
  if (!target_) {
    const auto settings = settings_of(url_->config);
    // They go on after a reload, like those of requests.
    auto& addresses = url_->condition->checks.addresses;
    if (!addresses) addresses = std::make_shared<Addresses>(settings.url.host, settings.url.port, settings.dns_refresh);
    target_ = std::make_unique<Origin>(
        worker_, std::make_shared<OriginState>(settings, std::vector<Duration>{}, nullptr, addresses));
  }
  if (url_->config.url.is_https()) target_->state().use_tls({url_->tls()});
  FetchRequest request;
  request.method_text = "GET";
  request.target = target;
  request.fields = fields;
  source_ = target_->fetch(request, kLargestHead);
  source_->start(*this);
}

std::string HealthCheck::compose(std::string& target, http::Fields& fields) const {
  fields.add(http::FieldId::Host, host_of(url_->config));
  fields.add("User-Agent", "forebay-health-check");
  fields.add("Accept", "*/*");
  for (const auto& own : url_->config.headers) {
    fields.remove(own.name);
    if (!own.value.empty()) fields.add(own.name, own.value);
  }
  if (signer_ == nullptr) return {};
  return signer_->sign("GET", target, fields, sha256_hex(""), worker_.now().wall);
}

// The head is enough. The source is dropped by the next check: it is still at work in this call.
void HealthCheck::on_head(const http::ResponseView& head, const HeadFacts&) {
  source_->cancel();
  const bool passes = expected(url_->config.health.expect, head.status);
  guarded(
      [&] {
        ended(passes ? Health::Check::Passed : Health::Check::Failed, "it answers with " + std::to_string(head.status));
      },
      [this] { broken(); });
}

void HealthCheck::on_failure(FetchError error, std::string_view detail) {
  if (error == FetchError::Memory) return broken();
  guarded(
      [&] {
        const auto& health = url_->config.health;
        ended(Health::Check::Failed, error == FetchError::TotalTimeout
                                         ? "no answer within health.timeout (" + duration_text(health.timeout) + ')'
                                         : std::string(to_string(error)) + ": " + std::string(detail));
      },
      [this] { broken(); });
}

void HealthCheck::ended(Health::Check result, std::string_view why) {
  auto& condition = *url_->condition;
  const Timestamp now = worker_.now().mono;
  condition.checks.results[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  const auto next = condition.health.result(result, now, random_share());
  condition.checks.due = next.check_at;
  give_turn();
  wait(next.check_at);
  if (result == Health::Check::Passed && condition.breaker.ready(now - url_->config.passive.hold))
    condition.thought_up = true;
  const auto& settings = url_->config.health;
  switch (next.change) {
    case Health::Change::None: return;
    case Health::Change::Down:
      return url_->tell(log::Level::Warn, events::Kind::Origin, "down",
                        url_->title() + " is out of use: its health check (" + settings.path +
                            ") fails, the last time: " + std::string(why),
                        now);
    case Health::Change::Up:
      condition.slow_start.came_back(now);
      return url_->tell(log::Level::Info, events::Kind::Origin, "up",
                        url_->title() +
                            (condition.breaker.closed() ? " is in use again: its health check ("
                                                        : " may be tried by a request: its health check (") +
                            settings.path + ") passes",
                        now);
  }
}

// Without memory nothing is known of the url: another worker, or a later moment, may have some.
void HealthCheck::broken() noexcept {
  if (const auto source = std::exchange(source_, nullptr)) source->cancel();
  give_turn();
  wait(worker_.now().mono + url_->config.health.interval);
}

}  // namespace forebay::upstream
