#include "forebay/base/random.hpp"

#include <bit>
#include <random>

namespace forebay {

Random::Random() {
  std::random_device device;
  for (auto& word : state_) word = static_cast<std::uint64_t>(device()) << 32 | device();
  state_[0] |= 1;  // the state must not be zero
}

std::uint64_t Random::next() noexcept {
  auto& s = state_;
  const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const std::uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 45);
  return result;
}

}  // namespace forebay
