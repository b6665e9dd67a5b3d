#include "forebay/upstream/origin.hpp"

#include <utility>

#include "upstream/held_connection.hpp"
#include "upstream/pool.hpp"
#include "upstream/running_fetch.hpp"
#include "upstream/shared_origin.hpp"

namespace forebay::upstream {

struct OriginState::Private {
  std::shared_ptr<SharedOrigin> shared;
};

OriginState::OriginState(config::Origin config, std::vector<Duration> buckets)
    : p_(new Private{std::make_shared<SharedOrigin>(std::move(config), std::move(buckets))}) {}
OriginState::~OriginState() = default;

const config::Origin& OriginState::config() const noexcept { return p_->shared->config; }
OriginNumbers& OriginState::numbers() noexcept { return p_->shared->numbers; }
const std::vector<Duration>& OriginState::buckets() const noexcept { return p_->shared->buckets; }
void OriginState::use_tls(std::shared_ptr<const net::TlsClient> tls) { p_->shared->use_tls(std::move(tls)); }
bool OriginState::up() const noexcept {
  return p_->shared->numbers.consecutive_failures.load(std::memory_order_relaxed) < SharedOrigin::kDownAfter;
}

struct Origin::Private {
  std::shared_ptr<OriginState> state;
  std::shared_ptr<Pool> pool;
};

Origin::Origin(net::Worker& worker, std::shared_ptr<OriginState> state) : p_(std::make_shared<Private>()) {
  p_->pool = std::make_shared<Pool>(worker, state->p_->shared);
  p_->pool->open();
  p_->state = std::move(state);
}

Origin::~Origin() { p_->pool->shut(); }

net::SourcePtr Origin::fetch(const FetchRequest& request, std::size_t response_header) {
  const auto running = std::make_shared<RunningFetch>(p_->pool, request, response_header);
  return {running.get(), [running](net::Source*) { running->cancel(); }};
}

std::shared_ptr<Bond> Origin::make_bond() { return std::make_shared<HeldConnection>(p_->pool); }

bool Origin::made(const Bond& bond) const noexcept {
  return &static_cast<const HeldConnection&>(bond).pool() == p_->pool.get();
}

OriginState& Origin::state() noexcept { return *p_->state; }
void Origin::retire() { p_->pool->retire(); }

}  // namespace forebay::upstream
