// `check --print`: the effective configuration as YAML, each key with its help.
#include "config/address.hpp"
#include "config/codecs.hpp"
#include "config/setting_places.hpp"
#include "forebay/base/text.hpp"
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

namespace {

std::string written(Printer p, const Config& config) {
  for (const auto& row : config_table().rows) {
    p.gap();
    p.rows({&row, 1}, &config);
  }
  return p.take();
}

SettingSource source_of(const Config& config, const std::string& path, bool first) {
  return config.places ? config.places->of(path, first) : SettingSource();
}

/// As a comment; empty for a default.
std::string in_words(const SettingSource& source) {
  if (source.kind == SettingSource::Kind::Default) return {};
  auto text = source.name.empty() ? "line" : source.name;
  if (source.line > 0) text += (source.name.empty() ? " " : ":") + std::to_string(source.line);
  return source.variable ? text + ", by a variable" : text;
}

void append_source(std::string& out, const SettingSource& source) {
  const bool file = source.kind == SettingSource::Kind::File;
  out += file ? R"({"from":"file","file":)" : R"({"from":"flag","name":)";
  append_json_string(out, source.name);
  if (file) out += ",\"line\":" + std::to_string(source.line);
  out += source.variable ? ",\"variable\":true}" : "}";
}

}  // namespace

std::string print(const Config& config) { return written(Printer(config.access), config); }

std::string print_with_sources(const Config& config) {
  const auto note = [&](const std::string& path, bool first) { return in_words(source_of(config, path, first)); };
  return written(Printer(config.access, note), config);
}

std::string print_json_with_sources(const Config& config) {
  std::string sources;
  const auto collect = [&](const std::string& path, bool first) {
    const auto source = source_of(config, path, first);
    if (source.kind == SettingSource::Kind::Default) return std::string();
    if (!sources.empty()) sources += ',';
    append_json_string(sources, path);
    append_source(sources += ':', source);
    return std::string();
  };
  const auto yaml = written(Printer(config.access, collect), config);
  return "{\"config\":" + json_of_yaml(yaml) + ",\"sources\":{" + sources + "}}";
}

}  // namespace forebay::config
