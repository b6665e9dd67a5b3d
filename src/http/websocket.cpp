#include "forebay/http/websocket.hpp"

#include <algorithm>

namespace forebay::http {

namespace {
constexpr unsigned char kClose = 0x8;
constexpr unsigned char kMask = 0x80;
constexpr std::size_t kShortHead = 2;
}  // namespace

// Known once the first two bytes are there.
std::size_t WebSocketFrames::head_length() const noexcept {
  if (head_size_ < kShortHead) return kShortHead;
  const unsigned length = head_[1] & 0x7fU;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  return kShortHead + extended + ((head_[1] & kMask) != 0 ? 4 : 0);
}

std::size_t WebSocketFrames::take(std::string_view bytes) noexcept {
  std::size_t at = 0;
  if (payload_ == 0) {
    while (head_size_ < head_length()) {
      if (at == bytes.size()) return at;
      head_[head_size_++] = static_cast<unsigned char>(bytes[at++]);
    }
    closing_ = closing_ || (head_[0] & 0x0fU) == kClose;
    const unsigned length = head_[1] & 0x7fU;
    payload_ = length;
    if (length >= 126) {
      payload_ = 0;
      for (std::size_t i = 0; i < (length == 126 ? 2U : 8U); ++i) payload_ = payload_ << 8 | head_[kShortHead + i];
    }
    head_size_ = 0;
  }
  const auto of_payload = static_cast<std::size_t>(std::min<std::uint64_t>(payload_, bytes.size() - at));
  payload_ -= of_payload;
  return at + of_payload;
}

std::string websocket_close(unsigned code) {
  return {static_cast<char>(0x80 | kClose), 2, static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
}

}  // namespace forebay::http
