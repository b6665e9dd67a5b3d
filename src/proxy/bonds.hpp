#pragma once

#include <memory>

#include "forebay/server/exchange.hpp"
#include "forebay/upstream/origin.hpp"

namespace forebay::proxy {

/// The bond of a client's connection to an origin; null when there is none.
std::shared_ptr<upstream::Bond> find_bond(server::Exchange& exchange, const upstream::Origin& origin);
/// The same, made when there is none; null when the client's connection has gone.
std::shared_ptr<upstream::Bond> find_or_make_bond(server::Exchange& exchange, upstream::Origin& origin);
/// Whether an origin's connection that this client has authenticated waits for its next request. Then whatever it asks
/// is asked as the one whom it has authenticated as, with no field that says so.
bool is_authenticated(server::Exchange& exchange, const upstream::Origin& origin);

}  // namespace forebay::proxy
