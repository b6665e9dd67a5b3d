#include "server/read_buffer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace forebay::server {

namespace {
// Most heads fit. Connections in the middle of a head or of content hold no more while little comes.
constexpr std::size_t kSmallest = 2048;
}  // namespace

void ReadBuffer::make_room(std::size_t want, std::size_t most) {
  const std::size_t held = end_ - begin_;
  const bool shared = data_.use_count() > 1;
  if (held == 0 && !shared) clear();
  if (capacity_ - end_ >= want) return;
  if (!shared && (held + want <= capacity_ || capacity_ >= most)) {
    if (begin_ != 0) std::memmove(data_.get(), data_.get() + begin_, held);
  } else {
    const std::size_t grown =
        std::min(std::max({kSmallest, most, capacity_}), std::max(kSmallest, std::bit_ceil(held + want)));
    std::shared_ptr<char[]> fresh(new char[grown]);
    if (held != 0) std::memcpy(fresh.get(), data_.get() + begin_, held);
    data_ = std::move(fresh);
    capacity_ = grown;
  }
  begin_ = 0;
  end_ = held;
}

void ReadBuffer::release() noexcept {
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace forebay::server
