#include "faulty/faults.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#include "forebay/base/terminate.hpp"

namespace forebay::test {
namespace {

constexpr std::size_t kLarge = 1024;

thread_local unsigned until_failure = 0;  // large allocations; 0: none fails
thread_local bool by_logic_error = false;

void* allocate(std::size_t size, std::size_t alignment) {
  if (size >= kLarge && until_failure != 0 && --until_failure == 0) {
    if (by_logic_error) throw std::logic_error("a fault on purpose");
    throw std::bad_alloc();
  }
  void* const memory = alignment > alignof(std::max_align_t)
                           ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                           : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void inject_fault(std::string_view order) {
  if (order == "logic") throw std::logic_error("a fault on purpose");
  if (order == "memory") throw std::bad_alloc();
  if (order == "invariant") fail_invariant("a fault on purpose");
  by_logic_error = order == "logic-later";
  if (by_logic_error) until_failure = 1;
  if (order.starts_with("memory-later="))
    until_failure = static_cast<unsigned>(std::atoi(std::string(order.substr(13)).c_str()));
}

}  // namespace forebay::test

void* operator new(std::size_t size) { return forebay::test::allocate(size, 0); }
void* operator new[](std::size_t size) { return forebay::test::allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t a) {
  return forebay::test::allocate(size, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t size, std::align_val_t a) {
  return forebay::test::allocate(size, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
