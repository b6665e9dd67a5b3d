#pragma once

#include <variant>
#include <vector>

#include "deliver.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/net/source.hpp"
#include "forebay/net/tls_peer.hpp"
#include "forebay/proxy/reading.hpp"
#include "forebay/rules/cache_status.hpp"
#include "forebay/rules/storability.hpp"

// Plans for requests, as values: pure functions decide, serving executes the plan, and explain renders it.

namespace forebay::proxy {

/// Forebay answers by itself. The texts are static.
struct Refuse {
  const OwnError* error = nullptr;
};
/// Forward unchanged; the response is not stored and has this status.
struct GoForward {
  rules::CacheStatus status;
};

/// The facts of one pass over the fields of a head, so that a hit needs only one.
struct HeadFacts {
  std::string_view forwarded_proto, request_id;
  bool connection_names_more = false, upgrade = false, loop = false;
  bool forwarding = false;   ///< It has X-Forwarded-For, -Host, -Proto, -Port or Forwarded.
  bool client_cert = false;  ///< A field that may be read as Client-Cert or Client-Cert-Chain.
};
/// `request_id`: the name of the field with a request's id; empty: none.
HeadFacts scan(http::FieldsView sent, std::string_view request_id);
/// The request without the fields that Connection names, which are removed before routing (RFC 9110 section 7.6.1).
/// Host, framing fields and those needed for forwarding stay. The client's own Client-Cert fields are removed as well
/// (RFC 9440 section 4), and those of `client` are added, null: none. `kept` holds the fields.
http::RequestView end_to_end_request(const http::RequestView& request, const HeadFacts& facts,
                                     const net::TlsClientCertificate* client, std::vector<http::Field>& kept);
/// The error of a request that is refused before routing; null if none. Parses the target into `reading`. An OPTIONS
/// with Max-Forwards 0 has the status 200. `instance_id`: of this process, in CDN-Loop.
const OwnError* refuse_head(const http::RequestView& request, const HeadFacts& facts, std::string_view instance_id,
                            Reading& reading);

/// Build the key, with the content if `Reading::content` says so, and look up.
struct LookUp {};
/// Forward without a look-up.
struct Bypass {
  rules::Reason reason;
};
/// Answer by the route's `redirect` or `respond`.
struct AnswerHere {
  rules::Reason reason;
};
/// The plan for a request with a route. `authenticated`: its connection is authenticated (NTLM).
std::variant<Refuse, Bypass, LookUp, AnswerHere> plan_route(const Reading& reading, bool has_origin,
                                                            bool authenticated);
/// The plan for a request that is not looked up: forward, unless it has only-if-cached.
std::variant<Refuse, GoForward> plan_bypass(rules::Reason reason, const rules::RequestFacts& facts);

/// The status of a request that is not looked up.
rules::CacheStatus bypass_status(rules::Reason reason) noexcept;

/// Whether a request may start a fetch that others share, or wait for one. A HEAD may under `convert_head`, unless its
/// method is signed. Not with only-if-cached; not with If-Match or If-Unmodified-Since, which the origin evaluates; and
/// not a signed request with a Range or condition, which is forwarded unchanged.
bool may_lead(const rules::RequestFacts& facts, const rules::Policy& policy) noexcept;

/// A look-up as the store wants it.
cache::LookupRequest look_up_request(const cache::Key& key, const cache::Selecting& selecting,
                                     const rules::RequestFacts& facts, const config::Route& route, Timestamp now);

/// The result of a look-up, real or predicted, as far as it matters for the plan.
struct Found {
  cache::LookupKind kind = cache::LookupKind::Pass;
  const cache::Stored* stored = nullptr;  ///< The stored response for this request; null, or without an entry: none.
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  bool ticket = false;  ///< It came with one.
  cache::PassMemory pass_memory{};
  bool unasked = false;  ///< It is served while the origin wants no request.
  bool paused = false;   ///< A fetch for it has failed, and the next refresh waits. Where it is predicted.
};
Found found_of(const cache::Lookup& lookup) noexcept;
Found found_of(const cache::Peek& peek) noexcept;
/// The rest that decides.
struct Asked {
  const rules::RequestFacts& facts;
  http::FieldsView fields;
  const cache::KeySpec& key;
  bool has_content = false;
  bool may_wait = true;  ///< There is memory for one more waiting request.
  Now now;
};

/// Serve the stored response.
struct Serve {
  rules::CacheStatus status;
};
/// Wait for a fetch in progress.
struct Follow {
  rules::Forward forward;
};
/// The queue is full: do at once what otherwise happens after `coalesce.wait`.
struct Overflow {
  rules::Forward forward;
};
/// Asks the origin.
struct Fetch {
  rules::CacheStatus status;  ///< The status of its response, as far as known.
  bool may_store = false;     ///< The response is stored if allowed.
  bool uses_entry = false;    ///< The stored response may be validated, or served on failure.
  bool validates = false;     ///< It carries the store's validators.
  bool by_get = false;        ///< A HEAD that fetches by GET, so that the response can be stored.
};
using FoundPlan = std::variant<Refuse, GoForward, Serve, Follow, Overflow, Fetch>;
FoundPlan plan_found(const Found& found, const Asked& asked);

/// The request's part of what decides.
Asked asked_of(const PendingRequest& pending);
/// Executes the plan. `lookup`: the basis of the plan.
void execute(const PendingRequestPtr& pending, const FoundPlan& plan, cache::Lookup lookup);

/// There are `server.limits.tunnels` already.
extern const OwnError kTooManyTunnels;
/// The request has an invalid host.
extern const OwnError kBadHost;
/// The queue is full and no stored response may be served.
extern const OwnError kQueueIsFull;

/// Why a stored response is not for its followers; remembered in pass memory.
rules::Reason cause_of_own(const rules::Freshness& freshness) noexcept;
/// Remaining time of pass memory in whole seconds; 0 if none.
std::int64_t seconds_left(const cache::PassMemory& memory) noexcept;

/// The fate of a fetched response.
enum class Fate : std::uint8_t {
  Store,
  ServeStale,  ///< An error; the stored response is served instead.
  Fail,        ///< An error that is not stored: followers get a failure, the leader gets the response.
  PassOn,      ///< Not stored.
};
/// `error`: `status` is in `stale.errors`. `stale`: something stored may be served instead. Without a right to store
/// the verdict does not count.
Fate fate_of(int status, bool error, bool may_store, const rules::Storability& verdict, bool has_entry,
             bool stale) noexcept;

/// Whether the leader's request may have caused a failure, so that followers try once more. A 502, 503 or 504, a failed
/// connection and a timeout mean that the origin is down for all requests.
bool may_be_the_leaders(int origin_status) noexcept;
bool may_be_the_leaders(net::FetchError error) noexcept;

/// Age and ttl for responses, log and explain. The used part of the lifetime and ttl add up to the lifetime, and a
/// response that is stale by less than a second has a negative ttl.
struct ShownFreshness {
  std::int64_t age_s = 0, ttl_s = 0;
};
ShownFreshness shown(const rules::Freshness& freshness, Timestamp now) noexcept;

}  // namespace forebay::proxy
