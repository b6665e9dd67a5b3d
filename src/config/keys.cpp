#include "config/keys.hpp"

#include <string>

#include "config/schema.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

/// One map of the file and what may stand in it.
struct Where {
  const Schema* schema = nullptr;
  const Schema* also = nullptr;  ///< A route takes its own keys and those of a policy.
  std::string path;
  std::string label;  ///< ` (search)` behind the path of a named route.
};

class KeyCheck {
 public:
  explicit KeyCheck(Report& report) : report_(report) {}

  void map(const Node& node, const Where& where) {
    if (node.bad || node.is_null() || report_.full()) return;
    if (!node.is_map()) {
      report_.error(1002, node, where.path, in_words(where) + " takes keys and values", {});
      return;
    }
    for (const auto& [key, value] : node.entries) {
      if (is_users_own(key->text)) continue;
      const Schema* known = where.schema->child(key->text);
      if (!known && where.also) known = where.also->child(key->text);
      const bool hidden = !where.schema->parent && (key->text == "policy" || key->text == "route");
      if (!known || hidden || key->text == "*" || key->text == "[]") {
        report_.error(1001, *key, join(where.path, key->text),
                      "unknown key " + in_quotes(key->text) + " " + in_place(where),
                      suggest_key(key->text, *where.schema, where.also));
      } else if (!known->here()) {
        report_.error(1016, *key, join(where.path, key->text),
                      in_quotes(key->text) + " " + in_place(where) + " is not in this version", "leave it out");
      } else {
        value_of(*value, *known, join(where.path, key->text));
      }
    }
  }

 private:
  static std::string join(const std::string& path, const std::string& key) {
    return path.empty() ? clipped(key) : path + '.' + clipped(key);
  }
  static std::string in_words(const Where& where) { return where.path.empty() ? "the file" : '"' + where.path + '"'; }
  static std::string in_place(const Where& where) {
    return where.path.empty() ? "at the top level" : "in " + where.path + where.label;
  }

  void value_of(const Node& value, const Schema& known, const std::string& path) {
    const auto type = known.option ? known.option->type : std::string_view();
    const auto* policy = schema_at("policy");
    if (type == "policy") return map(value, {policy, nullptr, path, {}});
    if (type == "map of policy") return named(value, path, policy);
    if (type == "list of route") return routes(value, path);
    if (const auto* any = known.child("*")) return named(value, path, any);
    if (const auto* element = known.child("[]")) return elements(value, path, *element);
    if (known.children.empty()) return;
    if (known.option && !value.is_map()) return;  // `ttl: 30s`; its reader looks at it.
    if (value.is_scalar() || value.is_list()) {
      if (!value.bad) {
        report_.error(1002, value, path,
                      '"' + path + "\" takes keys and values, such as " + in_quotes(first_key(known)), {});
      }
      return;
    }
    map(value, {&known, nullptr, path, {}});
  }

  static std::string first_key(const Schema& known) {
    for (const auto& child : known.children)
      if (child->here()) return std::string(child->name);
    return {};
  }

  /// `origins` and `policies`: the user's names. An origin may be a mere url.
  void named(const Node& value, const std::string& path, const Schema* inside) {
    if (value.bad || value.is_null()) return;
    if (!value.is_map()) {
      report_.error(1002, value, path, '"' + path + "\" is a map of names", {});
      return;
    }
    for (const auto& [key, item] : value.entries) {
      if (is_users_own(key->text)) continue;
      if (item->is_scalar() && inside->name == "*") continue;
      map(*item, {inside, nullptr, path + '.' + clipped(key->text), {}});
    }
  }

  void elements(const Node& value, const std::string& path, const Schema& element) {
    if (value.is_map()) return map(value, {&element, nullptr, path, {}});
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const auto& item = *value.items[i];
      if (item.is_map()) map(item, {&element, nullptr, path + '[' + std::to_string(i) + ']', {}});
    }
  }

  void routes(const Node& value, const std::string& path) {
    if (value.bad || value.is_null()) return;
    if (!value.is_list()) {
      report_.error(1002, value, path, "\"routes\" is a list", "begin each route with \"- path: ...\"");
      return;
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const auto* name = value.items[i]->find("name");
      const auto label = name && name->is_scalar() && !name->bad ? " (" + clipped(name->text) + ')' : std::string();
      map(*value.items[i], {schema_at("route"), schema_at("policy"), path + '[' + std::to_string(i) + ']', label});
    }
  }

  Report& report_;
};

}  // namespace

void check_keys(const Node& root, Report& report) { KeyCheck(report).map(root, {&schema(), nullptr, {}, {}}); }

}  // namespace forebay::config
