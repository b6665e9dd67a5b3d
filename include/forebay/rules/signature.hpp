#pragma once

#include "forebay/http/message.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::rules {

/// Whether the request is signed over its method or fields, so that a change breaks the signature: Authorization of one
/// of the route's `signed_schemes`, Signature-Input (RFC 9421) or Signature, or a query that is signed over a Range or
/// condition of this request (X-Amz-SignedHeaders and the like).
bool is_signed(const http::RequestView& request, const Policy& policy) noexcept;

/// Range, If-Range and the conditions of RFC 9110 section 13.1: what a fetch for the store leaves out.
bool is_condition(http::FieldId id) noexcept;

}  // namespace forebay::rules
