#pragma once

#include <optional>
#include <string>

#include "content.hpp"
#include "core.hpp"
#include "fill_plan.hpp"
#include "forebay/net/source.hpp"
#include "forebay/upstream/failover.hpp"
#include "forebay/upstream/origin.hpp"

namespace forebay::proxy {

/// What an origin is asked for a fill: method, target, fields, validators, content, and over whose connection. The
/// failover of the route's origin is asked the same, with its own Host, fields and signature.
class OriginAsk final : private upstream::RequestHead, private upstream::OtherOrigin {
 public:
  enum class What : std::uint8_t {
    Planned,       ///< As the plan says.
    WholeAgain,    ///< A 304 was about what is stored, and it is not known whether this request may have that.
    OtherAgain,    ///< A 304 was about another response than the one that is stored.
    ClientsRange,  ///< What is not kept: the range alone, under the client's own conditions.
  };
  OriginAsk(const PendingRequest& pending, const FillPlan& plan) : pending_(pending), plan_(plan) {}

  /// The source of the answer, to be started. Asks again where the failover has answered, it is asked at once.
  net::SourcePtr ask(What what);
  What what() const noexcept { return what_; }
  http::Method method() const noexcept { return plan_.by_get ? http::Method::Get : pending_.request.method; }
  /// Others get the answer, too: the client's range and conditions are not asked.
  bool shared() const noexcept { return plan_.shared && what_ != What::ClientsRange; }
  /// The origin that was asked last.
  upstream::Origin& asked() const noexcept;
  /// Whether it was asked under the validators of what is stored.
  bool validated() const noexcept { return validated_; }

 private:
  std::string compose(upstream::Origin& origin, const config::Url& url, std::string& target,
                      http::Fields& fields) override;
  std::string sign(upstream::Origin& origin, std::string& target, http::Fields& fields);
  void trim(upstream::Origin& origin, http::Fields& trailers) override;
  bool may_ask() override;
  net::SourcePtr ask() override;
  enum class Fails : std::uint8_t { Here, Over };
  net::SourcePtr ask(upstream::Origin& origin, Fails how);
  upstream::FetchRequest request_for(upstream::Origin& origin);
  bool has_content() const override;
  net::BodySource* body();
  bool has_credentials_of_connection(upstream::Origin& origin) const;
  bool is_bound(upstream::Origin& origin) const;
  bool validates(upstream::Origin& origin) const;
  bool keeps_codings() const;

  const PendingRequest& pending_;
  const FillPlan& plan_;
  What what_ = What::Planned;
  bool validated_ = false;
  bool failed_over_ = false;
  std::optional<KeptSource> content_;
  std::string payload_;  // SHA-256 of the content that is signed; empty: not computed yet
};

}  // namespace forebay::proxy
