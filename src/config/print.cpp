// `check --print`: the effective configuration as YAML, each key with its help.
#include "config/address.hpp"
#include "config/codecs.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {

void Listeners::write(Printer& p, const Row& row, const std::vector<Listener>& listeners) {
  p.help(row);
  p.open(row.name);
  for (const auto& listener : listeners) {
    p.open_element();
    p.rows(listener_table().rows, &listener);
    p.close();
  }
  p.close();
}

void Origins::write(Printer& p, const Row& row, const std::map<std::string, Origin>& origins) {
  const auto is_named = [](const auto& entry) { return !looks_like_url(entry.first); };
  if (std::any_of(origins.begin(), origins.end(), is_named)) p.help(row);
  p.open(row.name);
  for (const auto& [name, origin] : origins) {
    if (looks_like_url(name)) continue;  // Written as a url, or a list of them, where it is used.
    p.open(yaml_text(name));
    p.rows(origin_table().rows, &origin);
    p.close();
  }
  p.close();
}

void write_route(Printer& p, const Route& route) {
  p.rows(route_table().rows, &route);
  const PolicyDraft draft{route.policy, route.key};
  if (route.answers == Answers::Origin)
    p.rows(policy_table().rows, &draft);
  else if (!route.any_method)
    p.row(policy_table().rows, "methods", &draft);
}

void Routes::write(Printer& p, const Row& row, const Config& config) {
  p.help(row);
  if (config.routes.empty()) p.line("routes: []");
  p.open(row.name);
  for (const auto& route : config.routes) {
    p.open_element();
    write_route(p, route);
    p.close();
  }
  p.close();
}

std::string print(const Config& config) {
  Printer p(config.access);
  for (const auto& row : config_table().rows) {
    p.gap();
    p.rows({&row, 1}, &config);
  }
  return p.take();
}

}  // namespace forebay::config
