#pragma once

#include "core.hpp"

namespace forebay::proxy {

/// Passes an interim response of the origin on to the client that caused the fetch, without what is not for clients.
/// Followers get none: it was made for the other request, and whether it is for others is known only with the final
/// head.
void pass_on_interim(const PendingRequest& pending, const http::ResponseView& head);
/// `early_hints: replay`: sends the links of what is stored ahead of the fetch that follows.
void replay_hints(const PendingRequest& pending, const cache::Stored& stored);

}  // namespace forebay::proxy
