#pragma once

#include "deliver.hpp"

namespace forebay::proxy {

/// The error for PURGE and BAN where `purge.methods` does not list them. They are never forwarded: there may be another
/// cache behind.
extern const OwnError kPurgeIsOff;

/// Answers a request whose method is PURGE or BAN in any case (`http::orders_purge`).
void answer_purge(const PendingRequestPtr& pending);

}  // namespace forebay::proxy
