#pragma once

#include <string_view>

#include "forebay/config/config.hpp"

// Which values of a configuration are shown in messages, by `check --print` and by `forebay explain`.

namespace forebay::config {

/// What a name is the name of.
enum class Named {
  Field,      ///< A header field; its name may be a glob.
  Parameter,  ///< A query parameter; its name may be a glob.
  Cookie,
  Member,  ///< A JSON member, by its pointer (RFC 6901).
};

/// Whether a key, or a header field, has the name of a secret: of those in urls, and of any token.
bool looks_secret(std::string_view name);

/// Whether values of this name may be shown. Not those of credentials, of what has the name of a secret, and of what
/// the access log redacts (`log.access.redact`); those of cookies only where it does not redact Cookie.
bool shows_value(const AccessLog& access, Named kind, std::string_view name);

}  // namespace forebay::config
