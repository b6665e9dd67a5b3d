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
  /// None: looked up, once the key is built (with the content read, where `content` is Keyed).
  rules::Reason reason = rules::Reason::None;
  std::vector<cache::Capture> captures;

  Reading() = default;
  Reading(const Reading&) = delete;
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
