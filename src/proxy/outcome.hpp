#pragma once

#include "core.hpp"

namespace forebay::proxy {

/// Copies what the access log will want of a request, before its buffer is used again.
void note_request(RequestNotes& notes, const http::RequestView& request, const http::Target& target,
                  std::string_view host, std::string_view request_id, const config::Config& config,
                  const server::Exchange& exchange);
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
/// Counts and logs what the edge refused before there was a request, under this id.
void count_refusal(Core& core, server::Refusal reason, int status, const server::Peer& peer,
                   std::string_view request_id);

}  // namespace forebay::proxy
