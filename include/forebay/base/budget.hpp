#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace forebay {

/// The bytes of `cache.memory`. Everything that holds cached or waiting data charges it by capacity, where the memory
/// is allocated, so that filling + stored + pinned by readers never exceed the limit. Thread-safe.
class Budget {
 public:
  explicit Budget(std::size_t limit) : limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// Takes `n` bytes if they fit under the limit.
  bool try_take(std::size_t n) noexcept;
  /// Takes `n` bytes even over the limit. Only for bounded bookkeeping that cannot be refused.
  void force_take(std::size_t n) noexcept { used_.fetch_add(n, std::memory_order_relaxed); }
  void give(std::size_t n) noexcept { used_.fetch_sub(n, std::memory_order_relaxed); }

  /// Of what is taken, the bytes that nothing but their readers needs any more (`RefCounted::leave`).
  std::size_t pinned() const noexcept { return pinned_.load(std::memory_order_relaxed); }
  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  /// With a limit below the usage, new charges are refused until enough has been given back.
  void set_limit(std::size_t n) noexcept { limit_.store(n, std::memory_order_relaxed); }

 private:
  friend class Charge;
  std::atomic<std::size_t> used_{0}, pinned_{0};
  std::atomic<std::size_t> limit_;
};

/// Bytes taken from a Budget; the destructor gives them back. The Budget must outlive it.
class Charge {
 public:
  Charge() = default;
  /// Adopts `n` bytes that were already taken.
  Charge(Budget& budget, std::size_t n) noexcept : budget_(&budget), bytes_(n) {}
  Charge(Charge&& o) noexcept : budget_(std::exchange(o.budget_, nullptr)), bytes_(std::exchange(o.bytes_, 0)) {}
  Charge& operator=(Charge&& o) noexcept {
    Charge old(std::move(*this));
    budget_ = std::exchange(o.budget_, nullptr);
    bytes_ = std::exchange(o.bytes_, 0);
    return *this;
  }
  ~Charge() { reset(); }

  std::size_t bytes() const noexcept { return bytes_; }
  /// Cuts `n` bytes off into a charge of their own; `n` must not exceed `bytes()`.
  Charge split(std::size_t n) noexcept {
    bytes_ -= n;
    return budget_ ? Charge(*budget_, n) : Charge();
  }
  /// Adds what `other` holds; both must be of one Budget or empty.
  void merge(Charge other) noexcept {
    if (!budget_) budget_ = other.budget_;
    bytes_ += std::exchange(other.bytes_, 0);
  }
  /// Counts it as pinned, until `unpin`, which comes before it is given back.
  void pin() const noexcept {
    if (budget_) budget_->pinned_.fetch_add(bytes_, std::memory_order_relaxed);
  }
  void unpin() const noexcept {
    if (budget_) budget_->pinned_.fetch_sub(bytes_, std::memory_order_relaxed);
  }
  void reset() noexcept {
    if (budget_ && bytes_ != 0) budget_->give(bytes_);
    bytes_ = 0;
  }

 private:
  Budget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace forebay
