#pragma once

#include <optional>

#include "deliver.hpp"
#include "forebay/content/encoder.hpp"

namespace forebay::proxy {

/// What became of a response of a route that compresses.
struct Represented {
  bool varies = false;                           ///< Its form depends on Accept-Encoding.
  std::optional<content::Compression> coding{};  ///< Nothing: it goes out as it is stored.
};

/// Of a route that compresses: chooses the form of a stored or storable response that this request gets (RFC 9110
/// section 12.5.3), by the fields that the origin has sent. A compressed form that nobody has made yet is asked for,
/// and the response goes out in another one. Allocates nothing once the forms are made.
Represented represent(PendingRequest& pending, Delivery& delivery, http::BodyCursor& cursor);

/// Has the head say that: Vary, Content-Encoding, a weak tag. After the route's changes, which cannot take it away.
void describe_form(PendingRequest& pending, const Represented& as, cache::Head& head);

}  // namespace forebay::proxy
