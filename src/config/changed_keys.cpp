// What a reload has changed, by the texts of `check --print`.
#include <algorithm>
#include <map>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {
namespace {

/// All is shown but secrets.
const AccessLog& nothing_redacted() {
  static const AccessLog none = [] {
    AccessLog log;
    log.redact_headers.clear();
    return log;
  }();
  return none;
}

template <class F>
std::string printed(F&& write) {
  Printer p(nothing_redacted());
  write(p);
  return p.take();
}

using Named = std::map<std::string, std::string>;

Named listeners_of(const Config& config) {
  Named out;
  for (const auto& listener : config.listeners)
    out[listener.name] += printed([&](Printer& p) { p.rows(listener_table().rows, &listener); });
  return out;
}

Named origins_of(const Config& config) {
  Named out;
  for (const auto& [name, origin] : config.origins)
    if (!looks_like_url(name))  // One that is written as a url changes where it is used.
      out[name] = printed([&origin = origin](Printer& p) { p.rows(origin_table().rows, &origin); });
  return out;
}

Named routes_of(const Config& config) {
  Named out;
  for (const auto& route : config.routes) out[route.name] = printed([&](Printer& p) { write_route(p, route); });
  return out;
}

void compare(std::vector<std::string>& changed, const std::string& path, const Named& fresh, const Named& before) {
  for (const auto& [name, text] : fresh) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != text) changed.push_back(path + '.' + name);
  }
  for (const auto& [name, text] : before)
    if (!fresh.contains(name)) changed.push_back(path + '.' + name);
}

bool same_order(const Config& fresh, const Config& before) {
  return std::equal(fresh.routes.begin(), fresh.routes.end(), before.routes.begin(), before.routes.end(),
                    [](const Route& a, const Route& b) { return a.name == b.name; });
}

void compare(std::vector<std::string>& changed, const std::string& path, std::span<const Row> rows, const void* fresh,
             const void* before) {
  for (const auto& row : rows) {
    std::string below = path;
    if (!row.name.empty()) below.append(path.empty() ? "" : ".").append(row.name);
    if (row.inside)
      compare(changed, below, row.rows(), row.inside_of(fresh), row.inside_of(before));
    else if (row.text && row.text({row}, fresh) != row.text({row}, before))
      changed.push_back(below);
  }
}

}  // namespace

std::vector<std::string> changed_keys(const Config& fresh, const Config& before) {
  std::vector<std::string> changed;
  compare(changed, {}, config_table().rows, &fresh, &before);
  compare(changed, "listen", listeners_of(fresh), listeners_of(before));
  compare(changed, "origins", origins_of(fresh), origins_of(before));
  compare(changed, "routes", routes_of(fresh), routes_of(before));
  const auto is_route = [](const std::string& key) { return key.starts_with("routes."); };
  if (!same_order(fresh, before) && std::none_of(changed.begin(), changed.end(), is_route)) changed.push_back("routes");
  return changed;
}

}  // namespace forebay::config
