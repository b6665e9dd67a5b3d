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

/// Whether If-Match and If-Unmodified-Since of a request hold for this stored response (RFC 9110 sections 13.1.1 and
/// 13.1.4). False when the stored response does not tell; then the origin decides.
bool preconditions_hold(http::FieldsView request, int stored_status, http::FieldsView stored, WallTime now) noexcept;

/// The result of the client's other conditions on a stored 200 (RFC 9110 section 13.2.2).
enum class Condition : std::uint8_t { None, NotModified };
Condition evaluate(http::FieldsView request, int stored_status, http::FieldsView stored, WallTime now) noexcept;

/// Whether If-Range lets Range apply to this stored response (RFC 9110 section 13.1.5); true without If-Range.
bool if_range_holds(http::FieldsView request, http::FieldsView stored, WallTime now) noexcept;

/// Whether this line of a stored 200 belongs on a 304 (RFC 9110 section 15.4.5, with what clients need beside).
bool belongs_on_304(http::FieldId id, std::string_view name) noexcept;

/// Whether this line of a stored 200 belongs on a 206 that is cut from it. A digest of the content does not: it is that
/// of the whole, and a client that checks it would refuse the part (RFC 9530 section 2; Content-MD5; the checksums of
/// S3). One of the representation (Repr-Digest, Digest) does.
bool belongs_on_206(http::FieldId id, std::string_view name) noexcept;

/// Adds If-None-Match (a weak ETag as received) and If-Modified-Since for the store's own validation of one response,
/// the one that is selected for the request (RFC 9111 section 4.3.1). The validators of others would let the origin
/// choose a response that is not for this request: not every origin gives each representation an ETag of its own.
void add_validators(http::Fields& request, std::optional<std::string_view> etag,
                    std::optional<std::string_view> last_modified);

/// Whether a 304 selects the stored response that was validated (RFC 9111 section 4.3.4). A strong ETag in it requires
/// the same strong ETag in the stored response, a weak one the same opaque tag. Without an ETag, Last-Modified decides
/// if both have it; a 304 without validators selects it.
bool selects(const http::ResponseView& not_modified, http::FieldsView stored) noexcept;

/// RFC 9111 section 3.2: the stored fields with those of the 304 in their place. Content-Length, Content-Encoding,
/// Content-Range, Transfer-Encoding and hop-by-hop fields stay as stored. Date and Age are the 304's or none: give the
/// 304 a Date first where the origin sent none.
http::Fields freshen(http::FieldsView stored, http::FieldsView update);

/// RFC 9111 section 4.3.5: what a 200 to HEAD does to a stored GET response. None when it has another coding, and so
/// says nothing about this response.
enum class HeadUpdate : std::uint8_t { Freshen, Stale, None };
HeadUpdate compare_head(const http::ResponseView& head_response, http::FieldsView stored,
                        std::optional<std::uint64_t> stored_length) noexcept;
/// Whether a validator in the answer to the HEAD is that of the stored response.
bool is_confirmed(const http::ResponseView& head_response, http::FieldsView stored) noexcept;

}  // namespace forebay::rules
