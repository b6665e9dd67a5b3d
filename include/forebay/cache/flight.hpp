#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forebay/base/waker.hpp"
#include "forebay/cache/entry.hpp"
#include "forebay/cache/selecting.hpp"
#include "forebay/http/body.hpp"
#include "forebay/http/trace_context.hpp"
#include "forebay/rules/freshness.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::cache {

class Store;
struct PurgeState;
struct Shard;

/// Requests that wait on flights, of one store.
class WaitingCount final : public RefCounted {
 public:
  void enter() noexcept { n_.fetch_add(1, std::memory_order_relaxed); }
  void leave() noexcept { n_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint64_t read() const noexcept { return n_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> n_{0};
};

/// Why a fetch failed, for its followers.
struct Failure {
  int status = 502;      ///< Of Forebay's own answer: 502, 503, 504, or the origin's unstorable one in `stale.errors`.
  bool timeout = false;  ///< For stale.errors: a timeout, else a broken connection or answer.
  bool origin_answered = false;
  std::string retry_after;  ///< The origin's, if any.
  std::string detail;       ///< For the problem document and log; no internals of the origin.
  /// The leader's request may be the cause: a 5xx other than 502, 503 and 504, a reset or garbage. Followers try once
  /// more (`Store::retry`). Otherwise the origin is down for all requests.
  bool by_leader = false;
};

/// A fetch in progress. It has no lock: every transition is made by the Store under the key's shard lock, and what a
/// transition publishes never changes after it. Read from any thread.
class Flight final : public RefCounted {
 public:
  enum class State : std::uint8_t {
    Waiting,
    Landed,        ///< Head and body are published; followers are served from them as they grow.
    NotShareable,  ///< The response is only for the leader; followers fetch for themselves (`own_by_request` says
                   ///< which).
    Failed,  ///< Followers get a stale response or an error; if the leader may be the cause, one of them fetches again.
    Abandoned,  ///< The leader left without a response: followers look up again, and one takes over.
  };
  State state() const noexcept { return state_.load(std::memory_order_acquire); }

  // After Landed.
  const Ref<const PublishedHead>& head() const noexcept { return head_; }
  const Ref<http::Body>& body() const noexcept { return body_; }
  const rules::Freshness& freshness() const noexcept { return freshness_; }
  /// Whether the response is also for this request: the selecting fields are equal, and the request accepts its coding.
  bool is_for(const Selecting& request) const;
  /// The leader's request refuses the coding of its response: the origin has no other for such requests.
  bool unwelcome() const noexcept { return unwelcome_; }
  /// Whether this request would get the same response as the leader, except for the coding.
  bool is_like(const Selecting& request) const;
  /// It has a coding that a request may refuse although the selecting fields match.
  bool refusable() const noexcept { return refusable_; }
  /// Whether it was started after a follower's wait for another flight timed out.
  bool superseding() const noexcept { return superseding_; }
  /// Whether it is the second try after a failed flight: its failure is shared. Final at its end; its leader may read
  /// it before.
  bool second() const noexcept { return second_.load(std::memory_order_relaxed); }
  /// The body's length, if the origin stated it.
  std::optional<std::uint64_t> length() const noexcept { return length_; }
  /// Whether a reader may still attach to the body from its beginning; false once it outgrew `max_object`. Attach first
  /// and look then: what is true before may be over when the reader comes.
  bool joinable() const noexcept { return joinable_.load(std::memory_order_acquire); }

  // After NotShareable.
  bool own_by_request() const noexcept { return own_by_request_; }
  rules::Reason own_reason() const noexcept { return own_reason_; }
  // After Failed.
  const Failure& failure() const noexcept { return failure_; }

  /// After Failed: whether a follower has begun the second try, so that `Store::retry` joins it.
  bool has_successor() const noexcept { return has_successor_.load(std::memory_order_acquire); }

  /// The leader's span, once it has ended; `has_trace` is false where the leader made none.
  bool has_trace() const noexcept { return trace_.trace[0] != 0; }
  const http::TraceContext& trace() const noexcept { return trace_; }
  /// By the leader. Without effect once the flight has ended: then others may read it.
  void note_trace(const http::TraceContext& trace) noexcept {
    if (state() == State::Waiting) trace_ = trace;
  }

  /// Signals the end of `Waiting`, and `has_successor`; check `state()` again after this.
  void wait(Waker& waker, Waiter& waiter) { changed_.wait(waker, waiter); }
  /// Number of its FollowerPlaces.
  std::uint32_t waiters() const noexcept { return waiters_.load(std::memory_order_relaxed); }

 private:
  friend class Store;
  friend class Ticket;
  friend struct Shard;
  friend struct PurgeState;
  friend class FollowerPlace;
  std::atomic<State> state_{State::Waiting};
  std::atomic<bool> joinable_{true};
  std::atomic<bool> has_successor_{false};
  std::atomic<std::uint32_t> waiters_{0};
  Ref<const PublishedHead> head_;
  Ref<http::Body> body_;
  rules::Freshness freshness_;
  VaryRef vary_;           // the names that the answer is filed under
  std::string secondary_;  // the leader's secondary key under them
  bool refusable_ = false;
  bool unwelcome_ = false;
  std::optional<std::uint64_t> length_;
  bool superseding_ = false;
  bool own_by_request_ = false;
  rules::Reason own_reason_ = rules::Reason::None;
  Failure failure_;
  http::TraceContext trace_;
  Signal changed_;
  Ref<WaitingCount> all_waiters_;
  // Under the shard's lock.
  std::vector<Digest> tags_;          // since it landed
  std::uint64_t purge_sequence_ = 0;  // of the latest purge when it started
  bool listed_ = false;               // in its slot, so that others can find it
  std::atomic<bool> second_{false};   // written while it waits
  Ref<Flight> successor_;             // what those who waited on it wait for after its failure
};

/// A follower's place on a flight, which counts in `coalesce.max_waiters` and as waiting until `leave` or its end. The
/// flight stays known after `leave`.
class FollowerPlace {
 public:
  FollowerPlace() = default;
  explicit FollowerPlace(Ref<Flight> flight) noexcept : flight_(std::move(flight)), counted_(true) {
    flight_->waiters_.fetch_add(1, std::memory_order_relaxed);
    if (flight_->all_waiters_) flight_->all_waiters_->enter();
  }
  FollowerPlace(FollowerPlace&& o) noexcept
      : flight_(std::move(o.flight_)), counted_(std::exchange(o.counted_, false)) {}
  FollowerPlace& operator=(FollowerPlace&& o) noexcept {
    leave();
    flight_ = std::move(o.flight_);
    counted_ = std::exchange(o.counted_, false);
    return *this;
  }
  ~FollowerPlace() { leave(); }

  void leave() noexcept {
    if (!std::exchange(counted_, false)) return;
    flight_->waiters_.fetch_sub(1, std::memory_order_relaxed);
    if (flight_->all_waiters_) flight_->all_waiters_->leave();
  }
  const Ref<Flight>& flight() const noexcept { return flight_; }
  Flight* operator->() const noexcept { return flight_.get(); }

 private:
  Ref<Flight> flight_;
  bool counted_ = false;
};

}  // namespace forebay::cache
