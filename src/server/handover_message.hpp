#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/config/config.hpp"

namespace forebay::server {

/// One message between the process that runs, the predecessor, and the one that replaces it, the successor:
///
///     successor     hello
///     predecessor   sockets (once or more for each listener, with its descriptors), control, end
///     successor     ready, once it could accept; it begins when it has the answer
///     predecessor   replaced
///     predecessor   purge, when a write on a connection of its own has made stale what the successor may have stored
///     successor     purged, before the next `purge`
///
/// Either may say `refused` at any time until `replaced` and end the connection. A program that knows no `purge` ends
/// it then. As text, a message is a line "forebay-handover VERSION KIND" and lines "key=value"; keys that are not known
/// are ignored.
struct HandoverMessage {
  enum class Kind : std::uint8_t { Hello, Sockets, Control, End, Ready, Replaced, Refused, Purge, Purged };
  static constexpr unsigned kVersion = 1;
  static constexpr std::size_t kLongest = 8192;  ///< Bytes.
  static constexpr unsigned kMostListeners = 1024;

  Kind kind = Kind::Hello;
  std::string text;             ///< Hello and End: the version of the program. Refused: why.
  unsigned listener = 0;        ///< Sockets: counted from 0.
  config::Address address;      ///< Sockets: as configured.
  std::vector<unsigned> taken;  ///< Ready: the listeners whose sockets are in use, ascending.
};

std::string to_text(const HandoverMessage& message);
/// Nothing for what is no message of this version; `fault` says why.
std::optional<HandoverMessage> parse_handover_message(std::string_view text, std::string& fault);

}  // namespace forebay::server
