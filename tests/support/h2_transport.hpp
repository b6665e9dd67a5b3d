#pragma once

#include <memory>
#include <utility>

#include "support/socket.hpp"

namespace forebay::test {

/// How the clients of the fixture speak to the daemon: FOREBAY_TEST_TRANSPORT is `h2` (HTTP/2 by prior knowledge), or
/// not set (HTTP/1.1).
bool over_http2();

/// A translator between a test that writes and reads HTTP/1.1, and a daemon that hears HTTP/2. One thread each; it ends
/// with its connections, or when this object goes.
class H2Transport {
 public:
  /// The end for the test, and what keeps the translator going.
  static std::pair<Socket, std::shared_ptr<H2Transport>> open(Socket daemon);
  virtual ~H2Transport() = default;
};

}  // namespace forebay::test
