// What is dangerous about what a route lets in, by `match` and by its key.
#include <algorithm>

#include "config/readers.hpp"
#include "config/suggest.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::config {
namespace {

using http::Method;
using rules::JsonValue;
using rules::ValueCondition;

/// Fields that answers vary on as a rule, and say so.
bool is_negotiated(std::string_view name) noexcept {
  return name.starts_with("accept") || name == "user-agent" || name == "origin" || name == "authorization" ||
         name == "cookie";
}

/// Fields whose one value has commas.
bool is_list_field(std::string_view name) noexcept {
  return is_negotiated(name) || name == "cache-control" || name == "pragma" || name == "prefer" || name == "via" ||
         name == "forwarded" || name.starts_with("x-forwarded-") || name.starts_with("if-") || name == "range";
}

bool lets_in_several(const ValueCondition& asked) {
  const auto open = [](const std::string& glob) { return glob.find('*') != std::string::npos; };
  return asked.present || asked.globs.size() + asked.absent > 1 ||
         std::any_of(asked.globs.begin(), asked.globs.end(), open);
}

bool lets_in_several(const std::vector<JsonValue>& asked) {
  return asked.size() > 1 || std::any_of(asked.begin(), asked.end(), [](const JsonValue& value) {
           return value.kind == JsonValue::Kind::Anything || value.text.find('*') != std::string::npos;
         });
}

/// Whether a glob takes in every operation there is: what stands behind the last separator is `*` alone.
bool is_any_operation(std::string_view glob) {
  while (glob.ends_with('"')) glob.remove_suffix(1);
  const auto last = glob.substr(glob.find_last_of(".#/:") + 1);
  return last.find_first_not_of("*\"") == std::string_view::npos;
}

/// Whether a condition lets in operations that somebody has chosen. Where none is named (SOAP 1.2 and batches name it
/// elsewhere), any may come.
bool lets_in_chosen(const ValueCondition& asked) {
  return !asked.present && !asked.absent && !asked.globs.empty() &&
         std::none_of(asked.globs.begin(), asked.globs.end(), is_any_operation);
}

/// Whether a condition may keep an operation out. A plain word is none: each has a separator.
bool keeps_out_some(const ValueCondition& asked) {
  return std::any_of(asked.globs.begin(), asked.globs.end(),
                     [](const auto& glob) { return glob.find_first_of("*.#/:") != std::string::npos; });
}

/// Whether one of the conditions is on `/method`, and by nothing but names of methods.
bool chooses_method(const rules::BodyConditions& asked) {
  for (std::size_t i = 0; i < asked.pointers.size(); ++i) {
    const auto& values = asked.values[i];
    if (asked.pointers[i].text() == "/method" && !values.empty() &&
        std::all_of(values.begin(), values.end(), [](const JsonValue& value) {
          return value.kind == JsonValue::Kind::Text && !is_any_operation(value.text);
        }))
      return true;
  }
  return false;
}

class ConditionCheck {
 public:
  ConditionCheck(const Section& section, const PolicyDraft& draft, const Route& route)
      : section_(section), draft_(draft), key_(draft.key), route_(route) {}

  void all() {
    if (!draft_.policy.cache) return;
    operations();
    values_in_one();
    for (const auto& asked : route_.match.headers)
      if (lets_in_several(asked.value) && !is_negotiated(asked.name) && !keys_header(asked.name))
        say("headers", asked.name, "add it to key.headers, unless the origin says Vary");
    std::string buffer;
    for (const auto& asked : route_.match.query)
      if (lets_in_several(asked.value) && !key_.graphql && !cache::counts_in_key(key_, {asked.name, {}}, buffer))
        say("query", asked.name, "add it to key.query");
    for (std::size_t i = 0; i < route_.match.body.pointers.size(); ++i) {
      const auto& pointer = route_.match.body.pointers[i];
      if (lets_in_several(route_.match.body.values[i]) && !keys_member(pointer))
        say("body", pointer.text(), "add it to key.body");
    }
  }

 private:
  /// `X-Op: "Get, Put"`, where a list of two is meant.
  void values_in_one() {
    for (const auto* list : {"match", "bypass"}) {
      const auto* block = section_.node()->find(list);
      const auto* map = block ? block->find("headers") : nullptr;
      if (!map || !map->is_map()) continue;
      for (const auto& [key, value] : map->entries) {
        const auto name = lower_case(key->text);
        if (!value->is_scalar() || names_in(value->text).empty() || is_list_field(name)) continue;
        section_.report().warning(2022, *value, section_.path_of(list) + ".headers." + clipped(key->text),
                                  "this is one value, and the \",\" is a part of it", "write a list: [a, b]");
      }
    }
  }

  bool keys_header(std::string_view name) const {
    return std::find(key_.headers.begin(), key_.headers.end(), name) != key_.headers.end();
  }

  /// Whether the key has the member, or what it is a part of.
  bool keys_member(const content::JsonPointer& pointer) const {
    if (key_.graphql) return true;
    if (key_.body != cache::BodyMode::Pointers) return key_.body != cache::BodyMode::None && key_.form.empty();
    return std::any_of(key_.pointers.begin(), key_.pointers.end(), [&](const content::JsonPointer& keyed) {
      const auto& steps = keyed.steps();
      return steps.size() <= pointer.steps().size() && std::equal(steps.begin(), steps.end(), pointer.steps().begin());
    });
  }

  void say(const char* list, const std::string& name, const std::string& hint) {
    const auto* match = section_.node()->find("match");
    const auto* map = match ? match->find(list) : nullptr;
    if (!map) return;
    for (const auto& [key, value] : map->entries) {
      if (!http::iequals(key->text, name)) continue;
      section_.report().warning(2041, *key, section_.path_of("match") + '.' + list + '.' + clipped(key->text),
                                "several values of " + in_quotes(key->text) +
                                    " come in, and it is not in the key: " + "they share one answer",
                                hint);
      return;
    }
  }

  /// Writes that are cached as if they were reads, where one URL is for all of them.
  void operations() {
    const auto& methods = draft_.policy.methods;
    // What `match` says is not known where a line of it has been reported.
    const auto* match = section_.node()->find("match");
    const auto lines = [&](const char* list) {
      const auto* map = match ? match->find(list) : nullptr;
      return map ? map->entries.size() : 0;
    };
    if (lines("body") > route_.match.body.pointers.size() || lines("headers") > route_.match.headers.size()) return;
    if (!methods.test(static_cast<std::size_t>(Method::Post))) return;
    operation_in("x-amz-target", "X-Amz-Target", "[\"*.GetItem\", \"*.Query\"]");
    operation_in("soapaction", "SOAPAction", "\"*GetPrice*\"");
    if (keys_method() && !chooses_method(route_.match.body) && !chooses_method(draft_.policy.bypass.body))
      every_operation(draft_.set_by("key.body") ? "key.body" : "methods", "/method",
                      "match: { body: { /method: [getUser, listUsers] } }");
  }

  /// A field that names the operation, as `written`; `such_as` are values of it.
  void operation_in(std::string_view name, const std::string& written, const std::string& such_as) {
    const auto chooses = [&](const std::vector<rules::NamedCondition>& all, bool (*judge)(const ValueCondition&)) {
      return std::any_of(all.begin(), all.end(), [&](const auto& asked) {
        return http::glob_match(asked.name, name, true) && judge(asked.value);
      });
    };
    if (keys_header(name) && !chooses(route_.match.headers, lets_in_chosen) &&
        !chooses(draft_.policy.bypass.headers, keeps_out_some))
      every_operation("key.headers", written, "match: { headers: { " + written + ": " + such_as + " } }");
  }

  /// Whether the key has the operation of a JSON-RPC: by its name, or as a part of all where it is known to be one.
  bool keys_method() const {
    const auto& pointers = key_.pointers;
    const auto is = [](std::string_view text) {
      return [text](const content::JsonPointer& pointer) { return pointer.text() == text; };
    };
    const bool chosen = key_.body == cache::BodyMode::Pointers;
    if (chosen && std::any_of(pointers.begin(), pointers.end(), is("/method"))) return true;
    const bool whole = chosen ? std::any_of(pointers.begin(), pointers.end(), is(""))
                              : key_.body != cache::BodyMode::None && key_.form.empty() && !key_.graphql;
    const auto& asked = route_.match.body.pointers;
    return whole && (lower_case(route_.path.text()).find("rpc") != std::string::npos ||
                     std::any_of(asked.begin(), asked.end(), is("/jsonrpc")));
  }

  void every_operation(std::string_view set, const std::string& name, const std::string& example) {
    const auto* by = draft_.set_by(set);
    if (!by) return;
    section_.report().warning(2040, *by->node, by->path,
                              "route " + in_quotes(route_.name) + " caches POST whatever operation " + name +
                                  " names: a write may be answered from the cache and never happen",
                              "let in what reads: " + example);
  }

  const Section& section_;
  const PolicyDraft& draft_;
  const cache::KeySpec& key_;
  const Route& route_;
};

}  // namespace

void check_conditions(const Section& section, const PolicyDraft& draft, const Route& route) {
  ConditionCheck(section, draft, route).all();
}

}  // namespace forebay::config
