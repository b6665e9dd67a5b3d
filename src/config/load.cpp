#include "forebay/config/load.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "config/hiding.hpp"
#include "config/include.hpp"
#include "config/keys.hpp"
#include "config/readers.hpp"
#include "config/row.hpp"
#include "config/setting_places.hpp"
#include "config/yaml_tree.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kLargestFile = 16 * 1024 * 1024;

std::vector<std::string> flag_names(const LoadRequest& request) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < request.overrides.size(); ++i) {
    const bool named = i < request.override_names.size() && !request.override_names[i].empty();
    names.push_back(named ? request.override_names[i] : "--set " + clipped(request.overrides[i].first));
  }
  return names;
}

/// Flow YAML where it looks like it (`[GET, HEAD]`, `{ except: [utm_*] }`), else the text as it is: `[::1]:8080` and
/// `a: b` are texts.
NodePtr override_value(const std::string& text, const Variables& variables, Report& report, int flag) {
  if (text.find_first_of("[{\"'") == 0) {
    Report trial({}, {}, {});
    static_cast<void>(parse_yaml(text, variables, trial, flag));
    const auto said = trial.take();
    const bool is_yaml = std::none_of(said.begin(), said.end(), [](const Diagnostic& d) { return d.code == 1006; });
    if (is_yaml) return parse_yaml(text, variables, report, flag);
  }
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::Scalar;
  node->text = text;
  node->expanded = true;
  node->place.flag = flag;
  if (const auto fault = expand_variables(node->text, variables, node->replaced)) {
    node->bad = true;
    report.error(fault->code, *node, {}, fault->message, fault->hint);
  }
  return node;
}

/// The tree of the file with the overrides in it; null when it cannot be read.
NodePtr read_tree(const LoadRequest& request, const Surroundings& surroundings, std::string_view text, Report& report) {
  auto root = parse_yaml(text, surroundings.variable, report);
  if (!root) {
    hide_unread(report);
    return nullptr;
  }
  hide_values(*root, report);  // Before the overrides: what they replace still stands in the file.
  if (!root->is_map() && !root->is_null()) {
    report.error(1002, *root, {}, "a configuration is a map of keys", "such as \"origin: http://localhost:3000\"");
    return nullptr;
  }
  const auto override_where = [&](bool of_include) {
    for (std::size_t i = 0; i < request.overrides.size(); ++i) {
      const auto& [key, value] = request.overrides[i];
      if (key.starts_with("include") != of_include) continue;
      const auto node = override_value(value, surroundings.variable, report, static_cast<int>(i));
      if (node) root = apply_override(root, key, node, report);
    }
  };
  override_where(true);
  root = with_included(root, request.file, surroundings.variable, report);
  override_where(false);
  return root;
}

/// A place for each route; a route that stands nowhere is the file's.
std::vector<Diagnostic> places_of_routes(const Loading& loading) {
  std::vector<Diagnostic> places;
  for (const auto& route : loading.config.routes) {
    const auto by = loading.places.find("route " + std::to_string(route.index));
    if (by == loading.places.end()) {
      places.push_back(loading.report.about({}, "routes"));
      continue;
    }
    const auto* path = by->second.node->find("path");
    places.push_back(loading.report.about((path ? *path : *by->second.node).place, by->second.path));
  }
  return places;
}

/// A place for each file of TLS, and for each origin.
std::map<std::string, Diagnostic, std::less<>> places_of_files(const Loading& loading) {
  std::map<std::string, Diagnostic, std::less<>> places;
  for (const auto& [name, by] : loading.places)
    if (name.starts_with(kTlsFile))
      places.emplace(by.path, loading.report.about(by.node->place, by.path));
    else if (name.starts_with("origin "))
      places.emplace(name, loading.report.about(by.node->place, by.path));
  return places;
}

/// Certificates and keys are read by who speaks TLS.
void note_unread_files(const Loading& loading) {
  for (const auto& [name, by] : loading.places)
    if (name.starts_with(kTlsFile) && by.node && by.node->is_scalar())
      loading.report.not_looked_at(*by.node, by.path, "the file " + in_quotes(by.node->text));
}

LoadResult load_checked(const LoadRequest& request, const Surroundings& surroundings) {
  std::string_view text = request.text;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  Report report(request.file == "-" ? "stdin" : request.file, text, flag_names(request));
  if (surroundings.text_alone) report.read_alone(surroundings.give_up);
  if (text.size() > kLargestFile) {
    report.error(1008, Place{}, {}, "the file has more than 16 MiB", {});
    return {nullptr, report.take()};
  }
  const auto root = read_tree(request, surroundings, text, report);
  if (!root) return {nullptr, report.take(), {}, {}, 0, report.take_sources()};
  auto config = std::make_shared<Config>();
  config->file = request.file;
  check_keys(*root, report);
  std::vector<Diagnostic> places;
  std::map<std::string, Diagnostic, std::less<>> file_places;
  if (!report.full()) {
    Loading loading{*config, report, surroundings, *root, Section(report, root.get(), {}), false, {}};
    config->server.threads = std::clamp(surroundings.cpus, 1u, 1024u);
    read_rows(loading, loading.top, config_table().rows, config.get());
    check_whole(loading);
    if (report.alone()) note_unread_files(loading);
    if (!report.failed()) {
      places = places_of_routes(loading);
      file_places = places_of_files(loading);
    }
  }
  const bool good = !report.failed();
  if (good && !report.alone()) config->places = std::make_shared<const SettingPlaces>(*root, report);
  return {good ? config : nullptr, report.take(),          std::move(places),
          std::move(file_places),  report.further_files(), report.take_sources()};
}

}  // namespace

LoadResult load(const LoadRequest& request, const Surroundings& surroundings) {
  const auto failed = [&](const char* what) {
    Diagnostic d;
    d.code = 1006;
    d.file = request.file;
    d.message = std::string("the configuration cannot be read: ") + what;
    return LoadResult{nullptr, {d}};
  };
  try {
    return load_checked(request, surroundings);
  } catch (const Report::GivenUp&) {
    throw;
  } catch (const std::exception& e) {
    return failed(e.what());
  } catch (...) {
    return failed("unknown failure");
  }
}

TextVerdict check_text(std::string_view text, Surroundings surroundings) {
  surroundings.variable = nullptr;
  surroundings.text_alone = true;
  LoadRequest request;
  request.text = text;
  TextVerdict verdict;
  try {
    verdict.diagnostics = load(request, surroundings).diagnostics;
  } catch (const Report::GivenUp&) {
    verdict.given_up = true;
    return verdict;
  }
  verdict.ok = std::none_of(verdict.diagnostics.begin(), verdict.diagnostics.end(),
                            [](const Diagnostic& d) { return d.severity == Severity::Error; });
  return verdict;
}

LoadResult load_file(LoadRequest request, const Surroundings& surroundings) {
  if (request.file.empty()) return load(request, surroundings);
  const auto unreadable = [&](const std::string& why) {
    Diagnostic d;
    d.code = 1008;
    d.file = request.file;
    d.message = "the file cannot be read: " + why;
    return LoadResult{nullptr, {d}};
  };
  if (request.file == "-") {
    request.text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return load(request, surroundings);
  }
  std::error_code error;
  if (std::filesystem::is_directory(request.file, error)) return unreadable("it is a directory");
  errno = 0;
  std::ifstream in(request.file, std::ios::binary);
  if (!in) return unreadable(errno != 0 ? std::strerror(errno) : "it cannot be opened");
  request.text.assign(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return unreadable("it cannot be read to its end");
  return load(request, surroundings);
}

std::optional<std::string> find_file(const std::optional<std::string>& named) {
  if (named) return named;
  if (const char* variable = std::getenv("FOREBAY_CONFIG"); variable && *variable) return std::string(variable);
  for (const char* place : {"./forebay.yaml", "/etc/forebay/forebay.yaml"}) {
    std::error_code error;
    if (std::filesystem::exists(place, error)) return std::string(place);
  }
  return std::nullopt;
}

}  // namespace forebay::config
