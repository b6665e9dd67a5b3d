#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "forebay/http/aws_sigv4.hpp"
#include "forebay/net/worker.hpp"
#include "upstream/credentials.hpp"
#include "upstream/credentials_renewal.hpp"

namespace forebay::upstream {

/// Signs one worker's requests to an origin, and has its credentials renewed. Used only by its worker.
class Signer {
 public:
  Signer(net::Worker& worker, const config::Origin& origin, std::shared_ptr<Credentials> credentials);
  Signer(const Signer&) = delete;

  /// See `Origin::sign`.
  std::string sign(std::string_view method, std::string& target, http::Fields& fields, std::string_view payload,
                   WallTime now);
  /// From now on others renew the credentials; requests under way are still signed.
  void retire() { renewal_.reset(); }

 private:
  const std::shared_ptr<Credentials> credentials_;
  http::AwsSigV4 signature_;
  std::unique_ptr<CredentialsRenewal> renewal_;
};

}  // namespace forebay::upstream
