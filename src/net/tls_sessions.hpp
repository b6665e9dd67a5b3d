#pragma once

#include <ctime>
#include <vector>

#include "forebay/base/mutex.hpp"
#include "openssl.hpp"

namespace forebay::net {

/// Sessions that a server has given, to be resumed: a bounded number. From any thread.
class TlsSessions {
 public:
  static constexpr std::size_t kMost = 32;

  /// Keeps a session that no connection uses; the oldest goes where there are too many.
  void put(openssl::SessionPtr session);
  /// The newest that is not too old. One of TLS 1.3 is given out once (RFC 8446 appendix C.4), one of TLS 1.2 stays.
  openssl::SessionPtr take(std::time_t now);
  std::size_t size() const;

 private:
  mutable Mutex mutex_;
  std::vector<openssl::SessionPtr> kept_ FOREBAY_GUARDED_BY(mutex_);  // the newest last
};

}  // namespace forebay::net
