// Readers of listen, server and cache.
#include <algorithm>
#include <bit>

#include "config/address.hpp"
#include "config/readers.hpp"

namespace forebay::config {
namespace {

std::string element(const std::string& list, std::size_t i) { return list + '[' + std::to_string(i) + ']'; }

void read_listener(Loading& loading, const NodePtr& item, const std::string& path) {
  const Section map(loading.report, item.get(), "listen[]", path);
  const Node* address = item->is_map() ? map.find("address") : item.get();
  if (item->is_map() && item->find("address") == nullptr) {
    loading.report.error(1002, *item, path, "a listener needs an \"address\"", "such as address: \":8080\"");
    return;
  }
  if (!address || address->bad) return;
  const auto where = item->is_map() ? path + ".address" : path;
  const auto* text = map.scalar(*address, where, "an address");
  if (!text) return;
  auto parsed = parse_address(*text);
  if (!parsed.value) return map.fault(*address, where, parsed.fault);
  Listener listener{std::move(*parsed.value), {}};
  listener.name = listener.address.text;
  if (map.text("name", listener.name)) {
    if (listener.name.empty() || listener.name.size() > 80) {
      map.error(1004, *map.find("name"), map.path_of("name"), "a listener's name has 1 to 80 bytes", {});
    }
    for (const auto& other : loading.config.listeners)
      if (other.name == listener.name)
        map.error(1010, *map.find("name"), map.path_of("name"),
                  "two listeners have the name " + in_quotes(listener.name), "names are metric labels");
  }
  loading.places["listen " + std::to_string(loading.config.listeners.size())] = {address, where};
  loading.config.listeners.push_back(std::move(listener));
}

/// Wider than any private network: 10.0.0.0/8 and fc00::/7.
bool trusts_strangers(const http::Cidr& net) {
  const auto& a = net.address;
  const bool mapped = net.prefix >= 96 && a[10] == 0xff && a[11] == 0xff &&
                      std::all_of(a.begin(), a.begin() + 10, [](auto byte) { return byte == 0; });
  return mapped ? net.prefix < 96 + 8 : net.prefix < 7;
}

void read_trusted(const Section& server, std::vector<http::Cidr>& out) {
  const auto list = server.list("trusted_proxies");
  if (!list) return;
  out.clear();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    auto net = http::parse_cidr(item.text);
    // An address alone is the network of that one address.
    if (!net && http::parse_ip(item.text))
      net = http::parse_cidr(item.text + (item.text.find(':') == std::string::npos ? "/32" : "/128"));
    if (net) {
      if (trusts_strangers(*net))
        server.report().warning(
            2026, item, element(server.path_of("trusted_proxies"), i),
            in_quotes(item.text) +
                " trusts strangers: any of them chooses the client's address, the host and the scheme",
            "write the networks of the proxies in front, such as 10.0.0.0/8");
      out.push_back(*net);
    } else {
      server.error(1002, item, element(server.path_of("trusted_proxies"), i),
                   in_quotes(item.text) + " is not a network", "write it like 10.0.0.0/8 or fd00::/8");
    }
  }
}

/// Sizes are std::uint64_t in the file and std::size_t in some doors.
bool read_size(const Section& section, std::string_view key, std::size_t& out) {
  std::uint64_t value = out;
  const bool set = section.size(key, value);
  out = static_cast<std::size_t>(value);
  return set;
}

void read_memory(Loading& loading, const Section& cache) {
  auto& tier = loading.config.cache;
  const auto limit = loading.surroundings.memory_limit;
  if (loading.surroundings.memory_limit_is_cgroup && limit > 0) {
    tier.memory = std::min<std::uint64_t>(tier.memory, std::max<std::uint64_t>(limit / 5 * 2, 64 * 1024));
  }
  const auto* node = cache.find("memory");
  const auto* text = node ? cache.scalar(*node, cache.path_of("memory"), "a size or ratio") : nullptr;
  if (!text) return;
  const auto path = cache.path_of("memory");
  std::uint64_t bytes = 0;
  if (looks_like_ratio(*text)) {
    const auto ratio = parse_ratio(*text);
    if (!ratio.value) return cache.fault(*node, path, ratio.fault);
    if (*ratio.value > 1)
      return cache.fault(*node, path, {1004, in_quotes(*text) + " is more than the memory there is", "at most 100%"});
    if (limit == 0)
      return cache.fault(
          *node, path,
          {1004, in_quotes(*text) + ": the memory of this machine is not known", "write a size, such as 256MiB"});
    bytes = static_cast<std::uint64_t>(*ratio.value * static_cast<double>(limit));
  } else {
    const auto size = parse_size(*text);
    if (!size.value) return cache.fault(*node, path, size.fault);
    bytes = *size.value;
  }
  constexpr std::uint64_t kLeast = 64 * 1024;
  if (bytes < kLeast) return cache.fault(*node, path, {1004, in_quotes(*text) + " is too small", "at least 64KiB"});
  tier.memory = bytes;
  if (limit > 0 && bytes > limit) {
    loading.report.warning(2007, *node, path,
                           "the cache may take " + format_size(bytes) + ", the memory limit is " + format_size(limit),
                           "take less, such as 40%");
  }
}

}  // namespace

void read_listeners(Loading& loading) {
  auto& top = loading.top;
  const Node* node = top.find("listen");
  if (node) {
    if (node->is_list()) {
      for (std::size_t i = 0; i < node->items.size(); ++i)
        if (!node->items[i]->bad) read_listener(loading, node->items[i], element("listen", i));
      if (node->items.empty())
        loading.report.error(1004, *node, "listen", "there is nothing to listen on", "such as listen: \":8080\"");
    } else {
      read_listener(loading, top.node()->entry("listen")->value, node->is_map() ? "listen[0]" : "listen");
    }
    return;
  }
  if (top.node() && top.node()->find("listen")) return;  // Reported.
  Listener listener;
  listener.address.port = 8080;
  listener.address.text = listener.name = ":8080";
  loading.config.listeners.push_back(std::move(listener));
}

void read_server(Loading& loading) {
  auto& server = loading.config.server;
  const auto section = loading.top.in("server");
  server.threads = std::clamp(loading.surroundings.cpus, 1u, 1024u);
  const auto* threads = section.find("threads");
  if (threads && !(threads->is_scalar() && threads->text == "auto")) section.integer("threads", server.threads);
  section.integer("max_connections", server.max_connections);
  const auto timeouts = section.in("timeouts");
  timeouts.duration("header", server.timeouts.header);
  timeouts.duration("body", server.timeouts.body);
  timeouts.duration("idle", server.timeouts.idle);
  timeouts.duration("write", server.timeouts.write);
  const auto limits = section.in("limits");
  read_size(limits, "request_target", server.request_limits.target);
  read_size(limits, "request_header", server.request_limits.head);
  limits.integer("header_count", server.request_limits.fields);
  limits.size("request_body", server.request_body);
  read_size(limits, "response_header", server.response_header);
  limits.size("min_rate", server.min_rate);
  limits.integer("connections_per_address", server.connections_per_address);
  read_trusted(section, server.trusted_proxies);
  section.choice("forwarded", server.forwarded);
}

void read_cache(Loading& loading) {
  auto& tier = loading.config.cache;
  const auto section = loading.top.in("cache");
  read_memory(loading, section);
  section.size("max_object", tier.max_object);
  tier.shards = std::bit_ceil(4 * loading.config.server.threads);
  const auto* shards = section.find("shards");
  if (shards && !(shards->is_scalar() && shards->text == "auto") && section.integer("shards", tier.shards) &&
      !std::has_single_bit(tier.shards)) {
    section.error(1004, *shards, section.path_of("shards"), in_quotes(shards->text) + " is not a power of two",
                  "write " + std::to_string(std::bit_ceil(tier.shards)));
  }
  enum class Eviction { Lru } eviction{};
  section.choice("eviction", eviction);
  enum class Admission { All, Frequency } admission{};
  if (section.choice("admission", admission) && admission == Admission::Frequency) {
    section.error(1016, *section.find("admission"), section.path_of("admission"),
                  "admission by frequency is not in this version", "write all");
  }
  section.duration("keep", tier.keep);
}

}  // namespace forebay::config
