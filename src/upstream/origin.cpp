#include "forebay/upstream/origin.hpp"

#include <algorithm>
#include <utility>

#include "upstream/group.hpp"
#include "upstream/health_check.hpp"
#include "upstream/held_connection.hpp"
#include "upstream/running_fetch.hpp"
#include "upstream/signer.hpp"

namespace forebay::upstream {

struct OriginState::Private {
  std::shared_ptr<SharedGroup> group;
  std::shared_ptr<Credentials> credentials{};  // null: nothing is signed
  std::shared_ptr<Failovers> failovers{std::make_shared<Failovers>()};
};

OriginState::OriginState(config::Origin config, const std::vector<Duration>& buckets, const OriginState* before,
                         const std::shared_ptr<Addresses>& addresses)
    : p_(new Private{std::make_shared<SharedGroup>(std::move(config), buckets,
                                                   before ? before->p_->group.get() : nullptr, addresses)}) {
  const auto& origin = p_->group->config;
  if (before && before->config().failover == origin.failover) p_->failovers = before->p_->failovers;
  if (!origin.sign.on()) return;
  const auto& old = before ? before->p_->credentials : nullptr;
  if (old && old->are_renewed() && old->found() == origin.sign.found) {
    p_->credentials = old;
    return;
  }
  p_->credentials = std::make_shared<Credentials>(origin.sign.found, origin.name);
  ask_first(*p_->credentials);
}
OriginState::~OriginState() = default;

const config::Origin& OriginState::config() const noexcept { return p_->group->config; }
std::size_t OriginState::urls() const noexcept { return p_->group->urls.size(); }
const std::string& OriginState::url(std::size_t i) const noexcept { return p_->group->urls[i]->config.url.text; }
OriginNumbers& OriginState::numbers(std::size_t i) noexcept { return p_->group->urls[i]->numbers; }
const std::vector<Duration>& OriginState::buckets() const noexcept { return p_->group->urls.front()->buckets; }

void OriginState::use_tls(const std::vector<std::shared_ptr<const net::TlsClient>>& tls) {
  for (std::size_t i = 0; i < std::min(tls.size(), urls()); ++i) p_->group->urls[i]->use_tls(tls[i]);
}

std::optional<OriginState::Checks> OriginState::checks(std::size_t i) const noexcept {
  if (!config().health.on()) return std::nullopt;
  const auto& condition = *p_->group->urls[i]->condition;
  const auto& results = condition.checks.results;
  return Checks{results[static_cast<std::size_t>(Health::Check::Passed)].load(std::memory_order_relaxed),
                results[static_cast<std::size_t>(Health::Check::Failed)].load(std::memory_order_relaxed),
                condition.health.up()};
}

bool OriginState::up(std::size_t i) const noexcept { return p_->group->urls[i]->condition->up(); }

std::string_view OriginState::why_down(std::size_t i) const noexcept {
  const auto& condition = *p_->group->urls[i]->condition;
  if (condition.up()) return {};
  const bool checked = !condition.health.up(), failing = !condition.breaker.closed();
  if (checked && failing) return "its requests and its health checks fail";
  return checked ? "its health checks fail" : failing ? "its requests fail" : "";
}

Failovers& OriginState::failovers() noexcept { return *p_->failovers; }

bool OriginState::up() const noexcept {
  const auto& urls = p_->group->urls;
  return std::any_of(urls.begin(), urls.end(), [](const auto& url) { return url->condition->up(); });
}

std::uint64_t OriginState::errors_without_url(FetchError error) const noexcept {
  return (*p_->group->failures)[static_cast<std::size_t>(error)].load(std::memory_order_relaxed);
}

std::optional<OriginState::Level> OriginState::level() const {
  if (!p_->group->admission) return std::nullopt;
  const auto level = p_->group->admission->level({});
  return Level{level.in_flight, level.allowed, level.queued};
}

struct Origin::Private {
  std::shared_ptr<OriginState> state;
  std::shared_ptr<Group> group;
  std::unique_ptr<Signer> signer{};  // null: nothing is signed
  std::vector<std::unique_ptr<HealthCheck>> checks{};
};

Origin::Origin(net::Worker& worker, std::shared_ptr<OriginState> state) : p_(std::make_shared<Private>()) {
  p_->group = std::make_shared<Group>(worker, state->p_->group);
  p_->group->open();
  p_->state = std::move(state);
  if (const auto& credentials = p_->state->p_->credentials)
    p_->signer = std::make_unique<Signer>(worker, p_->state->config(), credentials);
  if (!p_->state->config().health.on()) return;
  for (const auto& url : p_->state->p_->group->urls)
    p_->checks.push_back(std::make_unique<HealthCheck>(worker, url, p_->signer.get()));
}

Origin::~Origin() {
  p_->checks.clear();
  p_->signer.reset();
  p_->group->shut();
}

std::string Origin::sign(std::string_view method, std::string& target, http::Fields& fields, std::string_view payload,
                         WallTime now) {
  return p_->signer ? p_->signer->sign(method, target, fields, payload, now) : std::string();
}

net::SourcePtr Origin::fetch(const FetchRequest& request, std::size_t response_header) {
  const auto running = std::make_shared<RunningFetch>(*this, p_->group, request, response_header);
  return {running.get(), [running](net::Source*) { running->cancel(); }};
}

std::shared_ptr<Bond> Origin::make_bond() { return std::make_shared<HeldConnection>(p_->group); }

bool Origin::made(const Bond& bond) const noexcept {
  return &static_cast<const HeldConnection&>(bond).group() == p_->group.get();
}

OriginState& Origin::state() noexcept { return *p_->state; }
void Origin::retire() {
  p_->checks.clear();
  if (p_->signer) p_->signer->retire();
  p_->group->retire();
}

}  // namespace forebay::upstream
