#pragma once

#include "deliver.hpp"

namespace forebay::proxy {

/// Of a route that compresses: chooses the form of a stored or storable response that this request gets (RFC 9110
/// section 12.5.3), and adds Vary. A compressed form that nobody has made yet is asked for, and the response goes out
/// in another one. Allocates nothing once the forms are made.
void represent(PendingRequest& pending, Delivery& delivery, http::BodyCursor& cursor);

}  // namespace forebay::proxy
