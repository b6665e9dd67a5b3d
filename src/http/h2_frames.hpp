#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/http/h2_session.hpp"

namespace forebay::http {

/// So many, and so many more a second.
class H2Budget {
 public:
  constexpr H2Budget(unsigned most, unsigned per_second) : most_(most), per_second_(per_second), left_(most) {}
  /// False: there was nothing left.
  bool spend(Timestamp now) noexcept;
  void give(unsigned n) noexcept { left_ = left_ + n > most_ ? most_ : left_ + n; }

 private:
  unsigned most_, per_second_, left_;
  Timestamp at_{};
};

/// Walks over the frame headers of what a client sends, before the frames are processed: counts them against budgets,
/// and knows whether a field section is incomplete. Bytes may come in any pieces.
class H2FrameScan {
 public:
  explicit H2FrameScan(std::size_t head_limit);

  /// How much of `bytes` may be processed: less than all only where `abuse` or `broken` says why.
  std::size_t scan(std::string_view bytes, Timestamp now);
  std::optional<H2Abuse> abuse() const noexcept { return abuse_; }
  /// Whether a frame breaks a rule of priorities that the library does not check: PROTOCOL_ERROR.
  bool broken() const noexcept { return broken_; }
  /// One more of what is not a frame, or what only its content tells.
  void count(H2Abuse kind, Timestamp now) noexcept;
  /// What is never allowed.
  void condemn(H2Abuse kind) noexcept {
    if (!abuse_) abuse_ = kind;
  }
  void give(H2Abuse kind, unsigned n) noexcept { budget(kind).give(n); }
  /// Since when a field section is on its way; max() while none is.
  Timestamp head_since() const noexcept { return head_since_; }

 private:
  static constexpr std::size_t kHeader = 9;
  H2Budget& budget(H2Abuse kind) noexcept { return budgets_[static_cast<std::size_t>(kind)]; }
  void on_frame(Timestamp now);
  void on_payload(std::string_view bytes);
  void on_continuation(std::uint32_t length, std::uint8_t flags);

  std::array<H2Budget, static_cast<std::size_t>(H2Abuse::kCount)> budgets_;
  std::array<unsigned char, kHeader> header_{};
  std::size_t have_ = 0;    // of the header
  std::uint32_t left_ = 0;  // of the payload
  std::size_t most_block_bytes_, most_block_frames_;
  std::size_t block_bytes_ = 0, block_frames_ = 0;
  bool in_block_ = false, ends_block_ = false;
  std::array<unsigned char, 4> stream_{};  // that a frame of priorities names, at the front of its payload
  std::size_t stream_left_ = 0;
  bool broken_ = false;
  Timestamp head_since_ = Timestamp::max();
  std::optional<H2Abuse> abuse_;
};

}  // namespace forebay::http
