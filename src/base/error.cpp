#include "forebay/base/error.hpp"

namespace forebay {
std::string_view to_string(Errc e) noexcept {
  switch (e) {
    case Errc::Malformed: return "malformed";
    case Errc::Incomplete: return "incomplete";
    case Errc::TooLarge: return "too large";
    case Errc::TooMany: return "too many";
    case Errc::TargetTooLong: return "request target too long";
    case Errc::HeaderTooLarge: return "header too large";
    case Errc::Unsupported: return "not supported";
    case Errc::Ambiguous: return "ambiguous";
    case Errc::OutOfMemory: return "out of memory";
    case Errc::Closed: return "closed by the peer";
    case Errc::Timeout: return "timed out";
    case Errc::Cancelled: return "cancelled";
  }
  return "unknown error";
}

}  // namespace forebay
