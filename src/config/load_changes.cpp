// Readers of what a route changes on the way: prefixes of the path, and header fields.
#include <algorithm>

#include "config/readers.hpp"
#include "config/secret.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/target.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kMostFields = 64;
constexpr std::size_t kLongestValue = 8192;

void read_prefix(const Section& section, std::string_view key, std::string& out) {
  const auto* node = section.find(key);
  const auto path = section.path_of(key);
  const auto* text = node ? section.scalar(*node, path, "a path") : nullptr;
  if (!text) return;
  const auto bad = [&](int code, const std::string& what, std::string hint) {
    section.error(code, *node, path, in_quotes(*text) + what, std::move(hint));
  };
  if (!text->starts_with('/')) {
    const bool bare = !text->empty() && text->find("://") == std::string::npos;
    return bad(1002, " is not a path: it begins with \"/\"", bare ? "write " + in_quotes("/" + *text) : "such as /api");
  }
  if (text->find_first_of("?#") != std::string::npos)
    return bad(1002, " is more than a path", "leave out what follows the \"?\" or \"#\"");
  http::Target target;
  if (!target.read(http::Method::Get, *text))
    return bad(1002, " is not a path", "percent-encode what no path may have");
  std::string prefix(target.path());
  while (prefix.ends_with('/')) prefix.pop_back();  // Whole segments: `/api/` and `/api` are one prefix.
  if (prefix.empty()) return bad(1004, " changes nothing", "leave it out");
  out = std::move(prefix);
}

/// Why a field is not the configuration's to change; nothing when it is.
std::optional<std::string> kept_by_forebay(std::string_view name, Towards towards) {
  using http::FieldId;
  const auto id = http::field_id(name);
  const auto low = lower_case(name);
  const bool response = towards == Towards::Client;
  if (id == FieldId::Host) return "see host_header of the origin";
  if (id == FieldId::Via) return "see diagnostics.name";
  if (id == FieldId::Forwarded || (low.starts_with("x-forwarded-") && low != "x-forwarded-prefix"))
    return "see server.forwarded";
  if (id == FieldId::CacheStatus && response) return "see diagnostics.cache_status";
  const bool own = http::is_hop_by_hop(id) || id == FieldId::ContentLength || id == FieldId::CdnLoop ||
                   id == FieldId::Expect || low.starts_with("forebay-") ||
                   (response && (id == FieldId::Age || id == FieldId::Date));
  return own ? std::optional<std::string>("leave it out") : std::nullopt;
}

bool check_name(const Section& section, Towards towards, const Node& node, const std::string& path) {
  if (!is_token(node.text)) {
    section.bad_field_name(node, path);
    return false;
  }
  const auto why = kept_by_forebay(node.text, towards);
  if (why) section.error(1004, node, path, in_quotes(node.text) + " is Forebay's own to set", *why);
  return !why;
}

void read_set(const Section& section, Towards towards, HeaderChanges& changes) {
  const auto* node = section.find("set");
  if (!node) return;
  const auto path = section.path_of("set");
  if (!node->is_map()) {
    section.error(1002, *node, path, "\"set\" maps header fields to values", "such as { X-Api-Version: \"2\" }");
    return;
  }
  if (node->entries.size() > kMostFields)
    section.error(1004, *node, path, std::to_string(node->entries.size()) + " header fields",
                  "at most " + std::to_string(kMostFields));
  for (const auto& [key, value] : node->entries) {  // Also those that begin with `x-`: here they are names of fields.
    const auto where = path + '.' + clipped(name_of_key(key->text));
    if (!check_name(section, towards, *key, where)) continue;
    const auto& all = changes.set;
    if (std::any_of(all.begin(), all.end(),
                    [&name = key->text](const auto& f) { return http::iequals(f.first, name); })) {
      section.error(1005, *key, where, "the field " + in_quotes(key->text) + " stands twice",
                    "names of fields have no case");
      continue;
    }
    if (value->is_null() && !value->bad) {
      section.error(1002, *key, where, in_quotes(key->text) + " has no value", "write \"\" for an empty one");
      continue;
    }
    const auto* text = section.scalar(*value, where, "a text");
    if (!text) continue;
    if (!http::is_field_value(*text))
      section.error(1002, *value, where, "the value of " + in_quotes(key->text) + " has a control byte", {});
    else if (text->size() > kLongestValue)
      section.error(1004, *value, where, "the value of " + in_quotes(key->text) + " is too long",
                    "at most " + std::to_string(kLongestValue) + " bytes");
    else if (*text == kRedacted)
      section.report().warning(2006, *value, where, "a redacted value is nothing that anybody can use",
                               "write \"${NAME}\" for a variable; the field is left out");
    else
      changes.set.emplace_back(key->text, http::trim(*text));
  }
}

}  // namespace

void read_rewrite(const Section& section, Rewrite& rewrite) {
  read_prefix(section, "strip_prefix", rewrite.strip_prefix);
  read_prefix(section, "add_prefix", rewrite.add_prefix);
}

void read_header_changes(const Section& section, Towards towards, HeaderChanges& changes) {
  if (section.node())
    for (const auto& [key, value] : section.node()->entries)
      if (is_users_own(key->text))
        section.report().warning(
            2032, *key, section.path_of(clipped(key->text)),
            key_in_quotes(key->text) + " begins with \"x-\": it is a key of your own, and sets nothing",
            "fields stand below \"set\"");
  read_set(section, towards, changes);
  const auto list = section.list("remove");
  if (!list) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (!check_name(section, towards, item, section.path_of("remove", i))) continue;
    const auto same = [&](const std::string& name) { return http::iequals(name, item.text); };
    if (std::none_of(changes.remove.begin(), changes.remove.end(), same)) changes.remove.push_back(item.text);
  }
}

}  // namespace forebay::config
