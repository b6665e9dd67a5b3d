#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "forebay/base/waker.hpp"
#include "forebay/cache/entry.hpp"
#include "forebay/cache/selecting.hpp"
#include "forebay/http/body.hpp"
#include "forebay/rules/freshness.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::cache {

class Store;
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

/// Why a fetch failed, for those who waited on it.
struct Failure {
  int status = 502;      ///< Of Forebay's own answer: 502, 503, 504, or the origin's unstorable one in `stale.errors`.
  bool timeout = false;  ///< For stale.errors: a timeout, else a broken connection or answer.
  bool origin_answered = false;
  std::string retry_after;  ///< The origin's, if any.
  std::string detail;       ///< For the problem document and log; no internals of the origin.
  /// It may be the doing of the request that led: a 5xx other than 502, 503 and 504, a reset or garbage. Those who wait
  /// try once more (`Store::retry`). Otherwise it says that the origin is down, whoever asks.
  bool by_leader = false;
};

/// A fetch on its way. It has no lock: every transition is made by the Store under the key's shard lock, and what a
/// transition publishes never changes after it. Read from any thread.
class Flight final : public RefCounted {
 public:
  enum class State : std::uint8_t {
    Waiting,
    Landed,  ///< Head and body are published; followers are served from them as they grow.
    Own,  ///< The answer is for its own request alone; followers fetch for themselves (`own_by_request` says who must).
    Failed,  ///< Stale, or Forebay's own error. Only where the failure may be the leader's own, one fetches once more.
    Abandoned,  ///< The leader vanished without an answer: look up again, one takes over.
  };
  State state() const noexcept { return state_.load(std::memory_order_acquire); }

  // After Landed.
  const Ref<const PublishedHead>& head() const noexcept { return head_; }
  const Ref<http::Body>& body() const noexcept { return body_; }
  const rules::Freshness& freshness() const noexcept { return freshness_; }
  /// Whether the answer is one for this request, too: what selects among the key's responses is the same, and its
  /// coding is not refused.
  bool is_for(const Selecting& request) const;
  /// Its own request refuses the coding that it got: the origin has nothing else for such requests.
  bool unwelcome() const noexcept { return unwelcome_; }
  /// Whether this request would be answered as the flight's own is: only the coding may make it another's answer.
  bool is_like(const Selecting& request) const;
  /// It has a coding that a request may refuse although all else selects it.
  bool refusable() const noexcept { return refusable_; }
  /// Whether it was started because the wait for another one was over.
  bool superseding() const noexcept { return superseding_; }
  /// Whether it is the second try of those whose first leader had failed: its failure is shared. Settled at its end;
  /// its leader may ask before.
  bool second() const noexcept { return second_.load(std::memory_order_relaxed); }
  /// The body's length, where the origin stated it.
  std::optional<std::uint64_t> length() const noexcept { return length_; }
  /// Whether a reader may still attach to the body from its beginning; false once it outgrew `max_object`. Attach first
  /// and look then: what is true before may be over when the reader comes.
  bool joinable() const noexcept { return joinable_.load(std::memory_order_acquire); }

  // After Own.
  bool own_by_request() const noexcept { return own_by_request_; }
  rules::Reason own_reason() const noexcept { return own_reason_; }
  // After Failed.
  const Failure& failure() const noexcept { return failure_; }

  /// After Failed: whether one of those who waited has begun the second try, so that `Store::retry` joins it.
  bool has_successor() const noexcept { return has_successor_.load(std::memory_order_acquire); }

  /// The signal of leaving `Waiting`, and of `has_successor`; look at `state()` again after this.
  void wait(Waker& waker, Waiter& waiter) { changed_.wait(waker, waiter); }
  /// The leader, whose fetch has failed, waits like those who have joined.
  void join() noexcept {
    waiters_.fetch_add(1, std::memory_order_relaxed);
    if (all_waiters_) all_waiters_->enter();
  }
  /// A follower leaves (served, timed out or gone); pairs with a Join.
  void leave() noexcept {
    waiters_.fetch_sub(1, std::memory_order_relaxed);
    if (all_waiters_) all_waiters_->leave();
  }
  std::uint32_t waiters() const noexcept { return waiters_.load(std::memory_order_relaxed); }

 private:
  friend class Store;
  friend class Ticket;
  friend struct Shard;
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
  Signal changed_;
  Ref<WaitingCount> all_waiters_;
  // Under the shard's lock.
  std::uint64_t purge_sequence_ = 0;  // of the latest purge when it started
  bool listed_ = false;               // in its slot, so that others can find it
  std::atomic<bool> second_{false};   // written while it waits
  Ref<Flight> successor_;             // what those who waited on it wait for after its failure
};

}  // namespace forebay::cache
