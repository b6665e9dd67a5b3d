#include "forebay/proxy/purging.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "forebay/base/suggest.hpp"
#include "forebay/base/text.hpp"
#include "forebay/proxy/runtime.hpp"
#include "forebay/rules/tags.hpp"

namespace forebay::proxy {
namespace {

using How = cache::UrlPattern::How;
using cache::PurgeKind;

constexpr std::size_t kLongestName = 8192;
constexpr std::size_t kLongestShown = 256;
constexpr std::size_t kMostShown = 5;
/// Names of URLs under the routes that may have them.
constexpr std::size_t kMostResources = 16384;
/// Patterns for routes without the path in their keys.
constexpr std::size_t kMostByRoute = 1000;

void drop_doubles(std::vector<Digest>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// The request for a URL, as far as its resource depends on it.
http::RequestView plain_get() noexcept {
  http::RequestView get;
  get.method_text = "GET";
  return get;
}

void build_resource(const config::Route& route, std::string_view scheme, std::string_view host,
                    const http::Target& target, cache::Key& key) {
  const auto get = plain_get();
  std::vector<cache::Capture> captures;
  route.path.capture(target.path(), captures);
  cache::KeyInput input{route.name, get, target, scheme, host};
  input.captures = captures;
  key.build_resource(route.key, input);
}

std::string shown(std::string_view name) {
  auto text = as_utf8(name.substr(0, kLongestShown));
  return name.size() > kLongestShown ? text + "..." : text;
}

std::string in_quotes(std::string_view name) { return '"' + shown(name) + '"'; }

/// How all paths that the pattern matches begin; `whole`: there is one such path, this one.
struct Beginning {
  std::string text;
  bool whole = false;
};

Beginning beginning_of(const config::PathPattern& pattern) {
  const auto text = std::string_view(pattern.text());
  if (text.starts_with('~')) return {};
  Beginning out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('/', at + 1), text.size());
    const auto segment = text.substr(at + 1, end - at - 1);
    if (segment == "**") return out;  // of no segments too, without the slash
    out.text += '/';
    const auto literal = segment.substr(0, segment.find_first_of("*{"));
    if (!http::append_normal_segment(literal, out.text) || literal.size() != segment.size()) return out;
    at = end;
  }
  out.whole = true;
  return out;
}

/// False only where no path of the route is meant: `text` is that of a prefix or a glob.
bool may_mean(How how, std::string_view text, const config::PathPattern& route) {
  const auto query = text.find('?');
  const auto path = text.substr(0, query);
  const auto star = how == How::Glob ? path.find('*') : std::string_view::npos;
  const bool is_one = star == std::string_view::npos && (how == How::Glob || query != std::string_view::npos);
  if (is_one) return route.matches(path);
  const auto theirs = beginning_of(route);
  const auto own = path.substr(0, star);
  return theirs.text.starts_with(own) || (!theirs.whole && own.starts_with(theirs.text));
}

/// Keys have none. What follows the `&` at the end of a prefix is another pair.
std::string without_empty_pairs(std::string_view query, bool is_prefix) {
  std::string out;
  http::for_each_query_pair(
      query, [&](const http::QueryPair& pair) { out.append(out.empty() ? "" : "&").append(http::whole_pair(pair)); });
  return is_prefix && !out.empty() && query.ends_with('&') ? out + '&' : out;
}

/// Makes the order, and keeps the first fault.
class Preparing {
 public:
  explicit Preparing(const Runtime& runtime) : runtime_(runtime) {}

  std::variant<PreparedPurge, PurgeFault> prepare(const PurgeNames& names);

 private:
  void fault(std::string why) {
    if (fault_.why.empty()) fault_.why = std::move(why);
  }
  /// False when it is no URL and no path. A glob may begin with a star.
  bool read(std::string_view kind, std::string_view text, bool glob);
  void url(std::string_view text);
  void url_of_every_host();
  void pattern(std::string_view text, How how);
  void keys_without_path(const cache::UrlPattern& pattern);
  void keys_with_other_query(const cache::UrlPattern& pattern);
  void add_by_route(cache::UrlPattern pattern);
  void tag(std::string_view text);
  void route(const std::string& name);
  void id(std::string_view text);
  template <class Each>
  void each(const std::vector<std::string>& names, std::string_view word, PurgeKind kind, Each&& each);

  const Runtime& runtime_;
  PreparedPurge out_;
  std::vector<cache::UrlPattern> by_route_;  // for keys without the path
  PurgeFault fault_;
  std::size_t shown_ = 0, left_out_ = 0;
  // The URL that was read last.
  std::string raw_;
  http::Target target_;
  std::string host_;
  std::string_view scheme_;
};

bool Preparing::read(std::string_view kind, std::string_view text, bool glob) {
  const bool starred = glob && text.starts_with('*');
  raw_ = starred ? "/" + std::string(text) : std::string(text);
  host_.clear();
  if (text.starts_with("*://"))
    return fault(in_quotes(text) + " begins with a \"*\" for the scheme; write http:// before a host, which is for " +
                 "https too, or a path alone."),
           false;
  const auto such_as = " is not a URL such as http://shop.example.com/p/42, and not a path such as /p/42";
  if (!raw_.starts_with('/') && raw_.find("://") == std::string::npos)
    return fault(in_quotes(text) + " of \"" + std::string(kind) + '"' + such_as + "; write http:// before a host."),
           false;
  if (!target_.read(http::Method::Get, raw_))
    return fault(in_quotes(text) + " of \"" + std::string(kind) + '"' + such_as +
                 ", with other characters than those of URLs percent-encoded and without \"#\"."),
           false;
  scheme_ = target_.scheme().empty() ? "http" : target_.scheme();
  const auto authority = target_.authority();
  if (authority.empty()) return true;
  if (glob && authority.find('*') != std::string_view::npos)
    return fault(in_quotes(text) + " has a \"*\" in its host; write a path alone, which is for every host."), false;
  if (http::append_normal_host(authority, scheme_, host_)) return true;
  return fault(in_quotes(text) + " has an invalid host."), false;
}

void Preparing::url(std::string_view text) {
  if (!read("url", text, false)) return;
  if (host_.empty()) return url_of_every_host();
  add_resources(runtime_.routes, scheme_, host_, target_, out_.order.resources);
}

/// Keys with a host are found by what follows it.
void Preparing::url_of_every_host() {
  cache::Key key;
  auto& urls = out_.order.urls;
  const auto add = [&urls](cache::UrlPattern pattern) {
    if (std::none_of(urls.begin(), urls.end(), [&](const cache::UrlPattern& u) {
          return u.how == pattern.how && u.text == pattern.text && u.route == pattern.route && u.host.empty();
        }))
      urls.push_back(std::move(pattern));
  };
  for (const auto& route : runtime_.config->routes) {
    if (!route.policy.cache || route.answers != config::Answers::Origin || !route.path.matches(target_.path()))
      continue;
    build_resource(route, scheme_, {}, target_, key);
    if (!route.key.host) {
      out_.order.resources.push_back(key.resource());
      if (route.policy.no_vary_search) out_.order.resources.push_back(key.searched_resource());
      continue;
    }
    // Without the path in it, the same text may be another URL on another route.
    const bool whole = route.key.path == cache::PathMode::All;
    add({How::Keyed, {}, std::string(key.after_host()), whole ? std::string() : route.name});
    // Of many URLs, perhaps also of this one.
    const auto before_query = key.after_host().substr(0, key.after_host().find("|q:"));
    if (route.policy.no_vary_search) add({How::Searched, {}, std::string(before_query), route.name});
  }
}

void Preparing::pattern(std::string_view text, How how) {
  const bool glob = how == How::Glob;
  const auto kind = std::string_view(glob ? "glob" : "prefix");
  if (!read(kind, text, glob)) return;
  auto path = std::string(target_.path());
  const auto query = raw_.find('?');
  const auto before = std::string_view(raw_).substr(0, query);
  // `/a/.` may be meant for `/a/.well-known`; as a path it is `/a/`.
  const auto scheme_end = before.find("://");
  const auto path_from = before.find('/', scheme_end == std::string_view::npos ? 0 : scheme_end + 3);
  if (path.ends_with('/') && !before.ends_with('/') && path_from != std::string_view::npos)
    return fault(in_quotes(text) + " of \"" + std::string(kind) + "\" ends in a dot segment; write " + path + '.');
  if (glob && text.starts_with('*')) path.erase(0, 1);
  if (const auto asked = target_.query()) path.append("?").append(without_empty_pairs(*asked, !glob));
  out_.order.urls.push_back({how, host_, std::move(path), {}});
  // A copy: the list grows.
  const auto made = out_.order.urls.back();
  keys_without_path(made);
  keys_with_other_query(made);
}

void Preparing::add_by_route(cache::UrlPattern pattern) {
  if (std::none_of(by_route_.begin(), by_route_.end(), [&](const cache::UrlPattern& there) {
        return there.route == pattern.route && there.host == pattern.host && there.text == pattern.text;
      }))
    by_route_.push_back(std::move(pattern));
}

/// Where keys drop or sort parameters, the query of the client cannot be found in them: the path alone counts.
void Preparing::keys_with_other_query(const cache::UrlPattern& pattern) {
  const auto query = pattern.text.find('?');
  if (query == std::string::npos) return;
  for (const auto& route : runtime_.config->routes) {
    const auto& key = route.key;
    const bool as_sent =
        key.query == cache::QueryMode::All && !key.sorts_query() && !key.graphql && !route.policy.no_vary_search;
    if (as_sent || key.path != cache::PathMode::All || !may_mean(pattern.how, pattern.text, route.path)) continue;
    // A glob without a query matches whatever the query is, and counts as a prefix does.
    add_by_route({How::Glob, pattern.host, pattern.text.substr(0, query), route.name});
  }
}

/// Nothing in such a key says which path of its route it is for: each of them may be meant.
void Preparing::keys_without_path(const cache::UrlPattern& pattern) {
  for (const auto& route : runtime_.config->routes) {
    if (route.key.path == cache::PathMode::All || !may_mean(pattern.how, pattern.text, route.path)) continue;
    // One for each host: the text does not count.
    if (std::none_of(by_route_.begin(), by_route_.end(), [&](const cache::UrlPattern& there) {
          return there.route == route.name && there.host == pattern.host;
        }))
      by_route_.push_back({pattern.how, pattern.host, pattern.text, route.name});
  }
}

void Preparing::tag(std::string_view text) {
  if (!rules::is_tag(text))
    return fault(in_quotes(text) + " is not a tag; tags have no line ends and no control characters, and at most " +
                 std::to_string(rules::kLongestTag) + " bytes.");
  // Only what `tags.add` is filled with may have them.
  const auto& routes = runtime_.config->routes;
  const bool filled = std::any_of(routes.begin(), routes.end(), [](const config::Route& route) {
    const auto& add = route.policy.tags.add;
    return std::any_of(add.begin(), add.end(), [](const auto& t) { return !t.pieces().empty(); });
  });
  if (!filled && text.find_first_of(" ,") != std::string_view::npos)
    return fault(in_quotes(text) + " has a blank or a comma, which separate tags; write a list with one tag in each " +
                 "item.");
  out_.order.tags.push_back(cache::tag_digest(text));
}

void Preparing::route(const std::string& name) {
  const auto& routes = runtime_.config->routes;
  if (std::any_of(routes.begin(), routes.end(), [&](const config::Route& r) { return r.name == name; }))
    return out_.order.routes.push_back(name);
  std::vector<std::string_view> known;
  for (const auto& r : routes) known.push_back(r.name);
  const auto meant = nearest(name, known);
  if (fault_.why.empty()) fault_.no_such_route = true;
  fault("There is no route " + in_quotes(name) +
        (meant ? "; did you mean \"" + *meant + "\"?" : "; GET /api/v1/routes lists them."));
}

void Preparing::id(std::string_view text) {
  Digest digest;
  bool good = text.size() == 32;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    const int value = hex_value(text[i]);
    good = value >= 0;
    auto& half = i < 16 ? digest.hi : digest.lo;
    half = half << 4 | static_cast<std::uint64_t>(value & 15);
  }
  if (!good) return fault(in_quotes(text) + " is not an id; ids have 32 hex digits, as explain and the log show them.");
  out_.order.ids.push_back(digest);
}

template <class Each>
void Preparing::each(const std::vector<std::string>& names, std::string_view word, PurgeKind kind, Each&& each) {
  for (const auto& name : names) {
    if (name.empty()) return fault("A name of \"" + std::string(word) + "\" is empty.");
    if (name.size() > kLongestName)
      return fault("A name of \"" + std::string(word) + "\" has more than " + std::to_string(kLongestName) + " bytes.");
    each(name);
    if (++shown_ > kMostShown) {
      ++left_out_;
      continue;
    }
    auto& what = out_.what;
    // The query may hold secrets.
    const bool is_url = kind == PurgeKind::Url || kind == PurgeKind::Prefix;
    const auto query = is_url ? name.find('?') : std::string::npos;
    what.append(what.empty() ? "" : ", ").append(word).append(" ").append(shown(name.substr(0, query)));
    if (query != std::string::npos) what.append("?...");
  }
  if (!names.empty()) out_.kinds[static_cast<std::size_t>(kind)] = true;
}

std::variant<PreparedPurge, PurgeFault> Preparing::prepare(const PurgeNames& names) {
  if (names.count() == 0)
    return PurgeFault{"Nothing is named; name a url, prefix, glob, tag, route or id, or set \"all\" to true."};
  if (names.count() > kMostPurgeNames)
    return PurgeFault{"More than " + std::to_string(kMostPurgeNames) + " names; send them in several requests."};
  each(names.urls, "url", PurgeKind::Url, [this](const std::string& n) { url(n); });
  each(names.prefixes, "prefix", PurgeKind::Prefix, [this](const std::string& n) { pattern(n, How::Prefix); });
  each(names.globs, "glob", PurgeKind::Prefix, [this](const std::string& n) { pattern(n, How::Glob); });
  each(names.tags, "tag", PurgeKind::Tag, [this](const std::string& n) { tag(n); });
  each(names.routes, "route", PurgeKind::Route, [this](const std::string& n) { route(n); });
  each(names.ids, "id", PurgeKind::Id, [this](const std::string& n) { id(n); });
  if (!fault_.why.empty()) return std::move(fault_);
  auto& order = out_.order;
  drop_doubles(order.resources);
  if (order.resources.size() > kMostResources)
    return PurgeFault{"The URLs fit too many routes; send them in several requests."};
  if (order.urls.size() + order.routes.size() + order.ids.size() > kMostSearchedNames)
    return PurgeFault{"More than " + std::to_string(kMostSearchedNames) +
                      " prefixes, globs, routes, ids and URLs without a host; send them in several requests."};
  if (by_route_.size() > kMostByRoute)
    return PurgeFault{"The prefixes and globs may mean too many routes without the path in their keys; name fewer."};
  order.urls.insert(order.urls.end(), std::make_move_iterator(by_route_.begin()),
                    std::make_move_iterator(by_route_.end()));
  if (left_out_ > 0) out_.what += " and " + std::to_string(left_out_) + " more";
  if (names.all) {
    order.all = true;
    out_.kinds = {};
    out_.kinds[static_cast<std::size_t>(PurgeKind::All)] = true;
    out_.what = "everything";
  }
  return std::move(out_);
}

}  // namespace

std::size_t PurgeNames::count() const noexcept {
  return urls.size() + prefixes.size() + globs.size() + tags.size() + routes.size() + ids.size() + (all ? 1 : 0);
}

std::variant<PreparedPurge, PurgeFault> prepare_purge(const PurgeNames& names, const Runtime& runtime) {
  return Preparing(runtime).prepare(names);
}

std::string to_json(const PreparedPurge& purge, const PurgeDone& done) {
  std::string out = "{\"purged\":" + std::to_string(done.purged.total) + ",\"by\":{";
  bool first = true;
  for (std::size_t k = 0; k < cache::kPurgeKinds; ++k) {
    if (!purge.kinds[k]) continue;
    out.append(std::exchange(first, false) ? "\"" : ",\"").append(cache::to_string(static_cast<PurgeKind>(k)));
    out.append("\":").append(std::to_string(done.purged.by[k]));
  }
  char took[32];
  std::snprintf(took, sizeof took, "%.3f", static_cast<double>(done.took.count()) / 1e6);
  out.append("},\"mode\":\"").append(cache::to_string(purge.order.mode));
  out.append("\",\"dry_run\":").append(purge.order.dry_run ? "true" : "false");
  return out.append(",\"took_ms\":").append(took).append("}\n");
}

std::string outcome_text(const PreparedPurge& purge, const PurgeDone& done) {
  std::string out(purge.order.dry_run ? "dry run of a " : "");
  out.append(cache::to_string(purge.order.mode)).append(" purge of ").append(purge.what).append(": ");
  return out.append(std::to_string(done.purged.total)).append(done.purged.total == 1 ? " entry" : " entries");
}

void add_resources(const config::RouteTable& routes, std::string_view scheme, std::string_view host,
                   const http::Target& target, std::vector<Digest>& out) {
  cache::Key key;
  std::vector<const config::Route*> matching;
  routes.find_all(host, target.path(), matching);
  for (const auto* route : matching) {
    build_resource(*route, scheme, host, target, key);
    out.push_back(key.resource());
    // Responses stored under a No-Vary-Search rule are for many URLs, perhaps also for this one.
    if (route->policy.no_vary_search) out.push_back(key.searched_resource());
  }
  // What was stored under a route that a reload has removed, and may bring back.
  const auto get = plain_get();
  key.build_resource({}, {{}, get, target, scheme, host});
  out.push_back(key.resource());
}

}  // namespace forebay::proxy
