// Settings of `origins` and `origin`.
#include <algorithm>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "config/signing.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

/// The url of an origin; reported when it is wrong.
void read_url(Loading& loading, const Section& section, const Node& node, const std::string& path, Origin& origin) {
  const auto* text = section.scalar(node, path, "a url");
  if (!text) return;
  auto parsed = parse_origin_url(*text);
  if (!parsed.value) return section.fault(node, path, parsed.fault);
  origin.urls.assign(1, {*parsed.value, 1});
  origin.url = std::move(*parsed.value);
  loading.places["origin " + origin.name] = {&node, path};
}

/// The one element of a list of urls, or what is no list; null when there are none or several, which is reported.
const Node* only_url(const Section& section, const Node& node, const std::string& path) {
  if (!node.is_list()) return &node;
  if (node.items.size() == 1) return node.items.front().get();
  if (node.items.empty())
    section.error(1004, node, path, "an origin needs a url", "such as http://host:port");
  else
    section.error(1016, node, path, "an origin of several urls is not in this version", "one url for each origin");
  return nullptr;
}

/// `url` and its twin `urls`.
struct OriginUrl {
  using Value = Origin;
  static void read(const Reading& r, Origin& out) {
    const bool twin = r.row.name == "urls";
    if (twin && r.section.node() && r.section.node()->find("url")) return;
    const auto* node = r.node();
    const auto* url = node ? only_url(r.section, *node, r.path()) : nullptr;
    if (url && !(twin && url->is_map())) read_url(r.loading, r.section, *url, r.path(), out);
  }
  static Text text(const Origin& origin, const Printing& p) {
    return p.row.name == "url" ? yaml_text(origin.url.text) : Text();
  }
};

struct HostHeader {
  static constexpr std::string_view kType = "preserve | origin or text";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a text");
    if (!text) return;
    out = *text;
    if (out == "preserve" || out == "origin") return;
    // What would do as the authority of a url does as a Host.
    const auto as_url = parse_origin_url("http://" + out);
    if (!as_url.value || out.find('/') != std::string::npos)
      r.error(1002, *r.node(), in_quotes(out) + " is not a host", "preserve, origin, or a host with or without port");
  }
  static std::string text(const std::string& text) { return yaml_text(text); }
};

constexpr auto kOriginTimeouts = table<Origin::Timeouts>({
    key<&Origin::Timeouts::connect>("connect", "1ms..1h",
                                    "To open a connection: the look-up of the name, TCP and TLS."),
    key<&Origin::Timeouts::dns>("dns", "1ms..1h", "To look the name up; a part of `connect`."),
    key<&Origin::Timeouts::first_byte>("first_byte", "1ms..1h", "From the request to the head of the answer (504)."),
    key<&Origin::Timeouts::between_bytes>("between_bytes", "1ms..1h", "Between two reads of the answer."),
});
constexpr auto kPool = table<Origin::Pool>({
    key<&Origin::Pool::max_connections>("max_connections", "1..100000",
                                        "Connections at a time; further requests wait."),
    key<&Origin::Pool::max_idle>("max_idle", "0..100000", "Connections kept for later requests."),
    key<&Origin::Pool::idle_timeout>("idle_timeout", "1ms..24h", "How long an idle connection is kept."),
    key<&Origin::Pool::queue_timeout>("queue_timeout", "0..1h", "How long a request waits for a connection (503)."),
});
constexpr auto kOrigin = table<Origin>({
    as<OriginUrl>("url", "url",
                  "Where this origin is: `http://host:port` or `https://host:port`; nothing behind the port.")
        .by_default("required"),
    as<OriginUrl>("urls", "list of url", "The same as `url`; several urls come later.")
        .by_default("-")
        .with(&Row::members, std::size_t{0}),
    as<HostHeader, &Origin::host_header>(
        "host_header", "",
        "The Host that the origin sees: the client's, the url's (the default with `sign`), or this text."),
    map<&Origin::timeouts, &kOriginTimeouts>("timeouts"),
    key<&Origin::retries>("retries", "0..10",
                          "Further attempts of safe requests on new connections, when nothing was received yet."),
    map<&Origin::pool, &kPool>("pool"),
    key<&Origin::dns_refresh>("dns_refresh", "100ms..24h",
                              "The longest that looked-up addresses are used; a shorter TTL of theirs counts."),
    key<&Origin::srv>(
        "srv", "",
        "The host of the url is the name of a service, such as `_http._tcp.shop.internal`: its SRV records "
        "have the hosts and ports."),
    map<origin_signing_table>(""),
    map<&origin_tls_table>("tls"),
    later<Origin>("balance"),
    later<Origin>("health"),
    later<Origin>("failover"),
});

/// A service is a name without a port.
void check_srv(const Section& section, const Node& node, const std::string& path, const Origin& origin) {
  if (!origin.srv || origin.url.host.empty()) return;
  const auto* entry = node.entry("srv");
  const auto authority = origin.url.text.substr(origin.url.text.find("://") + 3);
  if (http::parse_ip(origin.url.host) || http::is_localhost(origin.url.host))
    section.error(1005, *entry->key, path + ".srv", in_quotes(origin.url.host) + " has no SRV records",
                  "the url names a service, such as http://_http._tcp.shop.internal");
  else if (authority.find(':') != std::string::npos)
    section.error(1005, *entry->key, path + ".srv", "the port comes from the SRV records",
                  "leave the port of the url out");
}

/// All keys of an origin that is a map.
void read_whole(Loading& loading, const Section& section, const Node& node, const std::string& path, Origin& origin) {
  read_rows(loading, section, kOrigin.rows, &origin);
  check_srv(section, node, path, origin);
  finish_signing(loading, section, origin);
  check_origin_tls(section, origin);
}

Origin read_origin(Loading& loading, const std::string& name, const Node& node, const Node& key) {
  const auto path = "origins." + clipped(name);
  Origin origin;
  origin.name = name;
  const Section section(loading.report, &node, path);
  const bool has_url = node.find("url") != nullptr, has_urls = node.find("urls") != nullptr;
  if (node.is_null() || (node.is_map() && !has_url && !has_urls))
    section.error(1002, key, path, "the origin " + in_quotes(name) + " has no url",
                  node.is_map() ? "write url: http://host:port" : "such as http://host:port");
  if (has_url && has_urls)
    section.error(1005, *node.entry("urls")->key, path + ".urls", "\"url\" and \"urls\" are the same thing",
                  "write one of them");
  if (node.is_map())
    read_whole(loading, section, node, path, origin);
  else if (const auto* url = node.is_null() ? nullptr : only_url(section, node, path))
    read_url(loading, section, *url, path, origin);
  return origin;
}

}  // namespace

std::string resolve_origin(Loading& loading, const Node& node, const std::string& path) {
  auto& origins = loading.config.origins;
  const auto* only = only_url(loading.top, node, path);
  if (!only) return {};
  if (only != &node) return resolve_origin(loading, *only, path);
  const auto* text = loading.top.scalar(node, path, "a url or the name of an origin");
  if (!text) return {};
  if (origins.count(*text) != 0) return *text;
  if (looks_like_url(*text)) {
    auto parsed = parse_origin_url(*text);
    if (!parsed.value) {
      loading.top.fault(node, path, parsed.fault);
      return {};
    }
    Origin origin;
    origin.name = *text;
    origin.urls.assign(1, {*parsed.value, 1});
    origin.url = std::move(*parsed.value);
    loading.places["origin " + *text] = {&node, path};
    origins.emplace(*text, std::move(origin));
    return *text;
  }
  std::vector<std::string_view> names;
  names.reserve(origins.size());
  for (const auto& [name, origin] : origins) names.push_back(name);
  std::string hint;
  if (const auto near = nearest(*text, names))
    hint = "did you mean \"" + *near + "\"?";
  else if (text->find_first_of(":.") != std::string::npos || *text == "localhost" ||
           text->find_first_not_of("0123456789") == std::string::npos)
    hint = parse_origin_url(*text).fault.hint;
  else
    hint = names.empty() ? "name it under \"origins\", or write a url" : "name it under \"origins\"";
  loading.report.error(1009, node, path, "there is no origin " + in_quotes(*text), hint);
  return {};
}

void Origins::read(const Reading& r, std::map<std::string, Origin>& out) {
  const auto* node = r.section.map(r.row.name);
  if (!node) return;
  for (const auto& [key, value] : node->entries) {
    if (is_users_own(key->text) || value->bad) continue;
    if (is_label(key->text) && !looks_like_url(key->text))
      out[key->text] = read_origin(r.loading, key->text, *value, *key);
    else
      r.section.error(1004, *key, "origins." + clipped(key->text), in_quotes(key->text) + " cannot be a name",
                      "1 to 80 letters, digits and _ . - : / { } * +");
  }
}

void DefaultOrigin::read(const Reading& r, std::string& out) {
  const auto* node = r.node();
  if (!node) return;
  r.loading.places["origin"] = {node, "origin"};
  out = resolve_origin(r.loading, *node, "origin");
}

bool is_label(std::string_view name) noexcept {
  constexpr std::string_view kMarks = "_.:/{}*+-";
  return !name.empty() && name.size() <= 80 && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

Table<Origin> origin_table() noexcept { return kOrigin; }

}  // namespace forebay::config
