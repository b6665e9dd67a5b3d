#pragma once

#include <string_view>
#include <vector>

#include "forebay/http/message.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::rules {

/// Whether the client of this request gets the 103 (Early Hints) of the origin. Over HTTP/2 every client does. Over
/// HTTP/1.1 some clients take a 103 for the final response (RFC 8297 section 3), so only one that says it navigates
/// (`Sec-Fetch-Mode: navigate`) does, as only browsers of today do; over HTTP/1.0 none.
bool takes_early_hints(const http::RequestView& request, const Policy& policy) noexcept;
/// Whether it also gets the links of the stored response ahead: HTTP/2, `early_hints: replay`, a GET, and not of a
/// request that a browser makes for a part of a page.
bool takes_replayed_hints(const http::RequestView& request, const Policy& policy) noexcept;

/// The members of all Link fields (RFC 8288) that name what a page needs: with a relation `preload`, `modulepreload` or
/// `preconnect`, and about the page itself (no `anchor`). Up to 32 of them and 4 KiB; a field with a syntax error
/// counts up to the error. Views into the fields.
std::vector<std::string_view> early_links(http::FieldsView fields);

}  // namespace forebay::rules
