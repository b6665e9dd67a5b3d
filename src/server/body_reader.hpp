#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "forebay/base/clock.hpp"
#include "forebay/http/body.hpp"

namespace forebay::server {

/// Takes an answer's content from its cursor in portions. Content beyond the stated length is cut off, shorter content
/// is `Broken`, so that the framing is always correct.
class BodyReader {
 public:
  enum class Step : std::uint8_t { Data, Wait, End, Broken };

  /// `length`: what the head states; UINT64_MAX if it states none.
  void start(http::BodyCursor&& body, std::uint64_t length) {
    body_ = std::move(body);
    left_ = length;
    bytes_ = 0;
    ended_ = left_ == 0;
  }
  void start_empty() { start(http::BodyCursor(), 0); }
  /// Adds up to `most` bytes to `slices` while that has room. Data and `ended()`: these were the last. Data without
  /// bytes is not given.
  template <class Slices>
  Step read(Slices& slices, std::size_t& bytes, std::size_t most, Timestamp now);
  /// The complete content in one piece of at most `most` bytes, if nothing of it was read; it counts as read. Else
  /// empty.
  std::string_view whole(std::size_t most) {
    if (ended_ || bytes_ != 0 || left_ == UINT64_MAX) return {};
    const std::string_view all = body_.whole();
    if (all.empty() || all.size() > most || all.size() != left_) return {};
    bytes_ = left_;
    ended_ = true;
    return all;
  }
  bool ended() const noexcept { return ended_; }
  http::BodyCursor& cursor() noexcept { return body_; }
  const http::BodyCursor& cursor() const noexcept { return body_; }
  /// Content read so far.
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// After the end; null without any.
  const http::Fields* trailers() const noexcept { return body_.trailers(); }
  /// Lets the body go.
  void stop() { body_ = http::BodyCursor(); }

 private:
  http::BodyCursor body_;
  bool ended_ = true;
  std::uint64_t left_ = 0;  // of the stated length
  std::uint64_t bytes_ = 0;
};

template <class Slices>
BodyReader::Step BodyReader::read(Slices& slices, std::size_t& bytes, std::size_t most, Timestamp now) {
  using Read = http::BodyCursor::State;
  if (ended_) return Step::End;
  const bool sized = left_ != UINT64_MAX;
  Read read = Read::Data;
  std::size_t taken = 0;
  while (taken < most && slices.size() < slices.capacity() && left_ != 0) {
    Slice slice;
    read = body_.next(static_cast<std::size_t>(std::min<std::uint64_t>(most - taken, left_)), slice, now);
    if (read != Read::Data) break;
    taken += slice.bytes.size();
    if (sized) left_ -= slice.bytes.size();
    slices.push_back(std::move(slice));
  }
  if (read == Read::Broken || (read == Read::End && sized && left_ != 0)) return Step::Broken;
  bytes_ += taken;
  bytes += taken;
  ended_ = read == Read::End || left_ == 0;
  if (taken != 0) return Step::Data;
  return ended_ ? Step::End : Step::Wait;
}

}  // namespace forebay::server
