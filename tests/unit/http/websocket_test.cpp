#include "forebay/http/websocket.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace forebay::http {
namespace {

std::string frame(unsigned char first, std::size_t length, bool masked = false) {
  std::string f(1, static_cast<char>(first));
  const unsigned char mask = masked ? 0x80 : 0;
  if (length < 126) {
    f += static_cast<char>(mask | length);
  } else if (length < 65536) {
    f += static_cast<char>(mask | 126);
    f += static_cast<char>(length >> 8);
    f += static_cast<char>(length & 0xff);
  } else {
    f += static_cast<char>(mask | 127);
    for (int shift = 56; shift >= 0; shift -= 8) f += static_cast<char>(length >> shift & 0xff);
  }
  if (masked) f += "mask";
  return f + std::string(length, 'p');
}

TEST(WebSocketFrames, FindsTheEndOfFramesOfEveryLength) {
  for (const bool masked : {false, true})
    for (const std::size_t length : {0U, 1U, 125U, 126U, 65535U, 65536U, 100'000U}) {
      WebSocketFrames frames;
      const auto one = frame(0x82, length, masked);
      EXPECT_EQ(frames.take(one + one), one.size()) << length;
      EXPECT_TRUE(frames.at_boundary());
      EXPECT_EQ(frames.take(one.substr(0, one.size() - 1)), one.size() - 1);
      EXPECT_FALSE(frames.at_boundary()) << length;
      EXPECT_EQ(frames.take(one.substr(one.size() - 1) + "p"), 1U);
      EXPECT_TRUE(frames.at_boundary());
    }
}

TEST(WebSocketFrames, ItDoesNotMatterHowTheBytesAreCut) {
  std::string all;
  std::vector<std::size_t> ends;
  for (const std::size_t length : {3U, 0U, 200U, 1U}) {
    all += frame(0x81, length, length == 200);
    ends.push_back(all.size());
  }
  for (std::size_t cut = 1; cut <= all.size(); ++cut) {
    WebSocketFrames frames;
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at < all.size();) {
      at += frames.take(std::string_view(all).substr(at, cut - at % cut));
      if (frames.at_boundary()) found.push_back(at);
    }
    EXPECT_EQ(found, ends) << cut;
  }
}

TEST(WebSocketFrames, ACloseFrameIsSeen) {
  WebSocketFrames frames;
  frames.take_all(frame(0x89, 4) + frame(0x01, 8));
  EXPECT_FALSE(frames.closing());
  frames.take_all(websocket_close(1000).substr(0, 2));
  EXPECT_TRUE(frames.closing());
}

TEST(WebSocketFrames, OurCloseFrameIsOneUnmaskedFrameWithItsCode) {
  const auto close = websocket_close(1001);
  EXPECT_EQ(close, std::string("\x88\x02\x03\xe9", 4));
  WebSocketFrames frames;
  EXPECT_EQ(frames.take(close), close.size());
  EXPECT_TRUE(frames.at_boundary());
}

}  // namespace
}  // namespace forebay::http
