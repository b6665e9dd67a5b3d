// Settings of `listen`, `server` and `cache`.
#include <algorithm>
#include <bit>

#include "config/address.hpp"
#include "config/codecs.hpp"

namespace forebay::config {
namespace {

using http::HeadLimits;
using Timeouts = Server::Timeouts;

struct ListenAddress {
  static constexpr std::string_view kType = "address";
  static void read(const Reading& r, Address& out) {
    if (const auto* node = r.node()) read(r.section, *node, r.path(), out);
  }
  static void read(const Section& section, const Node& node, const std::string& path, Address& out) {
    const auto* text = section.scalar(node, path, "an address");
    if (!text) return;
    auto parsed = parse_address(*text);
    if (!parsed.value) return section.fault(node, path, parsed.fault);
    out = std::move(*parsed.value);
  }
  static std::string text(const Address& address) { return yaml_text(address.text); }
};

struct ListenerName {
  using Value = Listener;
  static constexpr std::string_view kType = "string";
  static void read(const Reading& r, Listener& out) {
    out.name = out.address.text;
    const auto* text = r.scalar("a text");
    if (!text) return;
    out.name = *text;
    if (text->empty() || text->size() > 80) r.error(1004, *r.node(), "a listener's name has 1 to 80 bytes");
    for (const auto& other : r.loading.config.listeners)
      if (other.name == *text)
        r.error(1010, *r.node(), "two listeners have the name " + in_quotes(*text), "names are metric labels");
  }
  static Text text(const Listener& out) { return out.name == out.address.text ? Text() : yaml_text(out.name); }
};

/// Permissions of a file as three octal digits.
struct FileMode {
  static constexpr std::string_view kType = "file mode";
  static void read(const Reading& r, std::optional<std::uint32_t>& out) {
    const auto* text = r.scalar("a file mode");
    if (!text) return;
    const auto digits = std::string_view(*text).substr(text->size() == 4 && text->front() == '0' ? 1 : 0);
    const bool octal = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '7'; });
    if (digits.size() != 3 || !octal)
      return r.error(1004, *r.node(), in_quotes(*text) + " is not a file mode", "write it like \"0660\"");
    std::uint32_t mode = 0;
    for (const char c : digits) mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
    out = mode;
  }
  static Text text(const std::optional<std::uint32_t>& mode) {
    if (!mode) return {};
    std::string digits = "0";
    for (int shift = 6; shift >= 0; shift -= 3) digits += static_cast<char>('0' + ((*mode >> shift) & 7));
    return yaml_text(digits);
  }
};

/// A user or a group, by name or number.
struct Account {
  static constexpr std::string_view kType = "name or number";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a name");
    if (!text) return;
    const bool good = !text->empty() && text->size() <= 64 &&
                      std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
    if (!good) return r.error(1004, *r.node(), in_quotes(*text) + " is not the name of a user or group", "");
    out = *text;
  }
  static Text text(const std::string& name) { return name.empty() ? Text() : yaml_text(name); }
};

constexpr auto kListener = table<Listener>({
    as<ListenAddress, &Listener::address>(
        "address", "", "One address to listen on: `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or `fd:NAME`.")
        .by_default("required"),
    as<ListenerName>("name", "", "Metric label of this listener.").by_default("the address"),
    map<&Listener::tls, tls_table>("tls"),
    key<&Listener::http2>("http2", "",
                          "HTTP/2: by ALPN with TLS, by prior knowledge without. HTTP/1.1 is there in any case."),
    key<&Listener::proxy_protocol>(
        "proxy_protocol", "",
        "Each connection begins with a PROXY header (version 1 or 2), whose address becomes "
        "the peer's. Connections from peers outside of `server.trusted_proxies` are closed."),
    as<FileMode, &Listener::mode>("mode", "", "Permissions of the file of a Unix socket.").by_default("0666"),
    as<Account, &Listener::owner>("owner", "", "Owner of the file of a Unix socket.").by_default("the process's user"),
    as<Account, &Listener::group>("group", "", "Group of the file of a Unix socket.").by_default("the process's group"),
});

/// Of the admin listener, inside `admin`.
constexpr auto kAdminListener = table<Listener>({
    map<&Listener::tls, tls_table>("tls"),
    as<FileMode, &Listener::mode>("mode", "", "Permissions of the file of a Unix socket.", Reload::Restart)
        .by_default("0600"),
    as<Account, &Listener::owner>("owner", "", "Owner of the file of a Unix socket.", Reload::Restart)
        .by_default("the process's user"),
    as<Account, &Listener::group>("group", "", "Group of the file of a Unix socket.", Reload::Restart)
        .by_default("the process's group"),
});

struct Networks {
  static constexpr std::string_view kType = "list of CIDR or unix";
  static void read(const Reading& r, http::TrustedProxies& out) {
    r.each(out.networks, [&](const Node& item, const std::string& path) {
      if (item.text == "unix") {
        out.unix_sockets = true;
        return;
      }
      const auto net = read_network(item.text);
      if (!net)
        return r.section.error(1002, item, path, in_quotes(item.text) + " is not a network",
                               "write it like 10.0.0.0/8 or fd00::/8, or \"unix\" for the peers of Unix sockets");
      if (trusts_strangers(*net))
        r.section.report().warning(
            2026, item, path,
            in_quotes(item.text) +
                " trusts strangers: any of them chooses the client's address, the host and the scheme",
            "write the networks of the proxies in front, such as 10.0.0.0/8");
      out.networks.push_back(*net);
    });
  }
  static std::string text(const http::TrustedProxies& trusted) {
    Texts all;
    for (const auto& net : trusted.networks) all.push_back(http::cidr_text(net));
    if (trusted.unix_sockets) all.emplace_back("unix");
    return yaml_texts(all);
  }
};

struct NameServers {
  static constexpr std::string_view kType = "list of IP:port";
  static constexpr std::size_t kMost = 8;
  static std::optional<Server::NameServer> parse(const std::string& text) {
    if (http::parse_ip(text)) return Server::NameServer{text};
    const auto address = parse_address(text);
    if (!address.value || address.value->kind != Address::Kind::Tcp || address.value->port == 0) return std::nullopt;
    if (!http::parse_ip(address.value->host)) return std::nullopt;
    return Server::NameServer{address.value->host, address.value->port};
  }
  static void read(const Reading& r, std::vector<Server::NameServer>& out) {
    const auto one = [&](const Node& item, const std::string& path) {
      if (auto server = parse(item.text)) return static_cast<void>(out.push_back(std::move(*server)));
      r.section.error(1002, item, path, in_quotes(item.text) + " is not the address of a name server",
                      "an IP address with or without a port, such as 10.0.0.2, 127.0.0.1:5353 or [fd00::2]:53");
    };
    r.each(out, one, kMost, "name servers");
  }
  static std::string text(const std::vector<Server::NameServer>& servers) {
    Texts all;
    for (const auto& [address, port] : servers) {
      const bool v6 = address.find(':') != std::string::npos;
      const auto host = v6 && port != 53 ? '[' + address + ']' : address;
      all.push_back(port == 53 ? host : host + ':' + std::to_string(port));
    }
    return yaml_texts(all);
  }
};

/// Of a Unix socket.
struct SocketPath {
  static constexpr std::string_view kType = "path or off";
  static void read(const Reading& r, std::string& out) {
    constexpr std::size_t kLongest = 107;  // sun_path
    const auto* text = r.scalar("a path or off");
    if (!text) return;
    if (*text == "off") return out.clear();
    if (!text->starts_with('/'))
      return r.error(1002, *r.node(), in_quotes(*text) + " is not the absolute path of a Unix socket",
                     "write it like /run/forebay/handover.sock");
    if (text->size() > kLongest)
      return r.error(1004, *r.node(), in_quotes(*text) + " is too long", "a Unix socket's path has at most 107 bytes");
    out = *text;
    r.loading.places["handover"] = {r.node(), r.path()};
  }
  static std::string text(const std::string& path) { return path.empty() ? "off" : yaml_text(path); }
};

constexpr auto kServerDns = table<Server>({
    as<NameServers, &Server::name_servers>("servers", "",
                                           "Name servers that are asked for the names of origins, with or without a "
                                           "port; empty: those of /etc/resolv.conf."),
});
constexpr auto kServerTimeouts = table<Timeouts>({
    key<&Timeouts::header>("header", "1ms..1h", "From the first byte of a request to the end of its head (408)."),
    key<&Timeouts::body>("body", "1ms..1h", "Between two reads of a request's body (408)."),
    key<&Timeouts::idle>("idle", "1ms..24h", "How long a connection may rest between requests."),
    key<&Timeouts::write>("write", "1ms..1h", "How long a client may take nothing of its answer."),
    key<&Timeouts::tunnel>("tunnel", "1ms..720h",
                           "How long nothing may move in a tunnel (WebSocket), and an origin may send nothing of an "
                           "endless stream (server-sent events)."),
});
constexpr auto kServerLimits = table<Server>({
    key<&Server::request_limits, &HeadLimits::target>("request_target", "64B..1MiB", "Longest request target (414)."),
    key<&Server::request_limits, &HeadLimits::head>("request_header", "256B..1MiB", "Largest head of a request (431)."),
    as<Count, &Server::request_limits, &HeadLimits::fields>("header_count", "1..10000", "Most fields in a head (431)."),
    key<&Server::request_body>("request_body", "0..1024TiB", "Largest body of a request (413)."),
    key<&Server::response_header>("response_header", "256B..1MiB", "Largest head of an origin's answer (502)."),
    key<&Server::min_rate>("min_rate", "0..1GiB",
                           "Bytes a second, over 20 s, at which a client must send a body and take an answer while we "
                           "wait for it; 0 is off."),
    key<&Server::connections_per_address>(
        "connections_per_address", "0..1000000",
        "Connections of one client address at a time, but for `trusted_proxies`; 0 is no "
        "limit."),
    key<&Server::streams>("streams", "1..1000", "Requests at a time of one HTTP/2 connection."),
    key<&Server::tunnels>("tunnels", "0..1000000",
                          "Tunnels (WebSocket) at a time, and requests for one under way; beyond it 503."),
});
constexpr auto kServer = table<Server>({
    as<Threads, &Server::threads>("threads", "1..1024",
                                  "Worker threads; `auto` is the CPU quota of the cgroup rounded up, else the cores.",
                                  Reload::Restart)
        .by_default("auto"),
    key<&Server::max_connections>("max_connections", "1..1000000",
                                  "Client connections at a time; beyond it new ones are refused."),
    map<&Server::timeouts, &kServerTimeouts>("timeouts"),
    map<&kServerLimits>("limits"),
    map<&kServerDns>("dns"),
    as<Networks, &Server::trusted_proxies>("trusted_proxies", "",
                                           "Peers whose PROXY headers, X-Forwarded-For (the client) and "
                                           "X-Forwarded-Proto (the scheme) are believed; `unix` stands for the peers "
                                           "of Unix sockets. Other X-Forwarded-* fields and Forwarded are passed on."),
    key<&Server::forwarded>("forwarded", "auto | append | set | off",
                            "What is done to X-Forwarded-* and Forwarded: `append` adds, `set` begins anew, `off` "
                            "removes them; `auto` appends for trusted peers, else sets."),
    as<SocketPath, &Server::handover>(
        "handover", "",
        "Unix socket over which the next process that is started with it takes the listening sockets over; only the "
        "same user and root may connect.",
        Reload::Restart),
});

struct Memory {
  static constexpr std::string_view kType = "memory";
  static std::string text(std::uint64_t bytes) { return format_size(bytes); }
  static void read(const Reading& r, std::uint64_t& out) {
    const auto& machine = r.loading.surroundings;
    const auto limit = machine.memory_limit;
    if (machine.memory_limit_is_cgroup && limit > 0)
      out = std::min<std::uint64_t>(out, std::max<std::uint64_t>(limit / 5 * 2, 64 * 1024));
    const auto* text = r.scalar("a size or ratio");
    if (!text) return;
    const auto size = looks_like_ratio(*text) ? share_of(limit, *text) : parse_size(*text);
    if (!size.value) return r.section.fault(*r.node(), r.path(), size.fault);
    if (*size.value < 64 * 1024) return r.error(1004, *r.node(), in_quotes(*text) + " is too small", "at least 64KiB");
    out = *size.value;
    if (limit > 0 && out > limit)
      r.section.report().warning(
          2007, *r.node(), r.path(),
          "the cache may take " + format_size(out) + ", the memory limit is " + format_size(limit),
          "take less, such as 40%");
  }
  static Parsed<std::uint64_t> share_of(std::uint64_t limit, const std::string& text) {
    const auto ratio = parse_ratio(text);
    if (!ratio.value) return ratio.fault;
    if (*ratio.value > 1) return Fault{1004, in_quotes(text) + " is more than the memory there is", "at most 100%"};
    if (limit == 0)
      return Fault{1004, in_quotes(text) + ": the memory of this machine is not known", "write a size, such as 256MiB"};
    return static_cast<std::uint64_t>(*ratio.value * static_cast<double>(limit));
  }
};

/// `auto` is four for each thread.
struct Shards : Threads {
  static void read(const Reading& r, unsigned& out) {
    out = std::bit_ceil(4 * r.loading.config.server.threads);
    Threads::read(r, out);
    if (!std::has_single_bit(out))
      r.error(1004, *r.node(), in_quotes(r.node()->text) + " is not a power of two",
              "write " + std::to_string(std::bit_ceil(out)));
  }
};

/// In this version it can only be the first of the row's words.
struct OnlyWord {
  using Value = CacheTier;
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, CacheTier&) {
    if (r.word().value_or(0) > 0)
      r.error(1016, *r.node(), std::string(r.row.name) + " by " + r.node()->text + " is not in this version",
              "write " + word_at(r.row.type, 0));
  }
  static std::string text(const CacheTier&, const Printing& p) { return word_at(p.row.type, 0); }
};

constexpr auto kCache = table<CacheTier>({
    as<Memory, &CacheTier::memory>("memory", "64KiB..",
                                   "Bytes of the cache, all included: keys, heads, bodies and bookkeeping. By default "
                                   "the smaller of 256MiB and 40 % of the cgroup's limit.")
        .by_default("min(256MiB, 40%)"),
    key<&CacheTier::max_object>("max_object", "1B..", "Largest body that is stored."),
    as<Shards, &CacheTier::shards>(
        "shards", "1..4096", "Parts with a lock each, a power of two; `auto` is four for each thread.", Reload::Restart)
        .by_default("auto"),
    as<OnlyWord>("eviction", "lru", "Who goes when room is needed: the least recently used.", Reload::Restart),
    as<OnlyWord>("admission", "all | frequency", "What may get in."),
    key<&CacheTier::keep>("keep", "0..3650d", "How long a stale response with a validator is kept for revalidation."),
    later<CacheTier>("snapshot"),
});

}  // namespace

void Listeners::read(const Reading& r, std::vector<Listener>& out) {
  const auto add = [&](const Node& item, const std::string& path) {
    if (item.bad) return;
    Listener listener;
    const Section section(r.section.report(), &item, path);
    if (item.is_map() && !item.find("address"))
      return section.error(1002, item, path, "a listener needs an \"address\"", "such as address: \":8080\"");
    if (item.is_map())
      read_rows(r.loading, section, kListener.rows, &listener);
    else
      ListenAddress::read(section, item, path, listener.address);
    if (listener.address.text.empty()) return;
    if (listener.name.empty()) listener.name = listener.address.text;
    r.loading.places["listen " + std::to_string(out.size())] =
        item.is_map() ? SetBy{item.find("address"), path + ".address"} : SetBy{&item, path};
    out.push_back(std::move(listener));
  };
  if (!r.section.node() || !r.section.node()->find("listen")) {
    Address address{Address::Kind::Tcp, {}, 8080, ":8080"};
    Listener usual;
    usual.address = std::move(address);
    usual.name = ":8080";
    out.push_back(std::move(usual));
  } else if (const auto* node = r.node(); node && node->is_list()) {
    if (node->items.empty()) r.error(1004, *node, "there is nothing to listen on", "such as listen: \":8080\"");
    for (std::size_t i = 0; i < node->items.size(); ++i) add(*node->items[i], r.path(i));
  } else if (node) {
    add(*node, node->is_map() ? r.path(0) : r.path());
  }
}

Table<Listener> listener_table() noexcept { return kListener; }
Table<Listener> admin_listener_table() noexcept { return kAdminListener; }
Table<Server> server_table() noexcept { return kServer; }
Table<CacheTier> cache_table() noexcept { return kCache; }

}  // namespace forebay::config
