#include "upstream/signer.hpp"

namespace forebay::upstream {

Signer::Signer(net::Worker& worker, const config::Origin& origin, std::shared_ptr<Credentials> credentials)
    : credentials_(std::move(credentials)), signature_(origin.sign.region, origin.sign.service) {
  if (credentials_->are_renewed()) renewal_ = std::make_unique<CredentialsRenewal>(worker, credentials_, origin.name);
}

std::string Signer::sign(std::string_view method, std::string& target, http::Fields& fields, std::string_view payload,
                         WallTime now) {
  const auto usable = credentials_->get(now);
  if (!usable.keys) return usable.why;
  target = http::aws_target(target);
  signature_.sign({method, target, payload}, fields, *usable.keys, now);
  return {};
}

}  // namespace forebay::upstream
