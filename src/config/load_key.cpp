// Readers of what makes a key.
#include <algorithm>

#include "config/readers.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kMostParts = 64;  // pointers or form fields of one key

/// `all` or `none`, where the value is that one word; a list of a parameter called `all` is written `[all]`.
std::optional<bool> all_or_none(const Node& node) {
  if (!node.is_scalar() || (node.text != "all" && node.text != "none")) return std::nullopt;
  return node.text == "all";
}

/// Whether a name has no `*`, which is no glob here; reported else.
bool check_literal(const Section& key, std::string_view list, std::size_t i, const Node& item) {
  if (item.text.find('*') == std::string::npos) return true;
  key.error(1002, item, key.path_of(list, i), in_quotes(item.text) + " is a glob", std::string(kLiteralNames));
  return false;
}

void read_path(const Section& key, cache::KeySpec& spec) {
  const auto* node = key.find("path");
  if (!node) return;
  if (const auto all = all_or_none(*node)) {
    spec.path = *all ? cache::PathMode::All : cache::PathMode::None;
    spec.captures.clear();
    return;
  }
  const auto list = key.list("path");
  if (!list) return;
  spec.path = cache::PathMode::Captures;
  spec.captures.clear();
  if (list->empty()) {
    key.error(1004, *node, key.path_of("path"), "a list without captures names nothing", "write none");
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    const auto& name = item.text;
    if (name.find_first_of("{}/*") != std::string::npos || name.empty()) {
      // Whether a good name exists is known with the route's pattern.
      std::string bare;
      for (const char c : name)
        if (c != '{' && c != '}' && c != '+') bare += c;
      const bool braces = name.starts_with('{') && name.ends_with('}') && !bare.empty();
      key.error(1002, item, key.path_of("path", i), in_quotes(name) + " is not the name of a capture",
                braces ? "write " + bare : "all, none, or names of captures such as [id]");
    } else if (const auto listed = list_hint(name); !listed.empty()) {
      key.error(1002, item, key.path_of("path", i), in_quotes(name) + " is not the name of a capture", listed);
    } else if (std::find(spec.captures.begin(), spec.captures.end(), name) == spec.captures.end()) {
      spec.captures.push_back(name);
    }
  }
}

void read_query(const Section& key, cache::KeySpec& spec) {
  const auto* node = key.find("query");
  if (!node) return;
  const auto path = key.path_of("query");
  if (node->is_map()) {
    const Section map(key.report(), node, "policy.key.query", path);
    for (const auto& [name, value] : node->entries) {
      if (name->text == "except" || is_users_own(name->text)) continue;
      const auto what = name_of_key(name->text);
      key.report().hide(value->place);
      key.error(1001, *name, path + '.' + clipped(what), "unknown key " + key_in_quotes(name->text) + " in " + path,
                "write { except: [names] }");
    }
    if (node->find("except") == nullptr) {
      key.error(1002, *node, path, "a map here has the key \"except\"", "write { except: [names] }");
    } else if (map.globs("except", spec.query_names)) {
      spec.query = cache::QueryMode::Except;
    }
    return;
  }
  if (const auto all = all_or_none(*node)) {
    spec.query = *all ? cache::QueryMode::All : cache::QueryMode::None;
    spec.query_names.clear();
    return;
  }
  if (key.globs("query", spec.query_names)) spec.query = cache::QueryMode::Only;
}

/// `/a,/b` is one pointer, to a member that is called "a,/b".
void check_pointer_list(const Section& key, const Node& item, const std::string& where) {
  const auto names = names_in(item.text);
  if (names.empty() || !std::all_of(names.begin(), names.end(), [](auto name) { return name.starts_with('/'); }))
    return;
  key.report().warning(2022, item, where, in_quotes(item.text) + " is one pointer, and the \",\" is a part of it",
                       list_hint(item.text));
}

void read_body(const Section& key, cache::KeySpec& spec) {
  const auto* node = key.find("body");
  if (!node) return;
  if (const auto all = all_or_none(*node)) {
    spec.body = *all ? cache::BodyMode::All : cache::BodyMode::None;
    spec.pointers.clear();
    return;
  }
  const auto list = key.list("body");
  if (!list) return;
  spec.body = cache::BodyMode::Pointers;
  spec.pointers.clear();
  const auto path = key.path_of("body");
  if (list->empty()) key.error(1004, *node, path, "a list without pointers chooses nothing", "write none");
  if (list->size() > kMostParts)
    key.error(1004, *node, path, std::to_string(list->size()) + " pointers", "at most " + std::to_string(kMostParts));
  for (std::size_t i = 0; i < list->size() && i < kMostParts; ++i) {
    const auto& item = *(*list)[i];
    const auto where = node->is_list() ? key.path_of("body", i) : path;
    auto pointer = content::JsonPointer::parse(item.text);
    if (!pointer) {
      key.error(1011, item, where, "bad pointer " + in_quotes(item.text), pointer_hint(item.text));
      continue;
    }
    check_pointer_list(key, item, where);
    const auto& steps = pointer->steps();
    if (std::find(steps.begin(), steps.end(), "*") != steps.end())
      key.report().warning(2022, item, where, in_quotes(item.text) + " finds only a member that is called \"*\"",
                           "pointers have no wildcards; name the array or object as a whole");
    if (std::find(spec.pointers.begin(), spec.pointers.end(), *pointer) == spec.pointers.end())
      spec.pointers.push_back(std::move(*pointer));
  }
}

void read_form(const Section& key, cache::KeySpec& spec) {
  const auto list = key.list("form");
  if (!list) return;
  spec.form.clear();
  if (list->size() > kMostParts)
    key.error(1004, *key.find("form"), key.path_of("form"), std::to_string(list->size()) + " form fields",
              "at most " + std::to_string(kMostParts));
  for (std::size_t i = 0; i < list->size() && i < kMostParts; ++i) {
    const auto& item = *(*list)[i];
    if (item.text.empty())
      key.error(1002, item, key.path_of("form", i), "a form field has a name", {});
    else if (check_literal(key, "form", i, item)) {
      key.check_separators(item, key.path_of("form", i));
      if (std::find(spec.form.begin(), spec.form.end(), item.text) == spec.form.end()) spec.form.push_back(item.text);
    }
  }
}

/// Extensions of GraphQL, or `NAME.MEMBER`.
void read_ignored(const Section& key, cache::KeySpec& spec) {
  const auto list = key.list("graphql_ignore");
  if (!list) return;
  spec.graphql_ignore.clear();
  if (list->size() > kMostParts)
    key.error(1004, *key.find("graphql_ignore"), key.path_of("graphql_ignore"),
              std::to_string(list->size()) + " extensions", "at most " + std::to_string(kMostParts));
  for (std::size_t i = 0; i < list->size() && i < kMostParts; ++i) {
    const auto& item = *(*list)[i];
    if (item.text.empty())
      key.error(1002, item, key.path_of("graphql_ignore", i), "an extension has a name", {});
    else if (check_literal(key, "graphql_ignore", i, item)) {
      key.check_separators(item, key.path_of("graphql_ignore", i));
      spec.graphql_ignore.push_back(item.text);
    }
  }
}

void read_headers(const Section& key, cache::KeySpec& spec) {
  std::vector<std::string> names;
  if (!key.header_names("headers", names)) return;
  spec.headers.clear();
  const auto list = key.list("headers");
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (!is_token(item.text) || !check_literal(key, "headers", i, item)) continue;
    auto low = lower_case(item.text);
    if (std::find(spec.headers.begin(), spec.headers.end(), low) == spec.headers.end())
      spec.headers.push_back(std::move(low));
  }
}

}  // namespace

std::string pointer_hint(const std::string& text) {
  if (text.find('~') != std::string::npos && text.starts_with('/'))
    return "\"~\" is written ~0 and \"/\" in a name ~1 (RFC 6901)";
  std::string out;
  std::string_view rest = text;
  if (rest.starts_with('$')) rest.remove_prefix(1);  // `$.query.lang` is JSONPath.
  if (rest.starts_with('.')) rest.remove_prefix(1);
  for (const char c : rest) out += c == '.' ? '/' : c;
  const bool plain = !out.empty() && out.find_first_of("[]*?()@ ") == std::string::npos;
  return plain ? "write /" + out : "such as /query/lang";
}

void read_key(const Section& key, cache::KeySpec& spec) {
  key.boolean("host", spec.host);
  key.boolean("scheme", spec.scheme);
  read_path(key, spec);
  read_query(key, spec);
  bool sort = false;
  if (key.boolean("query_sort", sort)) spec.query_sort = sort;
  read_headers(key, spec);
  key.globs("cookies", spec.cookies);
  read_body(key, spec);
  read_form(key, spec);
  key.size("body_max", spec.body_max);
  key.boolean("graphql", spec.graphql);
  key.boolean("graphql_accept", spec.graphql_accept);
  read_ignored(key, spec);
  key.choice("numbers", spec.numbers);
  key.boolean("decode", spec.decode);
}

}  // namespace forebay::config
