#include "upstream/breaker.hpp"

#include <algorithm>

namespace forebay::upstream {

namespace {
constexpr unsigned kBuckets = 10;
constexpr unsigned kMostDoublings = 3;
}  // namespace

Breaker::Change Breaker::Pass::end(Timestamp now, bool failed) noexcept {
  const auto number = breaker_.get_deleter().probe;
  Breaker* const breaker = breaker_.release();
  if (breaker == nullptr) return Change::None;
  return number != 0 ? breaker->probed(now, number, failed) : breaker->count(now, failed);
}

Breaker::Breaker(const BreakerSettings& settings) noexcept
    : settings_(settings),
      requests_(std::max(settings.window / kBuckets, Duration{1})),
      failed_(std::max(settings.window / kBuckets, Duration{1})) {}

bool Breaker::ready(Timestamp now) const noexcept {
  return closed() || (!is_probed() && now >= open_until_.load(std::memory_order_relaxed));
}

Breaker::Admitted Breaker::admit(Timestamp now, Others others) noexcept {
  if (closed()) return {Pass(*this, 0)};
  const MutexLock lock(mutex_);
  if (closed()) return {Pass(*this, 0)};
  const Timestamp until = open_until_;
  const bool waits = others == Others::Some   ? is_probed() || now < until
                     : others == Others::None ? is_probed_newly(now)
                                              : false;
  if (waits) return {{}, until};
  const auto number = ++probes_;
  probing_ = number;
  probing_since_ = now;
  // A probe before its time changes nothing until it succeeds: else an url that stays down opens with each request.
  if (now < until || state_ == State::HalfOpen) return {Pass(*this, number), until};
  state_ = State::HalfOpen;
  first_ = number;
  return {Pass(*this, number), until, Change::HalfOpen};
}

// The result of a request that was no probe. Those that were sent before it opened say nothing new.
Breaker::Change Breaker::count(Timestamp now, bool failed) noexcept {
  if (!closed()) return Change::None;
  if (settings_.error_percent != 0) requests_.add(now);
  if (!failed) {
    if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
    return Change::None;
  }
  const unsigned in_a_row = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  bool opens = settings_.failures != 0 && in_a_row >= settings_.failures;
  if (settings_.error_percent != 0) {
    failed_.add(now);
    const auto requests = requests_.sum(now, kBuckets);
    opens |=
        requests >= settings_.min_requests && failed_.sum(now, kBuckets) * 100 >= requests * settings_.error_percent;
  }
  if (!opens) return Change::None;
  const MutexLock lock(mutex_);
  if (!closed()) return Change::None;
  open_until_ = now + settings_.hold;
  state_ = State::Open;
  return Change::Opened;
}

Breaker::Change Breaker::probed(Timestamp now, std::uint64_t number, bool failed) noexcept {
  const MutexLock lock(mutex_);
  auto mine = number;
  probing_.compare_exchange_strong(mine, 0, std::memory_order_acq_rel);
  if (state_ == State::Closed) return Change::None;  // another probe has been quicker
  if (failed) {
    if (state_ == State::Open || number < first_) return Change::None;  // it says nothing new
    succeeded_ = 0;
    doublings_ = std::min(doublings_ + 1, kMostDoublings);
    open_until_ = now + settings_.hold * (1 << doublings_);
    state_ = State::Open;
    return Change::Opened;
  }
  doublings_ = 0;
  if (++succeeded_ < settings_.successes) {
    if (state_ == State::HalfOpen) return Change::None;
    open_until_ = now;
    state_ = State::HalfOpen;
    return Change::HalfOpen;
  }
  succeeded_ = 0;
  failures_ = 0;
  requests_.clear();
  failed_.clear();
  state_ = State::Closed;
  return Change::Closed;
}

}  // namespace forebay::upstream
