#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/waker.hpp"
#include "upstream/ramp.hpp"

namespace forebay::upstream {

class Admission;

struct AdmissionSettings {
  unsigned max_concurrency = 0;  ///< Requests in flight, of all workers; 0: any number.
  struct Ramp {
    unsigned add = 0;  ///< 0: no ramp.
    Duration every = std::chrono::seconds{10};
    bool operator==(const Ramp&) const = default;
  } ramp{};
  std::size_t max_queue = 10'000;
  Duration queue_timeout = std::chrono::seconds{5};  ///< The owner ends the wait then; half of it decides the order.
  bool operator==(const AdmissionSettings&) const = default;
};

/// The right to have one request in flight, from before it is sent until after its answer has ended.
class Place {
 public:
  Place() = default;
  Place(Place&&) noexcept = default;
  Place& operator=(Place&& o) noexcept {
    reset();
    admission_ = std::move(o.admission_);
    return *this;
  }
  ~Place() { reset(); }

  explicit operator bool() const noexcept { return admission_ != nullptr; }
  void reset() noexcept;

 private:
  friend class Admission;
  explicit Place(std::shared_ptr<Admission> admission) noexcept : admission_(std::move(admission)) {}
  std::shared_ptr<Admission> admission_;
};

/// A place in the queue, for one `Admission::take`. `signal` is notified once a place was granted.
class AdmissionRequest : public boost::intrusive::set_base_hook<>, public boost::intrusive::list_base_hook<> {
 public:
  /// How many clients wait for the fetch; 0: it is a refresh, in the background.
  explicit AdmissionRequest(unsigned waiters) noexcept : waiters_(waiters) {}
  Signal signal;

 private:
  friend class Admission;
  enum class State : std::uint8_t { Out, Queued, Granted };
  struct Before {
    bool operator()(const AdmissionRequest& a, const AdmissionRequest& b) const noexcept {
      return a.waiters_ != b.waiters_ ? a.waiters_ > b.waiters_ : a.number_ < b.number_;
    }
  };
  // All below under the mutex of the Admission.
  State state_ = State::Out;
  unsigned waiters_;
  std::uint64_t number_ = 0;  // by arrival
  Timestamp queued_{};
  std::shared_ptr<AdmissionRequest> self_;  // while it is in the queue
};

/// Protects one origin: a limit of requests in flight, a limit of the growth of their number (`Ramp`), and the queue of
/// those that wait. First goes what most clients wait for, among equals what came first; so refreshes go last. Who has
/// waited for half of `queue_timeout` goes before all younger ones. Thread-safe; nothing is woken under its lock. Each
/// call takes time logarithmic in the length of the queue, for itself and for each place that it grants, and no memory.
class Admission : public std::enable_shared_from_this<Admission> {
 public:
  explicit Admission(const AdmissionSettings& settings);
  /// From now on; who is in flight or waits stays.
  void change(const AdmissionSettings& settings);
  Admission(const Admission&) = delete;
  ~Admission();

  enum class Outcome : std::uint8_t {
    Placed,  ///< There is a place.
    Queued,  ///< `request` is in the queue.
    Full,    ///< The queue is full.
  };
  struct Taken {
    Outcome outcome;
    Place place{};
  };
  /// A place at once, or a place in the queue. The caller waits on the request's signal already, so that no grant is
  /// missed.
  Taken take(const std::shared_ptr<AdmissionRequest>& request, Timestamp now);
  /// What `request` was granted; empty while it is still in the queue.
  Place granted(AdmissionRequest& request);
  /// Leaves the queue; a place that was granted meanwhile goes to the next.
  void leave(AdmissionRequest& request);
  /// The number of clients that wait for the fetch has changed.
  void update(AdmissionRequest& request, unsigned waiters);
  /// Grants what time has made room for. Returns when it makes room next for who waits, so that a deadline can call it
  /// then again; max(): only a place that is given back makes room, or nobody waits.
  Timestamp next_grant(Timestamp now);

  struct Level {
    unsigned in_flight;
    unsigned allowed;  ///< By both limits.
    std::size_t queued;
  };
  Level level(Timestamp now);

 private:
  friend class Place;
  void give_back() noexcept;
  void grant_due() noexcept;
  std::shared_ptr<AdmissionRequest> grant_one();
  void pass(Timestamp now) FOREBAY_REQUIRES(mutex_);
  unsigned most() const noexcept FOREBAY_REQUIRES(mutex_);
  unsigned limit() const noexcept FOREBAY_REQUIRES(mutex_);
  void occupy() noexcept FOREBAY_REQUIRES(mutex_);
  std::shared_ptr<AdmissionRequest> remove(AdmissionRequest& request) noexcept FOREBAY_REQUIRES(mutex_);

  Mutex mutex_;
  AdmissionSettings settings_ FOREBAY_GUARDED_BY(mutex_);
  Timestamp now_ FOREBAY_GUARDED_BY(mutex_){};  // the latest that a caller has told
  unsigned in_flight_ FOREBAY_GUARDED_BY(mutex_) = 0;
  std::optional<Ramp> ramp_ FOREBAY_GUARDED_BY(mutex_);
  std::uint64_t arrivals_ FOREBAY_GUARDED_BY(mutex_) = 0;
  // The same requests in both orders.
  boost::intrusive::set<AdmissionRequest, boost::intrusive::compare<AdmissionRequest::Before>> by_rank_
      FOREBAY_GUARDED_BY(mutex_);
  boost::intrusive::list<AdmissionRequest> by_age_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace forebay::upstream
