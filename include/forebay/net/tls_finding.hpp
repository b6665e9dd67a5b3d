#pragma once

#include <cstddef>
#include <string>

#include "forebay/config/load.hpp"

namespace forebay::net {

/// Something about a file of TLS settings, of a listener or an origin. An error means that the settings cannot be used.
struct TlsFinding {
  config::Severity severity = config::Severity::Error;
  int code = 0;  ///< 1020 is printed FB1020.
  /// The key within `tls` that names the file: `cert`, `key`, `ocsp` (of `certificate`), `client_ca` or `ca`. Empty: it
  /// is about `tls` as a whole.
  std::string key;
  std::size_t certificate = 0;
  std::string message, hint;
};

}  // namespace forebay::net
