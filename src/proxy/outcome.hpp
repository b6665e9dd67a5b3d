#pragma once

#include "core.hpp"

namespace forebay::proxy {

/// A request target for the access log. Views into the target, or into its parsed form.
struct LoggedTarget {
  LoggedTarget() = default;
  LoggedTarget(const http::Target& read) : path(read.path()), query(read.query()) {}
  std::string_view path;
  std::optional<std::string_view> query;
};
/// In normal form, else as sent, without the authority. `scratch` holds the parsed form.
LoggedTarget logged_target(http::Target& scratch, http::Method method, std::string_view raw);

/// Copies the data for the access log before the request's buffer is reused.
void note_request(const PendingRequest& pending, const LoggedTarget& target);
/// The generated id of a request without one.
void note_request_id(RequestNotes& notes, std::string_view id);
/// The id for Forebay's own response: that of the request, else a new one. Empty if `tracing.request_id` is off.
std::string own_request_id(Core& core, RequestNotes& notes);
/// Whether a client's id is used: up to 128 token characters (RFC 9110 section 5.6.2).
bool is_request_id(std::string_view id) noexcept;
/// Records the time of the look-up, from the worker's clock, so that a hit reads no other.
void note_lookup(const PendingRequest& pending);
/// Counts an exchange once, when it has ended.
void count_outcome(Core& core, server::Exchange& exchange);
void log_outcome(Core& core, server::Exchange& exchange);
/// Counts and logs what the edge refused before there was a request.
void count_refusal(Core& core, const server::RefusedMessage& message, const server::Peer& peer);

}  // namespace forebay::proxy
