#include "faulty/faults.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include "forebay/base/terminate.hpp"

namespace forebay::test {
namespace {

constexpr std::size_t kLarge = 1024;

std::atomic<std::thread::id> victim;      // whose allocations count
std::atomic<unsigned> until_failure = 0;  // 0: none fails
std::atomic<std::size_t> counts_from = kLarge;
std::atomic<bool> has_failed = false;
std::atomic<bool> by_logic_error = false;

bool fails(std::size_t size) noexcept {
  if (until_failure == 0 || size < counts_from || victim != std::this_thread::get_id()) return false;
  return has_failed = --until_failure == 0;
}

void* aligned(std::size_t size, std::size_t alignment) noexcept {
  void* memory = nullptr;
  return ::posix_memalign(&memory, std::max(alignment, sizeof(void*)), size) == 0 ? memory : nullptr;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (fails(size)) {
    if (by_logic_error) throw std::logic_error("a fault on purpose");
    throw std::bad_alloc();
  }
  void* const memory =
      alignment > alignof(std::max_align_t) ? aligned(size, alignment) : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

bool inject_fault(std::string_view order) {
  if (order == "logic") throw std::logic_error("a fault on purpose");
  if (order == "memory") throw std::bad_alloc();
  if (order == "invariant") fail_invariant("a fault on purpose");
  by_logic_error = order == "logic-later";
  victim = std::this_thread::get_id();
  if (by_logic_error) until_failure = 1;
  for (const auto& [word, from] : {std::pair{"memory-later=", kLarge}, std::pair{"any-later=", std::size_t{0}}}) {
    if (!order.starts_with(word)) continue;
    counts_from = from;
    until_failure = static_cast<unsigned>(std::atoi(order.data() + std::string_view(word).size()));
  }
  return has_failed.exchange(false);
}

}  // namespace forebay::test

// Asio's own allocations.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return forebay::test::fails(size) ? nullptr : forebay::test::aligned(size, alignment);
}

void* operator new(std::size_t size) { return forebay::test::allocate(size, 0); }
void* operator new[](std::size_t size) { return forebay::test::allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t a) {
  return forebay::test::allocate(size, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t size, std::align_val_t a) {
  return forebay::test::allocate(size, static_cast<std::size_t>(a));
}
// What sorts in a temporary buffer asks in this way.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return forebay::test::fails(size) ? nullptr : std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return forebay::test::fails(size) ? nullptr : std::malloc(size);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
