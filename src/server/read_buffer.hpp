#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace forebay::server {

/// What a connection has received and not yet used up, in one piece. Bytes that were consumed stay where they are until
/// `make_room`, so that views into them live as long.
class ReadBuffer {
 public:
  std::string_view bytes() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  void consume(std::size_t n) noexcept { begin_ += n; }

  /// Where the next bytes go.
  std::span<char> room() noexcept { return {data_.get() + end_, capacity_ - end_}; }
  void commit(std::size_t n) noexcept { end_ += n; }
  /// Moves and grows so that there is room for `want` bytes, as far as a capacity of `most` allows. Ends all views, and
  /// must not be called while the room is being read into.
  void make_room(std::size_t want, std::size_t most);

  /// Keeps the memory of the views alive, and their bytes as they are, over whatever comes.
  std::shared_ptr<const char[]> share() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }
  void clear() noexcept { begin_ = end_ = 0; }
  /// Gives the memory back; only while empty.
  void release() noexcept;

 private:
  std::shared_ptr<char[]> data_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace forebay::server
