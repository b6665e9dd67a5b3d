// Settings of origins for when they, or some of their urls, fail or have too much to do.
#include "config/resilience.hpp"

#include <algorithm>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "config/signing.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::config {
namespace {

struct IdempotencyKey {
  static constexpr std::string_view kType = "header name or off";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("the name of a header field");
    if (!text) return;
    if (*text == "true" || *text == "false")
      r.error(1002, *r.node(), in_quotes(*text) + " is not the name of a header field",
              *text == "true" ? "such as Idempotency-Key" : "write off");
    else if (*text == "off")
      out.clear();
    else if (!check_field_name(r.section, *r.node(), r.path()))
      return;
    else if (const auto id = http::field_id(*text); id != http::FieldId::Other && id != http::FieldId::XRequestId)
      r.error(1002, *r.node(), *text + " does not tell one request from another",
              "name the field by which the origin knows a request again, such as Idempotency-Key");
    else
      out = *text;
  }
  static std::string text(const std::string& name) { return name.empty() ? "off" : yaml_text(name); }
};

constexpr auto kPassive = table<Origin::Passive>({
    key<&Origin::Passive::failures>(
        "failures", "0..1000",
        "Requests in a row that fail until the url is taken out of use; 0: that does not do it."),
    as<Percent, &Origin::Passive::error_percent>(
        "error_ratio", "0%..100%", "Share of the requests in `window` that fail until the url is taken out; 0%: off."),
    key<&Origin::Passive::window>("window", "1s..1h", "The time that `error_ratio` looks at."),
    key<&Origin::Passive::min_requests>("min_requests", "1..1000000",
                                        "Requests in `window` from which on `error_ratio` counts."),
    key<&Origin::Passive::hold>("hold", "100ms..1h",
                                "How long the url is out until one request probes it; longer after each probe that "
                                "fails."),
    as<Statuses, &Origin::Passive::statuses>("statuses", "",
                                             "Statuses that count as failing; what brings no answer always does."),
});

// --- health ---

/// A path with or without a query, as it stands in a request.
struct CheckPath {
  static constexpr std::string_view kType = "path";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a path");
    if (!text) return;
    const bool visible = std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (text->starts_with('/') && visible && text->find('#') == std::string::npos) {
      out = *text;
      return;
    }
    std::string hint = "such as /healthz";
    if (looks_like_url(*text))
      hint = "the host is that of each url: write the path alone, such as /healthz";
    else if (text->find('#') != std::string::npos)
      hint = "a fragment is never sent: leave out what begins with \"#\"";
    else if (!visible)
      hint = "percent-encode blanks and letters outside of ASCII";
    else if (!text->empty())
      hint = "write " + in_quotes('/' + *text);
    r.error(1002, *r.node(), in_quotes(*text) + " is not the path of a check", std::move(hint));
  }
  static std::string text(const std::string& path) { return yaml_text(path); }
};
struct CheckHost {
  static constexpr std::string_view kType = "host";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a host");
    if (!text) return;
    if (is_authority(*text))
      out = *text;
    else
      r.error(1002, *r.node(), in_quotes(*text) + " is not a host", "a host with or without port");
  }
  static Text text(const std::string& host) { return host.empty() ? Text() : yaml_text(host); }
};

/// A member that is printed only where there are checks.
template <class C, auto Member>
struct Shown {
  using Value = Origin::Health;
  static constexpr std::size_t kMembers = 1;
  static void read(const Reading& r, Value& out) { C::read(r, out.*Member); }
  static Text text(const Value& health) { return health.on() ? Text(C::text(health.*Member)) : Text(); }
};
template <auto Member>
using ShownValue = Shown<Codec<decltype(rows::type_of(Member))>, Member>;
using Health = Origin::Health;

template <class C>
constexpr RowOf<Health> row_of_check(std::string_view name, std::string_view type, std::string_view bounds,
                                     std::string_view fallback, std::string_view help) {
  return as<C>(name, type, help).by_default(fallback).with(&Row::bounds, bounds);
}

constexpr auto kHealth = table<Health>({
    row_of_check<Shown<CheckPath, &Health::path>>(
        "path", "path", "", "-",
        "What each url is asked for, beginning with `/`; without `health` there are no checks."),
    row_of_check<ShownValue<&Health::interval>>("interval", "duration", "100ms..1h", "5s",
                                                "Time from one check of a url to the next."),
    row_of_check<ShownValue<&Health::timeout>>("timeout", "duration", "1ms..1h", "2s, at most interval",
                                               "When a check without an answer has failed; at most `interval`."),
    row_of_check<ShownValue<&Health::up_after>>("up_after", "int", "1..100", "2",
                                                "Checks in a row that pass until the url is used again."),
    row_of_check<ShownValue<&Health::down_after>>("down_after", "int", "1..100", "3",
                                                  "Checks in a row that fail until the url is used no more."),
    row_of_check<Shown<Statuses, &Health::expect>>("expect", Statuses::kType, "", "[2xx]",
                                                   "Statuses of answers that pass."),
    row_of_check<Shown<CheckHost, &Health::host>>("host", CheckHost::kType, "", "by host_header, else of the url",
                                                  "Host of the checks."),
});

void check_health(const Section& section, Origin& origin) {
  const auto* map = section.node()->entry("health");
  if (!map || !map->value->is_map()) return;
  auto& health = origin.health;
  const auto* path = map->value->find("path");
  const auto* timeout = map->value->find("timeout");
  if (!path)
    section.error(1002, *map->key, section.path_of("health"), "\"health\" needs a \"path\"", "such as path: /healthz");
  if (!timeout) health.timeout = std::min(health.timeout, health.interval);
  if (timeout && timeout->is_scalar() && parse_duration(timeout->text).value == health.timeout &&
      health.timeout > health.interval)
    section.error(1004, *timeout, section.path_of("health") + ".timeout",
                  "health.timeout " + format_duration(health.timeout) + " is longer than health.interval " +
                      format_duration(health.interval),
                  "one check ends before the next begins");
  if (map->value->find("expect") && health.expect.empty())
    section.error(1004, *map->value->find("expect"), section.path_of("health") + ".expect",
                  "no status would pass the checks", "such as [2xx]");
}

// --- limits ---

constexpr auto kRamp = table<Origin::Ramp>({
    key<&Origin::Ramp::add>("add", "0..1000000",
                            "How many more requests may be in flight than `every` before; 0 is any number."),
    key<&Origin::Ramp::every>("every", "1s..1h", "The time in which so many are added."),
});

constexpr auto kResilience = table<Origin>({
    as<Percent, &Origin::retry_percent>(
        "retry_budget", "0%..100%",
        "Most retries, as a share of the requests of the last ten seconds; a few are always allowed."),
    as<IdempotencyKey, &Origin::idempotency_key>(
        "idempotency_key", "",
        "Requests with this field may be sent again whatever their method is, since the origin knows them by it."),
    map<&Origin::passive, &kPassive>("passive"),
    map<&Origin::health, &kHealth>("health"),
    as<OriginName, &Origin::failover>("failover", "",
                                      "The origin that is asked when this one fails; its own `failover` is not."),
    as<Failures, &Origin::failover_on>("failover_on", "", "What `failover` counts as failing."),
    key<&Origin::max_concurrency>("max_concurrency", "0..1000000",
                                  "Requests in flight to all urls together; further ones wait as long as "
                                  "`pool.queue_timeout` says; 0 is no limit."),
    map<&Origin::ramp, &kRamp>("ramp"),
});

void check_total(const Section& section, const Origin& origin) {
  const auto* map = section.map("timeouts");
  const auto* total = map ? map->find("total") : nullptr;
  const auto& timeouts = origin.timeouts;
  if (!total || timeouts.total == Duration{0}) return;
  // A default that is longer means nothing by itself.
  for (const auto& [name, value] :
       {std::pair{"connect", timeouts.connect}, std::pair{"first_byte", timeouts.first_byte}})
    if (map->find(name) && value > timeouts.total)
      section.report().warning(2075, *total, section.path_of("timeouts") + ".total",
                               "timeouts.total " + format_duration(timeouts.total) + " is shorter than timeouts." +
                                   name + ' ' + format_duration(value),
                               "it ends a request first; raise it, or lower timeouts." + std::string(name));
}

void check_concurrency(const Section& section, const Origin& origin) {
  const auto* written = section.node()->find("max_concurrency");
  const auto connections = std::uint64_t{origin.pool.max_connections} * origin.urls.size();
  if (!written || origin.urls.empty() || origin.max_concurrency <= connections) return;
  section.report().warning(2074, *written, section.path_of("max_concurrency"),
                           "max_concurrency " + std::to_string(origin.max_concurrency) + " is never reached: " +
                               (origin.urls.size() == 1 ? "the url has " : "the urls have together ") +
                               std::to_string(connections) + " connections (pool.max_connections)",
                           "lower it, or raise pool.max_connections");
}

/// What clients can cause with any request must not take an origin out of use for others.
void warn_of_statuses(const Section& section, const Section& of, std::string_view name,
                      const std::vector<rules::StatusPattern>& statuses) {
  const auto* written = of.find(name);
  if (!written) return;
  for (const auto& status : statuses)
    if (status.from < 500)
      section.report().warning(2076, *written, of.path_of(name),
                               std::string(name) + " has " + format_status(status) +
                                   ", which clients can cause: such requests take the origin away from others",
                               "list statuses from 500 on");
}

void check_statuses(const Section& section, const Origin& origin) {
  if (const auto* passive = section.map("passive"))
    warn_of_statuses(section, Section(section.report(), passive, section.path_of("passive")), "statuses",
                     origin.passive.statuses);
}

/// Keys that have a meaning only beside another one.
void check_effect(const Section& section, const Origin& origin) {
  const auto useless = [&](std::string_view name, const std::string& why, const std::string& hint) {
    if (const auto* written = section.find(name))
      section.report().warning(2077, *written, section.path_of(name), in_quotes(name) + " has no effect: " + why, hint);
  };
  // Printed defaults are no mistake.
  const Origin usual;
  if (!section.find("failover") && origin.failover_on != usual.failover_on)
    useless("failover_on", "there is no failover", "name another origin as failover");
  if (origin.retries == 0 && origin.retry_percent != usual.retry_percent)
    useless("retry_budget", "there are no retries", "leave it out, or raise retries");
  if (origin.retries == 0 && !origin.idempotency_key.empty())
    useless("idempotency_key", "there are no retries", "leave it out, or raise retries");
  if (origin.urls.size() == 1 && origin.balance != usual.balance)
    useless("balance", "there is one url", "leave it out, or list more urls");
  if (origin.urls.size() == 1 && origin.slow_start != usual.slow_start)
    useless("slow_start", "there is one url", "leave it out, or list more urls");
  if (origin.ramp.add == 0 && origin.ramp.every != usual.ramp.every)
    useless("ramp", "it adds nothing", "set ramp.add, or leave it out");
  const auto& passive = origin.passive;
  const auto* written = section.map("passive");
  if (!written || passive.error_percent != 0) return;
  const auto needs = [&](std::string_view name, bool changed, const std::string& why) {
    if (const auto* key = changed ? written->find(name) : nullptr)
      section.report().warning(2077, *key, section.path_of("passive") + '.' + std::string(name),
                               in_quotes(name) + " has no effect: " + why, "leave it out, or set error_ratio");
  };
  const std::string no_ratio = "error_ratio is off", nothing = "failures and error_ratio are off";
  needs("window", passive.window != usual.passive.window, no_ratio);
  needs("min_requests", passive.min_requests != usual.passive.min_requests, no_ratio);
  if (passive.failures != 0) return;
  needs("hold", passive.hold != usual.passive.hold, nothing);
  needs("statuses", passive.statuses != usual.passive.statuses, nothing);
}

/// Whether requests to both are the same.
bool asks_the_same(Origin a, const Origin& b) {
  a.name = b.name;
  a.failover = b.failover;
  a.failover_on = b.failover_on;
  return a == b;
}

/// Whether following `failover` leads back to `name`: then the names on the way. Only the first of them says so.
std::vector<std::string> way_back(const std::map<std::string, Origin>& origins, const std::string& name) {
  std::vector<std::string> way;
  for (const auto* at = &name; way.size() < origins.size();) {
    way.push_back(*at);
    const auto it = origins.find(*at);
    if (it == origins.end() || it->second.failover.empty()) return {};
    at = &it->second.failover;
    if (*at == name) return way;
    if (*at < name) return {};
  }
  return {};
}

}  // namespace

Table<Origin> origin_resilience_table() noexcept { return kResilience; }

void check_resilience(const Section& section, Origin& origin) {
  if (!section.node()) return;
  check_health(section, origin);
  check_total(section, origin);
  check_concurrency(section, origin);
  check_statuses(section, origin);
  check_effect(section, origin);
}

void read_failovers(Loading& loading, const Node& node) {
  auto& origins = loading.config.origins;
  std::map<std::string, SetBy> said;
  for (const auto& [key, value] : node.entries) {
    const Section section(loading.report, value.get(), "origins." + clipped(key->text));
    const auto it = origins.find(key->text);
    const auto* failover = it == origins.end() ? nullptr : section.find("failover");
    if (!failover) continue;
    it->second.failover = resolve_origin(loading, *failover, section.path_of("failover"));
    said[key->text] = {failover, section.path_of("failover")};
  }
  for (const auto& [name, by] : said) {
    const auto& origin = origins.at(name);
    const auto other = origins.find(origin.failover);
    if (other != origins.end() && other->first != name && asks_the_same(origin, other->second))
      loading.report.warning(2077, *by.node, by.path,
                             "\"failover\" has no effect: " + in_quotes(other->first) + " is the same origin",
                             "name an origin with another url, or leave it out");
    const auto way = way_back(origins, name);
    if (way.empty()) continue;
    std::string names;
    for (const auto& step : way) names += in_quotes(step) + ", ";
    loading.report.error(1041, *by.node, by.path,
                         way.size() == 1
                             ? in_quotes(name) + " is its own failover"
                             : "the failover of " + in_quotes(name) + " leads back to it: " + names + in_quotes(name),
                         "name another origin, or leave it out");
  }
}

}  // namespace forebay::config
