#include "config_source.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <utility>

#include "commands.hpp"

namespace forebay::app {
namespace {

// A flag, its variable, and the key that both set.
struct Shortcut {
  const char* variable;
  const char* flag;
  const char* key;
  std::optional<std::string> RunFlags::*value;
};
constexpr Shortcut kShortcuts[] = {
    {"FOREBAY_ORIGIN", "--origin", "origin", &RunFlags::origin},
    {"FOREBAY_LISTEN", "--listen", "listen", &RunFlags::listen},
    {"FOREBAY_TTL", "--ttl", "defaults.ttl.default", &RunFlags::ttl},
    {"FOREBAY_MEMORY", "--memory", "cache.memory", &RunFlags::memory},
    {"FOREBAY_ADMIN_LISTEN", "--admin", "admin.listen", &RunFlags::admin},
    {"FOREBAY_LOG_LEVEL", "--log-level", "log.level", &RunFlags::log_level},
    {"FOREBAY_LOG_FORMAT", "--log-format", "log.format", &RunFlags::log_format},
};

/// Whether to open or read it may take for ever.
bool would_wait(const std::string& file) {
  std::error_code error;
  const auto kind = std::filesystem::status(file, error).type();
  using Type = std::filesystem::file_type;
  return kind == Type::fifo || kind == Type::socket || (kind == Type::character && file != "/dev/null");
}

std::optional<std::string> named_file(const std::optional<std::string>& flag, const Variables& variables) {
  return flag ? flag : variables("FOREBAY_CONFIG");
}

}  // namespace

Variables environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::string one_line(const config::Diagnostic& diagnostic) {
  auto bare = diagnostic;
  bare.source_line.clear();
  bare.hint.clear();
  auto text = config::to_text({bare});
  text.erase(std::min(text.find('\n'), text.size()));
  if (!diagnostic.hint.empty()) text += " (" + diagnostic.hint + ')';
  return text;
}

ExitCode refuse_configuration(const config::LoadResult& loaded) {
  std::cerr << config::to_text(loaded.diagnostics, may_color(STDERR_FILENO)) << config::summary(loaded.diagnostics)
            << '\n';
  return ExitCode::Configuration;
}

ConfigSource::ConfigSource(const RunFlags& flags, Variables variables) : variables_(std::move(variables)) {
  if (flags.config || !flags.origin) {
    if (const auto file = config::find_file(named_file(flags.config, variables_))) {
      has_file_ = true;
      file_ = *file;
    }
  }
  bool has_origin = flags.origin.has_value();
  for (const auto& s : kShortcuts) {
    const auto value = variables_(s.variable);
    if (!value || value->empty()) continue;
    add(s.key, *value, s.variable);
    has_origin = has_origin || s.value == &RunFlags::origin;
  }
  for (const auto& s : kShortcuts)
    if (const auto& value = flags.*s.value) add(s.key, *value, s.flag);
  for (const auto& [key, value] : flags.set) {
    add(key, value, "--set " + key);
    has_origin = has_origin || key == "origin";
  }
  nothing_found_ = !has_file_ && !has_origin;
}

ConfigSource::ConfigSource(const std::optional<std::string>& file, Variables variables)
    : variables_(std::move(variables)) {
  if (const auto found = config::find_file(named_file(file, variables_))) {
    has_file_ = true;
    file_ = *found;
  }
  // What `run` would find with this file and this environment.
  for (const auto& s : kShortcuts)
    if (const auto value = variables_(s.variable); value && !value->empty()) add(s.key, *value, s.variable);
  nothing_found_ = !has_file_;
}

ConfigSource ConfigSource::of_text(std::string name, std::string text) {
  ConfigSource source;
  source.variables_ = [](const std::string&) { return std::nullopt; };
  source.has_file_ = true;
  source.file_ = std::move(name);
  source.text_ = std::move(text);
  return source;
}

void ConfigSource::add(std::string key, std::string value, std::string name) {
  overrides_.emplace_back(std::move(key), std::move(value));
  override_names_.push_back(std::move(name));
}

config::LoadResult ConfigSource::load() {
  if (nothing_found_) {
    config::Diagnostic missing;
    missing.code = 1008;
    missing.message = "there is no configuration: neither ./forebay.yaml nor /etc/forebay/forebay.yaml exists";
    missing.hint = "pass a file with -c FILE, or an origin with --origin http://localhost:3000 --ttl 30s";
    return {nullptr, {missing}};
  }
  config::LoadRequest request;
  request.file = file_;
  request.overrides = overrides_;
  request.override_names = override_names_;
  auto surroundings = config::surroundings_of_this_machine();
  surroundings.variable = variables_;
  if (has_file_ && file_ == "-" && !text_)
    text_ = std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  if (!has_file_) return config::load(request, surroundings);
  if (!text_ && std::exchange(loaded_, true) && would_wait(file_)) {
    config::Diagnostic wrong;
    wrong.code = 1008;
    wrong.file = file_;
    wrong.message = "the file cannot be read again: it is not a regular file";
    wrong.hint = "reading it might wait for ever; only the start reads pipes and terminals";
    return {nullptr, {wrong}};
  }
  if (!text_) return config::load_file(std::move(request), surroundings);
  request.text = *text_;
  return config::load(request, surroundings);
}

std::string ConfigSource::subject() const {
  return has_file_ ? "configuration of " + name() : "configuration from flags and variables (no file)";
}

std::string ConfigSource::name() const {
  if (!has_file_) return "no file";
  return file_ == "-" ? "standard input" : file_;
}

}  // namespace forebay::app
