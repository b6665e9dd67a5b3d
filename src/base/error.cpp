#include "forebay/base/error.hpp"

#include <string>

namespace forebay {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "forebay"; }
  std::string message(int value) const override { return std::string(to_string(static_cast<Errc>(value))); }
};

}  // namespace

std::string_view to_string(Errc e) noexcept {
  switch (e) {
    case Errc::Malformed:
      return "malformed";
    case Errc::Incomplete:
      return "incomplete";
    case Errc::TooLarge:
      return "too large";
    case Errc::TooMany:
      return "too many";
    case Errc::TargetTooLong:
      return "request target too long";
    case Errc::HeaderTooLarge:
      return "header too large";
    case Errc::Unsupported:
      return "not supported";
    case Errc::Ambiguous:
      return "ambiguous";
    case Errc::OutOfMemory:
      return "no room in memory";
    case Errc::Closed:
      return "closed by the other side";
    case Errc::Timeout:
      return "timed out";
    case Errc::Cancelled:
      return "cancelled";
  }
  return "unknown error";
}

const std::error_category& forebay_category() noexcept {
  static const Category category;
  return category;
}

}  // namespace forebay
