#include "forebay/upstream/origin.hpp"

#include "upstream/held_connection.hpp"
#include "upstream/pool.hpp"
#include "upstream/running_fetch.hpp"
#include "upstream/shared_origin.hpp"

namespace forebay::upstream {

namespace {
// Failed attempts in a row after which an origin counts as down (`passive.failures`). It is still asked: there is no
// other.

/// The caller's end of a fetch.
class FetchHandle final : public Fetch {
 public:
  explicit FetchHandle(std::shared_ptr<RunningFetch> fetch) : fetch_(std::move(fetch)) {}
  ~FetchHandle() override { fetch_->cancel(); }
  void resume() override { fetch_->resume(); }
  void cancel() override { fetch_->cancel(); }
  const FetchTimes& times() const override { return fetch_->times(); }
  bool asked() const override { return fetch_->asked(); }

 private:
  const std::shared_ptr<RunningFetch> fetch_;
};
}  // namespace

std::string_view to_string(FetchError e) noexcept {
  switch (e) {
    case FetchError::Dns:
      return "dns";
    case FetchError::Connect:
      return "connect";
    case FetchError::ConnectTimeout:
      return "connect_timeout";
    case FetchError::Tls:
      return "tls";
    case FetchError::Reset:
      return "reset";
    case FetchError::FirstByteTimeout:
      return "first_byte_timeout";
    case FetchError::BetweenBytesTimeout:
      return "between_bytes_timeout";
    case FetchError::Protocol:
      return "protocol";
    case FetchError::TooLarge:
      return "too_large";
    case FetchError::Queue:
      return "queue";
    case FetchError::ClientBody:
      return "client_body";
    case FetchError::ClientStalled:
      return "client_stalled";
    case FetchError::Memory:
      return "memory";
    case FetchError::kCount:
      break;
  }
  return "unknown";
}

bool is_the_origins(FetchError e) noexcept {
  return e != FetchError::ClientBody && e != FetchError::ClientStalled && e != FetchError::Memory;
}

bool is_timeout(FetchError e) noexcept {
  return e == FetchError::ConnectTimeout || e == FetchError::FirstByteTimeout || e == FetchError::BetweenBytesTimeout;
}

struct OriginState::Private {
  std::shared_ptr<SharedOrigin> shared;
};

OriginState::OriginState(config::Origin config, std::vector<Duration> buckets)
    : p_(new Private{std::make_shared<SharedOrigin>(std::move(config), std::move(buckets))}) {}
OriginState::~OriginState() = default;

const config::Origin& OriginState::config() const noexcept { return p_->shared->config; }
OriginNumbers& OriginState::numbers() noexcept { return p_->shared->numbers; }
const std::vector<Duration>& OriginState::buckets() const noexcept { return p_->shared->buckets; }
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

FetchPtr Origin::fetch(const FetchRequest& request, FetchSink& sink, std::size_t response_header) {
  auto running = std::make_shared<RunningFetch>(p_->pool, request, sink, response_header);
  // By a post, so that the sink hears nothing before this returns.
  p_->pool->worker().post([running] { running->start(); });
  return std::make_shared<FetchHandle>(std::move(running));
}

std::shared_ptr<Bond> Origin::make_bond() { return std::make_shared<HeldConnection>(p_->pool); }

bool Origin::made(const Bond& bond) const noexcept {
  return &static_cast<const HeldConnection&>(bond).pool() == p_->pool.get();
}

OriginState& Origin::state() noexcept { return *p_->state; }
void Origin::retire() { p_->pool->retire(); }

}  // namespace forebay::upstream
