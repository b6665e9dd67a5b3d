// Settings of `key`: what makes a cache key.
#include <algorithm>

#include "config/codecs.hpp"

namespace forebay::config {
namespace {

using Key = cache::KeySpec;

/// `all` or `none`, where the value is that one word; a list of a parameter called `all` is written `[all]`.
std::optional<bool> all_or_none(const Node& node) {
  if (!node.is_scalar() || (node.text != "all" && node.text != "none")) return std::nullopt;
  return node.text == "all";
}

struct KeyPath {
  using Value = Key;
  static constexpr std::string_view kType = "all | none or list of capture";
  static constexpr std::size_t kMembers = 2;  // path, captures
  static void read(const Reading& r, Key& out) {
    const auto* node = r.node();
    if (!node) return;
    if (const auto all = all_or_none(*node)) {
      out.path = *all ? cache::PathMode::All : cache::PathMode::None;
      out.captures.clear();
      return;
    }
    if (node->is_list() && node->items.empty())
      r.error(1004, *node, "a list without captures names nothing", "write none");
    const bool set = r.each(out.captures, [&](const Node& item, const std::string& path) {
      const auto& name = item.text;
      const bool marks = name.find_first_of("{}/*") != std::string::npos || name.empty();
      const auto listed = list_hint(name);
      if (!marks && listed.empty()) return add_once(out.captures, name);
      // Whether a good name exists is known with the route's pattern.
      auto bare = name;
      std::erase_if(bare, [](char c) { return c == '{' || c == '}' || c == '+'; });
      const bool braces = name.starts_with('{') && name.ends_with('}') && !bare.empty();
      const auto hint = braces ? "write " + bare : "all, none, or names of captures such as [id]";
      r.section.error(1002, item, path, in_quotes(name) + " is not the name of a capture", marks ? hint : listed);
    });
    if (set) out.path = cache::PathMode::Captures;
  }
  static std::string text(const Key& key) {
    if (key.path == cache::PathMode::Captures) return yaml_texts(key.captures);
    return key.path == cache::PathMode::All ? "all" : "none";
  }
};

struct KeyQuery {
  using Value = Key;
  static constexpr std::string_view kType = "all | none, list of glob or except";
  static constexpr std::size_t kMembers = 2;  // query, query_names
  static void read(const Reading& r, Key& out) {
    const auto* node = r.node();
    if (!node) return;
    if (const auto all = all_or_none(*node)) {
      out.query = *all ? cache::QueryMode::All : cache::QueryMode::None;
      out.query_names.clear();
    } else if (node->is_map()) {
      read_map(r, *node, out);
    } else if (Globs::read(r, out.query_names)) {
      out.query = cache::QueryMode::Only;
    }
  }
  static void read_map(const Reading& r, const Node& node, Key& out) {
    const auto path = r.path();
    for (const auto& [name, value] : node.entries) {
      if (name->text == "except" || is_users_own(name->text)) continue;
      r.section.report().hide(value->place);
      r.section.error(1001, *name, path + '.' + clipped(name_of_key(name->text)),
                      "unknown key " + key_in_quotes(name->text) + " in " + path, "write { except: [names] }");
    }
    const Section map(r.section.report(), &node, path);
    constexpr Row kExcept{.name = "except"};
    if (!node.find("except"))
      r.error(1002, node, "a map here has the key \"except\"", "write { except: [names] }");
    else if (Globs::read({r.loading, map, kExcept}, out.query_names))
      out.query = cache::QueryMode::Except;
  }
  static std::string text(const Key& key) {
    if (key.query == cache::QueryMode::All) return "all";
    if (key.query == cache::QueryMode::None) return "none";
    const auto names = yaml_texts(key.query_names);
    return key.query == cache::QueryMode::Only ? names : "{ except: " + names + " }";
  }
};

struct QuerySort {
  using Value = Key;
  static constexpr std::string_view kType = "bool";
  static void read(const Reading& r, Key& out) {
    bool sort = out.sorts_query();
    if (Codec<bool>::read(r, sort)) out.query_sort = sort;
  }
  static std::string text(const Key& key) { return Codec<bool>::text(key.sorts_query()); }
};

/// `/a,/b` is one pointer, to a member that is called "a,/b".
void check_pointer_list(const Section& key, const Node& item, const std::string& where) {
  const auto names = names_in(item.text);
  if (names.empty() || !std::all_of(names.begin(), names.end(), [](auto name) { return name.starts_with('/'); }))
    return;
  key.report().warning(2022, item, where, in_quotes(item.text) + " is one pointer, and the \",\" is a part of it",
                       list_hint(item.text));
}

struct KeyBody {
  using Value = Key;
  static constexpr std::string_view kType = "all | none or list of pointer";
  static constexpr std::size_t kMembers = 2;  // body, pointers
  static void read(const Reading& r, Key& out) {
    const auto* node = r.node();
    if (!node) return;
    if (const auto all = all_or_none(*node)) {
      out.body = *all ? cache::BodyMode::All : cache::BodyMode::None;
      out.pointers.clear();
      return;
    }
    if (node->is_list() && node->items.empty())
      r.error(1004, *node, "a list without pointers chooses nothing", "write none");
    const auto add = [&](const Node& item, const std::string& element) {
      const auto where = node->is_list() ? element : r.path();
      auto pointer = content::JsonPointer::parse(item.text);
      if (!pointer)
        return r.section.error(1011, item, where, "bad pointer " + in_quotes(item.text), pointer_hint(item.text));
      check_pointer_list(r.section, item, where);
      const auto& steps = pointer->steps();
      if (std::find(steps.begin(), steps.end(), "*") != steps.end())
        r.section.report().warning(2022, item, where,
                                   in_quotes(item.text) + " finds only a member that is called \"*\"",
                                   "pointers have no wildcards; name the array or object as a whole");
      add_once(out.pointers, std::move(*pointer));
    };
    if (r.each(out.pointers, add, kMostParts, "pointers")) out.body = cache::BodyMode::Pointers;
  }
  static Text text(const Key& key) {
    if (key.body == cache::BodyMode::Unset) return {};
    if (key.body != cache::BodyMode::Pointers) return key.body == cache::BodyMode::All ? "all" : "none";
    return yaml_list(key.pointers, [](const auto& pointer) { return yaml_text(pointer.text()); });
  }
};

/// Whether a name has no `*`, which is no glob here; reported else.
bool check_literal(const Reading& r, const Node& item, const std::string& path) {
  if (item.text.find('*') == std::string::npos) return true;
  r.section.error(1002, item, path, in_quotes(item.text) + " is a glob", std::string(kLiteralNames));
  return false;
}

struct KeyHeaders : FieldNames {
  static void read(const Reading& r, Texts& out) {
    r.each(out, [&](const Node& item, const std::string& path) {
      if (!is_token(item.text)) return r.section.bad_field_name(item, path);
      if (check_literal(r, item, path)) add_once(out, lower_case(item.text));
    });
  }
};

struct LiteralNames {
  static std::string text(const Texts& names) { return yaml_texts(names); }
  static void read(const Reading& r, Texts& out) {
    const bool form = r.row.name == "form";
    const auto add = [&](const Node& item, const std::string& path) {
      if (item.text.empty())
        return r.section.error(1002, item, path, form ? "a form field has a name" : "an extension has a name");
      if (!check_literal(r, item, path)) return;
      r.section.check_separators(item, path);
      add_once(out, item.text);
    };
    r.each(out, add, kMostParts, form ? "form fields" : "extensions");
  }
};

constexpr auto kKey = table<Key>({
    key<&Key::host>("host", "", "Whether the host is part of the key.", Reload::Entries),
    key<&Key::scheme>("scheme", "", "Whether the scheme is part of the key.", Reload::Entries),
    as<KeyPath>("path", "",
                "Which part of the path is in the key: the whole, nothing, or these captures of the route's pattern.",
                Reload::Entries),
    as<KeyQuery>("query", "",
                 "Which query parameters are part of the key: all, none, a list, or `{ except: [utm_*] }`.",
                 Reload::Entries),
    as<QuerySort>("query_sort", "",
                  "Whether the order of parameters means nothing: they are sorted by name, and those of one name keep "
                  "their order. Unset it is true under a list of names, else false.",
                  Reload::Entries)
        .by_default("by query"),
    as<KeyHeaders, &Key::headers>("headers", "", "Request fields that are part of the key.", Reload::Entries),
    as<Globs, &Key::cookies>("cookies", "", "Cookies that are part of the key.", Reload::Entries),
    as<KeyBody>("body", "",
                "Which part of the content is in the key: all of it as sent, nothing, or what these JSON Pointers (RFC "
                "6901) find, such as `[/query, /page]`. Unset it is none for GET, HEAD and OPTIONS and where "
                "`key.form` or `key.graphql` is set, else all.",
                Reload::Entries)
        .by_default("by method"),
    as<LiteralNames, &Key::form>(
        "form", "list of field name",
        "Fields of an urlencoded form in the content that are part of the key; instead of `key.body`.",
        Reload::Entries),
    key<&Key::body_max>("body_max", "1B..16MiB",
                        "Largest content that is keyed, as sent and decoded; a larger one is forwarded uncached."),
    key<&Key::graphql>("graphql", "", "Keys GET and POST by the normalised GraphQL request; instead of `key.body`.",
                       Reload::Entries),
    key<&Key::graphql_accept>(
        "graphql_accept", "",
        "Whether Accept is part of a GraphQL key: servers choose the type of their answer by it, without Vary."),
    as<LiteralNames, &Key::graphql_ignore>(
        "graphql_ignore", "list of extension",
        "Extensions of GraphQL requests, or members of them, that are no part of the key.", Reload::Entries),
    key<&Key::numbers>(
        "numbers", "written | value",
        "How JSON numbers in the key compare: as they are written, or as exact decimals (2, 2.0 and 2e0 are one).",
        Reload::Entries),
    key<&Key::decode>(
        "decode", "",
        "Whether a Content-Encoding is undone before pointers, forms and GraphQL are read; never for `key.body: all`.",
        Reload::Entries),
});

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

Table<Key> key_table() noexcept { return kKey; }

}  // namespace forebay::config
