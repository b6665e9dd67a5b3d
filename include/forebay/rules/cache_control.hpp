#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::rules {

/// The cache directives of a response: Cache-Control (RFC 9111 section 5.2.2), or the first valid targeted field (RFC
/// 9213), which replaces Cache-Control and Expires.
struct ResponseDirectives {
  bool present = false;   ///< Some Cache-Control or valid targeted field was there.
  bool targeted = false;  ///< Read from a targeted field: Expires does not count.
  bool no_store = false;
  bool no_cache = false;  ///< Unqualified.
  bool private_ = false;  ///< Unqualified.
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool public_ = false;
  bool no_transform = false;
  bool must_understand = false;
  bool immutable = false;
  /// First one of its kind. A value that is no integer counts as 0 (stale); above 2^31 is clamped. In quotes it counts.
  std::optional<Seconds> max_age, s_maxage, stale_while_revalidate, stale_if_error;
  std::vector<std::string> no_cache_fields, private_fields;  ///< Of the qualified forms.
  bool names_freshness = false;  ///< max-age or s-maxage was there, even if it could not be read.
};
/// `targeted_fields` in order of preference; Surrogate-Control, when it is listed, is read by its own grammar.
ResponseDirectives read_response_directives(http::FieldsView fields, const std::vector<std::string>& targeted_fields);

/// RFC 9111 section 5.2.1. `Pragma: no-cache` counts only without Cache-Control.
struct RequestDirectives {
  bool no_cache = false, no_store = false, only_if_cached = false, no_transform = false;
  std::optional<Seconds> max_age, min_fresh;
  std::optional<Seconds> max_stale;  ///< max() when the directive has no value.
};
/// Allocates nothing. A request without Cache-Control and Pragma costs one pass over the field ids.
RequestDirectives read_request_directives(http::FieldsView fields) noexcept;

/// Whether clients get this field of an origin's response: Forebay-Cache-Control and Surrogate-Control never are, the
/// other targeted fields unless the route strips them.
bool goes_downstream(const http::Field& field, const Policy& policy) noexcept;

}  // namespace forebay::rules
