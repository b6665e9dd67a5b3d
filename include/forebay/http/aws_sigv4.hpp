#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/http/fields.hpp"

// AWS Signature Version 4, as the IAM User Guide describes it ("Create a signed AWS API request"). Pure: the time is an
// argument. No function here throws anything but std::bad_alloc.

namespace forebay::http {

/// What a request to AWS is signed with.
struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;          ///< Of temporary credentials; empty: none.
  std::optional<WallTime> expires{};  ///< Not used from then on; nothing: they do not expire.
  bool operator==(const AwsCredentials&) const = default;
};

/// In place of the hash of the content, where the service allows that (S3).
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// Whether a service knows a path by its own encoding (S3). For all others the path of a signature is encoded twice,
/// without dot segments and empty segments.
bool aws_keeps_path(std::string_view service) noexcept;

/// Whether a field of a client is not for a service of AWS: Authorization, and `x-amz-*` in any case. The service would
/// take it for a part of the signed request.
bool is_aws_field(const Field& field) noexcept;

/// A request target in the one spelling that is signed: all bytes but unreserved ones are percent-encoded (`/` of the
/// path stays), escapes have upper-case digits, and `+` of the query is a blank (`%20`), as services read it. Empty
/// parameters are left out. The order of the parameters stays.
std::string aws_target(std::string_view target);

/// The path and the query as they stand in the canonical request; `target` is one that `aws_target` has made.
std::string aws_canonical_path(std::string_view target, std::string_view service);
std::string aws_canonical_query(std::string_view target);

/// Signs requests for one region and service. It keeps the signing key of one day and one secret, which takes four
/// HMACs to derive. Not thread-safe: each worker has its own.
class AwsSigV4 {
 public:
  AwsSigV4(std::string region, std::string service) : region_(std::move(region)), service_(std::move(service)) {}

  struct Request {
    std::string_view method;
    std::string_view target;   ///< As `aws_target` has made it, and as it is sent.
    std::string_view payload;  ///< SHA-256 of the content in hex, or `kUnsignedPayload`.
  };
  /// Adds X-Amz-Date, X-Amz-Content-Sha256, X-Amz-Security-Token and Authorization, over those that are there. Signed
  /// are Host, Content-Type, Content-MD5 and all `x-amz-*` fields: what a proxy on the way may change is not.
  void sign(const Request& request, Fields& fields, const AwsCredentials& credentials, WallTime now);

  /// The text whose hash is signed, over the fields that `sign` would sign; for tests.
  std::string canonical_request(const Request& request, FieldsView fields) const;

 private:
  const Hmac& key_for(std::string_view date, const AwsCredentials& credentials);

  std::string region_, service_;
  std::string day_, secret_;  // of `key_`
  Hmac key_{};
};

}  // namespace forebay::http
