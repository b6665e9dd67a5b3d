#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/cache/selecting.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"

namespace forebay::proxy {

/// A request on its way to an origin, with what decides which of its fields get there.
struct OriginRequest {
  const config::Config& config;
  const config::Origin& origin;
  const config::Route* route = nullptr;  ///< Null: none matched.
  http::RequestView request;             ///< Without the fields that its Connection names.
  std::string_view scheme{}, host{};     ///< As they are read and keyed.
  std::string_view peer{};               ///< Address of the client, without port.
  bool peer_trusted = false;
  bool looked_up = false;  ///< It has a key, so that others may get its answer.
  bool shared = false;     ///< For a flight: without the client's Range and conditions, which are applied at delivery.
  std::string_view instance_id{}, request_id{};
};

/// The fields that go to the origin: without hop-by-hop and Forebay-* fields, Expect, and those by which a client could
/// choose the answer behind the key's back; with Host, Via, X-Forwarded-*, Forwarded, CDN-Loop and a request id; and as
/// the route's `request_headers` leave them.
http::Fields fields_for_origin(const OriginRequest& request);
/// Removes from the trailer fields of a request what could not have stood in its head, what its Connection names, and
/// what the route removes, sets, keys on, bypasses by or has among its `credentials`.
void trailers_for_origin(const OriginRequest& request, http::Fields& trailers);

/// What selects among the responses of a key, as the origin of this request gets it.
class OriginSelecting final : public cache::Selecting {
 public:
  explicit OriginSelecting(const OriginRequest& request) : request_(request) {}
  http::FieldsView fields(const std::vector<std::string>& names) const override;

 private:
  OriginRequest request_;
  mutable std::optional<http::Fields> sent_;  // once something that Forebay may change is asked for
};

}  // namespace forebay::proxy
