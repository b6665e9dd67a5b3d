#pragma once

#include "core.hpp"

namespace forebay::proxy {

/// Builds the key of a request, whose content has been read if the key needs it. Returns why there is no key.
rules::Reason build_key(PendingRequest& pending);
/// The first look-up, of the key that was just built. If a stored response of this resource has a No-Vary-Search rule,
/// the key under that rule is tried first, and is the request's key if it finds something.
cache::Lookup look_up_first(PendingRequest& pending);
/// The look-up of a request with a key.
cache::Lookup look_up(const PendingRequest& pending);
/// The same after its wait for a flight has timed out (`Store::supersede`).
cache::Lookup supersede(const PendingRequest& pending, cache::FollowerPlace waited);
/// The same after its flight has failed and the leader may be the cause (`Store::retry`).
cache::Lookup retry(const PendingRequest& pending, cache::FollowerPlace failed);

/// Whether the response found earlier is still for this request under the current names of Vary.
bool still_selected(const PendingRequest& pending, const cache::VaryRef& names);
/// Whether it may be served in place of an error. False without an entry.
bool may_stand_in(const PendingRequest& pending, const cache::Stored& stored);

/// Handles a request that is not looked up. Its content, or the first part, is read before it is forwarded.
void pass_on(const PendingRequestPtr& pending, rules::Reason reason);
/// Forwards it with the content that has been read. The response is not stored and has this status.
void forward(const PendingRequestPtr& pending, const rules::CacheStatus& status);

}  // namespace forebay::proxy
