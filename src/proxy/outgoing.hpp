#pragma once

#include <string>

#include "core.hpp"
#include "forebay/proxy/origin_fields.hpp"

namespace forebay::proxy {

/// Whether Authorization and `x-amz-*` of the client do not go to this origin: it gets a signature, or the route's own
/// does. What that one never gets, and what selects no stored response, its failover must not answer by.
bool drops_credentials(const PendingRequest& pending, const config::Origin& origin);

/// The request that is sent to the route's origin; it selects among stored responses also where the failover gets it.
OriginRequest origin_request(const PendingRequest& pending, bool shared);
/// The same to this origin.
OriginRequest origin_request(const PendingRequest& pending, bool shared, const config::Origin& origin);

/// Removes, then sets.
void apply(const config::HeaderChanges& changes, http::Fields& fields);

/// What a write made stale by its URL (RFC 9111 section 4.4). `not_looked_up`: why the request was not looked up, if
/// so.
std::vector<Digest> invalidated_resources(const PendingRequest& pending, rules::Reason not_looked_up,
                                          const http::ResponseView& response);

/// The response's fields without hop-by-hop and framing ones, without those named in `drop`, and without the fields
/// that are only for Forebay. Adds Date where the origin sent none. `keep_age` for answers that are passed on
/// untouched.
http::Fields end_to_end(const PendingRequest& pending, const http::ResponseView& response,
                        const std::vector<std::string>& drop, WallTime received, bool keep_age);

/// The same of an interim response: nothing is added, and only removals of the route apply.
http::Fields end_to_end_interim(const PendingRequest& pending, const http::ResponseView& response);

/// The fields of the same response that are only for Forebay.
http::Fields kept_back(const PendingRequest& pending, const http::ResponseView& response,
                       const std::vector<std::string>& drop);

}  // namespace forebay::proxy
