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

class ConditionCheck {
 public:
  ConditionCheck(const Section& section, const PolicyDraft& draft, const Route& route)
      : section_(section), draft_(draft), key_(draft.key), route_(route) {}

  void all() {
    if (!draft_.policy.cache) return;
    operations();
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
    if (!methods.test(static_cast<std::size_t>(Method::Post))) return;
    const auto asks = [](const std::vector<rules::NamedCondition>& all, std::string_view name) {
      return std::any_of(all.begin(), all.end(), [&](const auto& asked) {
        return !asked.value.globs.empty() && !asked.value.present && http::glob_match(asked.name, name, true);
      });
    };
    for (const auto& [name, written] : {std::pair{"x-amz-target", "X-Amz-Target"}, {"soapaction", "SOAPAction"}})
      if (keys_header(name) && !asks(route_.match.headers, name) && !asks(draft_.policy.bypass.headers, name))
        every_operation("key.headers", written, std::string("match: { headers: { ") + written + ": \"*Get*\" } }");
    const auto is_method = [](const content::JsonPointer& pointer) { return pointer.text() == "/method"; };
    const auto has = [&](const std::vector<content::JsonPointer>& all) {
      return std::any_of(all.begin(), all.end(), is_method);
    };
    if (key_.body == cache::BodyMode::Pointers && has(key_.pointers) && !has(route_.match.body.pointers) &&
        !has(draft_.policy.bypass.body.pointers))
      every_operation("key.body", "/method", "match: { body: { /method: \"get*\" } }");
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
