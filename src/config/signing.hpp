#pragma once

#include "config/row.hpp"

// What `sign` of an origin needs besides its own keys: what the url tells, and where credentials are.

namespace forebay::config {

/// The rows `sign` and `headers` of an origin.
Table<Origin> origin_signing_table() noexcept;

/// Whether the configuration may set a field towards an origin; reported where it may not.
bool check_field_name(const Section& section, const Node& node, const std::string& path);

/// Completes `sign` once all keys of the origin have been read: region and service of the url and the environment,
/// `host_header`, and what `credentials` says. Reports what is missing (FB1040), and warns where there are no
/// credentials (FB2070), since the machine that checks may not be the one that runs.
void finish_signing(Loading& loading, const Section& section, Origin& origin);

/// The service and the region that a host of AWS names, such as `ID.lambda-url.REGION.on.aws`; empty where it does not.
struct AwsPlace {
  std::string service, region;
};
AwsPlace aws_place_of(std::string_view host);

/// The credentials endpoint that AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI names, with its token; `missing`
/// says why there is none. Only loopback and the addresses of Amazon ECS and EKS are asked without TLS.
Signing::Found container_of(const std::function<std::optional<std::string>(const std::string&)>& variable);

}  // namespace forebay::config
