#pragma once

#include <memory>

#include "forebay/server/exchange.hpp"
#include "forebay/upstream/origin.hpp"

namespace forebay::proxy {

/// The bond of a client's connection to an origin; null when there is none.
std::shared_ptr<upstream::Bond> find_bond(server::Exchange& exchange, const upstream::Origin& origin);
/// The same, made when there is none; null when the client's connection has gone.
std::shared_ptr<upstream::Bond> find_or_make_bond(server::Exchange& exchange, upstream::Origin& origin);
/// Whether an origin connection that this client has authenticated is open. Then all its requests are authenticated,
/// without a field that shows it.
bool is_authenticated(server::Exchange& exchange, const upstream::Origin& origin);

}  // namespace forebay::proxy
