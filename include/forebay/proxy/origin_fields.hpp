#pragma once

#include <boost/container/small_vector.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/cache/selecting.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"

namespace forebay::proxy {

/// A request to an origin, with the data that decides which of its fields are forwarded.
struct OriginRequest {
  const config::Config& config;
  const config::Origin& origin;
  const config::Route* route = nullptr;  ///< Null: none matched.
  http::RequestView request;             ///< Without the fields that its Connection names.
  std::string_view scheme{}, host{};     ///< As parsed, and as in the key.
  std::string_view peer{};               ///< Address of the client, without port.
  bool peer_trusted = false;
  bool looked_up = false;          ///< It has a key, so that others may get its answer.
  bool drops_credentials = false;  ///< Authorization and `x-amz-*` do not go on: a signature takes their place.
  bool shared = false;  ///< For a flight: without the client's Range and conditions, which are applied at delivery.
  /// The origin may encode the answer although the route compresses: it is hardly one that is stored.
  bool own_codings = false;
  std::string_view instance_id{}, request_id{};
  /// Replace the client's trace context; empty: its fields go on as they came.
  std::string_view traceparent{}, tracestate{};
  const config::Url* url = nullptr;  ///< Of the origin, the one that is asked; null: the first.
};

/// Whether an application may read the field as Client-Cert or Client-Cert-Chain (RFC 9440), which only Forebay sets.
bool is_client_cert(std::string_view name);

/// Whether the origin is asked for identity, of which all codings are made here: one fetch serves all clients.
bool asks_for_identity(const OriginRequest& request) noexcept;
/// The fields that go to the origin: without hop-by-hop and Forebay-* fields, Expect, and fields that could change the
/// response without being in the key, and, under `drops_credentials`, Authorization and `x-amz-*`; with Host,
/// Via, X-Forwarded-*, Forwarded, CDN-Loop and a request id; and as the route's `request_headers` leave them.
http::Fields fields_for_origin(const OriginRequest& request);
/// Sets the `headers` of an origin, over whatever may be read as one of them. Last of all, and only on what is sent:
/// their values are in no key and are never shown.
void set_origin_fields(const config::Origin& origin, http::Fields& fields);
/// Removes trailer fields of a request that are not allowed in its head, that its Connection names, or that the route
/// removes, sets, uses in the key or in `bypass`, or lists in `credentials`.
void trailers_for_origin(const OriginRequest& request, http::Fields& trailers);

/// The selecting fields of this request, as its origin gets them.
class OriginSelecting final : public cache::Selecting {
 public:
  explicit OriginSelecting(const OriginRequest& request) : request_(request) {}
  http::FieldsView fields(const std::vector<std::string>& names) const override;
  std::optional<http::FieldsView> codings_of_client() const override;

 private:
  http::FieldsView with_identity() const;

  OriginRequest request_;
  using FieldList = boost::container::small_vector<http::Field, 24>;
  mutable std::optional<FieldList> identity_;  // the fields of the request with another Accept-Encoding
  mutable std::optional<http::Fields> sent_;   // once something that Forebay may change is asked for
};

}  // namespace forebay::proxy
