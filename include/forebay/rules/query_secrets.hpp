#pragma once

#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"

// Queries that are credentials: tokens, and signatures over the rest of the URL.

namespace forebay::rules {

/// Whether some reader may take the name of a parameter, as sent, for that of a secret: a signature, a token or a key.
bool names_secret(std::string_view name);

/// Whether the query of a request target, as sent, has such a parameter.
bool has_secret(std::string_view target);

/// When the signature of a signed URL ends, by what its query states: X-Amz-Date with X-Amz-Expires and the like of
/// Google and others, Expires beside a signature (CloudFront, S3, Laravel), a CloudFront Policy, `se` of a shared
/// access signature. The earliest where there are several; the beginning of time for one that cannot be read. Nothing
/// for a query that states no end.
std::optional<WallTime> signed_until(std::string_view query);

}  // namespace forebay::rules
