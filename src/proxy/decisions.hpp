#pragma once

#include <vector>

#include "forebay/cache/store.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/rules/cache_status.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/upstream/origin.hpp"

// Decisions about a request that serving and explaining share, as pure functions.

namespace forebay::proxy {

/// Whether a field stays although Connection may name it: Host, framing and what the rules of forwarding need cannot be
/// named away (RFC 9110 section 7.6.1).
bool stays(const http::Field& field, const http::ConnectionNames& nominated);
/// Whether an Upgrade field asks for WebSocket.
bool asks_for_websocket(std::string_view upgrade);

/// What the answer to a request that is not looked up says.
rules::CacheStatus bypass_status(rules::Reason reason) noexcept;

/// What the answer says of a stored response that a look-up gives. What is stale and yet `Fresh` to the look-up is so
/// by the client's max-stale.
rules::CacheStatus stored_status(cache::Lookup::Kind kind, const rules::Freshness& freshness, Timestamp now) noexcept;

/// Whether a request may start a fetch that others share, or wait for one. A HEAD may under `convert_head`, unless it
/// is signed over its method; not who wants a stored response only; not a request with If-Match or If-Unmodified-Since,
/// which goes to the origin with its condition; and not a signed request with a Range or condition, which goes forward
/// as it came.
bool may_fly(const rules::RequestFacts& facts, const rules::Policy& policy) noexcept;

/// Why a request goes forward, as RFC 9211 section 2.2 has the words: under a key that holds more than the URI nobody
/// can tell whether another response of this URI is stored, so it is `miss` and not `uri-miss`.
rules::Forward forward_word(rules::Forward forward, const cache::KeySpec& spec, http::Method method,
                            bool has_content) noexcept;

/// A look-up as the store wants it.
cache::LookupRequest look_up_request(const cache::Key& key, const cache::Selecting& selecting,
                                     const rules::RequestFacts& facts, const config::Route& route, Timestamp now);

/// Whether a look-up's answer may be served to a request as far as its If-Match and If-Unmodified-Since go. A part of a
/// download that is for another version than the stored one is the origin's to answer.
bool serves_precondition(const rules::RequestFacts& facts, http::FieldsView request, const cache::Head& stored,
                         WallTime now);
/// What the answer to a request says whose precondition the stored response does not meet.
rules::CacheStatus precondition_status() noexcept;

/// How a request goes forward after a look-up that has nothing to serve at once.
struct ForwardPlan {
  rules::CacheStatus status;  ///< What its answer will say, as far as it is known.
  bool may_store = false;     ///< What comes is stored if it may be.
  bool uses_entry = false;    ///< What is stored is this request's to validate, or to fall back on.
  bool validates = false;     ///< It carries the store's validators.
  bool by_get = false;        ///< It is a HEAD whose fetch asks by GET, so that others have something of it.
};
/// What a look-up gave, as far as it decides how a request goes forward.
struct ForwardCase {
  cache::Lookup::Kind kind = cache::Lookup::Kind::Pass;
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  bool has_entry = false;
  bool ticket = false;  ///< It came with one.
  cache::PassMemory pass_memory;
};
ForwardPlan plan_forward(const ForwardCase& found, const rules::RequestFacts& facts);

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
