#pragma once

#include <cstddef>
#include <utility>

namespace forebay::net {

/// Memory for one handler on its way to its loop, of which there is at most one at a time: posting it needs no other
/// memory, so it cannot fail. Asio gives the memory back before it calls the handler, which may be posted again from
/// within. Outlives the handler.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;

  /// `f`, as a handler that is kept here.
  template <class F>
  auto hold(F f) noexcept {
    return Held<F>{*this, std::move(f)};
  }

 private:
  template <class T>
  struct Allocator {
    using value_type = T;
    explicit Allocator(HandlerMemory& m) noexcept : memory(&m) {}
    template <class U>
    Allocator(const Allocator<U>& o) noexcept : memory(o.memory) {}
    T* allocate(std::size_t n) noexcept {
      static_assert(sizeof(T) <= kSize);
      static_assert(alignof(T) <= alignof(std::max_align_t));
      return n == 1 ? reinterpret_cast<T*>(memory->bytes_) : nullptr;
    }
    void deallocate(T*, std::size_t) noexcept {}
    template <class U>
    bool operator==(const Allocator<U>& o) const noexcept {
      return memory == o.memory;
    }
    HandlerMemory* memory;
  };
  template <class F>
  struct Held {
    using allocator_type = Allocator<void>;
    allocator_type get_allocator() const noexcept { return allocator_type(memory); }
    template <class... Results>
    void operator()(const Results&... results) {
      f(results...);
    }
    HandlerMemory& memory;
    F f;
  };

  static constexpr std::size_t kSize = 96;
  alignas(std::max_align_t) std::byte bytes_[kSize];
};

}  // namespace forebay::net
