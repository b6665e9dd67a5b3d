#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/message.hpp"

namespace forebay::rules {

/// RFC 9110 section 8.8.3.2.
bool strong_match(std::string_view a, std::string_view b) noexcept;
bool weak_match(std::string_view a, std::string_view b) noexcept;

/// What the client's own conditions make of a stored 200 (RFC 9110 section 13.2.2; If-Match and If-Unmodified-Since are
/// the origin's).
enum class Condition : std::uint8_t { None, NotModified };
Condition evaluate(http::FieldsView request, int stored_status, http::FieldsView stored, WallTime now) noexcept;

/// Whether If-Range lets Range apply to this stored response (RFC 9110 section 13.1.5); true without If-Range.
bool if_range_holds(http::FieldsView request, http::FieldsView stored, WallTime now) noexcept;

/// Whether this line of a stored 200 belongs on a 304 (RFC 9110 section 15.4.5, with what clients need beside).
bool belongs_on_304(http::FieldId id, std::string_view name) noexcept;

/// Adds If-None-Match (the ETags of all variants, weak ones as received) and If-Modified-Since for the store's own
/// validation (RFC 9111 section 4.3.1).
void add_validators(http::Fields& request, const std::vector<std::string_view>& etags,
                    std::optional<std::string_view> last_modified);

/// Whether a 304 speaks of this stored response (RFC 9111 section 4.3.4): strong ETags must be equal; a 304 without
/// validators speaks of the one response that was asked about.
bool selects(const http::ResponseView& not_modified, http::FieldsView stored, bool only_candidate) noexcept;

/// RFC 9111 section 3.2: the stored fields with those of the 304 in their place. Content-Length, Content-Encoding,
/// Content-Range, Transfer-Encoding and hop-by-hop fields stay as stored. Date and Age are the 304's or none: give the
/// 304 a Date first where the origin sent none.
http::Fields freshen(http::FieldsView stored, http::FieldsView update);

/// RFC 9111 section 4.3.5: what a 200 to HEAD does to a stored GET response.
enum class HeadUpdate : std::uint8_t { Freshen, Stale };
HeadUpdate compare_head(const http::ResponseView& head_response, http::FieldsView stored,
                        std::optional<std::uint64_t> stored_length) noexcept;

}  // namespace forebay::rules
