#pragma once

#include <optional>
#include <string_view>

#include "core.hpp"

namespace forebay::proxy {

/// A response to be sent: from the store, from a flight or for this request alone.
struct Delivery {
  cache::Head head;
  std::optional<std::uint64_t> length;          ///< Of the content, where known.
  const rules::Freshness* freshness = nullptr;  ///< Of a stored response; null when it is not stored.
  rules::CacheStatus status;
  Source source = Source::Cache;
  /// Whose body it is; null while it is incomplete. Kept alive by `owner`. Its compressed forms may be sent instead.
  const cache::Entry* entry = nullptr;
  /// For multipart ranges: the whole content in pieces; empty while it is incomplete.
  std::span<const std::string_view> pieces;
  Owner owner;
  /// The client's conditions and ranges are applied here (false: the origin has done so).
  bool conditional = true;
  bool ranges = true;   ///< False: the whole is sent, whatever its Range says.
  bool spared = false;  ///< The origin was not asked for it; what is sent of the content counts as saved.
};

/// Sends it: as a 304 or 206 if the client's conditions require it (RFC 9110 section 13); adds Age, Cache-Status and
/// X-Cache, and notes the outcome. `cursor` reads the whole content.
void deliver(PendingRequest& pending, Delivery delivery, http::BodyCursor cursor);

/// Answers with the origin's 101 and gives the client's connection to `taker`; see `server::Exchange::upgrade`.
bool deliver_switch(PendingRequest& pending, const http::ResponseView& head, const rules::CacheStatus& status,
                    std::string_view protocol, server::Exchange::Taker&& taker);

/// Serves an entry. `kind` is Hit, Stale or StaleError.
void deliver_entry(PendingRequest& pending, const Ref<const cache::Entry>& entry, const rules::Freshness& freshness,
                   const rules::CacheStatus& status);

/// The fields that an answer of a route itself gets besides its own: X-Cache and Server-Timing.
http::FieldsView describe_own(PendingRequest& pending);

/// One of Forebay's own errors.
struct OwnError {
  int status = 500;
  RequestError reason = RequestError::Protocol;
  std::string_view title;
  std::string_view detail;
  std::string_view retry_after;
  std::string_view allow;
  bool close = false;
  std::string_view challenge{};  ///< WWW-Authenticate.
};
void deliver_error(PendingRequest& pending, const OwnError& error);
/// Sends a document in JSON that Forebay has made by itself.
void deliver_document(PendingRequest& pending, const std::string& json);
/// Sends the 413 for content over the server's limit. For late, incomplete or malformed content the edge sends the
/// error itself, in the same turn.
void deliver_content_error(PendingRequest& pending);

/// The methods that Forebay passes on, as the value of Allow.
inline constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// Answers an OPTIONS with Max-Forwards 0 (RFC 9110 section 7.6.2): 200 with Allow, without content.
void deliver_options(PendingRequest& pending);

}  // namespace forebay::proxy
