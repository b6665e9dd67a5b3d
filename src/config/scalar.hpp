#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::config {

/// Why a scalar is not what it should be: an FB code, a sentence, and what to write instead.
struct Fault {
  int code = 1002;
  std::string message;
  std::string hint;
};

/// A value, or the fault.
template <class T>
struct Parsed {
  std::optional<T> value;
  Fault fault;
  Parsed(T v) : value(std::move(v)) {}
  Parsed(Fault f) : fault(std::move(f)) {}
};

/// The scalar types of the file. None allocates without need or throws.
Parsed<Duration> parse_duration(std::string_view text);
Parsed<std::uint64_t> parse_size(std::string_view text);
Parsed<double> parse_ratio(std::string_view text);
Parsed<std::int64_t> parse_integer(std::string_view text);
/// `404`, `4xx` or a range, such as `500-504`; final statuses alone.
Parsed<rules::StatusPattern> parse_status(std::string_view text);
/// Whether this reads as a ratio rather than a size (for `memory`).
bool looks_like_ratio(std::string_view text) noexcept;

/// Written so that parsing gives the same value again.
std::string format_duration(Duration d);
std::string format_size(std::uint64_t bytes);
std::string format_ratio(double ratio);
std::string format_status(const rules::StatusPattern& status);

/// RFC 9110 section 5.6.2.
using http::is_token;
/// `*` and visible ASCII.
bool is_glob(std::string_view text) noexcept;

}  // namespace forebay::config
