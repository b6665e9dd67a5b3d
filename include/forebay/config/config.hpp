#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/base/clock.hpp"
#include "forebay/base/log.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/purge_order.hpp"
#include "forebay/config/access_template.hpp"
#include "forebay/config/redirect_target.hpp"
#include "forebay/http/aws_sigv4.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/rules/condition.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::config {

/// `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`, `fd:NAME`.
struct Address {
  enum class Kind : std::uint8_t { Tcp, Unix, Fd };
  Kind kind = Kind::Tcp;
  std::string host;  ///< Empty: all interfaces (dual stack). The path or NAME for the other kinds.
  std::uint16_t port = 0;
  std::string text;  ///< As written.
  /// An address without a host whose IPv4 half another listener has: it takes IPv6 alone.
  bool v6_only = false;
  bool operator==(const Address&) const = default;
};

/// TLS of a listener.
/// The oldest version of TLS that may be spoken.
enum class TlsVersion : std::uint8_t { Tls12, Tls13 };

struct ListenerTls {
  /// Paths of PEM files, but for `ocsp`.
  struct Certificate {
    std::string cert;  ///< The certificate and what leads from it towards a root.
    std::string key;
    std::string ocsp;  ///< An OCSP response (DER) to staple; empty: none.
    bool operator==(const Certificate&) const = default;
  };
  enum class ClientAuth : std::uint8_t { Require, Request };

  std::vector<Certificate> certificates;  ///< The first is for clients that name no known host; none: no TLS.
  TlsVersion min_version = TlsVersion::Tls12;
  std::string client_ca;  ///< Who signs clients' certificates; empty: none is asked for.
  ClientAuth client_auth = ClientAuth::Require;
  bool client_cert_header = false;  ///< Origins get Client-Cert (RFC 9440).
  bool session_tickets = true;
  Duration session_timeout = std::chrono::hours{12};

  bool on() const noexcept { return !certificates.empty(); }
  bool operator==(const ListenerTls&) const = default;
};

struct Listener {
  Address address;
  std::string name;                   ///< Metric label.
  bool http2 = true;                  ///< By ALPN, and by prior knowledge where there is no TLS.
  std::optional<std::uint32_t> mode;  ///< Of the file of a Unix socket; nothing: anybody may connect.
  std::string owner, group;           ///< The file's, by name or number; empty: the process's own.
  bool proxy_protocol = false;        ///< Each connection begins with a PROXY header.
  ListenerTls tls{};                  ///< Off without certificates.
  bool operator==(const Listener&) const = default;
};

/// How TLS is spoken with an origin.
struct OriginTls {
  bool verify = true;  ///< Whether the origin has to prove who it is.
  std::string ca;      ///< File or directory of those who sign the origin's certificate; empty: the system's.
  std::string sni;     ///< The name that is asked for and has to be in the certificate; empty: the url's host.
  std::string cert;    ///< Our own certificate and its chain; empty: none.
  std::string key;
  TlsVersion min_version = TlsVersion::Tls12;
  bool operator==(const OriginTls&) const = default;
};

/// An origin's address: `http://host:port` or `https://host:port`.
struct Url {
  std::string scheme = "http";
  std::string host;
  std::uint16_t port = 80;
  std::string text;       ///< As written.
  std::string authority;  ///< Host as it goes into Host when `host_header: origin`.
  bool is_https() const noexcept { return scheme == "https"; }
  bool operator==(const Url&) const = default;
};

/// How requests to an origin are signed, and with what.
struct Signing {
  enum class Type : std::uint8_t { Off, AwsSigV4 };
  /// Where credentials come from. `Auto`: keys of this configuration, else the environment, a shared file, a container.
  enum class From : std::uint8_t { Auto, Environment, File, Container };

  Type type = Type::Off;
  std::string region, service;
  std::uint64_t body_max = 6 * 1024 * 1024;  ///< Of content that is hashed.
  From credentials = From::Auto;
  std::string access_key_id, access_key_id_file;
  std::string secret_access_key, secret_access_key_file;
  std::string session_token, session_token_file;
  std::string profile;           ///< Of the shared file; empty: $AWS_PROFILE, else `default`.
  std::string credentials_file;  ///< Empty: $AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials.

  /// What has been found where `credentials` says: keys, or the endpoint that gives them; or why there is nothing.
  struct Found {
    http::AwsCredentials keys;  ///< Empty: none.
    Url endpoint;               ///< Without a host: none.
    std::string path;           ///< At the endpoint.
    std::string token;          ///< For Authorization; empty: none.
    std::string token_file;     ///< Where the token is read each time; empty: `token` is used.
    std::string missing;        ///< Why there are neither keys nor an endpoint.
    bool operator==(const Found&) const = default;
  } found;

  bool on() const noexcept { return type != Type::Off; }
  /// Whether the content is a part of what is signed. Of S3 it is not, so that it streams.
  bool signs_content() const noexcept { return on() && !http::aws_keeps_path(service); }
  bool operator==(const Signing&) const = default;
};

/// A field that an origin gets with each request. Its value may be a secret: it is never shown.
struct OriginField {
  std::string name;
  std::string value;  ///< Empty: nothing is sent (a redacted value was read).
  std::string file;   ///< Where it was read; empty: it is in the file itself.
  bool operator==(const OriginField&) const = default;
};

/// How a pool of urls shares its requests.
enum class Balance : std::uint8_t {
  RoundRobin,        ///< In turns, as often as the weight says, and spread over time (nginx's smooth order).
  LeastConnections,  ///< The least in-flight requests for its weight; among equals by turns.
  Hash,  ///< The same url for the same key, by weighted rendezvous hashing: a change of one url moves only its keys.
};

struct Origin {
  /// One url of a pool.
  struct Member {
    Url url;
    unsigned weight = 1;  ///< 1 to 1000.
    bool operator==(const Member&) const = default;
  };

  std::string name;
  Url url;                   ///< The first of `urls`.
  std::vector<Member> urls;  ///< At least one; all of the same scheme.
  Balance balance = Balance::RoundRobin;
  Duration slow_start = std::chrono::seconds{10};  ///< How long a url that came back gets less than its share; 0: off.
  std::string host_header = "preserve";            ///< `preserve`, `origin` or text.
  struct Timeouts {
    Duration connect = std::chrono::seconds{3};
    Duration first_byte = std::chrono::seconds{30};
    Duration between_bytes = std::chrono::seconds{30};
    Duration dns = std::chrono::seconds{2};  ///< A part of `connect`.
    Duration total{0};                       ///< All of a request, with its attempts and waits; 0: off.
    bool operator==(const Timeouts&) const = default;
  } timeouts;
  unsigned retries = 1;
  unsigned retry_percent = 20;  ///< Of the requests of the last ten seconds, at most so many retries.
  /// The field by which clients say that a request may be repeated; the origin knows it. Empty: none.
  std::string idempotency_key;
  struct Pool {
    unsigned max_connections = 256;  ///< Of each url.
    unsigned max_idle = 64;
    Duration idle_timeout = std::chrono::seconds{30};
    Duration queue_timeout = std::chrono::seconds{5};
    bool operator==(const Pool&) const = default;
  } pool;
  /// When the results of its requests take a url out of use.
  struct Passive {
    unsigned failures = 5;       ///< So many in a row; 0: they do not.
    unsigned error_percent = 0;  ///< So many of the requests in `window`, if they are `min_requests`; 0: they do not.
    Duration window = std::chrono::seconds{10};
    unsigned min_requests = 20;
    Duration hold = std::chrono::seconds{10};    ///< How long it stays out; longer after each probe that fails.
    std::vector<rules::StatusPattern> statuses;  ///< Of answers that count as failures.
    bool operator==(const Passive&) const = default;
  } passive;
  /// Active checks; without a path there are none.
  struct Health {
    std::string path;
    Duration interval = std::chrono::seconds{5};
    Duration timeout = std::chrono::seconds{2};
    unsigned up_after = 2, down_after = 3;                 ///< Checks in a row.
    std::vector<rules::StatusPattern> expect{{200, 299}};  ///< Statuses that pass.
    std::string host;  ///< Of the checks; empty: as `host_header` says, else the url's.
    bool on() const noexcept { return !path.empty(); }
    bool operator==(const Health&) const = default;
  } health;
  std::string failover;  ///< The origin that is asked in its place; empty: none.
  /// When it is asked.
  struct FailoverOn {
    bool connect = true;  ///< There was no connection, or it broke before the answer.
    bool timeout = true;  ///< The answer did not come in time.
    std::vector<rules::StatusPattern> statuses{{502, 502}, {503, 503}, {504, 504}};
    bool operator==(const FailoverOn&) const = default;
  } failover_on;
  unsigned max_concurrency = 0;  ///< Requests in flight; 0: any number.
  struct Ramp {
    unsigned add = 0;  ///< So many more requests in flight in any `every`; 0: any number.
    Duration every = std::chrono::seconds{10};
    bool operator==(const Ramp&) const = default;
  } ramp;
  Duration dns_refresh = std::chrono::seconds{30};
  bool srv = false;  ///< The host names a service (RFC 2782), whose records have hosts and ports.
  Signing sign;
  std::vector<OriginField> headers;
  double cost_per_million = 0;  ///< Money for a million requests, in any currency.
  OriginTls tls;                ///< Without meaning where the url is http.
  bool operator==(const Origin&) const = default;
};

/// A compiled path pattern.
class PathPattern {
 public:
  /// Throws nothing; nothing and a sentence in `why` for a bad pattern.
  static std::optional<PathPattern> parse(std::string_view text, std::string& why);
  PathPattern();
  PathPattern(PathPattern&&) noexcept;
  PathPattern& operator=(PathPattern&&) noexcept;
  PathPattern(const PathPattern&);
  PathPattern& operator=(const PathPattern&);
  ~PathPattern();
  /// Against a normalised path. No allocation.
  bool matches(std::string_view path) const;
  const std::string& text() const noexcept;
  /// Whether every path that `other` matches is matched by this one too; false when that cannot be told (regular
  /// expressions).
  bool covers(const PathPattern& other) const;
  /// Names of captures, in order.
  const std::vector<std::string>& captures() const noexcept;
  /// Appends what the captures of a path that matches take, in the order of `captures()`; views into `path` and into
  /// this pattern. A group of a regular expression that took no part is left out.
  void capture(std::string_view path, std::vector<cache::Capture>& out) const;
  /// A path that it matches: `1` for each capture and each `*`, nothing for `**`. Nothing for a regular expression.
  std::optional<std::string> example() const;

 private:
  struct Compiled;
  friend struct PatternView;
  std::shared_ptr<const Compiled> compiled_;
};

/// What is taken from the front of a path on its way to the origin, and put there. The key and the route see the path
/// before.
struct Rewrite {
  std::string strip_prefix;  ///< Whole segments, in normal form; a path that does not begin so stays as it is.
  std::string add_prefix;
  bool empty() const noexcept { return strip_prefix.empty() && add_prefix.empty(); }
};

/// Fields set (over whatever is there) and removed, in this order: removed, then set.
struct HeaderChanges {
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::string> remove;
  bool empty() const noexcept { return set.empty() && remove.empty(); }
};

/// Who answers the requests of a route.
enum class Answers : std::uint8_t { Origin, Redirect, Respond };
/// `redirect`: another URL.
struct Redirect {
  unsigned status = 0;
  std::string to;          ///< As written; empty: none.
  bool only_http = false;  ///< `https` and `https:8443`: the same URL over https, for requests over http alone.
  RedirectTarget target;
};
/// `respond`: an answer of the configuration itself.
struct Respond {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body, file;      ///< As written; one of them, or none.
  http::Fields fields;         ///< What is sent: `headers` and `response_headers`, Content-Type and ETag.
  Ref<const Chunk> content{};  ///< Null: none.
};

/// What a successful write on a route makes stale, beside its URL.
struct Invalidates {
  std::vector<rules::TagTemplate> tags;
  cache::PurgeMode mode = cache::PurgeMode::Hard;
  std::uint64_t body_max = 64 * 1024;  ///< Of an answer that is read before it goes to the client.
  bool empty() const noexcept { return tags.empty(); }
};

/// Who has set something: `routes.search.ttl.default`, `policies.listing.ttl.default`, `defaults.ttl.default`.
struct Provenance {
  std::string path;
  int line = 0;  ///< 0: a flag or variable.
};

struct Route {
  std::string name;  ///< Unique; the metric label.
  std::size_t index = 0;
  std::string file;
  int line = 0;
  std::vector<std::string> hosts;  ///< Globs, lower case; empty: any.
  PathPattern path;
  rules::Conditions match;
  std::string origin;  ///< Name in `Config::origins`.
  cache::KeySpec key;
  rules::Policy policy;
  std::string policy_name;  ///< `policy:`; empty: none.
  Rewrite rewrite;
  HeaderChanges request_headers;   ///< Towards the origin.
  HeaderChanges response_headers;  ///< Towards the client.
  Invalidates invalidates;
  Redirect redirect;
  Respond respond;
  Answers answers = Answers::Origin;
  bool any_method = false;  ///< It answers by itself, and names no methods.
  /// Where the settings of its policy came from, by their path within it (`ttl.default`, `ttl.status.404`,
  /// `key.query`); what is not in it is built in.
  std::map<std::string, Provenance, std::less<>> provenance;
};

struct Server {
  unsigned threads = 1;
  unsigned max_connections = 20000;
  struct Timeouts {
    Duration header = std::chrono::seconds{10};
    Duration body = std::chrono::seconds{30};
    Duration idle = std::chrono::seconds{60};
    Duration write = std::chrono::seconds{60};
    Duration tunnel = std::chrono::hours{1};
  } timeouts;
  http::HeadLimits request_limits;  ///< request_target, request_header, header_count.
  std::uint64_t request_body = 10 * 1024 * 1024;
  std::size_t response_header = 64 * 1024;
  std::uint64_t min_rate = 500;          ///< Bytes a second; 0: off.
  unsigned connections_per_address = 0;  ///< 0: off.
  unsigned streams = 100;                ///< Requests at a time of one HTTP/2 connection.
  unsigned tunnels = 10000;              ///< Connections that have switched protocols, and those about to.
  http::TrustedProxies trusted_proxies;
  http::ForwardedMode forwarded = http::ForwardedMode::Auto;
  struct NameServer {
    std::string address;  ///< An IPv4 or IPv6 address, without brackets.
    std::uint16_t port = 53;
    bool operator==(const NameServer&) const = default;
  };
  std::vector<NameServer> name_servers;  ///< Empty: those of /etc/resolv.conf.
  std::string handover;                  ///< Unix socket where a successor asks for the listening sockets; empty: off.
};

struct CacheTier {
  std::uint64_t memory = 256 * 1024 * 1024;
  std::uint64_t max_object = 8 * 1024 * 1024;
  unsigned shards = 8;
  Duration keep = std::chrono::minutes{10};
};

/// `Console` is what `Auto` is on a terminal.
enum class AccessFormat : std::uint8_t { Auto, Json, Combined, Template, Console };
struct AccessLog {
  std::string output = "stdout";  ///< `stdout`, `off` or a path.
  AccessFormat format = AccessFormat::Auto;
  AccessTemplate line;                                              ///< Of `Template`.
  bool errors = false, slow = false, miss = false, bypass = false;  ///< `when`; none set: all.
  Duration slow_after = std::chrono::seconds{1};
  double sample = 1.0;
  std::vector<std::string> redact_headers{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key"};
  std::vector<std::string> redact_query;
  std::size_t buffer = 64 * 1024;
  Duration flush = std::chrono::seconds{1};
  bool block_when_full = false;
  bool operator==(const AccessLog&) const = default;
};

struct Metrics {
  bool enabled = true;
  bool per_route = true;
  unsigned max_routes = 100;
  /// Upper bounds of the latency histograms, ascending; at most 24.
  std::vector<Duration> buckets = usual_buckets();

  static std::vector<Duration> usual_buckets();  ///< From 100 us to 30 s.
};

enum class CacheStatusField : std::uint8_t { On, Key, Off };
struct Diagnostics {
  CacheStatusField cache_status = CacheStatusField::On;
  std::string name = "forebay";
  bool x_cache = true;
  /// Who gets Server-Timing.
  struct ServerTiming {
    bool on = false;
    std::vector<http::Cidr> only;  ///< Empty: everybody.
  } server_timing;
};

/// A whole configuration, checked. Immutable: read whole, checked whole, swapped whole.
class SettingPlaces;

struct Config {
  std::string file;                             ///< Where it came from; empty without a file.
  std::shared_ptr<const SettingPlaces> places;  ///< Where its settings stand; null: not known.
  std::vector<Listener> listeners;
  Server server;
  std::map<std::string, Origin> origins;
  std::string default_origin;  ///< Name in `origins`, or empty.
  CacheTier cache;
  std::vector<Route> routes;               ///< In file order.
  std::vector<std::string> upgrade;        ///< Of `defaults`: for requests that no route matches.
  std::vector<std::string> match_headers;  ///< Every field that `match` of some route asks for; lower case.
  /// Nothing: off.
  std::optional<Address> admin = Address{Address::Kind::Tcp, "127.0.0.1", 8081, "127.0.0.1:8081"};
  struct Operators {
    std::string token;            ///< Empty: none is accepted.
    std::string token_file;       ///< Where it was read; empty: it is in the file itself.
    std::string read_token;       ///< The same of one that changes nothing.
    std::string read_token_file;  ///< Where it was read.
    bool allow_loopback = true;
    std::vector<std::string> allowed_hosts;  ///< Names besides localhost and the loopback addresses.
    unsigned changes_per_second = 100;       ///< By the admin API.
  } operators;
  /// Mode, owner, group and TLS of the admin listener; the rest has no meaning.
  Listener admin_listener;
  /// By clients, with the methods PURGE and BAN; `mode` is for all purges.
  struct Purging {
    bool purge = false, ban = false;  ///< `methods`
    std::vector<http::Cidr> allow = loopback();
    std::string token;       ///< Empty: none is required.
    std::string token_file;  ///< Where it was read; empty: it is in the file itself.
    cache::PurgeMode mode = cache::PurgeMode::Hard;

    static std::vector<http::Cidr> loopback();
  } purging;
  log::Options log;
  AccessLog access;
  Metrics metrics;
  Diagnostics diagnostics;
  std::string request_id = "X-Request-Id";  ///< Empty: off.
  bool propagate_trace = true;
  double trace_sample = 1;  ///< Share of new traces that are sampled.
  struct Shutdown {
    Duration delay{0};
    Duration drain = std::chrono::seconds{30};
  } shutdown;
};
using ConfigPtr = std::shared_ptr<const Config>;

}  // namespace forebay::config
