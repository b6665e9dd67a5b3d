#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "forebay/base/budget.hpp"

namespace forebay {

/// An object with an intrusive reference count. Counting is thread-safe; the last reference disposes of the object.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void add_ref() const noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) dispose();
  }
  /// How many references there are; exact only when no other thread holds one.
  std::uint32_t use_count() const noexcept { return refs_.load(std::memory_order_acquire); }

  /// From now on only its readers need it: it has left the store, or never got there. Its memory counts as pinned until
  /// they let it go. By somebody who holds a reference.
  void leave() const noexcept {
    if (!left_.exchange(true, std::memory_order_relaxed)) on_leave();
  }
  bool left() const noexcept { return left_.load(std::memory_order_relaxed); }

 protected:
  virtual ~RefCounted() = default;
  virtual void on_leave() const noexcept {}
  /// Destroys the object; override when it was not created by `new`.
  virtual void dispose() const noexcept { delete this; }

 private:
  mutable std::atomic<std::uint32_t> refs_{0};
  mutable std::atomic<bool> left_{false};
};

inline void intrusive_ptr_add_ref(const RefCounted* p) noexcept { p->add_ref(); }
inline void intrusive_ptr_release(const RefCounted* p) noexcept { p->release(); }

template <class T>
using Ref = boost::intrusive_ptr<T>;

/// Keeps alive whatever owns some bytes.
using Owner = Ref<const RefCounted>;

/// A view of immutable bytes, with a reference that keeps them alive.
struct Slice {
  Owner owner;
  std::string_view bytes;
};

/// One allocation of header and bytes, filled once by `copy_of` (or by its maker before it is shared), then immutable.
/// Charged against a Budget by its allocated capacity for as long as it lives.
class Chunk final : public RefCounted {
 public:
  /// A chunk with these bytes. `charge` must already cover `cost(bytes.size())`, or be empty for uncharged memory.
  static Ref<const Chunk> copy_of(std::string_view bytes, Charge charge = {});
  /// What a chunk of `size` bytes takes from the heap, its header and the allocator's rounding included.
  static std::size_t cost(std::size_t size) noexcept;

  std::string_view bytes() const noexcept { return {data(), size_}; }
  Slice slice() const { return {Owner(this), bytes()}; }

 private:
  explicit Chunk(std::size_t size, Charge charge) : charge_(std::move(charge)), size_(size) {}
  const char* data() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  void dispose() const noexcept override;
  void on_leave() const noexcept override { charge_.pin(); }

  Charge charge_;
  std::size_t size_;
};

/// What the allocator really hands out for a request of `size` bytes (its size class).
std::size_t allocated_size(std::size_t size) noexcept;

}  // namespace forebay
