#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace forebay::server {

/// Received and unconsumed bytes of a connection, contiguous. Consumed bytes stay in place until `make_room`, so views
/// of them remain valid until then.
class ReadBuffer {
 public:
  std::string_view bytes() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  void consume(std::size_t n) noexcept { begin_ += n; }

  /// Where the next bytes go.
  std::span<char> room() noexcept { return {data_.get() + end_, capacity_ - end_}; }
  void commit(std::size_t n) noexcept { end_ += n; }
  /// Moves and grows the buffer for `want` more bytes, up to a capacity of `most`. Invalidates all views, and must not
  /// be called during a read.
  void make_room(std::size_t want, std::size_t most);

  /// Keeps the views and their bytes valid.
  std::shared_ptr<const char[]> share() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }
  void clear() noexcept { begin_ = end_ = 0; }
  /// Frees the memory; only while empty.
  void release() noexcept;

 private:
  std::shared_ptr<char[]> data_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace forebay::server
