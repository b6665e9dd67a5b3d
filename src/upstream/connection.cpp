#include "upstream/connection.hpp"

#include <algorithm>
#include <cstring>

namespace forebay::upstream {

namespace {
constexpr std::size_t kFirstBuffer = 16 * 1024;
// Maximum size of a read, so that one fast origin does not monopolise a worker.
constexpr std::size_t kReadBuffer = 64 * 1024;

void count(std::atomic<std::uint64_t>& gauge, bool more) noexcept {
  if (more)
    gauge.fetch_add(1, std::memory_order_relaxed);
  else
    gauge.fetch_sub(1, std::memory_order_relaxed);
}
}  // namespace

Connection::Connection(boost::asio::io_context& io, std::shared_ptr<SharedOrigin> origin, Permit permit)
    : origin_(std::move(origin)), stream_(io), permit_(std::move(permit)) {}

Connection::Connection(net::Stream stream, std::shared_ptr<SharedOrigin> origin, Permit permit)
    : origin_(std::move(origin)), stream_(std::move(stream)), permit_(std::move(permit)) {}

void Connection::opened(const std::string& address) {
  address_ = address;
  stream_.no_delay();
  origin_->numbers.connects.fetch_add(1, std::memory_order_relaxed);
  set_use(Use::Active);
}

bool Connection::adopt(ParkedConnection parked) {
  if (!stream_.adopt(std::move(parked.stream))) return false;
  address_ = std::move(parked.address);
  reused_ = true;
  set_use(Use::Active);
  return true;
}

Permit Connection::close() noexcept {
  set_use(Use::None);
  stream_.close();
  return std::move(permit_);
}

Grant Connection::park() noexcept {
  set_use(Use::None);
  return {std::move(permit_), {stream_.park(), std::move(address_)}};
}

net::Stream Connection::release() noexcept {
  net::Stream stream = std::move(stream_);
  close();
  return stream;
}

bool Connection::quiet() { return stream_.peek() == net::Peek::Nothing; }

void Connection::set_use(Use use) noexcept {
  if (use == use_) return;
  OriginNumbers& n = origin_->numbers;
  if (use_ != Use::None) count(use_ == Use::Active ? n.active : n.idle, false);
  if (use != Use::None) count(use == Use::Active ? n.active : n.idle, true);
  use_ = use;
  if (use != Use::Idle) return;
  reused_ = true;
  buffer_.reset();
  capacity_ = begin_ = end_ = 0;
  filled_ = false;
}

std::span<char> Connection::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  // Larger for large bodies (the last read was cut by its room) and for heads that are longer than the buffer.
  const bool full = end_ - begin_ > capacity_ / 4 * 3;
  if (capacity_ == 0 || full || (filled_ && capacity_ < kReadBuffer)) {
    const std::size_t larger = capacity_ == 0 ? kFirstBuffer : std::max(capacity_ * 2, kReadBuffer);
    auto buffer = std::make_unique_for_overwrite<char[]>(larger);
    if (end_ != begin_) std::memcpy(buffer.get(), buffer_.get() + begin_, end_ - begin_);
    buffer_ = std::move(buffer);
    capacity_ = larger;
    end_ -= std::exchange(begin_, 0);
  } else if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  return {buffer_.get() + end_, std::min(capacity_ - end_, kReadBuffer)};
}

void Connection::received(std::size_t n) noexcept {
  filled_ = n == std::min(capacity_ - end_, kReadBuffer);
  end_ += n;
}

void Connection::move_down(const char* to, std::string_view bytes) noexcept {
  // The buffer is ours and not const; only views of it are.
  std::memmove(const_cast<char*>(to), bytes.data(), bytes.size());
}

}  // namespace forebay::upstream
