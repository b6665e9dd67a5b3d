// Readers of what shows to the outside: admin, log, metrics, tracing, diagnostics, shutdown.
#include <algorithm>
#include <array>

#include "config/address.hpp"
#include "config/readers.hpp"
#include "config/secret.hpp"
#include "config/suggest.hpp"
#include "forebay/http/target.hpp"

namespace forebay::config {
namespace {

void read_allowed_hosts(const Section& admin, std::vector<std::string>& out) {
  const auto list = admin.list("allowed_hosts");
  if (!list) return;
  out.clear();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    std::string host;
    const bool good = http::append_normal_host(item.text, "http", host).has_value();
    const auto port = good && host.find(']') == std::string::npos ? host.find(':') : std::string::npos;
    if (good && port == std::string::npos && item.text.find('*') == std::string::npos)
      out.push_back(std::move(host));
    else
      admin.error(1002, item, admin.path_of("allowed_hosts", i), in_quotes(item.text) + " is not a host",
                  port != std::string::npos ? "write " + in_quotes(host.substr(0, port)) + "; it is for every port"
                                            : "such as forebay.internal");
  }
}

void read_operators(const Section& admin, Config::Operators& operators) {
  read_secret(admin, "token", operators.token, operators.token_file);
  admin.boolean("allow_loopback", operators.allow_loopback);
  read_allowed_hosts(admin, operators.allowed_hosts);
}

void read_admin(Loading& loading) {
  auto& config = loading.config;
  config.admin = Address{Address::Kind::Tcp, "127.0.0.1", 8081, "127.0.0.1:8081"};
  const auto admin = loading.top.in("admin");
  read_operators(admin, config.operators);
  const auto* node = admin.find("listen");
  const auto* text = node ? admin.scalar(*node, "admin.listen", "an address or off") : nullptr;
  if (!text) return;
  if (*text == "off") {
    config.admin.reset();
    return;
  }
  auto parsed = parse_address(*text);
  if (!parsed.value) {
    if (*text == "false" || *text == "none") parsed.fault.hint = "write off";
    return admin.fault(*node, "admin.listen", parsed.fault);
  }
  config.admin = std::move(*parsed.value);
  loading.places["admin"] = {node, "admin.listen"};
  if (config.admin->kind == Address::Kind::Tcp && !is_loopback_host(config.admin->host) &&
      config.operators.token.empty()) {
    config.admin_public_only = true;
    // Whoever writes an empty token, or one of a variable that is not set, knows that there is none.
    if (const auto* token = admin.node() ? admin.node()->find("token") : nullptr;
        token && token->is_scalar() && !token->bad && token->text.empty())
      return;
    loading.report.warning(2010, *node, "admin.listen",
                           "the admin listener can be reached from outside, without a token",
                           "only /livez, /readyz, /metrics and /version are answered there; set token_file for more");
  }
}

/// A word of the list or the path of a file. What has neither slash nor dot is rather a mistyped word.
bool read_output(const Section& section, std::string_view key, const std::vector<std::string_view>& words,
                 std::string& out) {
  const auto* node = section.find(key);
  const auto* text = node ? section.scalar(*node, section.path_of(key), "an output") : nullptr;
  if (!text) return false;
  const bool word = std::find(words.begin(), words.end(), *text) != words.end();
  if (!word && text->find_first_of("/.") == std::string::npos) {
    const auto near = nearest(*text, words);
    section.error(
        1002, *node, section.path_of(key), in_quotes(*text) + " is no output",
        near ? "did you mean \"" + *near + "\"?"
             : std::string(words[0]) + ", " + std::string(words[1]) + " or a path such as /var/log/forebay.log");
    return false;
  }
  out = *text;
  return true;
}

constexpr std::array<std::string_view, 47> kFields{"ts",
                                                   "remote",
                                                   "client",
                                                   "method",
                                                   "scheme",
                                                   "host",
                                                   "path",
                                                   "query",
                                                   "proto",
                                                   "status",
                                                   "bytes_in",
                                                   "bytes_out",
                                                   "route",
                                                   "cache.result",
                                                   "cache.reason",
                                                   "cache.cause",
                                                   "cache.cause_left_s",
                                                   "cache.key_id",
                                                   "cache.age_s",
                                                   "cache.ttl_s",
                                                   "cache.ttl_source",
                                                   "cache.stored",
                                                   "cache.tier",
                                                   "time.total_ms",
                                                   "time.queue_ms",
                                                   "time.lookup_ms",
                                                   "time.l2_ms",
                                                   "time.wait_ms",
                                                   "time.origin_connect_ms",
                                                   "time.origin_ttfb_ms",
                                                   "time.send_ms",
                                                   "origin.name",
                                                   "origin.address",
                                                   "origin.method",
                                                   "origin.status",
                                                   "origin.attempts",
                                                   "origin.error",
                                                   "origin.detail",
                                                   "error.code",
                                                   "error.detail",
                                                   "trace_id",
                                                   "request_id",
                                                   "user_agent",
                                                   "referer",
                                                   "tls",
                                                   "cache",
                                                   "time"};

/// Fields in braces stand for parts of the access record (docs: log fields).
bool check_template(const Section& access, const Node& node, const std::string& text) {
  std::string_view rest = text;
  while (true) {
    const auto brace = rest.find_first_of("{}");
    if (brace == std::string_view::npos) return true;
    const auto end = rest[brace] == '{' ? rest.find('}', brace) : std::string_view::npos;
    if (end == std::string_view::npos) {
      access.error(1002, node, access.path_of("format"), "a brace of the template is not closed or not opened",
                   "fields are written like {status}");
      return false;
    }
    const auto field = rest.substr(brace + 1, end - brace - 1);
    const bool known = std::find(kFields.begin(), kFields.end() - 2, field) != kFields.end() - 2;
    if (!known) {
      const auto near = nearest(field, {kFields.begin(), kFields.end() - 2});
      access.error(1002, node, access.path_of("format"), "the access log has no field " + in_quotes(field),
                   near ? "did you mean {" + *near + "}?" : "such as {status}");
      return false;
    }
    rest.remove_prefix(end + 1);
  }
}

void read_format(const Section& access, AccessLog& log) {
  const auto* node = access.find("format");
  const auto* text = node ? access.scalar(*node, access.path_of("format"), "a format") : nullptr;
  if (!text) return;
  if (text->find('{') == std::string::npos) {
    enum class Word { Auto, Json, Combined } word{};
    if (!access.choice("format", word)) return;
    log.format = static_cast<AccessFormat>(word);
    return;
  }
  if (!check_template(access, *node, *text)) return;
  log.format = AccessFormat::Template;
  log.template_text = *text;
}

void read_when(const Section& access, AccessLog& log) {
  const auto list = access.list("when");
  if (!list) return;
  log.errors = log.slow = log.miss = log.bypass = false;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (item.text == "errors")
      log.errors = true;
    else if (item.text == "slow")
      log.slow = true;
    else if (item.text == "miss")
      log.miss = true;
    else if (item.text == "bypass")
      log.bypass = true;
    else {
      const auto near = nearest(item.text, {"errors", "slow", "miss", "bypass"});
      access.error(1002, item, access.path_of("when", i), in_quotes(item.text) + " is not errors, slow, miss or bypass",
                   near ? "did you mean \"" + *near + "\"?" : "");
    }
  }
}

void read_log(Loading& loading) {
  auto& config = loading.config;
  const auto log = loading.top.in("log");
  log.choice("level", config.log.level);
  log.choice("format", config.log.format);
  read_output(log, "output", {"stderr", "stdout"}, config.log.output);
  const auto access = log.in("access");
  read_output(access, "output", {"stdout", "off"}, config.access.output);
  read_format(access, config.access);
  read_when(access, config.access);
  access.duration("slow", config.access.slow_after);
  access.ratio("sample", config.access.sample);
  const auto redact = access.in("redact");
  redact.field_globs("headers", config.access.redact_headers);
  redact.globs("query", config.access.redact_query);
  std::uint64_t buffer = config.access.buffer;
  if (access.size("buffer", buffer)) config.access.buffer = static_cast<std::size_t>(buffer);
  access.duration("flush", config.access.flush);
  enum class Full { Drop, Block } full{};
  if (access.choice("on_full", full)) config.access.block_when_full = full == Full::Block;
}

void read_metrics(Loading& loading) {
  auto& metrics = loading.config.metrics;
  using std::chrono::microseconds;
  for (const auto us : {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
                        5000000, 10000000, 30000000})
    metrics.buckets.push_back(microseconds{us});
  const auto section = loading.top.in("metrics");
  section.boolean("enabled", metrics.enabled);
  section.boolean("per_route", metrics.per_route);
  section.integer("max_routes", metrics.max_routes);
  const auto list = section.list("buckets");
  if (!list) return;
  constexpr std::size_t kMost = 24;
  if (list->empty() || list->size() > kMost) {
    section.error(1004, *section.find("buckets"), section.path_of("buckets"), std::to_string(list->size()) + " buckets",
                  "1 to 24 of them");
    return;
  }
  std::vector<Duration> buckets;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    const auto bound = section.duration_of("buckets", item, section.path_of("buckets", i));
    if (!bound) return;
    if (!buckets.empty() && *bound <= buckets.back()) {
      section.error(1004, item, section.path_of("buckets", i),
                    in_quotes(item.text) + " is not above the bucket before it", "buckets ascend");
      return;
    }
    buckets.push_back(*bound);
  }
  metrics.buckets = std::move(buckets);
}

void read_rest(Loading& loading) {
  auto& config = loading.config;
  const auto tracing = loading.top.in("tracing");
  tracing.boolean("propagate", config.propagate_trace);
  std::string id = config.request_id;
  if (tracing.text("request_id", id)) {
    if (id == "off")
      id.clear();
    else if (!is_token(id))
      tracing.error(1002, *tracing.find("request_id"), tracing.path_of("request_id"),
                    in_quotes(id) + " is not the name of a header field", "such as X-Request-Id, or off");
    config.request_id = id;
  }
  const auto diagnostics = loading.top.in("diagnostics");
  diagnostics.choice("cache_status", config.diagnostics.cache_status);
  const auto is_public = [](const Listener& listener) {
    const auto& at = listener.address;
    return at.kind == Address::Kind::Fd || (at.kind == Address::Kind::Tcp && !is_loopback_host(at.host));
  };
  if (const auto* node = diagnostics.find("cache_status");
      node && config.diagnostics.cache_status == CacheStatusField::Key &&
      std::any_of(config.listeners.begin(), config.listeners.end(), is_public))
    loading.report.warning(2027, *node, diagnostics.path_of("cache_status"),
                           "answers show their cache key to every client: what is keyed, and with which values",
                           "write on; forebay explain shows keys to operators");
  if (diagnostics.text("name", config.diagnostics.name) &&
      (!is_token(config.diagnostics.name) || config.diagnostics.name.size() > 80)) {
    diagnostics.error(1002, *diagnostics.find("name"), diagnostics.path_of("name"),
                      in_quotes(config.diagnostics.name) + " is not a token",
                      "letters, digits, \"-\", \"_\" and \".\"");
  }
  diagnostics.boolean("x_cache", config.diagnostics.x_cache);
  const auto shutdown = loading.top.in("shutdown");
  shutdown.duration("delay", config.shutdown.delay);
  shutdown.duration("drain", config.shutdown.drain);
}

}  // namespace

void read_seen(Loading& loading) {
  read_admin(loading);
  read_log(loading);
  read_metrics(loading);
  read_rest(loading);
}

}  // namespace forebay::config
