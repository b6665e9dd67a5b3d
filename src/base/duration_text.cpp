#include "forebay/base/duration_text.hpp"

#include <algorithm>
#include <chrono>

namespace forebay {

std::string duration_text(Duration d) {
  const auto ms = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace forebay
