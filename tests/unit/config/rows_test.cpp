// Each row reads, prints and reads back the member that it names, and each member of the settings has a row.
#include "config/row.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "config/readers.hpp"
#include "config/schema.hpp"
#include "config/signing.hpp"
#include "forebay/config/options.hpp"
#include "support.hpp"

namespace forebay::config::test {

/// Stands for a member of any type; nothing is ever made of it.
struct Any {
  template <class T>
  operator T() const;
};

namespace {

const std::string kFile =
    "origins: { web: { url: \"https://a\", tls: { cert: /c, key: /k }, sign: { type: aws_sigv4, region: r, "
    "service: lambda, access_key_id: k, secret_access_key: \"${SET}\" }, health: { path: /h, interval: 8s } } }\n"
    "origin: web\npolicies: { named: {} }\nlisten: [{ address: \":80\", tls: "
    "{ cert: /c, key: /k, client_ca: /ca } }]\n"
    "admin: { tls: { cert: /c, key: /k, client_ca: /ca } }\n"
    "routes: [{ path: \"/a/{id}\", invalidates: { tags: [x] } }]\n";

/// A value of this type that no key has by default.
std::string sample(const Option& option) {
  static const std::map<std::string_view, std::string> by_type{
      {"duration", "7s"},
      {"size", "2KiB"},
      {"int", "7"},
      {"int or auto", "16"},
      {"ratio", "12.5%"},
      {"ratio or auto", "auto"},
      {"memory", "1MiB"},
      {"string", "other"},
      {"token", "other"},
      {"path", "/other"},
      {"address", "127.0.0.1:99"},
      {"address or off", "off"},
      {"header name or off", "off"},
      {"url", "https://b"},
      {"host name", "c.example"},
      {"origin name, url or list of url", "http://b"},
      {"host", "b.example:81"},
      {"percentage", "12%"},
      {"pattern", "/b"},
      {"policy name", "named"},
      {"secret", "${SET}"},
      {"preserve | origin or text", "b.example"},
      {"stderr | stdout or path", "stdout"},
      {"stdout | off or path", "off"},
      {"auto | json | combined or template", "{method} {path}"},
      {"all | none or list of capture", "[id]"},
      {"all | none, list of glob or except", "{ except: [a_*] }"},
      {"all | none or list of pointer", "[/a]"},
      {"duration or map", "7s"},
      {"map of status to duration", "{ \"404\": 7s }"},
      {"map of header name to values", "{ X-One: [a*, true] }"},
      {"map of parameter to values", "{ one: a }"},
      {"map of pointer to JSON values", "{ /a: [1, null] }"},
      {"map of header name to text", "{ X-One: a }"},
      {"map of header name to text or file", "{ X-One: a }"},
      {"list of header name", "[x-one]"},
      {"list of field name", "[one]"},
      {"list of extension", "[one]"},
      {"list of glob", "[one*]"},
      {"list of glob, or map of glob to values", "{ one*: a }"},
      {"list of zstd, br or gzip", "[br, gzip]"},
      {"list of media type", "[text/one, \"application/*+two\"]"},
      {"list of method", "[POST, REPORT]"},
      {"list of tag template", "[one, \"a-{id}-{header:X-One}\"]"},
      {"list of status", "[200, 5xx]"},
      {"list of connect, timeout or status", "[timeout, 5xx]"},
      {"off, on or list of CIDR", "[10.0.0.0/8]"},
      {"list of CIDR or unix", "[10.0.0.0/8, unix]"},
      {"file mode", "0600"},
      {"name or number", "www-data"},
      {"list of host", "[b.example]"},
      {"list of errors, slow, miss or bypass", "[slow, bypass]"},
      {"list of duration", "[1ms, 7s]"},
  };
  if (option.path == "origins.*.idempotency_key") return "Idempotency-Key";
  if (option.type == "bool") return option.fallback == "true" ? "false" : "true";
  if (const auto it = by_type.find(option.type); it != by_type.end()) return it->second;
  return option.type.find(" | ") == std::string_view::npos ? std::string() : std::string(words_of(option.type).back());
}

/// The key as `--set` takes it, for `kFile`.
std::string key_of(std::string path) {
  const std::pair<std::string_view, std::string_view> kOwners[] = {
      {"listen[]", "listen[0]"}, {"origins.*", "origins.web"}, {"policy.", "defaults."}, {"route.", "routes[0]."}};
  for (const auto& [owner, key] : kOwners)
    if (path.starts_with(owner)) return path.replace(0, owner.size(), key);
  return path;
}

std::multiset<std::string> lines_of(const std::string& text) {
  std::multiset<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.insert(line.substr(line.find_first_not_of(" -")));
  return lines;
}

TEST(Rows, AreReadPrintedAndReadBack) {
  const auto plain = load_text(kFile);
  ASSERT_TRUE(plain.ok()) << to_text(plain.diagnostics);
  const auto before = print(*plain.config);
  ASSERT_EQ(print(*load_text(before).config), before);
  int tried = 0;
  for (const auto& option : options()) {
    const auto value = sample(option);
    // Without another value; read with its twin; or a collection.
    const bool fixed = option.path == "version" || option.path == "cache.eviction" ||
                       option.path == "cache.admission" || option.path.starts_with("origins.*.urls") ||
                       option.path == "origins.*.sign.type" || option.path == "origins.*.sign.secret_access_key" ||
                       (option.path.ends_with("_file") && option.path != "origins.*.sign.credentials_file") ||
                       option.path.find(".certs[].") != std::string::npos || value.empty() ||
                       option.path.starts_with("route.redirect") || option.path.starts_with("route.respond");
    if (!option.here || fixed) continue;
    SCOPED_TRACE(option.path + ": " + value);
    const auto result = load_text(kFile, {{key_of(option.path), value}});
    ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
    const auto once = print(*result.config);
    const auto again = load_text(once);
    ASSERT_TRUE(again.ok()) << to_text(again.diagnostics) << once;
    EXPECT_EQ(print(*again.config), once);
    ++tried;

    // The line of this key is one of those that changed.
    if (option.path == "route.policy") continue;
    const auto old = lines_of(before);
    const std::string name = option.path == "policy.ttl" ? "default" : option.path.substr(option.path.rfind('.') + 1);
    const auto now = lines_of(once);
    EXPECT_TRUE(std::any_of(now.begin(), now.end(), [&](const std::string& line) {
      return line.starts_with(name + ":") && now.count(line) > old.count(line);
    })) << once;

    // What stored answers, and lifetimes, depend on.
    const auto reload = schema_at(option.path)->row->reload;
    const auto& route = result.config->routes.at(0);
    const auto& usual = plain.config->routes.at(0);
    // Some have no effect, and do not count, without another key.
    const bool alone = name != "graphql_ignore";
    const bool entries =
        (reload == Reload::Entries && alone) || option.path == "policy.credentials" || option.path == "origin";
    EXPECT_EQ(route.key.fingerprint != usual.key.fingerprint, entries);
    EXPECT_EQ(route.policy.lifetimes != usual.policy.lifetimes,
              reload == Reload::Lifetimes || option.path == "policy.ttl");

    // A reload gives what needs a restart the value that it had, and nothing else.
    auto fresh = *result.config;
    const auto kept = keep_until_restart(fresh, *plain.config);
    EXPECT_EQ(kept, option.restart ? std::vector{option.path} : std::vector<std::string>());
    EXPECT_EQ(print(fresh), option.restart ? before : once);
  }
  EXPECT_GT(tried, 120);
}

/// How many members an aggregate has.
template <class T, class... Found>
consteval std::size_t members_of() {
  if constexpr (requires { T{Found{}..., Any{}}; })
    return members_of<T, Found..., Any>();
  else
    return sizeof...(Found);
}

std::size_t members_with_rows(std::span<const Row> rows, const void* owner, std::set<const void*>& seen) {
  std::size_t count = 0;
  for (const auto& row : rows) {
    if (row.member)
      count += seen.insert(row.member(owner)).second ? 1 : 0;
    else if (row.inside)
      count += members_with_rows(row.rows(), owner, seen);
    else
      count += row.members;
  }
  return count;
}

/// `others` of the members are no settings.
template <class Owner>
void expect_rows(std::string_view path, std::span<const Row> rows, std::size_t others = 0,
                 std::span<const Row> more = {}) {
  const Owner owner{};
  std::set<const void*> seen;
  const auto found = members_with_rows(rows, &owner, seen) + members_with_rows(more, &owner, seen);
  EXPECT_EQ(found + others, members_of<Owner>()) << path;
}
template <class Owner>
void expect_rows_at(std::string_view path, std::size_t others = 0) {
  const auto* row = schema_at(path)->row;
  if (!row->inside && !row->fresh)  // `ttl` is a key and a map.
    for (const auto& other : policy_table().rows[0].rows())
      if (other.name == row->name && other.inside) row = &other;
  expect_rows<Owner>(path, row->rows(), others);
}

/// `redirect` is a key and a map.
const Row& inside_of(std::span<const Row> rows, std::string_view name) {
  return *std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name && row.inside; });
}
const Row& inside_of_route(std::string_view name) { return inside_of(route_table().rows, name); }

TEST(Rows, ThereIsOneForEachMemberOfTheSettings) {
  using rules::Policy;
  expect_rows<Config>("", config_table().rows, 4);  // file, places, upgrade, match_headers
  expect_rows<Listener>("listen[]", listener_table().rows);
  expect_rows<ListenerTls>("listen[].tls", tls_table().rows);
  expect_rows_at<ListenerTls::Certificate>("listen[].tls.certs.[]");
  expect_rows<Origin>("origins.*", origin_table().rows, 1);                                          // name
  expect_rows<Signing>("origins.*.sign", inside_of(origin_signing_table().rows, "sign").rows(), 1);  // found
  EXPECT_EQ(origin_tls_table().rows.size(), members_of<OriginTls>());
  expect_rows_at<Origin::Timeouts>("origins.*.timeouts");
  expect_rows_at<Origin::Pool>("origins.*.pool");
  expect_rows_at<Origin::Member>("origins.*.urls.[]");
  expect_rows_at<Origin::Passive>("origins.*.passive");
  expect_rows_at<Origin::Health>("origins.*.health");
  expect_rows_at<Origin::Ramp>("origins.*.ramp");
  expect_rows<Server>("server", server_table().rows);
  expect_rows_at<Server::Timeouts>("server.timeouts");
  EXPECT_EQ(members_of<http::HeadLimits>(), 3u) << "server.limits has a row for each";
  expect_rows<CacheTier>("cache", cache_table().rows);
  expect_rows_at<AccessLog>("log.access");
  expect_rows_at<Metrics>("metrics");
  expect_rows_at<Diagnostics>("diagnostics");
  expect_rows_at<Config::Shutdown>("shutdown");
  expect_rows<log::Options>("log", schema_at("log")->row->rows()[0].rows());
  expect_rows<Config::Operators>("admin", schema_at("admin")->row->rows()[1].rows());
  expect_rows<PolicyDraft>("policy", policy_table().rows, 1);  // set
  // lifetimes, guard, keep, guards_preflight; the rows stand before and behind those of the key
  expect_rows<Policy>("policy", policy_table().rows[0].rows(), 4, policy_table().rows[2].rows());
  expect_rows<cache::KeySpec>("policy.key", key_table().rows, 2);  // authorization, fingerprint
  expect_rows_at<Policy::Ttl>("policy.ttl");
  expect_rows_at<rules::StalePolicy>("policy.stale");
  expect_rows_at<Policy::Coalesce>("policy.coalesce");
  expect_rows_at<Policy::ClientRefresh>("policy.client_refresh");
  expect_rows<Policy::Bypass>("policy.bypass", bypass_table().rows);
  // index, file, line, key, policy, provenance, answers, any_method
  expect_rows<Route>("route", route_table().rows, 8);
  expect_rows<rules::Conditions>("route.match", match_table().rows);
  expect_rows_at<Rewrite>("route.rewrite");
  expect_rows_at<HeaderChanges>("route.request_headers");
  expect_rows_at<HeaderChanges>("route.response_headers");
  expect_rows<Redirect>("route.redirect", inside_of_route("redirect").rows(), 2);  // only_http, target
  expect_rows<Respond>("route.respond", inside_of_route("respond").rows(), 2);     // fields, content
}

}  // namespace
}  // namespace forebay::config::test
