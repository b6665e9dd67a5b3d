#include "forebay/base/bytes.hpp"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace forebay {

Ref<const Chunk> Chunk::copy_of(std::string_view bytes, Charge charge) {
  void* block = std::malloc(sizeof(Chunk) + bytes.size());
  if (!block) throw std::bad_alloc();
  auto* chunk = new (block) Chunk(bytes.size(), std::move(charge));
  if (!bytes.empty()) std::memcpy(static_cast<void*>(chunk + 1), bytes.data(), bytes.size());
  return Ref<const Chunk>(chunk);
}

std::size_t Chunk::cost(std::size_t size) noexcept { return allocated_size(sizeof(Chunk) + size); }

void Chunk::dispose() const noexcept {
  // The charge is released after the memory, so that it never is less than the memory in use.
  auto* self = const_cast<Chunk*>(this);
  const Charge last = std::move(self->charge_);
  if (left()) last.unpin();
  self->~Chunk();
  std::free(self);
}

// jemalloc's classes: multiples of 16 up to 128, then four to each doubling. glibc and the sanitizers hand out less
// than that plus their own header, so the figure is an upper bound for every allocator, and the same in every build.
std::size_t allocated_size(std::size_t size) noexcept {
  if (size <= 8) return 8;
  if (size <= 128) return (size + 15) & ~std::size_t{15};
  const auto step = std::bit_floor(size - 1) / 4;
  return (size + step - 1) & ~(step - 1);
}

}  // namespace forebay
