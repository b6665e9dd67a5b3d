#include "upstream/admission.hpp"

#include <algorithm>
#include <limits>

#include "forebay/base/terminate.hpp"

namespace forebay::upstream {

// After each call nobody waits, or as many requests are in flight as are allowed. So a place that is given back needs
// no time of its own: only time that others have told can have made more room.

void Place::reset() noexcept {
  if (const auto admission = std::exchange(admission_, nullptr)) admission->give_back();
}

Admission::Admission(const AdmissionSettings& settings) : settings_(settings) {
  if (settings.ramp.add != 0) ramp_.emplace(settings.ramp.add, settings.ramp.every);
}

void Admission::change(const AdmissionSettings& settings) {
  {
    const MutexLock lock(mutex_);
    if (settings_ == settings) return;
    if (settings_.ramp != settings.ramp) {
      std::optional<Ramp> ramp;
      if (settings.ramp.add != 0) {
        // Only who is in flight now is known.
        ramp.emplace(settings.ramp.add, settings.ramp.every);
        ramp->advance(now_, 0);
        ramp->rose(in_flight_);
      }
      ramp_.reset();
      if (ramp) ramp_.emplace(std::move(*ramp));
    }
    settings_ = settings;
  }
  grant_due();
}

Admission::~Admission() {
  const MutexLock lock(mutex_);
  while (!by_age_.empty()) remove(by_age_.front());
}

Admission::Taken Admission::take(const std::shared_ptr<AdmissionRequest>& request, Timestamp now) {
  {
    const MutexLock lock(mutex_);
    pass(now);
    // Nobody overtakes the queue.
    if (by_age_.empty() && in_flight_ < limit()) {
      occupy();
      return {Outcome::Placed, Place(shared_from_this())};
    }
    if (by_age_.size() >= settings_.max_queue) return {Outcome::Full};
    request->state_ = AdmissionRequest::State::Queued;
    request->number_ = arrivals_++;
    request->queued_ = now_;
    request->self_ = request;
    by_rank_.insert(*request);
    by_age_.push_back(*request);
  }
  grant_due();
  return {Outcome::Queued};
}

Place Admission::granted(AdmissionRequest& request) {
  const MutexLock lock(mutex_);
  if (request.state_ != AdmissionRequest::State::Granted) return {};
  request.state_ = AdmissionRequest::State::Out;
  return Place(shared_from_this());
}

void Admission::leave(AdmissionRequest& request) {
  std::shared_ptr<AdmissionRequest> left;
  {
    const MutexLock lock(mutex_);
    if (request.state_ == AdmissionRequest::State::Queued) {
      left = remove(request);
      return;
    }
  }
  granted(request).reset();
}

void Admission::update(AdmissionRequest& request, unsigned waiters) {
  const MutexLock lock(mutex_);
  const bool queued = request.state_ == AdmissionRequest::State::Queued;
  if (queued) by_rank_.erase(by_rank_.iterator_to(request));
  request.waiters_ = waiters;
  if (queued) by_rank_.insert(request);
}

Timestamp Admission::next_grant(Timestamp now) {
  const auto level_now = level(now);
  const MutexLock lock(mutex_);
  if (level_now.queued == 0 || !ramp_ || in_flight_ >= most()) return Timestamp::max();
  return ramp_->allows_more_than(in_flight_);
}

Admission::Level Admission::level(Timestamp now) {
  {
    const MutexLock lock(mutex_);
    pass(now);
  }
  grant_due();
  const MutexLock lock(mutex_);
  return {in_flight_, limit(), by_age_.size()};
}

void Admission::give_back() noexcept {
  {
    const MutexLock lock(mutex_);
    ensure(in_flight_ != 0, "a place is given back once");
    --in_flight_;
  }
  grant_due();
}

// One at a time, so that no list of them needs memory.
void Admission::grant_due() noexcept {
  while (const auto next = grant_one()) next->signal.notify();
}

std::shared_ptr<AdmissionRequest> Admission::grant_one() {
  const MutexLock lock(mutex_);
  if (by_age_.empty() || in_flight_ >= limit()) return nullptr;
  AdmissionRequest& oldest = by_age_.front();
  auto next = remove(now_ - oldest.queued_ >= settings_.queue_timeout / 2 ? oldest : *by_rank_.begin());
  next->state_ = AdmissionRequest::State::Granted;
  occupy();
  return next;
}

void Admission::pass(Timestamp now) {
  now_ = std::max(now_, now);
  if (ramp_) ramp_->advance(now_, in_flight_);
}

unsigned Admission::most() const noexcept {
  return settings_.max_concurrency == 0 ? std::numeric_limits<unsigned>::max() : settings_.max_concurrency;
}

unsigned Admission::limit() const noexcept { return ramp_ ? std::min(ramp_->allowed(), most()) : most(); }

void Admission::occupy() noexcept {
  ++in_flight_;
  if (ramp_) ramp_->rose(in_flight_);
}

std::shared_ptr<AdmissionRequest> Admission::remove(AdmissionRequest& request) noexcept {
  by_rank_.erase(by_rank_.iterator_to(request));
  by_age_.erase(by_age_.iterator_to(request));
  request.state_ = AdmissionRequest::State::Out;
  return std::move(request.self_);
}

}  // namespace forebay::upstream
