#include "upstream/group.hpp"

#include <algorithm>

#include "forebay/base/duration_text.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/log.hpp"

namespace forebay::upstream {

namespace {
constexpr std::uint64_t bit(unsigned i) noexcept { return std::uint64_t{1} << i; }

using Older = std::vector<std::weak_ptr<Permits>>;

/// The connections under earlier configurations whose requests count against the same limit, as long as there are any.
Older older_of(const SharedGroup* before) {
  Older older;
  if (!before || !before->admission) return older;
  for (const auto& permits : before->older)
    if (!permits.expired()) older.push_back(permits);
  for (const auto& url : before->urls) older.push_back(url->permits);
  return older;
}

AdmissionSettings admission_of(const config::Origin& o) {
  AdmissionSettings settings;
  settings.max_concurrency = o.max_concurrency;
  settings.ramp = {o.ramp.add, o.ramp.every};
  settings.queue_timeout = o.pool.queue_timeout;
  return settings;
}

std::shared_ptr<Admission> admission_for(const config::Origin& o, const SharedGroup* before) {
  if (o.max_concurrency == 0 && o.ramp.add == 0) return nullptr;
  return before && before->admission ? before->admission : std::make_shared<Admission>(admission_of(o));
}

/// What was known of a url, if it is judged as it was.
std::shared_ptr<UrlCondition> known_of(const config::Origin& o, const SharedGroup* before) {
  if (!before || before->config.passive != o.passive || before->config.health != o.health ||
      before->config.slow_start != o.slow_start || before->config.srv != o.srv ||
      before->config.dns_refresh != o.dns_refresh)
    return nullptr;
  for (const auto& url : before->urls)
    if (url->config.url == o.url) return url->condition;
  return nullptr;
}

/// What was counted for a url goes on.
std::shared_ptr<OriginNumbers> numbers_of(const config::Origin& o, const std::vector<Duration>& buckets,
                                          const SharedGroup* before) {
  if (before)
    for (const auto& url : before->urls)
      if (url->config.url == o.url && url->buckets == buckets) return url->kept_numbers;
  return nullptr;
}

/// The addresses of its name go on, so that a reload while no name server answers loses none.
std::shared_ptr<Addresses> addresses_of(const config::Origin& o, const SharedGroup* before) {
  if (!before || before->config.srv != o.srv || before->config.dns_refresh != o.dns_refresh) return nullptr;
  for (const auto& url : before->urls)
    if (url->config.url.host == o.url.host && url->config.url.port == o.url.port) return url->kept_addresses;
  return nullptr;
}

/// A configuration made by hand may have its one url alone.
config::Origin completed(config::Origin o) {
  if (o.urls.empty()) o.urls.push_back({o.url, 1});
  return o;
}

Balancer balancer_of(const config::Origin& o, unsigned worker) {
  std::vector<Balancer::Url> urls;
  urls.reserve(o.urls.size());
  for (const auto& member : o.urls) urls.push_back({member.url.text, member.weight});
  return {o.balance, urls, worker};
}
}  // namespace

SharedGroup::SharedGroup(config::Origin settings, const std::vector<Duration>& buckets, const SharedGroup* before,
                         const std::shared_ptr<Addresses>& addresses)
    : config(completed(std::move(settings))),
      older(older_of(before)),
      budget(config.retry_percent),
      failures(before ? before->failures : std::make_shared<Failures>()),
      admission(admission_for(config, before)),
      dropped(before && !admission ? before->admission : nullptr) {
  urls.reserve(config.urls.size());
  for (const auto& member : config.urls) {
    auto one = config;
    one.url = member.url;
    auto known = known_of(one, before);
    auto numbers = numbers_of(one, buckets, before);
    auto found = addresses ? addresses : addresses_of(one, before);
    urls.push_back(std::make_shared<SharedOrigin>(std::move(one), buckets, std::move(known), std::move(numbers),
                                                  std::move(found)));
  }
}

void SharedGroup::count_failure(FetchError error) noexcept {
  if (is_the_origins(error)) (*failures)[static_cast<std::size_t>(error)].fetch_add(1, std::memory_order_relaxed);
}

void SharedGroup::tell_overload(Timestamp now) {
  if (!overload_told_.may(now)) return;
  const auto text =
      "origin " + config.name + " has no room for all requests: some were refused after pool.queue_timeout (" +
      duration_text(config.pool.queue_timeout) + "); the limits are pool.max_connections, max_concurrency and ramp";
  log::warn(text);
  events::record(now, events::Kind::Limit, text, {{"origin", config.name}});
}

Group::Group(net::Worker& worker, std::shared_ptr<SharedGroup> shared)
    : worker_(worker),
      shared_(std::move(shared)),
      balancer_(balancer_of(shared_->config, worker.index())),
      views_(shared_->urls.size()) {
  pools_.reserve(shared_->urls.size());
  for (const auto& url : shared_->urls) pools_.push_back(std::make_shared<Pool>(worker, url));
}

Group::~Group() = default;

void Group::open() {
  // Not before: the configuration is in force only now.
  if (shared_->admission) shared_->admission->change(admission_of(config()));
  if (shared_->dropped) shared_->dropped->change({});  // who waits there need not
  for (const auto& pool : pools_) pool->open();
}

// A request that may not be repeated leaves the probe to others, unless none of them comes.
bool Group::is_in_use(const UrlCondition& condition, bool may_probe, Timestamp now) const noexcept {
  return condition.health.up() && condition.breaker.ready(may_probe ? now : now - config().passive.hold);
}

void Group::view(Among among, bool may_probe, Timestamp now) {
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const auto& url = *shared_->urls[i];
    const auto& condition = *url.condition;
    const bool in_use = is_in_use(condition, may_probe, now);
    views_[i].available = among == Among::All || (in_use && (among == Among::InUse || condition.breaker.closed()));
    views_[i].in_flight = static_cast<std::uint32_t>(url.numbers.in_flight.load(std::memory_order_relaxed));
    views_[i].share = condition.slow_start.share(now);
  }
}

bool Group::pick(Choice& choice, Breaker::Others others, std::uint64_t tried, std::uint64_t key, Timestamp now) {
  // A request does not wait for a connection to a url that is busy while another one has room.
  std::uint64_t busy = 0;
  if (pools_.size() > 1) {
    for (unsigned i = 0; i < pools_.size(); ++i)
      if (!shared_->urls[i]->permits->has_room()) busy |= bit(i);
    if (busy != 0 && pick_now(choice, others, tried | busy, key, now)) return true;
  }
  return pick_now(choice, others, tried, key, now);
}

bool Group::pick_now(Choice& choice, Breaker::Others others, std::uint64_t tried, std::uint64_t key, Timestamp now) {
  // Another worker may take a probe between the view and this.
  while (const auto i = balancer_.choose(views_, tried, key)) {
    auto& condition = *shared_->urls[*i]->condition;
    const bool fast = others == Breaker::Others::None && condition.fails_fast.load(std::memory_order_relaxed);
    auto admitted = condition.breaker.admit(now, fast ? Breaker::Others::NoneAndFast : others);
    if (admitted.pass) {
      choice.url = *i;
      choice.pass = std::move(admitted.pass);
      return true;
    }
    tried |= bit(*i);
  }
  return false;
}

Group::Choice Group::choose(std::uint64_t tried, std::uint64_t key, Asking asking) {
  const Timestamp now = worker_.now().mono;
  Choice choice;
  for (const auto among : {Among::Closed, Among::InUse, Among::All}) {
    if (among == Among::Closed && tried == 0) continue;
    if (among == Among::All && asking.may_go_elsewhere) break;
    const auto others = among == Among::All ? Breaker::Others::None : Breaker::Others::Some;
    view(among, asking.may_probe, now);
    if (pick(choice, others, tried, key, now)) return choice;
    if (tried != 0 && among != Among::Closed && pick(choice, others, 0, key, now)) return choice;
  }
  choice.open_until = now;
  if (!asking.may_go_elsewhere) return choice;  // each is being tried
  choice.open_until = Timestamp::max();
  for (const auto& url : shared_->urls)
    choice.open_until = std::min(choice.open_until, url->condition->breaker.open_until());
  return choice;
}

bool Group::has_other_than(std::uint64_t tried, bool may_probe) const {
  const Timestamp now = worker_.now().mono;
  for (unsigned i = 0; i < pools_.size(); ++i) {
    if ((tried & bit(i)) == 0 && is_in_use(*shared_->urls[i]->condition, may_probe, now)) return true;
  }
  return false;
}

void Group::press(Timestamp now, Duration patience) {
  const auto& urls = shared_->urls;
  const auto at = pressed_++ % (urls.size() + shared_->older.size());
  const auto permits = at < urls.size() ? urls[at]->permits : shared_->older[at - urls.size()].lock();
  if (permits) permits->press(now, patience, Permits::For::Place);
}

void Group::await_grant() {
  const Timestamp now = worker_.now().mono;
  const Timestamp next = shared_->admission->next_grant(now);
  if (next == Timestamp::max()) return grant_.disarm();
  worker_.deadlines().arm(grant_, std::max(next, now + std::chrono::milliseconds{1}));
}

void Group::retire() {
  retired_ = true;
  for (const auto& pool : pools_) pool->retire();
}

void Group::shut() {
  retire();
  grant_.disarm();
  for (const auto& pool : pools_) pool->shut();
  while (!waiting_.empty()) waiting_.front().cancel();
}

}  // namespace forebay::upstream
