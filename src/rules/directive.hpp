#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/http/list.hpp"

namespace forebay::rules {

/// RFC 9111 section 1.2.2: larger values are clamped to this; 68 years, so that sums of a few fit a Duration.
inline constexpr std::int64_t kMostSeconds = std::int64_t{1} << 31;

/// Transient errors. They get a lifetime only from the origin or from a `ttl.status` line for exactly this status.
constexpr bool is_passing_error(int status) noexcept { return status == 429 || status >= 500; }

/// "Not found" responses: `ttl.negative` bounds their configured lifetime.
constexpr bool is_negative(int status) noexcept {
  return status == 404 || status == 405 || status == 410 || status == 451;
}

/// One member of a Cache-Control list, as written.
struct Directive {
  std::string_view name;
  std::optional<std::string_view> value;  ///< Behind the first '='; quotes still on.
};

inline Directive split_directive(std::string_view member) noexcept {
  const auto equals = member.find('=');
  if (equals == std::string_view::npos) return {member, std::nullopt};
  return {member.substr(0, equals), member.substr(equals + 1)};
}

/// delta-seconds, also in double quotes (RFC 9111 section 5.2: a recipient takes both forms); clamped. Nothing for all
/// else.
inline std::optional<Seconds> delta_seconds(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::uint64_t value = 0;
  if (!http::parse_decimal(text, static_cast<std::uint64_t>(kMostSeconds), value)) return std::nullopt;
  return Seconds{static_cast<std::int64_t>(value)};
}

}  // namespace forebay::rules
