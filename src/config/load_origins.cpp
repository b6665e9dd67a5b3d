#include <algorithm>

#include "config/address.hpp"
#include "config/readers.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

/// The url of an origin, or nothing when it is wrong.
void read_url(const Section& section, const Node& node, const std::string& path, Loading& loading, Origin& origin) {
  const auto* text = section.scalar(node, path, "a url");
  if (!text) return;
  auto parsed = parse_origin_url(*text);
  if (!parsed.value) return section.fault(node, path, parsed.fault);
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

/// `url` or `urls`.
void read_urls(const Section& section, std::string_view key, Loading& loading, Origin& origin) {
  const auto* node = section.find(key);
  const auto* url = node ? only_url(section, *node, section.path_of(key)) : nullptr;
  if (url && (key == "url" || !url->is_map())) read_url(section, *url, section.path_of(key), loading, origin);
}

void read_host_header(const Section& section, Origin& origin) {
  if (!section.text("host_header", origin.host_header)) return;
  const auto& text = origin.host_header;
  if (text == "preserve" || text == "origin") return;
  // What would do as the authority of a url does as a Host.
  const auto as_url = parse_origin_url("http://" + text);
  if (as_url.value && text.find('/') == std::string::npos) return;
  section.error(1002, *section.find("host_header"), section.path_of("host_header"), in_quotes(text) + " is not a host",
                "preserve, origin, or a host with or without port");
}

void read_origin(Loading& loading, const std::string& name, const Node& node, const Node& key) {
  const auto path = "origins." + clipped(name);
  Origin origin;
  origin.name = name;
  const Section section(loading.report, &node, "origins.*", path);
  if (!node.is_map()) {
    if (node.is_null())
      loading.report.error(1002, key, path, "the origin " + in_quotes(name) + " has no url",
                           "such as http://host:port");
    else if (const auto* url = only_url(section, node, path))
      read_url(section, *url, path, loading, origin);
  } else {
    const bool has_url = node.find("url") != nullptr, has_urls = node.find("urls") != nullptr;
    if (has_url && has_urls)
      section.error(1005, *node.entry("urls")->key, path + ".urls", "\"url\" and \"urls\" are the same thing",
                    "write one of them");
    if (!has_url && !has_urls)
      section.error(1002, key, path, "the origin " + in_quotes(name) + " has no url", "write url: http://host:port");
    read_urls(section, has_url ? "url" : "urls", loading, origin);
    read_host_header(section, origin);
    const auto timeouts = section.in("timeouts");
    timeouts.duration("connect", origin.timeouts.connect);
    timeouts.duration("first_byte", origin.timeouts.first_byte);
    timeouts.duration("between_bytes", origin.timeouts.between_bytes);
    section.integer("retries", origin.retries);
    const auto pool = section.in("pool");
    pool.integer("max_connections", origin.pool.max_connections);
    pool.integer("max_idle", origin.pool.max_idle);
    pool.duration("idle_timeout", origin.pool.idle_timeout);
    pool.duration("queue_timeout", origin.pool.queue_timeout);
    section.duration("dns_refresh", origin.dns_refresh);
  }
  loading.config.origins[name] = std::move(origin);
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
    origin.url = std::move(*parsed.value);
    loading.places["origin " + *text] = {&node, path};
    origins.emplace(*text, std::move(origin));
    return *text;
  }
  std::vector<std::string_view> names;
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

void read_origins(Loading& loading) {
  if (const auto* node = loading.top.find("origins"); node && node->is_map()) {
    for (const auto& [key, value] : node->entries) {
      if (is_users_own(key->text) || value->bad) continue;
      if (!is_label(key->text) || looks_like_url(key->text)) {
        loading.report.error(1004, *key, "origins." + clipped(key->text), in_quotes(key->text) + " cannot be a name",
                             "1 to 80 letters, digits and _ . - : / { } * +");
        continue;
      }
      read_origin(loading, key->text, *value, *key);
    }
  }
  if (const auto* node = loading.top.find("origin")) {
    loading.places["origin"] = {node, "origin"};
    loading.config.default_origin = resolve_origin(loading, *node, "origin");
  }
}

bool is_label(std::string_view name) noexcept {
  constexpr std::string_view kMarks = "_.:/{}*+-";
  return !name.empty() && name.size() <= 80 && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace forebay::config
