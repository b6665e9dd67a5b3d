#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace forebay {

/// Why input was refused. A closed list, so that a caller can map each to a status.
enum class Errc {
  Malformed = 1,   ///< Does not follow its grammar.
  Incomplete,      ///< More bytes are needed.
  TooLarge,        ///< Over a configured limit.
  TooMany,         ///< More items than a configured limit.
  TargetTooLong,   ///< The request target is over its limit (414).
  HeaderTooLarge,  ///< A message head is over its limit in bytes or in fields (431).
  Unsupported,     ///< Well formed, but a feature that is not offered (501 or 505).
  Ambiguous,       ///< Could be read in two ways; refused rather than guessed (RFC 9112 section 6.3).
  OutOfMemory,     ///< The budget is exhausted.
  Closed,          ///< The peer has closed the connection.
  Timeout,         ///< A deadline has passed.
  Cancelled,       ///< Nobody wants the result any more.
};

std::string_view to_string(Errc e) noexcept;

// Thrown by `Result::value()` without a value; never on the request path. Found by argument-dependent look-up.
[[noreturn]] inline void throw_exception_from_error(Errc e, const boost::source_location&) {
  throw std::runtime_error(std::string(to_string(e)));
}

/// A value, or the reason why there is none.
template <class T>
using Result = boost::system::result<T, Errc>;

}  // namespace forebay
