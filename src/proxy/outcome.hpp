#pragma once

#include "core.hpp"

namespace forebay::proxy {

/// What the access log says of a request target. Views into the target, or into the reading of it.
struct LoggedTarget {
  LoggedTarget() = default;
  LoggedTarget(const http::Target& read) : path(read.path()), query(read.query()) {}
  std::string_view path;
  std::optional<std::string_view> query;
};
/// In the normal form, else as it was sent, without the authority. `scratch` holds the reading.
LoggedTarget logged_target(http::Target& scratch, http::Method method, std::string_view raw);

/// Copies what the access log will want of a request, before its buffer is used again.
void note_request(RequestNotes& notes, const http::RequestView& request, const LoggedTarget& target,
                  std::string_view request_id, const config::Config& config, const server::Exchange& exchange);
/// The id that was made for a request which brought none.
void note_request_id(RequestNotes& notes, std::string_view id);
/// The id that an answer of Forebay's own carries: the one that is known of the request, else a new one. Empty where
/// `tracing.request_id` is off.
std::string own_request_id(Core& core, RequestNotes& notes);
/// Whether a client's id is taken over: up to 128 bytes of visible ASCII without quotes and backslashes.
bool is_request_id(std::string_view id) noexcept;
/// That its look-up has answered now. Takes the worker's reading of the clock, so that a hit needs no other.
void note_lookup(const Core& core, server::Exchange& exchange);
/// Counts an exchange once, when it has ended.
void count_outcome(Core& core, server::Exchange& exchange);
void log_outcome(Core& core, server::Exchange& exchange);
/// Counts and logs what the edge refused before there was a request.
void count_refusal(Core& core, const server::RefusedMessage& message, const server::Peer& peer);

}  // namespace forebay::proxy
