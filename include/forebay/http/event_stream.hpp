#pragma once

#include <cstddef>
#include <string_view>

namespace forebay::http {

/// Finds the ends of the events of an event stream (text/event-stream): an empty line ends one.
class EventBoundaries {
 public:
  /// The number of bytes up to the end of the next event, or all of them where none is among them. Those are taken in;
  /// call again with what is left.
  std::size_t take(std::string_view bytes) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      if (take(bytes[i])) return i + 1;
    return bytes.size();
  }
  /// Whether no event has begun.
  bool at_boundary() const noexcept { return ended_; }

 private:
  /// True when the byte ends an event.
  bool take(char c) noexcept {
    const bool rest_of_line_end = c == '\n' && last_ == '\r';
    last_ = c;
    if (rest_of_line_end) return false;
    if (c != '\n' && c != '\r') {
      line_empty_ = ended_ = false;
      return false;
    }
    const bool ends = line_empty_ && !ended_;
    ended_ = ended_ || line_empty_;
    line_empty_ = true;
    return ends;
  }

  char last_ = 0;
  bool line_empty_ = true, ended_ = true;
};

}  // namespace forebay::http
