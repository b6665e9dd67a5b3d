#include "endpoint_table.hpp"

#include <algorithm>
#include <vector>

#include "answers.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/base/text.hpp"

namespace forebay::admin {
namespace {

using http::Method;

/// Enough for any content in a key, and for any configuration.
constexpr std::size_t kDocument = 1024 * 1024;
constexpr std::size_t kFewWords = 4096;

constexpr Endpoint kEndpoints[] = {
    {Method::Get, "/livez", Who::Public, "livez", 0, answer_livez},
    {Method::Get, "/readyz", Who::Public, "readyz", 0, answer_readyz},
    {Method::Get, "/version", Who::Public, "version", 0, answer_version},
    {Method::Get, "/metrics", Who::Public, "metrics", 0, answer_metrics},
    {Method::Get, "/api/v1/openapi.json", Who::Read, "openapi", 0, answer_openapi},
    {Method::Get, "/api/v1/status", Who::Read, "status", 0, answer_status},
    {Method::Get, "/api/v1/routes", Who::Read, "routes", 0, answer_routes},
    {Method::Get, "/api/v1/routes/{name}", Who::Read, "route", 0, answer_route},
    {Method::Get, "/api/v1/origins", Who::Read, "origins", 0, answer_origins},
    {Method::Get, "/api/v1/stats", Who::Read, "stats", 0, answer_stats},
    {Method::Get, "/api/v1/stats/stream", Who::Read, "stats_stream", 0, answer_stats_stream},
    {Method::Get, "/api/v1/events", Who::Read, "events", 0, answer_events},
    {Method::Get, "/api/v1/requests/stream", Who::Read, "requests_stream", 0, answer_requests_stream},
    {Method::Get, "/api/v1/keys", Who::Read, "keys", 0, answer_keys},
    {Method::Get, "/api/v1/config", Who::Read, "config", 0, answer_config},
    {Method::Post, "/api/v1/config/check", Who::Write, "config_check", kDocument, answer_config_check, false},
    {Method::Post, "/api/v1/explain", Who::Read, "explain", kDocument, answer_explain},
    {Method::Get, "/api/v1/entries", Who::Read, "entries", 0, answer_entries},
    {Method::Get, "/api/v1/entries/{id}", Who::Read, "entry", 0, answer_entry},
    {Method::Delete, "/api/v1/entries/{id}", Who::Write, "entry", 0, answer_entry_removal},
    {Method::Post, "/api/v1/purge", Who::Write, "purge", kDocument, answer_purge},
    {Method::Post, "/api/v1/warm", Who::Write, "warm", kDocument, answer_warm},
    {Method::Post, "/api/v1/reload", Who::Write, "reload", kFewWords, answer_reload},
    {Method::Post, "/api/v1/drain", Who::Write, "drain", kFewWords, answer_drain},
    {Method::Post, "/api/v1/undrain", Who::Write, "undrain", kFewWords, answer_undrain},
    {Method::Get, "/api/v1/log/level", Who::Read, "log_level", 0, answer_log_level},
    {Method::Put, "/api/v1/log/level", Who::Write, "log_level", kFewWords, answer_log_level_change},
};
static_assert(std::size(kEndpoints) < kMostEndpoints);

/// `{name}` takes one segment that is not empty, into `captured`.
bool matches(std::string_view pattern, std::string_view path, std::string_view& captured) {
  const auto brace = pattern.find('{');
  if (brace == std::string_view::npos) return pattern == path;
  if (path.size() <= brace || path.substr(0, brace) != pattern.substr(0, brace)) return false;
  captured = path.substr(brace);
  return captured.find('/') == std::string_view::npos;
}

}  // namespace

std::span<const Endpoint> endpoint_table() noexcept { return kEndpoints; }

FoundEndpoint find_endpoint(Method method, std::string_view path) {
  if (method == Method::Head) method = Method::Get;
  FoundEndpoint found;
  for (std::size_t i = 0; i < std::size(kEndpoints); ++i) {
    const auto& endpoint = kEndpoints[i];
    std::string_view captured;
    if (!matches(endpoint.path, path, captured)) continue;
    if (found.allowed.empty()) {
      found.counter = i + 1;
      found.least = endpoint.who;
      found.captured = percent_decoded_text(captured);
    } else {
      found.allowed += ", ";
    }
    found.allowed += endpoint.method == Method::Get ? "GET, HEAD" : http::to_string(endpoint.method);
    found.least = std::min(found.least, endpoint.who);
    if (endpoint.method == method) found.endpoint = &endpoint;
  }
  return found;
}

std::string_view endpoint_label(std::size_t counter) noexcept {
  if (counter == 0) return "other";
  return counter <= std::size(kEndpoints) ? kEndpoints[counter - 1].label : std::string_view();
}

std::string path_hint(std::string_view path) {
  std::vector<std::string_view> paths;
  for (const auto& endpoint : kEndpoints) paths.push_back(endpoint.path);
  if (const auto meant = nearest(path, paths))
    return "There is no such path on the admin listener; did you mean " + *meant + '?';
  std::string list;
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (i == 0 || paths[i] != paths[i - 1]) list.append(i == 0 ? "" : ", ").append(paths[i]);
  return "There is no such path on the admin listener; there are " + list + '.';
}

}  // namespace forebay::admin
