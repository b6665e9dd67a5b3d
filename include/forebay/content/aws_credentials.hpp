#pragma once

#include <optional>
#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/http/aws_sigv4.hpp"

// The forms in which AWS hands out credentials. Pure; what is refused is told without its text, which has secrets.

namespace forebay::content {

/// What the credentials endpoint of a container answers (Amazon ECS, EKS Pod Identity): a JSON object with AccessKeyId,
/// SecretAccessKey, Token and Expiration (RFC 3339). `Malformed` for what is none, has no keys, or has a time or a key
/// that cannot be read. Without Expiration they do not expire.
Result<http::AwsCredentials> read_container_credentials(std::string_view json);

/// The profile of a shared credentials file (`~/.aws/credentials`): `aws_access_key_id`, `aws_secret_access_key` and
/// `aws_session_token` below `[PROFILE]`. Nothing when the profile or one of its keys is not there. A value that is
/// said twice is the last one, as for the AWS CLI.
std::optional<http::AwsCredentials> read_shared_credentials(std::string_view file, std::string_view profile);

/// A date and time of RFC 3339, in UTC or with an offset; parts of a second are cut off. Nothing for all others.
std::optional<WallTime> read_timestamp(std::string_view text) noexcept;

/// Whether keys and a token can stand in a header field: visible ASCII, neither key empty.
bool are_usable(const http::AwsCredentials& credentials) noexcept;

}  // namespace forebay::content
