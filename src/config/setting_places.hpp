#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/node.hpp"
#include "config/report.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {

/// Where each key of a loaded configuration stands: of its files, or set by a flag or a variable.
class SettingPlaces {
 public:
  /// `root` is the tree with all overrides and included files.
  SettingPlaces(const Node& root, const Report& report);

  /// `path` is one of `check --print`, such as `routes[2].ttl.default`. A route's key may come from its policy and from
  /// `defaults`.
  /// `first`: it is the first key of its map, which a short form of the map sets (`ttl: 30s`).
  SettingSource of(const std::string& path, bool first) const;
  /// What `path` comes from instead: a value that stays until a restart has not come from where it stands now.
  void keep(const std::string& path, SettingSource source) { kept_[path] = std::move(source); }

 private:
  struct Spot {
    std::uint32_t name = 0;  // in names_
    int line = 0;            // 0: a flag
    bool variable = false, is_map = false;
  };
  void add(const Node& node, const std::string& path, const Report& report);
  std::uint32_t number_of(const std::string& name);
  const Spot* find(std::string path, bool first) const;
  const Spot* find_in_layers(const std::string& path, bool first) const;

  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<std::string, Spot> spots_;
  std::unordered_map<std::string, std::string> policies_;  // by `routes[2]`
  std::unordered_map<std::string, SettingSource> kept_;
};

}  // namespace forebay::config
