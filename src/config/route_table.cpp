#include "forebay/config/route_table.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <unordered_map>

#include "config/compiled_pattern.hpp"
#include "forebay/http/list.hpp"

namespace forebay::config {
namespace {

using Kind = PatternSegment::Kind;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kDeepest = 8;  // Levels; what goes on below is compared by the pattern itself.
constexpr int kMostAny = 3;          // Edges for any segment on one way: they double the ways to walk.

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

/// Routes by the segments that every path of theirs must have. Each list is in file order.
struct Trie {
  struct Node {
    StringMap<std::size_t> literal;
    std::size_t any = kNone;         ///< Edge for `{id}` and globs.
    std::vector<std::size_t> ends;   ///< Routes whose paths end here.
    std::vector<std::size_t> below;  ///< Routes whose paths end here or below.
  };
  std::vector<Node> nodes{1};

  void add(const PathPattern& pattern, std::size_t route) {
    const auto* segments = PatternView::of(pattern).segments;
    std::size_t at = 0, depth = 0;
    int any = 0;
    if (segments) {
      for (; depth < segments->size() && depth < kDeepest; ++depth) {
        const auto& s = (*segments)[depth];
        if (s.kind == Kind::Rest || s.kind == Kind::AnySegments) break;
        if (s.kind != Kind::Literal && ++any > kMostAny) break;
        at = s.kind == Kind::Literal ? literal_edge(at, s.text) : any_edge(at);
      }
    }
    auto& list = segments && depth == segments->size() ? nodes[at].ends : nodes[at].below;
    if (list.empty() || list.back() != route) list.push_back(route);
  }

 private:
  std::size_t literal_edge(std::size_t at, const std::string& text) {
    const auto known = nodes[at].literal.find(text);
    if (known != nodes[at].literal.end()) return known->second;
    nodes.emplace_back();
    nodes[at].literal.emplace(text, nodes.size() - 1);
    return nodes.size() - 1;
  }
  std::size_t any_edge(std::size_t at) {
    if (nodes[at].any == kNone) {
      nodes.emplace_back();
      nodes[at].any = nodes.size() - 1;
    }
    return nodes[at].any;
  }
};

/// Host without port.
std::string_view without_port(std::string_view host) noexcept {
  if (host.starts_with('['))
    return host.substr(0, host.find(']') == std::string_view::npos ? host.size() : host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

/// A whole name, or `*` in front of a dot and no other star.
bool is_indexed(const std::string& host) noexcept {
  return host.find('*', host.starts_with("*.") ? 1 : 0) == std::string::npos;
}

bool has_method(const Route& route, http::Method method, std::string_view text) noexcept {
  const auto& policy = route.policy;
  if (route.any_method) return true;
  if (method != http::Method::Other) return policy.methods.test(static_cast<std::size_t>(method));
  return std::find(policy.other_methods.begin(), policy.other_methods.end(), text) != policy.other_methods.end();
}

/// Whether a route that answers by itself takes a request: others are the next routes'.
bool takes(const Route& route, bool method_fits, std::string_view scheme) noexcept {
  return method_fits && !(route.answers == Answers::Redirect && route.redirect.only_http && scheme != "http");
}

}  // namespace

struct RouteTable::Index {
  std::vector<const Route*> routes;
  Trie any_host;              ///< Routes without a host, or with another glob among them.
  StringMap<Trie> by_host;    ///< Routes with whole names, by name.
  StringMap<Trie> by_suffix;  ///< Routes with `*.example.com`, by `.example.com`.

  /// Calls `visit` with routes of each list in file order, lists in no order; `visit` says whether later ones of that
  /// list may still matter.
  template <class F>
  void walk(const Trie& trie, std::size_t node, std::string_view path, std::size_t at, F& visit) const {
    const auto& n = trie.nodes[node];
    const bool done = at > path.size();
    for (const auto route : n.below)
      if (!visit(route)) break;
    if (done) {
      for (const auto route : n.ends)
        if (!visit(route)) break;
      return;
    }
    const auto end = std::min(path.find('/', at), path.size());
    if (!n.literal.empty()) {
      const auto it = n.literal.find(path.substr(at, end - at));
      if (it != n.literal.end()) walk(trie, it->second, path, end + 1, visit);
    }
    if (n.any != kNone) walk(trie, n.any, path, end + 1, visit);
  }

  template <class F>
  void candidates(std::string_view host, std::string_view path, F& visit) const {
    const auto it = by_host.find(host);
    if (it != by_host.end()) walk(it->second, 0, path, 1, visit);
    for (auto dot = by_suffix.empty() ? std::string_view::npos : host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
      const auto suffix = by_suffix.find(host.substr(dot));
      if (suffix != by_suffix.end()) walk(suffix->second, 0, path, 1, visit);
    }
    walk(any_host, 0, path, 1, visit);
  }

  bool matches(const Route& route, std::string_view host, std::string_view path) const {
    const bool host_fits =
        route.hosts.empty() || std::any_of(route.hosts.begin(), route.hosts.end(),
                                           [&](const auto& glob) { return http::glob_match(glob, host); });
    return host_fits && route.path.matches(path);
  }
};

RouteTable::RouteTable(const Config& config) {
  auto index = std::make_unique<Index>();
  for (const auto& route : config.routes) {
    const auto number = index->routes.size();
    index->routes.push_back(&route);
    const bool indexed = !route.hosts.empty() && std::all_of(route.hosts.begin(), route.hosts.end(), is_indexed);
    if (!indexed) index->any_host.add(route.path, number);
    for (const auto& host : route.hosts) {
      if (!indexed) break;
      auto& trie = host.starts_with('*') ? index->by_suffix[host.substr(1)] : index->by_host[host];
      trie.add(route.path, number);
    }
  }
  index_ = std::move(index);
}

RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable::~RouteTable() = default;

RouteTable::Match RouteTable::find(std::string_view host, std::string_view path, const http::RequestView& request,
                                   std::optional<std::string_view> query, std::size_t from,
                                   std::string_view scheme) const {
  const auto& index = *index_;
  const auto name = without_port(host);
  std::size_t best = kNone;        // first with host, path, conditions and method
  std::size_t best_other = kNone;  // first with host, path and conditions
  Match found, other;
  const auto visit = [&](std::size_t number) {
    if (number >= best) return false;
    const auto& route = *index.routes[number];
    const bool method_fits = has_method(route, request.method, request.method_text);
    if (route.answers != Answers::Origin && !takes(route, method_fits, scheme)) return true;
    if (method_fits && number < from) return true;
    if (!method_fits && number >= best_other) return true;
    if (!index.matches(route, name, path)) return true;
    Match match{&route, method_fits, {}};
    if (route.match.asks_head()) match.conditions = rules::match_head(route.match, request.fields, query);
    if (match.conditions.verdict == rules::Verdict::No) return true;
    if (method_fits) best = number, found = match;
    // By its content nobody has judged it yet: it takes no methods but its own.
    if (number < best_other && (method_fits || route.match.body.empty())) best_other = number, other = match;
    return !method_fits;
  };
  index.candidates(name, path, visit);
  return best != kNone ? found : other;
}

void RouteTable::find_all(std::string_view host, std::string_view path, std::vector<const Route*>& out,
                          Which which) const {
  const auto& index = *index_;
  const auto name = without_port(host);
  const auto begin = out.size();
  const auto visit = [&](std::size_t number) {
    const auto& route = *index.routes[number];
    const bool wanted = which == Which::All || route.policy.cache;
    if (wanted && index.matches(route, name, path)) out.push_back(&route);
    return true;
  };
  index.candidates(name, path, visit);
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(begin);
  std::sort(first, out.end(), std::less<const Route*>{});
  out.erase(std::unique(first, out.end()), out.end());  // A route may be found by a name and by a suffix.
}

}  // namespace forebay::config
