#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/cache/key.hpp"
#include "forebay/cache/learned.hpp"
#include "forebay/config/config.hpp"
#include "forebay/config/route_table.hpp"
#include "forebay/http/message.hpp"
#include "forebay/http/target.hpp"
#include "forebay/rules/storability.hpp"

// The decisions about a request before the look-up. Serving and explaining call the same functions, so that
// explanations match what happens.

namespace forebay::proxy {

/// A parsed request: what is matched, keyed and forwarded. Holds views into itself and into the raw target, so it must
/// not move; after the target was copied, call `rebase`.
struct Reading {
  http::Target target;
  std::string host;                      ///< Normal form; empty for HTTP/1.0 without Host.
  std::string_view scheme;               ///< Of a trusted X-Forwarded-Proto, else the listener's.
  bool claims = false;                   ///< The peer's claims about host, port and prefix are forwarded.
  const config::Route* route = nullptr;  ///< Null: none matched.
  bool method_fits = false;              ///< False: the first route that matched except for its methods.
  bool awaits_content = false;           ///< Whether the route matches is known after the content has been read.
  rules::RequestFacts facts;
  cache::ContentUse content = cache::ContentUse::None;
  std::string asked_upgrade;  ///< Protocols that the request asks to switch to; empty: it does not ask.
  std::string upgrade;        ///< Those of them that the origin is asked for: see `offer_upgrade`.
  /// None: looked up, once the key is built (with the content read, where `content` is Keyed).
  rules::Reason reason = rules::Reason::None;
  std::vector<cache::Capture> captures;

  Reading() = default;
  Reading(const Reading&) = delete;
  bool upgrades() const noexcept { return !upgrade.empty(); }
  /// Moves the views from the raw target to a copy of it.
  void rebase(std::string_view raw, std::string_view copy) noexcept;
};

/// Sets `host` and `scheme` from the request's authority and X-Forwarded-Proto of a trusted peer. False: the authority
/// is none (400).
bool read_host(std::string_view authority, std::string_view forwarded_proto, bool trusted,
               std::string_view listener_scheme, Reading& reading);
/// The part of a request's content that was read for a condition.
struct ReadContent {
  enum class State : std::uint8_t {
    Unread,
    Whole,
    TooLarge,  ///< Over `key.body_max`, or no memory for it.
  };
  State state = State::Unread;
  std::string_view bytes{};  ///< As sent.
};
/// Finds the route and decides whether the request is looked up. After `target`, `host` and `scheme` are set. Fields
/// that Connection names are gone from `request` already. If the content must be read before the route is known,
/// `awaits_content` is set, and `key.body_max` of `route` bounds it; nothing else is decided then. A second call, with
/// the content, continues from that route.
void read_route(const config::RouteTable& routes, const http::RequestView& request, bool has_content, Reading& reading,
                const ReadContent& content = {});
/// Sets `asked_upgrade` from a head as sent (RFC 9110 section 7.8): a GET of HTTP/1.1 without content, whose Connection
/// names Upgrade. Whatever else comes with Upgrade does not ask; the field is ignored.
void read_upgrade(const http::RequestView& sent, bool has_content, Reading& reading);
/// After `read_route`: the route lets a client switch to one of the protocols that it asks for, so the request is not
/// looked up, whatever was said before. `without_route`: the protocols of requests without a route.
void offer_upgrade(const std::vector<std::string>& without_route, Reading& reading);
/// Whether the content meets `match.body` of a route.
rules::Judged judge_content(const config::Route& route, const http::RequestView& request, bool has_content,
                            const ReadContent& content);
/// Why a request with too large content is not looked up; with `bypass.body`, one of its members may be in the content.
rules::Reason too_large_reason(const config::Route& route) noexcept;
/// The same request as a GET without content.
http::RequestView as_get(http::RequestView request) noexcept;
/// Reads it as the GET of `target`, with `host` and `scheme` set already: what the answer to a POST may be stored for
/// (RFC 9110 section 9.3.3). False when such a GET would not be looked up; the facts are those of the GET's route.
bool read_as_get(const config::RouteTable& routes, const http::RequestView& request, std::string_view target,
                 Reading& reading);
/// The key of a request whose `reason` is None; returns why there is none, including `bypass.body`. `content`:
/// complete, as sent.
rules::Reason build_key(const Reading& reading, const http::RequestView& request,
                        std::optional<std::string_view> content, cache::PersistedQueries& persisted, cache::Key& key,
                        const rules::NoVarySearch* search = nullptr, std::vector<cache::KeyPart>* parts = nullptr);

/// The target for the origin: `target` (path in normal form, with query) with its prefix stripped and another added.
std::string origin_target(const config::Rewrite& rewrite, std::string_view target);

}  // namespace forebay::proxy
