#include <algorithm>
#include <charconv>

#include "config/readers.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

NodePtr scalar_node(std::string text, const Place& place) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::Scalar;
  node->text = std::move(text);
  node->place = place;
  node->expanded = true;
  return node;
}

/// Nodes are immutable and may be shared by aliases: what changes is copied, from the root to the place.
class Override {
 public:
  Override(std::string_view key, NodePtr value, Report& report)
      : key_(key), value_(std::move(value)), report_(report) {}

  NodePtr apply(const NodePtr& node, std::string_view rest, std::string path, bool& failed) {
    if (rest.empty()) return value_;
    if (path.empty() && rest.starts_with("routes") && rest.size() > 6 &&
        (!node->find("routes") || node->find("routes")->is_null())) {
      return apply(with_default_route(node), rest, std::move(path), failed);
    }
    if (node->is_list() && !is_pool(path, rest)) return element(node, rest, path, failed);
    if (node->is_scalar() && path == "listen") return element(list_of(node), rest, path, failed);
    const auto map = as_map(node, path);
    return member(map, rest, std::move(path), failed);
  }

 private:
  const Place& place() const { return value_->place; }

  NodePtr with_default_route(const NodePtr& root) const {
    auto route = std::make_shared<Node>();
    route->kind = Node::Kind::Map;
    route->place = place();
    route->entries.push_back({scalar_node("path", place()), scalar_node("/**", place())});
    auto copy = std::make_shared<Node>(*root);
    copy->kind = Node::Kind::Map;
    std::erase_if(copy->entries, [](const Entry& e) { return e.key->text == "routes"; });
    copy->entries.push_back({scalar_node("routes", place()), list_of(route)});
    return copy;
  }

  NodePtr list_of(NodePtr item) const {
    auto list = std::make_shared<Node>();
    list->kind = Node::Kind::List;
    list->place = item->place;
    list->items.push_back(std::move(item));
    return list;
  }

  /// Whether a list at this place is an origin (`web: [http://..., ...]`), and `rest` a key of it.
  static bool is_pool(std::string_view path, std::string_view rest) {
    return path.starts_with("origins.") && !path.ends_with(".urls") && !rest.starts_with('[') && !is_digit(rest[0]);
  }

  /// What is written short (`ttl: 30s`, `web: http://...`) as the map that it is short for.
  NodePtr as_map(const NodePtr& node, const std::string& path) const {
    if (node->is_map()) return node;
    auto map = std::make_shared<Node>();
    map->kind = Node::Kind::Map;
    map->place = node->is_null() ? place() : node->place;
    if (node->is_list()) map->entries.push_back({scalar_node("urls", node->place), node});
    if (!node->is_scalar()) return map;
    const bool is_origin = path.starts_with("origins.");
    const bool is_listener = path.starts_with("listen[");
    if (is_origin && path.ends_with(".sign"))
      map->entries.push_back({scalar_node("type", node->place), node});
    else if (path.ends_with(".ttl"))
      map->entries.push_back({scalar_node("default", node->place), node});
    else if (is_origin)
      map->entries.push_back({scalar_node("url", node->place), node});
    else if (is_listener)
      map->entries.push_back({scalar_node("address", node->place), node});
    return map;
  }

  NodePtr member(const NodePtr& map, std::string_view rest, std::string path, bool& failed) {
    // Names of origins and policies may have dots, so a name that is there goes before the first dot.
    std::size_t length = std::min(rest.find_first_of(".["), rest.size());
    for (const auto& entry : map->entries) {
      const auto& name = entry.key->text;
      const bool fits = name.size() > length && rest.starts_with(name) &&
                        (rest.size() == name.size() || rest[name.size()] == '.' || rest[name.size()] == '[');
      if (fits) length = name.size();
    }
    const std::string name(rest.substr(0, length));
    rest.remove_prefix(length);
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      if (rest.empty()) rest = ".";  // `a.` names nothing
    }
    if (name.empty()) return unknown(path, failed);
    path += path.empty() ? name : '.' + name;
    auto copy = std::make_shared<Node>(*map);
    const auto it =
        std::find_if(copy->entries.begin(), copy->entries.end(), [&](const Entry& e) { return e.key->text == name; });
    if (it != copy->entries.end()) {
      it->value = apply(it->value, rest, std::move(path), failed);
      if (rest.empty()) it->key = scalar_node(name, place());
    } else {
      auto empty = std::make_shared<Node>();
      empty->place = place();
      copy->entries.push_back({scalar_node(name, place()), apply(empty, rest, std::move(path), failed)});
    }
    return copy;
  }

  NodePtr element(const NodePtr& list, std::string_view rest, const std::string& path, bool& failed) {
    std::size_t index = list->items.size(), length = 0;
    if (path == "routes") {
      const auto names = names_of_routes(*list);
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& name = names[i];
        if (name.size() <= length || !rest.starts_with(name)) continue;
        if (rest.size() > name.size() && rest[name.size()] != '.') continue;
        index = i;
        length = name.size();
      }
    }
    if (length == 0) {
      const bool bracket = rest.starts_with('[');
      const auto* begin = rest.data() + (bracket ? 1 : 0);
      const auto* end = rest.data() + rest.size();
      std::size_t number = 0;
      const auto [stop, error] = std::from_chars(begin, end, number);
      if (error == std::errc{} && (!bracket || (stop != end && *stop == ']'))) {
        index = number;
        length = static_cast<std::size_t>(stop - rest.data()) + (bracket ? 1 : 0);
      }
    }
    if (index >= list->items.size() || (length < rest.size() && rest[length] != '.'))
      return no_element(*list, rest, path, failed);
    rest.remove_prefix(std::min(rest.size(), length + 1));
    auto copy = std::make_shared<Node>(*list);
    copy->items[index] = apply(copy->items[index], rest, path + '[' + std::to_string(index) + ']', failed);
    return copy;
  }

  NodePtr unknown(const std::string& path, bool& failed) {
    failed = true;
    report_.error(1001, *value_, std::string(key_), "unknown key " + in_quotes(key_),
                  path.empty() ? "such as cache.memory" : "");
    return value_;
  }

  NodePtr no_element(const Node& list, std::string_view rest, const std::string& path, bool& failed) {
    failed = true;
    if (path != "routes") {
      report_.error(1001, *value_, std::string(key_), in_quotes(path) + " has no element " + in_quotes(rest),
                    "such as " + path + "[0]");
      return value_;
    }
    const auto names = names_of_routes(list);
    const auto wanted = rest.substr(0, rest.find('.'));
    report_.error(1009, *value_, std::string(key_), "there is no route " + in_quotes(wanted),
                  did_you_mean(wanted, {names.begin(), names.end()}));
    return value_;
  }

  std::string_view key_;
  NodePtr value_;
  Report& report_;
};

}  // namespace

NodePtr apply_override(const NodePtr& root, std::string_view key, const NodePtr& value, Report& report) {
  bool failed = false;
  Override change(key, value, report);
  if (key.empty() || key.size() > 1000) {
    report.error(1001, *value, std::string(key.substr(0, 100)), "unknown key " + in_quotes(key),
                 "such as cache.memory");
    return root;
  }
  auto changed = change.apply(root, key, {}, failed);
  return failed ? root : changed;
}

}  // namespace forebay::config
