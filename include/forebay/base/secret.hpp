#pragma once

#include <cstddef>
#include <string_view>

namespace forebay {

/// Takes a time that depends only on the length of the sent text. `secret` is not empty.
inline bool same_secret(std::string_view sent, std::string_view secret) noexcept {
  unsigned char differs = sent.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < sent.size(); ++i)
    differs |= static_cast<unsigned char>(sent[i] ^ secret[i % secret.size()]);
  return differs == 0;
}

}  // namespace forebay
