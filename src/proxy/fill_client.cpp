#include "fill_client.hpp"

#include "deliver.hpp"
#include "plan.hpp"

namespace forebay::proxy {

using net::FetchError;

void note_source(const PendingRequest& pending, const FillPlan& plan, const net::SourceTimes& times, int status) {
  if (!pending.exchange) return;
  auto& notes = pending.notes();
  notes.went_forward = true;
  notes.origin_by_get = plan.by_get;
  notes.origin_status = status;
  notes.origin_attempts = times.attempts;
  notes.origin_queue = times.queued;
  notes.origin_connect = times.connect;
  if (status != 0)
    notes.origin_ttfb = (times.head == Timestamp{} ? pending.core.now().mono : times.head) - times.requested.mono;
  notes.origin_name = times.origin;
  notes.origin_address = times.address;
  if (times.failed_origin.empty()) return;  // what an earlier one of this request has said holds on
  notes.failed_origin = times.failed_origin;
  notes.failed_by = times.failed_by;
}

void note_failure(const PendingRequest& pending, FetchError error, std::string_view detail) {
  if (!pending.exchange) return;
  auto& notes = pending.notes();
  notes.origin_error = to_string(error);
  notes.origin_detail = detail;
}

void serve_stale(PendingRequest& pending, const FillPlan& plan, std::string_view key_text, int status) {
  if (!pending.wanted()) return;  // a failed refresh: the stored response stays
  rules::CacheStatus s;
  s.result = rules::CacheResult::StaleError;
  s.forward = rules::Forward::Stale;
  s.forward_status = status;
  s.key = key_text;
  deliver_entry(pending, plan.stored.entry, plan.stored.freshness, s);
}

namespace {
/// In seconds, at least one: who could not be asked now is asked later.
std::string retry_after_of(FetchError error, Duration left) {
  if (error != FetchError::Queue && error != FetchError::CircuitOpen) return {};
  return std::to_string(std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(left).count(), 1));
}
}  // namespace

cache::Failure failure_of(FetchError error, std::string_view detail, Duration retry_after) {
  cache::Failure failure;
  failure.timeout = is_timeout(error);
  failure.retry_after = retry_after_of(error, retry_after);
  failure.status = !failure.retry_after.empty() ? 503 : failure.timeout ? 504 : 502;
  failure.detail = detail;
  failure.by_leader = may_be_the_leaders(error);
  return failure;
}

namespace {

/// The client is told nothing of the origin's addresses.
OwnError own_error_of(FetchError error) noexcept {
  const auto bad_gateway = [](RequestError reason, std::string_view detail) {
    return OwnError{502, reason, "Bad Gateway", detail, {}, {}};
  };
  const auto timeout = [](std::string_view detail) {
    return OwnError{504, RequestError::Timeout, "Gateway Timeout", detail, {}, {}};
  };
  switch (error) {
    case FetchError::ClientStalled:
      return {408,
              RequestError::ClientTimeout,
              "Request Timeout",
              "The request's content arrived too slowly while other requests waited for the origin.",
              {},
              {},
              true};
    case FetchError::Queue:
      return {503, RequestError::Queue, "Service Unavailable", "The origin had no room for the request in time.", {},
              {}};
    case FetchError::CircuitOpen:
      return {
          503, RequestError::Queue, "Service Unavailable", "Requests to the origin fail, and it is given a rest.", {},
          {}};
    case FetchError::DnsTimeout: return timeout("The origin's host name was not resolved in time.");
    case FetchError::ConnectTimeout: return timeout("Connecting to the origin timed out.");
    case FetchError::TlsTimeout: return timeout("The TLS handshake with the origin timed out.");
    case FetchError::FirstByteTimeout:
    case FetchError::BetweenBytesTimeout:
    case FetchError::TotalTimeout: return timeout("The origin did not answer in time.");
    case FetchError::Protocol:
    case FetchError::TooLarge: return bad_gateway(RequestError::Protocol, "The origin's response is invalid.");
    case FetchError::Dns: return bad_gateway(RequestError::Connect, "The origin's host name could not be resolved.");
    case FetchError::Connect: return bad_gateway(RequestError::Connect, "Could not connect to the origin.");
    case FetchError::Credentials:
      return bad_gateway(RequestError::Connect,
                         "There are no valid credentials to sign the request to the origin with.");
    case FetchError::Tls: return bad_gateway(RequestError::Connect, "The TLS handshake with the origin failed.");
    default: return bad_gateway(RequestError::Connect, "The origin closed the connection before it answered.");
  }
}

}  // namespace

void deliver_failure(PendingRequest& pending, FetchError error, Duration retry_after) {
  if (!pending.wanted()) return;
  if (error == FetchError::Memory) return pending.exchange->out_of_memory();
  if (error == FetchError::ClientBody) return deliver_content_error(pending);
  auto own = own_error_of(error);
  const auto later = retry_after_of(error, retry_after);
  own.retry_after = later;
  deliver_error(pending, own);
}

}  // namespace forebay::proxy
