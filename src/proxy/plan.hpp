#pragma once

#include <variant>
#include <vector>

#include "deliver.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/proxy/reading.hpp"
#include "forebay/rules/cache_status.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/upstream/origin.hpp"

// What becomes of a request, as values: pure functions decide, serving executes what they give, and explain renders it.

namespace forebay::proxy {

/// Forebay answers by itself. The texts are static.
struct Refuse {
  const OwnError* error = nullptr;
};
/// Goes forward as it came; what comes is not stored, and says this.
struct GoForward {
  rules::CacheStatus status;
};

/// What one look over the fields of a head finds, so that the way of a hit looks once.
struct HeadFacts {
  std::string_view forwarded_proto, request_id;
  bool connection_names_more = false, websocket = false, loop = false;
};
/// `request_id`: the name of the field with a request's id; empty: none.
HeadFacts scan(http::FieldsView sent, std::string_view request_id);
/// The request without fields that Connection names, which are gone before routing and key (RFC 9110 section 7.6.1).
/// Host, framing and what the rules of forwarding need cannot be named away. `kept` holds what is left.
http::RequestView without_nominated(const http::RequestView& request, std::vector<http::Field>& kept);
/// What is refused before a route is looked for; null when nothing is. Reads the target into `reading`. An OPTIONS that
/// goes no further (Max-Forwards) has the status 200. `instance_id`: of this process, as CDN-Loop names it.
const OwnError* refuse_head(const http::RequestView& request, const HeadFacts& facts, std::string_view instance_id,
                            Reading& reading);

/// Its key is built, with its content where `Reading::content` says so, and the store is asked.
struct LookUp {};
/// Goes forward and is not looked up.
struct Bypass {
  rules::Reason reason;
};
/// What becomes of a request whose route is known. `authenticated`: its connection is one client's (NTLM), whoever
/// asks over it.
std::variant<Refuse, Bypass, LookUp> plan_route(const Reading& reading, bool has_origin, bool authenticated);
/// A request that is not looked up: it goes forward, unless it wants a stored response or nothing.
std::variant<Refuse, GoForward> plan_bypass(rules::Reason reason, const rules::RequestFacts& facts);

/// What the answer to a request that is not looked up says.
rules::CacheStatus bypass_status(rules::Reason reason) noexcept;

/// Whether a request may start a fetch that others share, or wait for one. A HEAD may under `convert_head`, unless it
/// is signed over its method; not who wants a stored response only; not a request with If-Match or If-Unmodified-Since,
/// which goes to the origin with its condition; and not a signed request with a Range or condition, which goes forward
/// as it came.
bool may_fly(const rules::RequestFacts& facts, const rules::Policy& policy) noexcept;

/// A look-up as the store wants it.
cache::LookupRequest look_up_request(const cache::Key& key, const cache::Selecting& selecting,
                                     const rules::RequestFacts& facts, const config::Route& route, Timestamp now);

/// What a look-up gave, or would give, as far as it decides.
struct Found {
  cache::LookupKind kind = cache::LookupKind::Pass;
  const cache::Stored* stored = nullptr;  ///< What is stored for this request; null, or without an entry: nothing.
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  bool ticket = false;  ///< It came with one.
  cache::PassMemory pass_memory{};
};
Found found_of(const cache::Lookup& lookup) noexcept;
Found found_of(const cache::Peek& peek) noexcept;
/// The rest that decides.
struct Asked {
  const rules::RequestFacts& facts;
  http::FieldsView fields;
  const cache::KeySpec& key;
  bool has_content = false;
  bool may_wait = true;  ///< There is memory for one more that waits.
  Now now;
};

/// What is stored is given out.
struct Serve {
  rules::CacheStatus status;
};
/// Waits for a fetch that is on its way.
struct Follow {
  rules::Forward forward;
};
/// Would wait, and as many as may wait already: what else happens when `coalesce.wait` is over, happens at once.
struct Overflow {
  rules::Forward forward;
};
/// Asks the origin.
struct Fetch {
  rules::CacheStatus status;  ///< What its answer will say, as far as it is known.
  bool may_store = false;     ///< What comes is stored if it may be.
  bool uses_entry = false;    ///< What is stored is this request's to validate, or to fall back on.
  bool validates = false;     ///< It carries the store's validators.
  bool by_get = false;        ///< It is a HEAD whose fetch asks by GET, so that others have something of it.
};
using FoundPlan = std::variant<Refuse, GoForward, Serve, Follow, Overflow, Fetch>;
FoundPlan plan_found(const Found& found, const Asked& asked);

/// Does it. `lookup`: what the plan was made from.
void execute(Core& core, const StoryPtr& story, const FoundPlan& plan, cache::Lookup lookup);

/// The host that a request names is none.
extern const OwnError kBadHost;
/// Where the queue is full and nothing stored may stand in.
extern const OwnError kQueueIsFull;

/// Why an answer that is stored serves nobody who waits for it, as pass memory keeps it.
rules::Reason cause_of_own(const rules::Freshness& freshness) noexcept;
/// What pass memory has left, in whole seconds; none is 0.
std::int64_t seconds_left(const cache::PassMemory& memory) noexcept;

/// What becomes of an answer that a fetch brought, once it is judged.
enum class Fate : std::uint8_t {
  Store,
  ServeStale,  ///< An error; what is stored stands in for it.
  Fail,        ///< An error that is not stored: those who wait see it as a failure, the leader gets it as it is.
  PassOn,      ///< Not stored.
};
/// `error`: `status` is in `stale.errors`. `stale`: something stored may be served instead. Without a right to store
/// the verdict does not count.
Fate fate_of(int status, bool error, bool may_store, const rules::Storability& verdict, bool has_entry,
             bool stale) noexcept;

/// Whether a failure may be the doing of the request that led, so that those who wait on it try once more. A 502, 503
/// or 504 says that the origin is down, whoever asks; so does an origin that cannot be connected to, or is too slow.
bool may_be_the_leaders(int origin_status) noexcept;
bool may_be_the_leaders(upstream::FetchError error) noexcept;

/// Age and ttl as answers, log and explain say them. What counts of the lifetime and ttl add up to it (the age, where
/// the origin states the lifetime), and what is stale by less than a second says so.
struct ShownFreshness {
  std::int64_t age_s = 0, ttl_s = 0;
};
ShownFreshness shown(const rules::Freshness& freshness, Timestamp now) noexcept;

}  // namespace forebay::proxy
