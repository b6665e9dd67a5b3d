#include "http/h2_frames.hpp"

#include <algorithm>
#include <cstring>

namespace forebay::http {
namespace {

// Frame types (RFC 9113 section 6, RFC 9218 section 7) and flags.
enum : std::uint8_t { kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoaway, kWindow, kContinuation };
constexpr std::uint8_t kPriorityUpdate = 0x10;
constexpr std::uint8_t kEndStream = 0x1, kEndHeaders = 0x4;

// A frame holds 16 KiB at least, so that a head of the default limit needs two or three.
constexpr std::size_t kFrame = 16 * 1024;
constexpr std::size_t kSpareContinuations = 8;

}  // namespace

std::string_view to_string(H2Abuse kind) noexcept {
  switch (kind) {
    case H2Abuse::Reset: return "reset";
    case H2Abuse::Continuation: return "continuation";
    case H2Abuse::Headers: return "headers";
    case H2Abuse::Settings: return "settings";
    case H2Abuse::Ping: return "ping";
    case H2Abuse::Priority: return "priority";
    case H2Abuse::Window: return "window";
    case H2Abuse::Empty: return "empty";
    case H2Abuse::Other: return "other";
    case H2Abuse::kCount: break;
  }
  return {};
}

bool H2Budget::spend(Timestamp now) noexcept {
  if (left_ < most_) {
    const auto earned = (now - at_) / (Duration{std::chrono::seconds{1}} / per_second_);
    if (earned > 0) {
      left_ = static_cast<unsigned>(std::min<std::int64_t>(most_, left_ + earned));
      at_ = now;
    }
  } else {
    at_ = now;
  }
  if (left_ == 0) return false;
  --left_;
  return true;
}

// A page that is left cancels all of its requests; clients ping at most some times a second, and change settings and
// priorities rarely.
H2FrameScan::H2FrameScan(std::size_t head_limit)
    : budgets_{H2Budget{400, 40}, {1, 1}, {1, 1}, {32, 1}, {200, 20}, {1000, 100}, {4000, 400}, {100, 10}, {200, 20}},
      // Names and values that Huffman coding makes longer are allowed for.
      most_block_bytes_(2 * head_limit + kFrame),
      most_block_frames_(kSpareContinuations + 2 * head_limit / kFrame) {}

void H2FrameScan::count(H2Abuse kind, Timestamp now) noexcept {
  if (!budget(kind).spend(now) && !abuse_) abuse_ = kind;
}

std::size_t H2FrameScan::scan(std::string_view bytes, Timestamp now) {
  std::size_t at = 0;
  while (at < bytes.size() && !abuse_ && !broken_) {
    if (have_ < kHeader) {
      const std::size_t take = std::min(kHeader - have_, bytes.size() - at);
      std::memcpy(header_.data() + have_, bytes.data() + at, take);
      have_ += take;
      at += take;
      if (have_ < kHeader) break;
      on_frame(now);
      if (abuse_) return at;
    }
    const auto take = static_cast<std::uint32_t>(std::min<std::size_t>(left_, bytes.size() - at));
    if (stream_left_ != 0) {
      on_payload(bytes.substr(at, take));
      if (broken_) return at;
    }
    left_ -= take;
    at += take;
    if (left_ != 0) break;
    stream_left_ = 0;
    have_ = 0;
    if (ends_block_) {
      in_block_ = ends_block_ = false;
      head_since_ = Timestamp::max();
    }
  }
  return at;
}

void H2FrameScan::on_frame(Timestamp now) {
  const std::uint32_t length = (std::uint32_t{header_[0]} << 16) | (std::uint32_t{header_[1]} << 8) | header_[2];
  const std::uint8_t flags = header_[4];
  left_ = length;
  switch (header_[3]) {
    case kData:
      if (length == 0 && (flags & kEndStream) == 0) count(H2Abuse::Empty, now);
      break;
    case kHeaders:
      if (length == 0) count(H2Abuse::Empty, now);
      in_block_ = true;
      ends_block_ = (flags & kEndHeaders) != 0;
      block_bytes_ = length;
      block_frames_ = 0;
      head_since_ = now;
      break;
    case kContinuation: on_continuation(length, flags); break;
    case kPriority:
    case kPriorityUpdate:
      count(H2Abuse::Priority, now);
      stream_left_ = stream_.size();
      break;
    case kReset: count(H2Abuse::Reset, now); break;
    case kSettings: count(H2Abuse::Settings, now); break;
    case kPing: count(H2Abuse::Ping, now); break;
    case kWindow: count(H2Abuse::Window, now); break;
    default: count(H2Abuse::Other, now); break;
  }
}

// A stream cannot depend on itself (RFC 7540 section 5.3.1), and only streams have a priority (RFC 9113 section 6.3,
// RFC 9218 section 7.1).
void H2FrameScan::on_payload(std::string_view bytes) {
  const std::size_t take = std::min(stream_left_, bytes.size());
  std::memcpy(stream_.data() + stream_.size() - stream_left_, bytes.data(), take);
  stream_left_ -= take;
  if (stream_left_ != 0) return;
  const auto number = [](const unsigned char* at) {
    return ((std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) | (std::uint32_t{at[2]} << 8) | at[3]) &
           0x7fffffff;
  };
  const std::uint32_t named = number(stream_.data()), own = number(header_.data() + 5);
  broken_ = header_[3] == kPriority ? own == 0 || named == own : named == 0;
}

void H2FrameScan::on_continuation(std::uint32_t length, std::uint8_t flags) {
  if (!in_block_) return;
  block_bytes_ += length;
  if (++block_frames_ > most_block_frames_ || block_bytes_ > most_block_bytes_) abuse_ = H2Abuse::Continuation;
  ends_block_ = (flags & kEndHeaders) != 0;
}

}  // namespace forebay::http
