#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/net/stream.hpp"

namespace forebay::server {

/// The output of a connection: text, and slices that are sent without a copy at their places in it. Heads and small
/// bodies are text, so that the responses of one read need one send.
class Output {
 public:
  /// To be appended to.
  std::string& text() noexcept { return text_; }
  const std::string& text() const noexcept { return text_; }
  /// Follows what was appended so far.
  void add(Slice slice);
  bool has_slices() const noexcept { return !slices_.empty(); }

  bool empty() const noexcept { return pending() == 0; }
  std::size_t pending() const noexcept { return text_.size() + slice_bytes_ - sent_; }
  /// Counted from the connection's first byte: what the kernel has taken, and the end of what is queued.
  std::uint64_t written() const noexcept { return written_; }
  std::uint64_t queued() const noexcept { return written_ + pending(); }

  /// Sends what the stream takes now, and never waits: Done when all has gone, else Blocked or Failed.
  net::IoResult write(net::Stream& stream);

  /// Whether a slice holds what nothing but its readers needs.
  bool pins() const;
  std::size_t capacity() const noexcept;
  /// Frees memory; only while empty.
  void release();
  /// Lets go of what is queued, which will not be sent.
  void discard() noexcept { reset(); }

 private:
  net::IoResult write_gathered(net::Stream& stream) const;
  void reset() noexcept;

  struct Placed {
    Slice slice;
    std::size_t at;  // follows so much of the text
  };
  std::string text_;
  std::vector<Placed> slices_;
  std::size_t slice_bytes_ = 0;
  std::size_t sent_ = 0;  // of text and slices together
  std::uint64_t written_ = 0;
};

}  // namespace forebay::server
