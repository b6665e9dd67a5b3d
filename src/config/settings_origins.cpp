// Settings of `origins` and `origin`.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "config/origin_urls.hpp"
#include "config/resilience.hpp"
#include "config/signing.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

/// `url`; a list of one is read too.
struct OnlyUrl {
  using Value = Origin;
  static constexpr std::string_view kType = "url";
  static constexpr std::size_t kMembers = 1;
  static void read(const Reading& r, Origin& out) {
    const auto* node = r.node();
    if (!node) return;
    if (node->is_list() && node->items.size() > 1)
      return r.error(1002, *node, "\"url\" is one url", "several are \"urls\": write urls: [...]");
    const auto* one = node->is_list() && !node->items.empty() ? node->items.front().get() : node;
    if (one->is_map())
      r.error(1002, *one, "a map is not a url", "a url with a weight is one of \"urls\": write urls: [...]");
    else
      read_urls(r.loading, r.section, *one, r.path(), out);
  }
  static Text text(const Origin& origin) { return is_pool(origin) ? Text() : yaml_text(origin.url.text); }
};
/// Its twin for several.
struct Urls {
  using Value = Origin;
  static constexpr std::string_view kType = "list of url";
  static constexpr std::size_t kMembers = 1;
  static void read(const Reading& r, Origin& out) {
    if (r.section.node() && r.section.node()->find("url")) return;
    if (const auto* node = r.node()) read_urls(r.loading, r.section, *node, r.path(), out);
  }
  static Text text(const Origin& origin) { return is_pool(origin) ? urls_text(origin.urls) : Text(); }
};

struct HostHeader {
  static constexpr std::string_view kType = "preserve | origin or text";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a text");
    if (!text) return;
    out = *text;
    if (out == "preserve" || out == "origin") return;
    if (!is_authority(out))
      r.error(1002, *r.node(), in_quotes(out) + " is not a host", "preserve, origin, or a host with or without port");
  }
  static std::string text(const std::string& text) { return yaml_text(text); }
};

/// A sum of money of up to three decimals: what is counted are billionths of it for each request.
struct Price {
  static constexpr std::string_view kType = "number";
  static void read(const Reading& r, double& out) {
    const auto* text = r.scalar("a number");
    if (!text) return;
    constexpr double kMost = 1'000'000;
    double value = 0;
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), value, std::chars_format::fixed);
    if (error != std::errc{} || end != text->data() + text->size() || !std::isfinite(value))
      return r.error(1002, *r.node(), in_quotes(*text) + " is not a number", "write it like 3.50, without a currency");
    if (value < 0 || value > kMost)
      return r.error(1004, *r.node(), in_quotes(*text) + (value < 0 ? " is too small" : " is too large"),
                     "between 0 and 1000000");
    if (std::round(value * 1000) != value * 1000 && std::abs(std::round(value * 1000) - value * 1000) > 1e-6)
      return r.error(1004, *r.node(), in_quotes(*text) + " has too many decimals", "at most three, such as 0.125");
    out = value;
  }
  static std::string text(double value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    return {buffer.data(), end.ptr};
  }
};

constexpr auto kOriginTimeouts = table<Origin::Timeouts>({
    key<&Origin::Timeouts::connect>("connect", "1ms..1h",
                                    "To open a connection: the look-up of the name, TCP and TLS."),
    key<&Origin::Timeouts::dns>("dns", "1ms..1h", "To look the name up; a part of `connect`."),
    key<&Origin::Timeouts::first_byte>("first_byte", "1ms..1h", "From the request to the head of the answer (504)."),
    key<&Origin::Timeouts::between_bytes>("between_bytes", "1ms..1h", "Between two reads of the answer."),
    key<&Origin::Timeouts::total>("total", "0..24h", "For all of a request, with its attempts and waits; 0 is off."),
});
constexpr auto kPool = table<Origin::Pool>({
    key<&Origin::Pool::max_connections>("max_connections", "1..100000",
                                        "Connections to each url at a time; further requests wait."),
    key<&Origin::Pool::max_idle>("max_idle", "0..100000", "Connections kept for later requests."),
    key<&Origin::Pool::idle_timeout>("idle_timeout", "1ms..24h", "How long an idle connection is kept."),
    key<&Origin::Pool::queue_timeout>("queue_timeout", "0..1h", "How long a request waits for a connection (503)."),
});
constexpr auto kOrigin = table<Origin>({
    as<OnlyUrl>("url", "", "Where this origin is: `http://host:port` or `https://host:port`; nothing behind the port.")
        .by_default("required"),
    as<Urls>("urls", "",
             "In place of `url`: up to 64 urls of one scheme that share the requests, each a url or a map with the "
             "keys below.")
        .by_default("-")
        .with(&Row::below, url_element),
    as<HostHeader, &Origin::host_header>(
        "host_header", "",
        "The Host that the origin sees: the client's, the url's (the default with `sign`), or this text."),
    key<&Origin::balance>("balance", "round_robin | least_connections | hash",
                          "How urls share the requests: in turns, by the fewest requests in flight, or by the cache "
                          "key; each by weight."),
    key<&Origin::slow_start>("slow_start", "0..1h",
                             "How long a url that came back gets less than its share; 0 is off."),
    map<&Origin::timeouts, &kOriginTimeouts>("timeouts"),
    key<&Origin::retries>("retries", "0..10",
                          "Further attempts of safe requests on new connections, when nothing was received yet."),
    map<origin_resilience_table>(""),
    map<&Origin::pool, &kPool>("pool"),
    key<&Origin::dns_refresh>("dns_refresh", "100ms..24h",
                              "The longest that looked-up addresses are used; a shorter TTL of theirs counts."),
    key<&Origin::srv>(
        "srv", "",
        "The host of the url is the name of a service, such as `_http._tcp.shop.internal`: its SRV records "
        "have the hosts and ports."),
    as<Price, &Origin::cost_per_million>("cost_per_million", "",
                                         "Money for a million requests to this origin, in any currency; for "
                                         "`forebay_saved_cost_total`."),
    map<origin_signing_table>(""),
    map<&origin_tls_table>("tls"),
});

/// A service is a name without a port.
void check_srv(const Section& section, const Node& node, const std::string& path, const Origin& origin) {
  if (!origin.srv || origin.url.host.empty()) return;
  const auto* entry = node.entry("srv");
  const auto authority = origin.url.text.substr(origin.url.text.find("://") + 3);
  if (origin.urls.size() > 1)
    section.error(1005, *entry->key, path + ".srv",
                  "\"srv\" is for one url, and there are " + std::to_string(origin.urls.size()),
                  "the SRV records of one name have all hosts");
  else if (http::parse_ip(origin.url.host) || http::is_localhost(origin.url.host))
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
  check_resilience(section, origin);
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
  else if (!node.is_null())
    read_urls(loading, section, node, path, origin);
  return origin;
}

/// An origin that has no name, since it is written as urls where it is used. Gives what it is called instead.
std::string add_unnamed(Loading& loading, const std::string& name, const Node& node, const std::string& path) {
  Origin origin;
  origin.name = name;
  if (loading.config.origins.count(name) != 0) return name;
  read_urls(loading, loading.top, node, path, origin);
  // Else something is wrong, and has been reported.
  if (origin.urls.empty() || name_of_urls(origin.urls) != name) return {};
  loading.config.origins.emplace(name, std::move(origin));
  return name;
}

/// A list where an origin is named: of urls, or of one thing.
std::string resolve_list(Loading& loading, const Node& node, const std::string& path) {
  if (node.items.size() == 1) return resolve_origin(loading, *node.items.front(), path);
  std::string name;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const auto& item = *node.items[i];
    const auto at = path + '[' + std::to_string(i) + ']';
    if (item.is_map()) {
      loading.top.error(1002, item, at, "a list of urls has no weights here",
                        "name the origin, and write its \"urls\"");
      return {};
    }
    if (item.is_scalar() && !looks_like_url(item.text) && loading.config.origins.count(item.text) != 0) {
      loading.top.error(1002, item, at, in_quotes(item.text) + " is an origin, and not one of several urls",
                        "one origin has all \"urls\", or a \"failover\"");
      return {};
    }
    name += (i == 0 ? "" : ", ") + item.text;
  }
  return add_unnamed(loading, name, node, path);
}

}  // namespace

std::string resolve_origin(Loading& loading, const Node& node, const std::string& path) {
  auto& origins = loading.config.origins;
  if (node.is_list()) return resolve_list(loading, node, path);
  const auto* text = loading.top.scalar(node, path, "a url or the name of an origin");
  if (!text) return {};
  if (origins.count(*text) != 0) return *text;
  if (looks_like_url(*text)) return add_unnamed(loading, *text, node, path);
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
  read_failovers(r.loading, *node);
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
