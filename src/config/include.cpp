#include "config/include.hpp"

#include <glob.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/hiding.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostBytes = 16 * 1024 * 1024;  // of all files together

bool is_pattern(std::string_view name) noexcept { return name.find_first_of("*?[") != std::string_view::npos; }

/// The text as a pattern that matches nothing but itself.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// What `glob` has met while it read folders. It has no argument for that.
thread_local std::string unread_folder;
thread_local int unread_why = 0;

/// A file that a pattern for folders matches is none of them. Of a folder that cannot be read nobody knows what it has.
int on_unread(const char* folder, int why) {
  if (why == ENOTDIR) return 0;
  unread_folder = folder;
  unread_why = why;
  return 1;
}

/// Whether the folder before the first part of a pattern that has a wildcard is there. `glob` says nothing of a file in
/// its place.
bool begins_in_folder(const std::string& pattern) {
  std::string text, folder;
  for (std::size_t i = 0; i < pattern.size() && !is_pattern({&pattern[i], 1}); ++i) {
    if (pattern[i] == '/' && !text.empty()) folder = text;
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    text += pattern[i];
  }
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return true;
  unread_folder = folder;
  unread_why = error ? error.value() : ENOTDIR;
  return false;
}

}  // namespace

bool files_of(const std::string& pattern, std::vector<std::string>& files) {
  if (!begins_in_folder(pattern)) return false;
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_MARK, on_unread, &found);
  if (result == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (std::string_view path = found.gl_pathv[i]; !path.ends_with('/')) files.emplace_back(path);
  ::globfree(&found);
  std::sort(files.begin(), files.end());
  return result != GLOB_ABORTED;
}

namespace {

NodePtr node_of(std::vector<NodePtr> items, const Place& place) {
  auto list = std::make_shared<Node>();
  list->kind = Node::Kind::List;
  list->place = place;
  list->items = std::move(items);
  return list;
}

class Including {
 public:
  Including(const std::string& file, const Variables& variables, Report& report)
      : folder_(file.empty() || file == "-" ? "" : std::filesystem::path(file).parent_path().string()),
        variables_(variables),
        report_(report) {
    if (!file.empty() && file != "-") read_.insert(identity(file));
  }

  void all_of(const Node& names) {
    if (names.is_scalar()) return one_of(names, "include");
    if (!names.is_list())
      return report_.error(1002, names, "include", "\"include\" lists files", "such as include: routes.d/*.yaml");
    for (std::size_t i = 0; i < names.items.size(); ++i)
      if (!full_) one_of(*names.items[i], "include[" + std::to_string(i) + ']');
  }

  std::vector<NodePtr> routes;
  std::vector<Entry> policies;

 private:
  static std::string identity(const std::string& path) {
    std::error_code error;
    auto real = std::filesystem::canonical(path, error);
    return error ? path : real.string();
  }

  void one_of(const Node& name, const std::string& path) {
    if (name.bad) return;
    if (!name.is_scalar() || name.text.empty())
      return report_.error(1002, name, path, "this is not the name of a file", "such as routes.d/*.yaml");
    if (report_.alone()) {
      report_.leave_open();
      return report_.not_looked_at(name, path, in_quotes(name.text));
    }
    const bool relative = name.text.front() != '/' && !folder_.empty();
    if (!is_pattern(name.text)) return read(name, path, relative ? folder_ + '/' + name.text : name.text, true);
    std::vector<std::string> files;
    const auto pattern = relative ? literal(folder_) + '/' + name.text : name.text;
    report_.note_pattern(pattern);
    if (!files_of(pattern, files))
      return report_.error(1033, name, path,
                           in_quotes(unread_folder) + " cannot be read: " + std::strerror(unread_why));
    if (files.empty())
      report_.warning(2072, name, path, in_quotes(name.text) + " matches no file",
                      "correct the pattern, or leave it out");
    for (const auto& file : files)
      if (!full_) read(name, path, file, false);
  }

  /// A file that two patterns match is read once; one that is named twice by itself, or includes itself, is a mistake.
  void read(const Node& name, const std::string& path, const std::string& file, bool named) {
    const auto fault = [&](std::string message, std::string hint = {}) {
      report_.error(1033, name, path, std::move(message), std::move(hint));
    };
    if (!read_.insert(identity(file)).second)
      return named ? fault(in_quotes(file) + " is read already", "leave it out") : void();
    if (read_.size() > kMostFiles + 1) {
      full_ = true;
      return fault("more than " + std::to_string(kMostFiles) + " files are included", "join some of them");
    }
    std::string why;
    if (named) report_.note_source(file);
    auto text = content_of(file, why);
    if (!text) return fault(in_quotes(file) + " cannot be read: " + why);
    bytes_ += text->size();
    if (bytes_ > kMostBytes) {
      full_ = true;
      return fault("the included files have more than 16 MiB");
    }
    if (text->starts_with("\xef\xbb\xbf")) text->erase(0, 3);
    take(file, std::move(*text));
  }

  static std::optional<std::string> content_of(const std::string& file, std::string& why) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
      return why = "it is no regular file", std::nullopt;
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) return why = errno != 0 ? std::strerror(errno) : "it cannot be opened", std::nullopt;
    // The report keeps it, so it has no room for what might come.
    std::string text;
    std::array<char, 16 * 1024> piece;
    do {
      in.read(piece.data(), piece.size());
      text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    } while (in && text.size() <= kMostBytes);
    if (in.bad()) return why = "it cannot be read to its end", std::nullopt;
    return text;
  }

  void take(const std::string& file, std::string text) {
    const auto body = report_.begin_file(file, std::move(text));
    auto root = parse_yaml(body, variables_, report_);
    if (!root) return hide_unread(report_, report_.first_line());
    if (root->is_list()) {
      auto map = std::make_shared<Node>();
      map->kind = Node::Kind::Map;
      map->place = root->place;
      auto key = std::make_shared<Node>();
      key->kind = Node::Kind::Scalar;
      key->text = "routes";
      key->place = root->place;
      map->entries.push_back({key, root});
      root = map;
    }
    hide_values(*root, report_);
    if (root->is_null()) return;  // An empty file, or nothing but comments.
    if (!root->is_map())
      return report_.error(1033, *root, {}, "an included file is a list of routes, or a map with \"routes\"",
                           "begin each route with \"- path: ...\"");
    for (const auto& entry : root->entries) take_entry(entry);
  }

  void take_entry(const Entry& entry) {
    const auto& name = entry.key->text;
    if (is_users_own(name)) return;
    if (name == "include")
      return report_.error(1033, *entry.key, name, "an included file includes no others",
                           "list all files in the configuration itself");
    if (name != "routes" && name != "policies")
      return report_.error(1033, *entry.key, name, key_in_quotes(name) + " has no place in an included file",
                           "it has \"routes\" and \"policies\"; other keys stand in the configuration itself");
    const auto& value = *entry.value;
    if (value.is_null() || value.bad) return;
    if (name == "routes" && value.is_list())
      routes.insert(routes.end(), value.items.begin(), value.items.end());
    else if (name == "policies" && value.is_map())
      policies.insert(policies.end(), value.entries.begin(), value.entries.end());
    else
      report_.error(1002, value, name, name == "routes" ? "\"routes\" is a list" : "\"policies\" is a map of names",
                    name == "routes" ? "begin each route with \"- path: ...\"" : "");
  }

  const std::string folder_;
  const Variables& variables_;
  Report& report_;
  std::set<std::string> read_;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

/// Replaces or adds an entry.
void put(Node& map, std::string_view name, const Place& place, NodePtr value) {
  for (auto& entry : map.entries) {
    if (entry.key->text != name) continue;
    entry.value = std::move(value);
    return;
  }
  auto key = std::make_shared<Node>();
  key->kind = Node::Kind::Scalar;
  key->text = name;
  key->place = place;
  map.entries.push_back({std::move(key), std::move(value)});
}

/// The policies of all files as one map.
NodePtr joined(const Node* own, std::vector<Entry> included, Report& report) {
  auto map = own ? std::make_shared<Node>(*own) : std::make_shared<Node>();
  map->kind = Node::Kind::Map;
  for (auto& entry : included) {
    if (map->entry(entry.key->text) && !is_users_own(entry.key->text)) {
      const auto& first = *map->entry(entry.key->text)->key;
      report.error(1010, *entry.key, "policies." + clipped(entry.key->text),
                   "two policies have the name " + in_quotes(entry.key->text), "also" + report.in_words(first.place));
      continue;
    }
    map->entries.push_back(std::move(entry));
  }
  return map;
}

}  // namespace

NodePtr with_included(const NodePtr& root, const std::string& file, const Variables& variables, Report& report) {
  const auto* names = root->find("include");
  if (!names || names->bad || names->is_null()) return root;
  Including including(file, variables, report);
  including.all_of(*names);
  auto merged = std::make_shared<Node>(*root);
  const auto* routes = root->find("routes");
  if (const bool fits = !routes || routes->is_null() || routes->is_list(); fits && !including.routes.empty()) {
    auto all = std::move(including.routes);
    if (routes) all.insert(all.end(), routes->items.begin(), routes->items.end());
    put(*merged, "routes", names->place, node_of(std::move(all), routes ? routes->place : names->place));
  }
  const auto* policies = root->find("policies");
  if (const bool fits = !policies || policies->is_null() || policies->is_map(); fits && !including.policies.empty())
    put(*merged, "policies", names->place, joined(policies, std::move(including.policies), report));
  return merged;
}

}  // namespace forebay::config
