#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/section.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {

/// Where a setting came from, for what can only be judged when all are known.
struct SetBy {
  const Node* node = nullptr;
  std::string path{};  ///< `routes[2].ttl`
  std::string said{};  ///< Of settings of a policy: `routes.search.ttl.default`.
};

/// What the names of places of files begin with that TLS reads; their paths follow.
inline constexpr std::string_view kTlsFile = "tls file ";

struct Loading;

/// A policy on its way from the built-in one over `defaults` and a named one to the route.
struct PolicyDraft {
  rules::Policy policy;
  cache::KeySpec key;
  std::map<std::string, SetBy, std::less<>> set{};  ///< Key path within the policy -> who set it last.

  /// Null when it is built in.
  const SetBy* set_by(std::string_view what) const {
    const auto it = set.find(what);
    return it == set.end() ? nullptr : &it->second;
  }
};

/// Puts the keys of one block over what the draft has: maps merge by key, lists replace. `owner` is `defaults`,
/// `policies.NAME` or `routes.NAME`.
void read_policy(Loading& loading, const Section& block, const std::string& owner, PolicyDraft& draft);
/// What to write instead of a glob where there are none.
inline constexpr std::string_view kLiteralNames =
    "names are literal here; globs are for key.query, key.cookies and bypass";
/// What to write instead of a text that is no JSON Pointer (RFC 6901).
std::string pointer_hint(const std::string& text);

/// What is wrong or dangerous about `tls` of an origin once all of it is known.
void check_origin_tls(const Section& section, const Origin& origin);

/// What later readers need of earlier ones.
struct Loading {
  Config& config;
  Report& report;
  const Surroundings& surroundings;
  const Node& root;
  Section top;
  bool origin_missed = false;  ///< That there is no origin has been said, or "origin" is only misspelt.
  std::map<std::string, SetBy, std::less<>> places;  ///< Of settings that are compared with others at the end.
};

/// Mistakes that take two settings: addresses and origins that collide, routes never reached, windows that contradict.
void check_whole(Loading& loading);

/// Gives the name in `Config::origins` of a url or an origin's name; a url makes an entry of its own. Empty when
/// reported.
std::string resolve_origin(Loading& loading, const Node& node, const std::string& path);
/// The names that a list of routes has, given or made from the paths.
std::vector<std::string> names_of_routes(const Node& list);
/// Of routes and origins: what may be a metric label.
bool is_label(std::string_view name) noexcept;

/// What a list of `draft` has dropped by replacing that of the layer below.
void check_layers(Report& report, const PolicyDraft& below, const PolicyDraft& draft);
/// What to write instead of a text that is no pattern; empty when it cannot be told.
std::string hint_for_pattern(std::string_view text);
/// What is surely not meant about a route's pattern and the prefix that is taken from its paths.
void check_pattern(const Section& section, const Route& route);
/// What is wrong or dangerous about a route's policy once all of it is known, said at whoever set it.
void check_policy(Loading& loading, const PolicyDraft& draft, const Route& route);
/// What is wrong or doubtful about `tags.add` and `invalidates` of a route whose path is known.
void check_tags(const Section& section, const PolicyDraft& draft, const Route& route);
/// Tags in `invalidates` that no route adds.
void check_invalidations(Loading& loading);
/// Whether the text is `https` or `https:8443`: the same URL over https.
bool is_https_redirect(std::string_view to) noexcept;
/// Makes the answer of a route with `redirect` or `respond`: compiles the target, reads the file. Says what is wrong
/// about it, and which keys beside it have no effect.
void read_answer(const Section& section, Route& route);
/// What is dangerous about what a route's `match` and key let in.
void check_conditions(const Section& section, const PolicyDraft& draft, const Route& route);

/// A hash of everything that makes stored answers unfit when it changes.
std::uint64_t fingerprint_of(const Route& route, const PolicyDraft& draft);
/// A hash of everything that gives lifetimes (`Policy::lifetimes`).
std::uint64_t lifetimes_of(const PolicyDraft& draft);
/// What `credentials` guards on a route: the names that it neither keys, nor chooses cookies of, nor shares, nor keeps
/// from the origin by `request_headers`.
/// Whether the key has credentials or cookies, so that a stored response may be one client's.
bool keys_secrets(const rules::Policy& policy, const cache::KeySpec& key);
rules::CredentialGuard guard_of(const rules::Policy& policy, const cache::KeySpec& key, const HeaderChanges& changes);

/// Puts one override into the tree, as if it stood in the file.
NodePtr apply_override(const NodePtr& root, std::string_view key, const NodePtr& value, Report& report);

}  // namespace forebay::config
