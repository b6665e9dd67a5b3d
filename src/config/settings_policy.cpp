// Settings of a policy: `defaults`, `policies.NAME`, and most keys of a route.
#include <algorithm>

#include "config/codecs.hpp"
#include "config/schema.hpp"
#include "config/suggest.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::config {
namespace {

using rules::Policy;

/// Methods that only look like a slip for one of ours: those of the IANA registry, and a few that are in use.
constexpr std::string_view kOthers =
    "ACL | BAN | BASELINE-CONTROL | BIND | CHECKIN | CHECKOUT | COPY | LABEL | LINK | LIST | LOCK | M-SEARCH | MERGE | "
    "MKACTIVITY | MKCALENDAR | MKCOL | MKWORKSPACE | MOVE | NOTIFY | ORDERPATCH | PROPFIND | PROPPATCH | PURGE | READ "
    "| REBIND | REPORT | SEARCH | SUBSCRIBE | UNBIND | UNCHECKOUT | UNLINK | UNLOCK | UNSUBSCRIBE | UPDATE | VIEW | "
    "MKREDIRECTREF | UPDATEREDIRECTREF | VERSION-CONTROL";

bool is_other(std::string_view method) noexcept {
  const auto others = words_of(kOthers);
  return std::find(others.begin(), others.end(), method) != others.end();
}

/// What to write for `GET POST`, `GET|POST` and `GET, POST`; empty for what is no such list.
std::string several_methods(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ' ' || c == '|'; }, ',');
  text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ',' && b == ','; }), text.end());
  const auto names = names_in(text);
  const bool all = std::all_of(names.begin(), names.end(), [](auto name) {
    return http::method_of(name) != http::Method::Other || is_other(name);
  });
  return all ? list_hint(text) : std::string();
}

/// What is wrong with the text of a method: a sentence and what to write instead; nothing for a good one.
std::optional<Fault> fault_of(const std::string& text) {
  const auto several = several_methods(text);
  if (!several.empty() || !is_token(text))
    return Fault{1002, in_quotes(text) + " is not a method", several.empty() ? "such as GET" : several};
  if (text.find('*') != std::string::npos)
    return Fault{1002, in_quotes(text) + " is a glob", std::string(kLiteralNames)};
  const auto method = http::method_of(text);
  if (method == http::Method::Connect || method == http::Method::Trace)
    return Fault{1002, in_quotes(text) + " is never forwarded (405)", "leave it out"};
  if (http::orders_purge(text))
    return Fault{1002, in_quotes(text) + " is never forwarded (405)",
                 "leave it out; purge.methods lets clients purge by it"};
  if (method != http::Method::Other || is_other(text)) return std::nullopt;
  std::string upper = text;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  if (http::method_of(upper) != http::Method::Other || is_other(upper))
    return Fault{1002, in_quotes(text) + " is not a method: their case matters", "write " + upper};
  const auto near = nearest(upper, {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"});
  if (near) return Fault{1002, in_quotes(text) + " is not a method", "did you mean " + *near + "?"};
  // A longer name that is one letter away from a registered one is no name of somebody's own.
  for (const auto other : words_of(kOthers))
    if (other.size() >= 5 && edit_distance(upper, other) == 1)
      return Fault{1002, in_quotes(text) + " is not a method", "did you mean " + std::string(other) + "?"};
  return std::nullopt;
}

struct Methods {
  using Value = Policy;
  static constexpr std::string_view kType = "list of method";
  static constexpr std::size_t kMembers = 2;  // methods, other_methods
  static void read(const Reading& r, Policy& out) {
    const bool set = r.each(out.other_methods, [&, first = true](const Node& item, const std::string& path) mutable {
      if (std::exchange(first, false)) out.methods.reset();
      if (const auto fault = fault_of(item.text)) return r.section.fault(item, path, *fault);
      const auto method = http::method_of(item.text);
      if (method == http::Method::Other) return add_once(out.other_methods, item.text);
      out.methods.set(static_cast<std::size_t>(method));
      if (method == http::Method::Get) out.methods.set(static_cast<std::size_t>(http::Method::Head));
    });
    if (set && r.node()->is_list() && r.node()->items.empty())
      r.error(1004, *r.node(), "a route without methods matches nothing", "leave \"methods\" out");
  }
  static std::string text(const Policy& policy) {
    Texts names;
    for (std::size_t i = 0; i < static_cast<std::size_t>(http::Method::Other); ++i)
      if (policy.methods.test(i)) names.emplace_back(http::to_string(static_cast<http::Method>(i)));
    names.insert(names.end(), policy.other_methods.begin(), policy.other_methods.end());
    return yaml_texts(names);
  }
};

/// What to write for a word that is no protocol of Upgrade; nothing for any other.
std::optional<std::string> hint_for_protocol(std::string_view text) {
  const auto low = lower_case(text);
  const auto is = [&](auto... words) { return ((low == words) || ...); };
  if (is("false", "no", "off", "none", "never")) return "write [] for none";
  if (is("true", "yes", "on", "all", "any", "ws", "wss", "web-socket", "web_socket", "socket.io"))
    return "write websocket";
  if (low != "websocket" && nearest(low, {"websocket"})) return "did you mean websocket?";
  return std::nullopt;
}

/// Protocols of Upgrade: `name` or `name/version`.
struct Protocols {
  static constexpr std::string_view kType = "list of protocol";
  static void read(const Reading& r, std::vector<std::string>& out) {
    r.each(out, [&](const Node& item, const std::string& path) {
      const auto slash = item.text.find('/');
      const bool valid = is_token(std::string_view(item.text).substr(0, slash)) &&
                         (slash == std::string::npos || is_token(std::string_view(item.text).substr(slash + 1)));
      if (!valid)
        r.section.error(1002, item, path, in_quotes(item.text) + " is not a protocol", "such as websocket");
      else if (const auto hint = hint_for_protocol(item.text))
        r.section.error(1028, item, path, in_quotes(item.text) + " is not a protocol of Upgrade", *hint);
      else if (http::never_upgrades_to(item.text))
        r.section.error(1028, item, path, in_quotes(item.text) + " is never forwarded as an upgrade",
                        "requests in such a tunnel would pass all rules; write protocols such as websocket");
      else
        add_once(out, item.text);
    });
  }
  static std::string text(const std::vector<std::string>& protocols) { return yaml_texts(protocols); }
};

/// `ttl: 30s`; the keys of the map are rows of their own.
struct ShortTtl {
  using Value = Policy;
  static constexpr std::string_view kType = "duration or map";
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, Policy& out) {
    const auto* node = r.node();
    if (!node || node->is_map()) return;
    if (const auto value = r.duration(*node, r.path())) out.ttl.fallback = *value;
  }
};

struct StatusLifetimes {
  static constexpr std::string_view kType = "map of status to duration";
  static void read(const Reading& r, std::vector<rules::StatusLifetime>& all) {
    const auto* node = r.node();
    if (!node) return;
    if (!node->is_map())
      return r.error(1002, *node, "\"ttl.status\" maps statuses to durations", "such as { \"404\": 10s }");
    for (const auto& [key, value] : node->entries) {
      if (is_users_own(key->text)) continue;
      const auto path = r.path() + '.' + clipped(key->text);
      const auto status = parse_status(key->text);
      if (!status.value) {
        r.section.fault(*key, path, status.fault);
      } else if (value->is_null()) {
        r.section.error(1002, *key, path, in_quotes(key->text) + " has no value");
      } else if (const auto lifetime = r.duration(*value, path)) {
        std::erase_if(all, [&](const auto& known) { return known.first == *status.value; });
        all.emplace_back(*status.value, *lifetime);
      }
    }
    // The first that matches counts, so a status stands before the ranges and classes that it is in.
    const auto width = [](const auto& s) { return s.first.to - s.first.from; };
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return width(a) < width(b); });
  }
  static std::string text(const std::vector<rules::StatusLifetime>& all) {
    return yaml_map(all,
                    [](const auto& s) { return '"' + format_status(s.first) + "\": " + format_duration(s.second); });
  }
};

constexpr auto kTtl = table<Policy::Ttl>({
    key<&Policy::Ttl::fallback>("default", "0..3650d",
                                "Lifetime where the origin states none; 0: only what the origin allows.",
                                Reload::Lifetimes),
    key<&Policy::Ttl::min>("min", "0..3650d", "Shortest lifetime; lifts `max-age=0`, never `no-cache`.",
                           Reload::Lifetimes),
    key<&Policy::Ttl::max>("max", "0..3650d", "Longest lifetime.", Reload::Lifetimes),
    key<&Policy::Ttl::negative>("negative", "0..3650d",
                                "Longest configured lifetime of 404, 405, 410 and 451, unless a line of `ttl.status` "
                                "is for them; `ttl.min` does not lift it.",
                                Reload::Lifetimes),
    as<StatusLifetimes, &Policy::Ttl::status>(
        "status", "0..3650d", "Lifetimes by status where the origin states none, such as `{ \"404\": 10s, 5xx: 0 }`.",
        Reload::Lifetimes),
    key<&Policy::Ttl::jitter>("jitter", "0%..50%", "Shortens each lifetime by a random share of up to this much."),
    key<&Policy::Ttl::heuristic>(
        "heuristic", "0%..100%",
        "Lifetime as a share of the time since Last-Modified (RFC 9111 section 4.2.2); 0% is off.", Reload::Lifetimes),
});

constexpr auto kStale = table<rules::StalePolicy>({
    key<&rules::StalePolicy::while_revalidate>(
        "while_revalidate", "0..3650d",
        "How long a stale response is served while it is refreshed (RFC 5861); the origin's directive wins."),
    key<&rules::StalePolicy::if_error>(
        "if_error", "0..3650d",
        "How long a stale response is served when the origin fails (RFC 5861); the origin's directive wins."),
    as<Failures, &rules::StalePolicy::errors>("errors", "", "What counts as failing."),
});
constexpr auto kCoalesce = table<Policy::Coalesce>({
    key<&Policy::Coalesce::enabled>("enabled", "", "Whether requests for one key share one fetch."),
    key<&Policy::Coalesce::wait>("wait", "1ms..1h", "How long a request waits for the head of another's fetch."),
    key<&Policy::Coalesce::on_timeout>("on_timeout", "fetch | error",
                                       "What comes then: one further fetch that the rest joins, or 504."),
    key<&Policy::Coalesce::max_waiters>("max_waiters", "1..1000000",
                                        "Requests that wait for one key; beyond it `on_timeout` applies at once."),
});
constexpr auto kTargeted = table<Policy>({
    as<FieldNames, &Policy::targeted_fields>("fields", "", "Targeted Cache-Control fields (RFC 9213), in order."),
    key<&Policy::targeted_strip>("strip", "", "Whether these fields are kept from clients."),
});
constexpr auto kClientRefresh = table<Policy::ClientRefresh>({
    as<Token<Policy::ClientRefresh>>(
        "token", "", "A request with `Forebay-Refresh: TOKEN` fetches anew and replaces what is stored."),
    as<TokenFile<Policy::ClientRefresh>>("token_file", "", "File with the token."),
    key<&Policy::ClientRefresh::otherwise>(
        "otherwise", "ignore | warn | forbid",
        "What a wrong token does: as if absent, the same with `Forebay-Refresh: refused` in the answer, or 403."),
});
constexpr auto kResponses = table<Policy>({
    key<&Policy::cache>("cache", "", "Whether responses are stored and served from the cache at all."),
    as<Methods>(
        "methods", "",
        "Methods that this route is for, whatever they are; `GET` includes HEAD. Others are forwarded uncached."),
    as<Statuses, &Policy::statuses>(
        "statuses", "",
        "Statuses that a configured lifetime applies to; what the origin says itself counts for every status.",
        Reload::Lifetimes),
    as<ShortTtl>("ttl", "", "Short for `ttl.default`.").by_default("-"),
    map<&Policy::ttl, &kTtl>("ttl"),
    key<&Policy::origin_cache_control>(
        "origin_cache_control", "respect | ignore | override",
        "What the origin's lifetimes count: `ignore` passes over them, `override` also over no-store and private.",
        Reload::Lifetimes),
    as<WordFor<false>, &Policy::client_cache_control>(
        "client_cache_control", "ignore | respect",
        "Whether Cache-Control of requests counts; only-if-cached and no-store always do."),
    map<&Policy::stale, &kStale>("stale"),
    map<&Policy::coalesce, &kCoalesce>("coalesce"),
    key<&Policy::pass_memory>("pass_memory", "0..1d",
                              "How long it is remembered that a key cannot be stored, so that nobody waits for it."),
    key<&Policy::max_object>("max_object", "1B..", "Largest body that is stored here.").by_default("cache.max_object"),
    key<&Policy::request_buffer>(
        "request_buffer", "0..16MiB",
        "How much of a request's body is read before a connection to the origin is used; 0: none."),
    key<&Policy::authorization>(
        "authorization", "rfc | key | bypass | share",
        "Requests with Authorization: by RFC 9111 section 3.5, each for itself, never cached, or as if they had none.",
        Reload::Entries),
    key<&Policy::set_cookie>("set_cookie", "bypass | strip | store",
                             "Answers with Set-Cookie: not stored, stored without it, or stored with it.",
                             Reload::Entries),
    as<WordFor<true>, &Policy::vary>("vary", "respect | ignore", "Whether Vary selects among variants.",
                                     Reload::Entries),
    key<&Policy::max_variants>("max_variants", "1..10000", "Variants of one key; beyond it the oldest goes."),
    key<&Policy::invalidate_on_write>(
        "invalidate_on_write", "",
        "Whether a successful unsafe request drops what is stored for its url (RFC 9111 section 4.4)."),
    key<&Policy::convert_head>("convert_head", "",
                               "Whether a HEAD that finds nothing stored fetches by GET, so that the answer is stored; "
                               "it does not wait for the body."),
    as<Codings, &Policy::compress, &Policy::Compress::codings>(
        "compress", "",
        "Codings that stored responses are compressed with, the preferred one first, where the origin has not encoded "
        "them; the origin is asked for identity. Empty: none."),
    as<MediaTypes, &Policy::compress, &Policy::Compress::types>("compress_types", "",
                                                                "Media types that `compress` is for."),
    key<&Policy::compress, &Policy::Compress::min>("compress_min", "0..16MiB", "Shortest body that is compressed."),
});
constexpr auto kRequests = table<Policy>({
    map<&Policy::bypass, bypass_table>("bypass"),
    as<FieldNames, &Policy::credentials>(
        "credentials", "",
        "Request fields that are credentials: a request that brings one neither makes nor gets an answer that lives by "
        "a configured lifetime, unless the route keys, bypasses, shares or removes the field. An empty list also ends "
        "the guard for secrets in the query."),
    as<FieldNames, &Policy::graphql_preflight>(
        "graphql_preflight", "",
        "Of a GraphQL route: an answer to a request with one of these fields is not given to a GET that has neither "
        "such a field nor a Content-Type that forces a preflight, since CSRF prevention of the origin would refuse "
        "it."),
    key<&Policy::request_cookies>("request_cookies", "guard | share",
                                  "`guard`: Cookie is one of `credentials`, unless `key.cookies` or `bypass.cookies` "
                                  "names cookies; `share`: it is not.",
                                  Reload::Entries),
    as<WordFor<false>, &Policy::store_close_delimited>(
        "close_delimited", "pass | store",
        "A body that only the end of the connection ends: passed on, or stored too."),
    map<&kTargeted>("targeted"),
    as<WordFor<false>, &Policy::no_vary_search>(
        "no_vary_search", "ignore | respect",
        "Whether No-Vary-Search of responses says which query parameters do not matter.", Reload::Entries),
    key<&Policy::suffix_guard>(
        "suffix_guard", "",
        "Whether HTML and JSON under the name of a static file (`.css`, `.js`, `.png`...) stay unstored."),
    as<Globs, &Policy::signed_schemes>(
        "signed_schemes", "",
        "Schemes of Authorization that sign the request: its Range, conditions and fields go forward as they came."),
    as<RefreshAhead, &Policy::refresh_ahead>(
        "refresh_ahead", "0%..100%",
        "A hit within this share of the end of its lifetime starts a refresh behind it; `auto` does so by chance, "
        "weighted by the time that a fetch takes; 0% is off."),
    map<&Policy::client_refresh, &kClientRefresh>("client_refresh"),
    as<Protocols, &Policy::upgrade>(
        "upgrade", "",
        "Protocols that clients may switch to by Upgrade, through a tunnel to the origin; an empty list is none."),
    key<&Policy::early_hints>(
        "early_hints", "pass | replay | off",
        "103 Early Hints: `pass` sends the origin's on, `replay` also sends ahead the preload links of the stored "
        "response that is fetched again, to HTTP/2 clients."),
    map<&Policy::tags, tags_table>("tags"),
    later<Policy>("mode"),
});
constexpr auto kPolicy = table<PolicyDraft>({
    map<&PolicyDraft::policy, &kResponses>(""),
    map<&PolicyDraft::key, key_table>("key"),
    map<&PolicyDraft::policy, &kRequests>(""),
});

/// Remembers who has set what: every key of the block by its path within the policy.
class Notes {
 public:
  Notes(const std::string& owner, PolicyDraft& draft) : owner_(owner), set_(draft.set) {}

  void map(const Node& node, const Schema& schema, const std::string& key, const std::string& path) {
    for (const auto& [name, value] : node.entries) {
      const auto* known = schema.child(name->text);
      if (!known || value->bad || value->is_null()) continue;
      const auto inner_key = key.empty() ? name->text : key + '.' + name->text;
      const auto inner_path = path + '.' + name->text;
      if (inner_key == "ttl" && value->is_scalar())
        leaf("ttl.default", *value, inner_path);
      else if (inner_key == "ttl.status" && value->is_map())
        statuses(*value, inner_path);
      else if (value->is_map() && !known->children.empty())
        map(*value, *known, inner_key, inner_path);
      else
        leaf(inner_key, *value, inner_path);
    }
  }

 private:
  void statuses(const Node& node, const std::string& path) {
    for (const auto& [name, value] : node.entries) {
      const auto status = parse_status(name->text);
      if (status.value && !value->is_null())
        leaf("ttl.status." + format_status(*status.value), *value, path + '.' + name->text);
    }
  }
  void leaf(const std::string& key, const Node& node, const std::string& path) {
    set_[key] = {&node, path, owner_ + '.' + key};
  }

  const std::string& owner_;
  std::map<std::string, SetBy, std::less<>>& set_;
};

}  // namespace

void read_policy(Loading& loading, const Section& block, const std::string& owner, PolicyDraft& draft) {
  if (!block.node()) return;
  Notes(owner, draft).map(*block.node(), *schema_at("policy"), {}, block.path());
  read_rows(loading, block, kPolicy.rows, &draft);
  draft.key.authorization = draft.policy.authorization == rules::AuthorizationRule::Key;
}

rules::CredentialGuard guard_of(const rules::Policy& policy, const cache::KeySpec& key, const HeaderChanges& changes) {
  // A value that bypasses says nothing of the same cookie with another one.
  const auto& bypass = policy.bypass.cookies;
  const bool cookies_chosen = !key.cookies.empty() || policy.request_cookies == rules::RequestCookies::Share ||
                              std::any_of(bypass.begin(), bypass.end(), [](const auto& c) { return c.value.present; });
  std::vector<std::string> guarded;
  for (const auto& name : policy.credentials) {
    const auto is = [&](std::string_view other) { return http::iequals(name, other); };
    const auto is_set = [&](const auto& field) { return is(field.first); };
    const bool keyed = std::any_of(key.headers.begin(), key.headers.end(), is);
    const bool chosen = (is("Cookie") && cookies_chosen) ||
                        (is("Authorization") && policy.authorization != rules::AuthorizationRule::Rfc);
    const bool stays_here = std::any_of(changes.remove.begin(), changes.remove.end(), is) ||
                            std::any_of(changes.set.begin(), changes.set.end(), is_set);
    if (!keyed && !chosen && !stays_here) guarded.push_back(name);
  }
  return rules::CredentialGuard(guarded);
}

namespace {

std::uint64_t number_of(const std::string& text) {
  const auto digest = digest_of(text);
  return digest.hi ^ digest.lo;
}

}  // namespace

bool keys_secrets(const rules::Policy& policy, const cache::KeySpec& key) {
  const auto is_credential = [&](std::string_view header) {
    return http::iequals(header, "Cookie") || http::iequals(header, "Authorization") ||
           std::any_of(policy.credentials.begin(), policy.credentials.end(),
                       [&](const auto& name) { return http::iequals(name, header); });
  };
  return policy.authorization == rules::AuthorizationRule::Key || !key.cookies.empty() ||
         std::any_of(key.headers.begin(), key.headers.end(), is_credential);
}

std::uint64_t lifetimes_of(const PolicyDraft& draft) {
  std::string text;
  append_texts(text, Reload::Lifetimes, kPolicy.rows, &draft);
  return number_of(text);
}

std::uint64_t fingerprint_of(const Route& route, const PolicyDraft& draft) {
  // Their order and case mean nothing.
  auto text = yaml_texts(rules::CredentialGuard(draft.policy.credentials).names());
  auto effective = draft;
  if (!effective.key.graphql) effective.key.graphql_ignore.clear();
  append_texts(text, Reload::Entries, kPolicy.rows, &effective);
  append_texts(text, Reload::Entries, route_table().rows, &route);
  return number_of(text);
}

Table<PolicyDraft> policy_table() noexcept { return kPolicy; }

}  // namespace forebay::config
