#include "config/setting_places.hpp"

#include <utility>

namespace forebay::config {

SettingPlaces::SettingPlaces(const Node& root, const Report& report) {
  add(root, {}, report);
  if (const auto* routes = root.find("routes"))
    for (std::size_t i = 0; i < routes->items.size(); ++i)
      if (const auto* policy = routes->items[i]->find("policy"); policy && policy->is_scalar())
        policies_.emplace("routes[" + std::to_string(i) + ']', policy->text);
}

std::uint32_t SettingPlaces::number_of(const std::string& name) {
  const auto [it, fresh] = numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (fresh) names_.push_back(name);
  return it->second;
}

void SettingPlaces::add(const Node& node, const std::string& path, const Report& report) {
  const auto flag = report.flag_of(node.place);
  const auto stands = report.at(node.place);
  Spot spot;
  spot.name = number_of(flag.empty() ? stands.file : flag);
  spot.line = flag.empty() ? stands.line : 0;
  spot.variable = node.replaced;
  spot.is_map = node.is_map();
  if (!path.empty() && !node.is_null()) spots_.emplace(path, spot);
  for (const auto& entry : node.entries)
    if (!is_users_own(entry.key->text))
      add(*entry.value, path.empty() ? entry.key->text : path + '.' + entry.key->text, report);
  for (std::size_t i = 0; i < node.items.size(); ++i) add(*node.items[i], path + '[' + std::to_string(i) + ']', report);
}

// The key itself, or what stands for it: `ttl: 30s` sets `ttl.default`. A map that lacks the key does not set it.
const SettingPlaces::Spot* SettingPlaces::find(std::string path, bool first) const {
  for (bool itself = true; !path.empty(); itself = false) {
    if (const auto it = spots_.find(path); it != spots_.end())
      return itself || (first && !it->second.is_map) ? &it->second : nullptr;
    const auto end = path.find_last_of(".[");
    path.resize(end == std::string::npos ? 0 : end);
  }
  return nullptr;
}

const SettingPlaces::Spot* SettingPlaces::find_in_layers(const std::string& path, bool first) const {
  if (const auto* own = find(path, first)) return own;
  const auto dot = path.find("].");
  if (!path.starts_with("routes[") || dot == std::string::npos) return nullptr;
  const auto key = path.substr(dot + 2);
  if (const auto policy = policies_.find(path.substr(0, dot + 1)); policy != policies_.end())
    if (const auto* spot = find("policies." + policy->second + '.' + key, first)) return spot;
  if (const auto* spot = find("defaults." + key, first)) return spot;
  if (key == "origin") return find(key, first);
  return key == "max_object" || key == "keep" ? find("cache." + key, first) : nullptr;
}

SettingSource SettingPlaces::of(const std::string& path, bool first) const {
  if (const auto kept = kept_.find(path); kept != kept_.end()) return kept->second;
  SettingSource source;
  const auto* spot = find_in_layers(path, first);
  if (!spot) return source;
  source.kind = spot->line == 0 ? SettingSource::Kind::Flag : SettingSource::Kind::File;
  source.name = names_[spot->name];
  source.line = spot->line;
  source.variable = spot->variable;
  return source;
}

}  // namespace forebay::config
