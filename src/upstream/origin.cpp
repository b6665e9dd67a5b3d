#include "forebay/upstream/origin.hpp"

#include <utility>

#include "upstream/held_connection.hpp"
#include "upstream/pool.hpp"
#include "upstream/running_fetch.hpp"
#include "upstream/shared_origin.hpp"
#include "upstream/signer.hpp"

namespace forebay::upstream {

struct OriginState::Private {
  std::shared_ptr<SharedOrigin> shared;
  std::shared_ptr<Credentials> credentials{};  // null: nothing is signed
  Failovers failovers{};
};

OriginState::OriginState(config::Origin config, std::vector<Duration> buckets, const OriginState* before)
    : p_(new Private{std::make_shared<SharedOrigin>(std::move(config), std::move(buckets))}) {
  const auto& origin = p_->shared->config;
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

const config::Origin& OriginState::config() const noexcept { return p_->shared->config; }
OriginNumbers& OriginState::numbers() noexcept { return p_->shared->numbers; }
const std::vector<Duration>& OriginState::buckets() const noexcept { return p_->shared->buckets; }
Failovers& OriginState::failovers() noexcept { return p_->failovers; }
void OriginState::use_tls(std::shared_ptr<const net::TlsClient> tls) { p_->shared->use_tls(std::move(tls)); }
bool OriginState::up() const noexcept {
  return p_->shared->numbers.consecutive_failures.load(std::memory_order_relaxed) < SharedOrigin::kDownAfter;
}

struct Origin::Private {
  std::shared_ptr<OriginState> state;
  std::shared_ptr<Pool> pool;
  std::unique_ptr<Signer> signer{};  // null: nothing is signed
};

Origin::Origin(net::Worker& worker, std::shared_ptr<OriginState> state) : p_(std::make_shared<Private>()) {
  p_->pool = std::make_shared<Pool>(worker, state->p_->shared);
  p_->pool->open();
  p_->state = std::move(state);
  if (const auto& credentials = p_->state->p_->credentials)
    p_->signer = std::make_unique<Signer>(worker, p_->state->config(), credentials);
}

Origin::~Origin() {
  p_->signer.reset();
  p_->pool->shut();
}

std::string Origin::sign(std::string_view method, std::string& target, http::Fields& fields, std::string_view payload,
                         WallTime now) {
  return p_->signer ? p_->signer->sign(method, target, fields, payload, now) : std::string();
}

net::SourcePtr Origin::fetch(const FetchRequest& request, std::size_t response_header) {
  const auto running = std::make_shared<RunningFetch>(*this, p_->pool, request, response_header);
  return {running.get(), [running](net::Source*) { running->cancel(); }};
}

std::shared_ptr<Bond> Origin::make_bond() { return std::make_shared<HeldConnection>(p_->pool); }

bool Origin::made(const Bond& bond) const noexcept {
  return &static_cast<const HeldConnection&>(bond).pool() == p_->pool.get();
}

OriginState& Origin::state() noexcept { return *p_->state; }
void Origin::retire() {
  if (p_->signer) p_->signer->retire();
  p_->pool->retire();
}

}  // namespace forebay::upstream
