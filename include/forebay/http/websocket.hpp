#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace forebay::http {

/// Finds the boundaries between the frames of one direction of a WebSocket (RFC 6455 section 5.2). It reads lengths and
/// the opcode of Close, and nothing else.
class WebSocketFrames {
 public:
  /// The number of bytes up to the next boundary, or all of them where none is among them. Those are taken in; call
  /// again with what is left.
  std::size_t take(std::string_view bytes) noexcept;
  /// Takes in all of them.
  void take_all(std::string_view bytes) noexcept {
    while (!bytes.empty()) bytes.remove_prefix(take(bytes));
  }
  /// Whether the next byte begins a frame.
  bool at_boundary() const noexcept { return head_size_ == 0 && payload_ == 0; }
  /// Whether a Close frame has begun: no frame may follow it.
  bool closing() const noexcept { return closing_; }

 private:
  std::size_t head_length() const noexcept;

  unsigned char head_[14];
  std::size_t head_size_ = 0;  // bytes of the frame's head so far
  std::uint64_t payload_ = 0;  // left of the frame's payload
  bool closing_ = false;
};

/// A Close frame as a server sends it, with a status code (RFC 6455 section 5.5.1).
std::string websocket_close(unsigned code);

}  // namespace forebay::http
