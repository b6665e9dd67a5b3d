#pragma once

#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"

// Queries that are credentials: tokens, and signatures over the rest of the URL.

namespace forebay::rules {

/// Whether some parser may read the name of a parameter, as sent, as that of a secret: a signature, a token or a key.
bool names_secret(std::string_view name);

/// Whether the query of a request target, as sent, has such a parameter.
bool has_secret(std::string_view target);

/// When the signature of a signed URL ends, by what its query states: X-Amz-Date with X-Amz-Expires and the like of
/// Google and others, Expires beside a signature (CloudFront, S3, Laravel), a CloudFront Policy, `se` of a shared
/// access signature. The earliest if there are several; the minimum time for one that is unreadable. Nothing without an
/// expiry.
std::optional<WallTime> signed_until(std::string_view query);

}  // namespace forebay::rules
