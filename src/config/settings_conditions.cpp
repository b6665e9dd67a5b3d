// Settings of `match`, what a route asks of a request, and of `bypass`, what keeps one from the cache.
#include <algorithm>

#include "config/codecs.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/forwarding.hpp"

namespace forebay::config {
namespace {

using rules::JsonValue;
using rules::NamedCondition;
using rules::Policy;
using rules::ValueCondition;

constexpr std::size_t kMost = 64;  // names, pointers, or values of one
constexpr std::size_t kLongestValue = 1024;
constexpr const char* kNothing = "\x01";  // No field has a control byte, and a parameter that has one is unclear.

/// true, false and null are words where nothing makes a text of them.
bool is_word(const Node& node, std::string_view word) noexcept {
  return node.is_scalar() && node.text == word && (!node.quoted || node.replaced);
}

/// One map from names to values, and what its readers need to speak of it.
struct Map {
  const Section& section;
  std::string_view key;
  const Node& node;

  std::string path_of(std::string_view name) const {
    return section.path_of(key) + '.' + clipped(key == "headers" ? name_of_key(name) : name);
  }

  /// Calls `read(item, where)` for the one value of an entry or each of a list. An empty value is reported.
  template <class F>
  void each_value(const Entry& entry, F&& read) const {
    const auto path = path_of(entry.key->text);
    const auto& value = *entry.value;
    const bool left_out = value.is_null() && value.place.line == entry.key->place.line &&
                          value.place.column == entry.key->place.column && value.place.flag < 0;
    if (value.bad) return;
    if (left_out) return section.error(1002, *entry.key, path, in_quotes(entry.key->text) + " has no value", hint());
    if (value.is_map()) return section.error(1002, value, path, "a map is no value to compare with", hint());
    if (!value.is_list()) return read(value, path);
    if (value.items.empty()) section.error(1004, value, path, "an empty list matches nothing", hint());
    if (value.items.size() > kMost)
      section.error(1004, value, path, std::to_string(value.items.size()) + " values",
                    "at most " + std::to_string(kMost));
    for (std::size_t i = 0; i < value.items.size() && i < kMost; ++i) {
      const auto where = path + '[' + std::to_string(i) + ']';
      const auto& item = *value.items[i];
      if (item.bad) continue;
      if (item.is_map() || item.is_list())
        section.error(1002, item, where, "a value is a text, a number or a word", {});
      else
        read(item, where);
    }
  }
  /// Whether it is one of `bypass`.
  bool keeps_out() const { return section.path().ends_with("bypass"); }
  void warn_of_redacted(const Node& value, const std::string& where) const {
    section.report().warning(2006, value, where, "a redacted value is nothing that anybody can use",
                             keeps_out() ? "write \"${NAME}\" for a variable; any value bypasses"
                                         : "write \"${NAME}\" for a variable; no request meets it");
  }
  std::string hint() const {
    return key == "body" ? "such as true, 1, text, \"Get*\" or null" : "true, false, or a text such as \"Get*\"";
  }
};

/// Whether there may be one more entry; reported else.
bool has_room(const Map& map, std::size_t there) {
  if (there < kMost) return true;
  if (there == kMost)
    map.section.error(1004, map.node, map.section.path_of(map.key), std::to_string(map.node.entries.size()) + " names",
                      "at most " + std::to_string(kMost));
  return false;
}

void read_value(const Map& map, const Node& node, const std::string& where, ValueCondition& out) {
  if (is_word(node, "true")) {
    out.present = true;
  } else if (is_word(node, "false")) {
    out.absent = true;
  } else if (node.is_null()) {
    map.section.error(1002, node, where, "null is no value of a field or parameter",
                      "write false for one that is absent");
  } else if (node.text == kRedacted) {
    // Not `true`: a cookie that bypasses by its name alone ends the guard for all others.
    out.globs.emplace_back(map.keeps_out() ? "*" : kNothing);
    map.warn_of_redacted(node, where);
  } else if (!http::is_field_value(node.text) || node.text.size() > kLongestValue) {
    map.section.error(1004, node, where,
                      node.text.size() > kLongestValue ? "the value is too long" : "the value has a control byte",
                      "at most " + std::to_string(kLongestValue) + " bytes without control bytes");
  } else if (node.text == "*") {
    out.present = true;
  } else {
    out.globs.push_back(node.text);
  }
}

enum class Names { FieldsExactly, ParametersExactly, Fields, Others };

/// Whether the name is one that may stand here; reported else.
bool check_name(const Map& map, const Node& name, Names names) {
  const auto where = map.path_of(name.text);
  const bool field = names == Names::FieldsExactly || names == Names::Fields;
  const bool exact = names == Names::FieldsExactly || names == Names::ParametersExactly;
  const auto say = [&](std::string what, std::string hint) {
    map.section.error(1002, name, where, std::move(what), std::move(hint));
    return false;
  };
  if (field && !is_token(name.text)) {
    const auto list = list_hint(name.text);
    return say((list.empty() ? key_in_quotes(name.text) : in_quotes(name.text)) + " is not the name of a header field",
               list.empty() ? list : "write a line for each");
  }
  if (!field && !is_glob(name.text)) return say(in_quotes(name.text) + " is not a name", "such as page");
  if (exact && name.text.find('*') != std::string::npos)
    return say(in_quotes(name.text) + " is a glob", "names are literal here; globs are for values");
  if (!field) map.section.check_separators(name, where);
  const auto id = http::field_id(name.text);
  if (field && (http::is_hop_by_hop(id) || id == http::FieldId::Host))
    return say(in_quotes(name.text) + " says nothing of the resource",
               id == http::FieldId::Host ? "write host: on the route" : "leave it out");
  // Judged as the client wrote it, while the origin gets another one, or none: a stranger would choose the route.
  const bool rewritten = id == http::FieldId::XForwardedFor || id == http::FieldId::XForwardedProto ||
                         id == http::FieldId::Expect || lower_case(name.text).starts_with("forebay-");
  if (field && exact && (rewritten || http::claim_of({name.text, {}, id}) != http::Claim::None))
    return say(in_quotes(name.text) + " is what a client claims, and does not reach the origin as it came",
               "ask for a field that the origin reads");
  return true;
}

/// Puts one condition in: a name that is there already is replaced, as maps of layers are merged.
void put(std::vector<NamedCondition>& all, NamedCondition condition) {
  for (auto& one : all) {
    if (one.name != condition.name) continue;
    one = std::move(condition);
    return;
  }
  all.push_back(std::move(condition));
}

void read_named(const Map& map, Names names, std::vector<NamedCondition>& all) {
  const bool field = names == Names::FieldsExactly || names == Names::Fields;
  std::vector<std::string> seen;
  for (const auto& entry : map.node.entries) {  // Also those that begin with `x-`: here they are names.
    if (!has_room(map, seen.size())) return;
    const auto name = field ? lower_case(entry.key->text) : entry.key->text;
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      map.section.error(1005, *entry.key, map.path_of(entry.key->text),
                        "the field " + in_quotes(entry.key->text) + " stands twice", "names of fields have no case");
    seen.push_back(name);
    if (!check_name(map, *entry.key, names)) continue;
    NamedCondition condition(name, {});
    map.each_value(entry,
                   [&](const Node& node, const std::string& where) { read_value(map, node, where, condition.value); });
    put(all, std::move(condition));
  }
}

/// The exact decimal that a JSON number stands for; nothing for what is none.
std::optional<std::string> read_number(const std::string& text) {
  content::CanonicalJson json;
  const content::JsonPointer whole;
  if (text.empty() || (text.front() != '-' && (text.front() < '0' || text.front() > '9')) ||
      !json.read(text, {&whole, 1}, content::Numbers::Value))
    return std::nullopt;
  return std::string(*json.value(0));
}

JsonValue json_value(const Node& node) {
  using Kind = JsonValue::Kind;
  if (node.is_null()) return {Kind::Nothing, {}};
  if (is_word(node, "true") || is_word(node, "false")) return {Kind::Bool, node.text};
  if (!node.quoted || node.replaced)
    if (auto number = read_number(node.text)) return {Kind::Number, std::move(*number)};
  if (node.text == "*") return {Kind::Anything, {}};
  return {Kind::Text, node.text};
}

void read_body(const Map& map, rules::BodyConditions& all) {
  std::size_t read = 0;
  for (const auto& entry : map.node.entries) {
    if (!has_room(map, read++)) return;
    auto pointer = content::JsonPointer::parse(entry.key->text);
    if (!pointer) {
      map.section.error(1011, *entry.key, map.path_of(entry.key->text), "bad pointer " + in_quotes(entry.key->text),
                        pointer_hint(entry.key->text));
      continue;
    }
    std::vector<JsonValue> values;
    map.each_value(entry, [&](const Node& node, const std::string& where) {
      if (node.text == kRedacted) {
        values.push_back(map.keeps_out() ? JsonValue{JsonValue::Kind::Anything, {}}
                                         : JsonValue{JsonValue::Kind::Text, kNothing});
        map.warn_of_redacted(node, where);
      } else if (node.text.size() > kLongestValue)
        map.section.error(1004, node, where, "the value is too long",
                          "at most " + std::to_string(kLongestValue) + " bytes");
      else
        values.push_back(json_value(node));
    });
    const auto known = std::find(all.pointers.begin(), all.pointers.end(), *pointer);
    if (known != all.pointers.end()) {
      all.values[static_cast<std::size_t>(known - all.pointers.begin())] = std::move(values);
    } else {
      all.pointers.push_back(std::move(*pointer));
      all.values.push_back(std::move(values));
    }
  }
}

std::string values_of(const rules::ValueCondition& asked, bool shown) {
  std::vector<std::string> all;
  if (asked.present) all.emplace_back("true");
  if (asked.absent) all.emplace_back("false");
  if (!shown && !asked.globs.empty()) all.push_back(yaml_text(kRedacted));
  if (shown)
    for (const auto& glob : asked.globs) all.push_back(yaml_text(glob));
  return all.size() == 1 ? all.front() : yaml_list(all, [](const std::string& text) { return text; });
}

std::string values_of(const std::vector<rules::JsonValue>& asked, bool shown) {
  using Kind = rules::JsonValue::Kind;
  const auto one = [&](const rules::JsonValue& value) -> std::string {
    if (!shown && (value.kind == Kind::Text || value.kind == Kind::Number)) return yaml_text(kRedacted);
    if (value.kind == Kind::Anything) return "\"*\"";
    if (value.kind == Kind::Nothing) return "null";
    return value.kind == Kind::Text ? yaml_text(value.text) : value.text;
  };
  return asked.size() == 1 ? one(asked.front()) : yaml_list(asked, one);
}

std::string map_of(const Printing& p, Named kind, const std::vector<NamedCondition>& asked) {
  return yaml_map(asked, [&](const auto& one) {
    return yaml_name(one.name) + ": " + values_of(one.value, p.shows(kind, one.name));
  });
}

/// A map of this key; nothing where it is absent, or reported as being none.
const Node* map_of(const Reading& r, const char* such_as) {
  const auto* node = r.node();
  if (!node || node->is_map()) return node;
  r.error(1002, *node, in_quotes(r.path()) + " maps names to what they have to say", such_as);
  return nullptr;
}

/// What the names of `match` are names of.
template <Named Kind>
struct MatchMap {
  static constexpr bool kFields = Kind == Named::Field;
  static constexpr std::string_view kType = kFields ? "map of header name to values" : "map of parameter to values";
  static void read(const Reading& r, std::vector<NamedCondition>& out) {
    if (const auto* node = map_of(r, kFields ? "such as { X-Amz-Target: \"*.GetItem\" }" : "such as { format: json }"))
      read_named({r.section, r.row.name, *node}, kFields ? Names::FieldsExactly : Names::ParametersExactly, out);
  }
  static Text text(const std::vector<NamedCondition>& asked, const Printing& p) {
    return asked.empty() ? Text() : map_of(p, Kind, asked);
  }
};

/// A list of names, which bypass by being there, or a map of names to values. A list replaces what earlier layers say,
/// a map is merged into it.
template <Named Kind>
struct BypassNames {
  static constexpr std::string_view kType = "list of glob, or map of glob to values";
  static void read(const Reading& r, std::vector<NamedCondition>& out) {
    constexpr bool kFields = Kind == Named::Field;
    const auto* node = r.node();
    if (node && node->is_map())
      return read_named({r.section, r.row.name, *node}, kFields ? Names::Fields : Names::Others, out);
    Texts globs;
    if (!(kFields ? FieldNames::read(r, globs) : Globs::read(r, globs))) return;
    out.clear();
    for (const auto& glob : globs) put(out, NamedCondition(kFields ? lower_case(glob) : glob, {true, false, {}}));
  }
  static std::string text(const std::vector<NamedCondition>& asked, const Printing& p) {
    const bool names = std::all_of(asked.begin(), asked.end(), [](const auto& one) {
      return one.value.present && !one.value.absent && one.value.globs.empty();
    });
    return names ? yaml_list(asked, [](const auto& one) { return yaml_text(one.name); }) : map_of(p, Kind, asked);
  }
};

struct BodyValues {
  static constexpr std::string_view kType = "map of pointer to JSON values";
  static void read(const Reading& r, rules::BodyConditions& out) {
    const bool match = r.section.path().ends_with("match");
    if (const auto* node = map_of(r, match ? "such as { /method: \"get*\" }" : "such as { /ConsistentRead: true }"))
      read_body({r.section, r.row.name, *node}, out);
  }
  static std::string text(const rules::BodyConditions& asked, const Printing& p) {
    return yaml_map(asked.pointers, [&, i = std::size_t{0}](const auto& pointer) mutable {
      return yaml_name(pointer.text()) + ": " + values_of(asked.values[i++], p.shows(Named::Member, pointer.text()));
    });
  }
};
/// The same of `match`, which is left out where it asks nothing.
struct MatchBody : BodyValues {
  static Text text(const rules::BodyConditions& asked, const Printing& p) {
    return asked.empty() ? Text() : BodyValues::text(asked, p);
  }
};

constexpr auto kBypass = table<Policy::Bypass>({
    as<BypassNames<Named::Field>, &Policy::Bypass::headers>(
        "headers", "",
        "Request fields that keep a request from the cache by being there, or by their values (`{ X-Env: staging }`)."),
    as<BypassNames<Named::Cookie>, &Policy::Bypass::cookies>(
        "cookies", "",
        "Cookies that keep a request from the cache. Naming any here by its name alone ends the guard for all others."),
    as<BypassNames<Named::Parameter>, &Policy::Bypass::query>("query", "",
                                                              "Query parameters that keep a request from the cache."),
    as<BodyValues, &Policy::Bypass::body>(
        "body", "", "JSON members that keep a request from the cache by their values (`{ /ConsistentRead: true }`)."),
});
constexpr auto kMatch = table<rules::Conditions>({
    as<MatchMap<Named::Field>, &rules::Conditions::headers>(
        "headers", "",
        "Request fields that the route asks for: a glob, a list of them, `true` (there) or `false` (absent).",
        Reload::Entries)
        .by_default("{}"),
    as<MatchMap<Named::Parameter>, &rules::Conditions::query>(
        "query", "", "Query parameters that the route asks for, in the same way.", Reload::Entries)
        .by_default("{}"),
    as<MatchBody, &rules::Conditions::body>(
        "body", "",
        "JSON members that the route asks for: true, false, a number, a glob over a text, `null` (or absent), or a "
        "list. Content is read for it up to `key.body_max`.",
        Reload::Entries)
        .by_default("{}"),
});

}  // namespace

Table<rules::Policy::Bypass> bypass_table() noexcept { return kBypass; }
Table<rules::Conditions> match_table() noexcept { return kMatch; }

}  // namespace forebay::config
