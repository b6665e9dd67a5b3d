// Settings of what shows to the outside: `admin`, `log`, `metrics`, `tracing`, `diagnostics` and `shutdown`; and the
// table of the whole file.
#include <algorithm>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "config/suggest.hpp"
#include "forebay/http/target.hpp"

namespace forebay::config {
namespace {

struct AdminAddress {
  static constexpr std::string_view kType = "address or off";
  static std::string text(const std::optional<Address>& address) { return address ? yaml_text(address->text) : "off"; }
  static void read(const Reading& r, std::optional<Address>& out) {
    const auto* text = r.scalar("an address or off");
    if (!text) return;
    if (*text == "off") return out.reset();
    auto parsed = parse_address(*text);
    if (!parsed.value) {
      if (*text == "false" || *text == "none") parsed.fault.hint = "write off";
      return r.section.fault(*r.node(), r.path(), parsed.fault);
    }
    out = std::move(*parsed.value);
    r.loading.places["admin"] = {r.node(), r.path()};
  }
};

struct AllowedHosts : FieldNames {
  static constexpr std::string_view kType = "list of host";
  static void read(const Reading& r, Texts& out) {
    r.each(out, [&](const Node& item, const std::string& path) {
      std::string host;
      const bool good = http::append_normal_host(item.text, "http", host).has_value();
      const auto port = good && host.find(']') == std::string::npos ? host.find(':') : std::string::npos;
      if (good && port == std::string::npos && item.text.find('*') == std::string::npos)
        return out.push_back(std::move(host));
      r.section.error(1002, item, path, in_quotes(item.text) + " is not a host",
                      port != std::string::npos ? "write " + in_quotes(host.substr(0, port)) + "; it is for every port"
                                                : "such as forebay.internal");
    });
  }
};

using Operators = Config::Operators;

struct ReadToken {
  using Value = Operators;
  static constexpr std::string_view kType = "secret";
  static void read(const Reading& r, Operators& out) {
    read_secret(r.section, r.row.name, out.read_token, out.read_token_file);
  }
  static Text text(const Operators& o) {
    return o.read_token.empty() || !o.read_token_file.empty() ? Text() : yaml_text(kRedacted);
  }
};
struct ReadTokenFile {
  using Value = Operators;
  static constexpr std::string_view kType = "path";
  static Text text(const Operators& o) { return o.read_token_file.empty() ? Text() : yaml_text(o.read_token_file); }
};
constexpr auto kOperators = table<Operators>({
    as<Token<Operators>>("token", "",
                         "Token of operators (`Authorization: Bearer TOKEN`); without one the listener answers others "
                         "than loopback only what is public."),
    as<TokenFile<Operators>>("token_file", "", "File with the token."),
    as<ReadToken>("read_token", "", "Token of those who may ask, and may change nothing."),
    as<ReadTokenFile>("read_token_file", "", "File with the token for reading."),
    key<&Operators::allow_loopback>("allow_loopback", "", "Whether loopback and Unix sockets need no token."),
    as<AllowedHosts, &Operators::allowed_hosts>(
        "allowed_hosts", "",
        "Names, besides localhost and the loopback addresses, under which the admin listener may be asked."),
    key<&Operators::changes_per_second>("changes_per_second", "1..100000",
                                        "Most changes a second by the admin API; further ones are refused (429)."),
});
constexpr auto kAdmin = table<Config>({
    as<AdminAddress, &Config::admin>("listen", "",
                                     "Where operators connect: /metrics, /livez, /readyz, /version and the admin API.",
                                     Reload::Restart),
    map<&Config::operators, &kOperators>(""),
    map<&Config::admin_listener, admin_listener_table>(""),
    later<Config>("dashboard"),
});

/// A word of the row's list or the path of a file. What has neither slash nor dot is rather a mistyped word.
struct Output {
  static void read(const Reading& r, std::string& out) {
    const auto words = words_of(r.row.type);
    const auto* text = r.scalar("an output");
    if (!text) return;
    const bool word = std::find(words.begin(), words.end(), *text) != words.end();
    if (word || text->find_first_of("/.") != std::string::npos)
      out = *text;
    else
      r.error(1002, *r.node(), in_quotes(*text) + " is no output",
              did_you_mean(
                  *text, words,
                  std::string(words[0]) + ", " + std::string(words[1]) + " or a path such as /var/log/forebay.log"));
  }
  static std::string text(const std::string& output) { return yaml_text(output); }
};

/// A word or a template.
struct Format {
  using Value = AccessLog;
  static constexpr std::string_view kType = "auto | json | combined or template";
  static constexpr std::size_t kMembers = 2;  // format, line
  static void read(const Reading& r, AccessLog& out) {
    const auto* text = r.scalar("a format");
    if (!text) return;
    if (text->find('{') == std::string::npos) {
      if (const auto word = r.word()) out.format = static_cast<AccessFormat>(*word);
      return;
    }
    std::string_view unknown;
    if (auto line = AccessTemplate::compile(*text, unknown)) {
      out.format = AccessFormat::Template;
      out.line = std::move(*line);
    } else if (unknown.empty()) {
      r.error(1002, *r.node(), "a brace of the template is not closed or not opened",
              "fields are written like {status}");
    } else {
      const auto near = nearest(unknown, access_fields());
      r.error(1001, *r.node(), "the access log has no field " + in_quotes(unknown),
              near ? "did you mean {" + *near + "}?" : "such as {status}");
    }
  }
  static std::string text(const AccessLog& log, const Printing& p) {
    if (log.format == AccessFormat::Template) return yaml_text(log.line.text);
    return word_at(p.row.type, static_cast<std::size_t>(log.format));
  }
};

struct When {
  using Value = AccessLog;
  static constexpr std::string_view kType = "list of errors, slow, miss or bypass";
  static constexpr std::size_t kMembers = 4;
  static constexpr std::pair<std::string_view, bool AccessLog::*> kWords[] = {{"errors", &AccessLog::errors},
                                                                              {"slow", &AccessLog::slow},
                                                                              {"miss", &AccessLog::miss},
                                                                              {"bypass", &AccessLog::bypass}};
  static void read(const Reading& r, AccessLog& out) {
    Texts words;
    const bool set = r.each(words, [&](const Node& item, const std::string& path) {
      if (std::any_of(std::begin(kWords), std::end(kWords), [&](const auto& word) { return word.first == item.text; }))
        return words.push_back(item.text);
      r.section.error(1002, item, path, in_quotes(item.text) + " is not errors, slow, miss or bypass",
                      did_you_mean(item.text, {"errors", "slow", "miss", "bypass"}));
    });
    if (!set) return;
    for (const auto& [word, member] : kWords) out.*member = std::find(words.begin(), words.end(), word) != words.end();
  }
  static std::string text(const AccessLog& log) {
    Texts words;
    for (const auto& [word, member] : kWords)
      if (log.*member) words.emplace_back(word);
    return yaml_texts(words);
  }
};

constexpr auto kRedact = table<AccessLog>({
    as<FieldGlobs, &AccessLog::redact_headers>("headers", "", "Fields whose values are not written."),
    as<Globs, &AccessLog::redact_query>("query", "", "Query parameters whose values are not written."),
});
constexpr auto kAccess = table<AccessLog>({
    as<Output, &AccessLog::output>("output", "stdout | off or path", "Where the access log goes."),
    as<Format>("format", "",
               "A template is a text with fields in braces, such as `{method} {path} {cache.result}`; `auto` is a line "
               "for people on a terminal, else JSON."),
    as<When>("when", "", "Which requests are logged; none named: all."),
    key<&AccessLog::slow_after>("slow", "0..1h", "From when on a request is slow."),
    key<&AccessLog::sample>("sample", "0%..100%", "Share of the lines that are written; errors always are."),
    map<&kRedact>("redact"),
    key<&AccessLog::buffer>("buffer", "1KiB..64MiB", "Bytes of lines each worker collects."),
    key<&AccessLog::flush>("flush", "1ms..1m", "How long a line may wait."),
    as<WordFor<false>, &AccessLog::block_when_full>("on_full", "drop | block",
                                                    "What happens when the writer cannot follow."),
});
constexpr auto kLogOptions = table<log::Options>({
    key<&log::Options::level>("level", "trace | debug | info | warn | error",
                              "Least severe messages that are written."),
    key<&log::Options::format>("format", "auto | json | text", "`auto` is text on a terminal, else JSON."),
    as<Output, &log::Options::output>("output", "stderr | stdout or path", "Where the operational log goes."),
});
constexpr auto kLog = table<Config>({
    map<&Config::log, &kLogOptions>(""),
    map<&Config::access, &kAccess>("access"),
});

struct Buckets {
  static constexpr std::string_view kType = "list of duration";
  static void read(const Reading& r, std::vector<Duration>& out) {
    constexpr std::size_t kMost = 24;
    std::vector<Duration> buckets;
    bool good = true;
    const bool set = r.each(buckets, [&](const Node& item, const std::string& path) {
      const auto bound = good ? r.duration(item, path) : std::nullopt;
      const bool ascends = bound && (buckets.empty() || *bound > buckets.back());
      if (bound && !ascends)
        r.section.error(1004, item, path, in_quotes(item.text) + " is not above the bucket before it",
                        "buckets ascend");
      good = good && ascends;
      if (ascends) buckets.push_back(*bound);
    });
    if (!set) return;
    if (const auto count = r.node()->is_list() ? r.node()->items.size() : 1; count == 0 || count > kMost)
      return r.error(1004, *r.node(), std::to_string(count) + " buckets", "1 to 24 of them");
    if (good) out = std::move(buckets);
  }
  static std::string text(const std::vector<Duration>& buckets) { return yaml_list(buckets, format_duration); }
};

constexpr auto kMetrics = table<Metrics>({
    key<&Metrics::enabled>("enabled", "", "Whether /metrics is answered on the admin listener."),
    key<&Metrics::per_route>("per_route", "", "Whether routes have series of their own.", Reload::Restart),
    key<&Metrics::max_routes>("max_routes", "1..10000", "Routes with series of their own; further ones share `_other`.",
                              Reload::Restart),
    as<Buckets, &Metrics::buckets>("buckets", "1us..1h",
                                   "Upper bounds of the latency histograms, ascending, at most 24.", Reload::Restart),
});

struct RequestId {
  static constexpr std::string_view kType = "header name or off";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a text");
    if (!text) return;
    if (*text != "off" && !is_token(*text))
      r.error(1002, *r.node(), in_quotes(*text) + " is not the name of a header field", "such as X-Request-Id, or off");
    out = *text == "off" ? std::string() : *text;
  }
  static std::string text(const std::string& name) { return name.empty() ? "off" : yaml_text(name); }
};

constexpr auto kTracing = table<Config>({
    key<&Config::propagate_trace>("propagate", "",
                                  "Whether origins get traceparent and tracestate (W3C Trace Context): the client's "
                                  "trace with a span of each fetch, else a new trace."),
    key<&Config::trace_sample>("sample", "0%..100%", "Share of new traces that have the sampled flag."),
    as<RequestId, &Config::request_id>("request_id", "", "Field that carries a request's id."),
    later<Config>("otlp"),
});

bool is_public(const Listener& listener) {
  const auto& at = listener.address;
  return at.kind == Address::Kind::Fd || (at.kind == Address::Kind::Tcp && !is_loopback_host(at.host));
}

struct CacheStatusWord : Codec<CacheStatusField> {
  static void read(const Reading& r, CacheStatusField& out) {
    Codec<CacheStatusField>::read(r, out);
    const auto& listeners = r.loading.config.listeners;
    if (out == CacheStatusField::Key && std::any_of(listeners.begin(), listeners.end(), is_public))
      r.section.report().warning(2027, *r.node(), r.path(),
                                 "answers show their cache key to every client: what is keyed, and with which values",
                                 "write on; forebay explain shows keys to operators");
  }
};

struct CacheName {
  static constexpr std::string_view kType = "token";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a text");
    if (!text) return;
    out = *text;
    if (!is_token(out) || out.size() > 80)
      r.error(1002, *r.node(), in_quotes(out) + " is not a token", "letters, digits, \"-\", \"_\" and \".\"");
  }
  static std::string text(const std::string& name) { return yaml_text(name); }
};

struct ServerTimingFor {
  static constexpr std::string_view kType = "off, on or list of CIDR";
  static void read(const Reading& r, Diagnostics::ServerTiming& out) {
    const auto* node = r.node();
    if (!node) return;
    if (node->is_scalar() && (node->text == "on" || node->text == "off")) {
      out = {node->text == "on", {}};
      return;
    }
    Diagnostics::ServerTiming listed;
    const bool set = r.each(listed.only, [&](const Node& item, const std::string& path) {
      if (const auto net = read_network(item.text)) return listed.only.push_back(*net);
      r.section.error(1002, item, path, in_quotes(item.text) + " is not on, off or a network",
                      "write the networks of those who may see it, such as 10.0.0.0/8");
    });
    listed.on = !listed.only.empty();
    if (set) out = std::move(listed);
  }
  static std::string text(const Diagnostics::ServerTiming& timing) {
    if (timing.only.empty()) return timing.on ? "on" : "off";
    return yaml_list(timing.only, [](const auto& net) { return yaml_text(http::cidr_text(net)); });
  }
};

constexpr auto kDiagnostics = table<Diagnostics>({
    as<CacheStatusWord, &Diagnostics::cache_status>(
        "cache_status", "on | key | off",
        "Whether answers carry Cache-Status (RFC 9211); `key` adds the cache key, which is not for the public."),
    as<CacheName, &Diagnostics::name>("name", "", "This cache's name in Cache-Status and Via."),
    key<&Diagnostics::x_cache>("x_cache", "", "Whether answers carry X-Cache."),
    as<ServerTimingFor, &Diagnostics::server_timing>(
        "server_timing", "",
        "Whether answers carry Server-Timing: the result, and how long the origin and waiting for another fetch took. "
        "With networks: only those of clients in them."),
});
constexpr auto kShutdown = table<Config::Shutdown>({
    key<&Config::Shutdown::delay>("delay", "0..1h",
                                  "After TERM: how long to go on as before, not ready, until balancers have noticed."),
    key<&Config::Shutdown::drain>("drain", "0..1h", "Then: how long requests in flight may take."),
});

struct Version {
  using Value = Config;
  static constexpr std::string_view kType = "int";
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, Config&) {
    const auto* node = r.node();
    unsigned version = 1;
    if (node && node->is_scalar() && parse_integer(node->text).value.value_or(1) != 1)
      r.error(1004, *node, "this Forebay reads version 1 of the format, not " + clipped(node->text), "write 1");
    else
      Codec<unsigned>::read(r, version);
  }
  static std::string text(const Config&) { return "1"; }
};

/// `include`, which is read with the file, and `defaults` and `policies`, which are read with the routes: these say all
/// that they have of them.
struct Layers {
  using Value = Config;
  static constexpr std::size_t kMembers = 0;
};

constexpr std::array kListenerElement{each<listener_table>("[]")}, kOriginElement{each<origin_table>("*")};
std::span<const Row> listener_element() noexcept { return kListenerElement; }
std::span<const Row> origin_element() noexcept { return kOriginElement; }

/// In the order in which they are read and printed.
constexpr auto kConfig = table<Config>({
    as<Version>("version", "1..1", "Version of the file's format."),
    as<Listeners, &Config::listeners>("listen", "", "Where clients connect.")
        .by_default("\":8080\"")
        .with(&Row::below, listener_element),
    as<Origins, &Config::origins>("origins", "", "Origins by name.").by_default("{}").with(&Row::below, origin_element),
    as<DefaultOrigin, &Config::default_origin>("origin", "",
                                               "The default origin: where what is not cached comes from."),
    map<&Config::server, server_table>("server"),
    map<&Config::cache, cache_table>("cache"),
    map<&kAdmin>("admin"),
    map<&kLog>("log"),
    map<&Config::metrics, &kMetrics>("metrics"),
    map<&kTracing>("tracing"),
    map<&Config::diagnostics, &kDiagnostics>("diagnostics"),
    map<&Config::shutdown, &kShutdown>("shutdown"),
    as<Layers>("include", "list of path or glob",
               "Files with routes, which are tried before those of this file, in the order of their names; relative to "
               "this file.")
        .by_default("[]"),
    as<Layers>("defaults", "policy", "Policy of all routes.").by_default("{}"),
    as<Layers>("policies", "map of policy", "Named policies; a route takes one by `policy`.").by_default("{}"),
    as<Routes>("routes", "", "What is done with which request; the first route that matches handles it.")
        .by_default("one route /**"),
    map<&Config::purging, purging_table>("purge"),
    later<Config>("l2"),
    later<Config>("warm"),
});
constexpr std::array kRoots{each<policy_table>("policy"), each<route_table>("route")};

}  // namespace

std::vector<Duration> Metrics::usual_buckets() {
  using namespace std::chrono_literals;
  return {100us, 250us, 500us, 1ms, 2500us, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2500ms, 5s, 10s, 30s};
}

Table<Config> config_table() noexcept { return kConfig; }
std::span<const Row> element_rows() noexcept { return kRoots; }

}  // namespace forebay::config
