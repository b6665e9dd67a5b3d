// Patterns and prefixes that are well formed and surely not meant.
#include <algorithm>

#include "config/compiled_pattern.hpp"
#include "config/readers.hpp"

namespace forebay::config {
namespace {

using Kind = PatternSegment::Kind;

/// The name in `:id`, `<id>`, `<int:id>` or `:id?`.
std::string name_in(std::string_view segment) {
  const bool angled = segment.starts_with('<');
  segment.remove_prefix(1);
  if (const auto colon = segment.find(':'); angled && colon != std::string_view::npos) segment.remove_prefix(colon + 1);
  std::string name;
  for (const char c : segment) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (name.empty() || c < '0' || c > '9')) break;
    name += c;
  }
  return name.empty() ? "id" : name;
}

/// Captures as other routers write them. None for a regular expression, whose text begins with `~`.
void foreign_captures(const Section& section, const Route& route) {
  const std::string_view text = route.path.text();
  for (std::size_t at = text.starts_with('/') ? 0 : std::string_view::npos; at < text.size();) {
    const auto end = std::min(text.find('/', at + 1), text.size());
    const auto segment = text.substr(at + 1, end - at - 1);
    const bool bracketed =
        segment.front() == '[' && segment.back() == ']' && segment.find_first_of("-^[", 1) == std::string_view::npos;
    if (segment.size() > 1 && (segment.front() == ':' || segment.front() == '<' || bracketed))
      section.report().warning(2022, *section.find("path"), section.path_of("path"),
                               in_quotes(segment) + " matches only itself, letter for letter",
                               "write {" + name_in(segment) + "} for any segment");
    at = end;
  }
}

/// What only a regular expression means by it: `.*`, `\d`, `(a|b)`, `[0-9]`, `$` at the end.
bool looks_regular(std::string_view text) {
  if (text.find(".*") != std::string_view::npos || text.find(".+") != std::string_view::npos) return true;
  if (text.find("[0-9]") != std::string_view::npos || text.find("[a-z") != std::string_view::npos) return true;
  if (text.find("[^") != std::string_view::npos || text.find('\\') != std::string_view::npos) return true;
  const auto bar = text.find('|');
  const bool choice = bar != std::string_view::npos && text.substr(0, bar).find('(') != std::string_view::npos;
  return text.ends_with('$') || text.starts_with('^') || choice;
}

/// `/**` is no regular expression.
std::string as_regular(std::string_view text) {
  const bool below = text.ends_with("/**");
  return "~ " + std::string(below ? text.substr(0, text.size() - 2) : text) + (below ? ".*" : "");
}

void taken_literally(const Section& section, const Route& route) {
  const std::string_view text = route.path.text();
  if (text.starts_with('/') && looks_regular(text))
    section.report().warning(2022, *section.find("path"), section.path_of("path"),
                             in_quotes(text) + " is a path, letter for letter, in which only * and {names} are special",
                             "write " + in_quotes(as_regular(text)) + " for a regular expression");
}

/// Whether no path of the pattern begins with these segments. Only what is sure: `**`, `{rest+}` and regular
/// expressions may hold anything.
bool never_begins_with(const std::vector<PatternSegment>& segments, std::string_view prefix) {
  for (const auto& segment : segments) {
    if (segment.kind == Kind::AnySegments || segment.kind == Kind::Rest) return false;
    const auto end = std::min(prefix.find('/', 1), prefix.size());
    const auto wanted = prefix.substr(1, end - 1);
    if (!wanted.empty() && !segment.matches(wanted)) return true;
    prefix.remove_prefix(end);
    if (prefix.empty()) return false;
  }
  return true;  // The paths are shorter.
}

}  // namespace

std::string hint_for_pattern(std::string_view text) {
  if (text.empty() || text.front() == '/' || text.front() == '~' || text.find("://") != std::string_view::npos)
    return {};
  if (looks_regular(text)) return "a regular expression begins with \"~\": write " + in_quotes(as_regular(text));
  return "write " + in_quotes('/' + std::string(text));
}

void check_pattern(const Section& section, const Route& route) {
  foreign_captures(section, route);
  taken_literally(section, route);
  const auto& prefix = route.rewrite.strip_prefix;
  const auto* segments = PatternView::of(route.path).segments;
  if (prefix.empty() || !segments || !never_begins_with(*segments, prefix)) return;
  const auto rewrite = section.in("rewrite");
  rewrite.report().warning(
      2021, *rewrite.find("strip_prefix"), rewrite.path_of("strip_prefix"),
      "no path of route " + in_quotes(route.name) + " begins with " + in_quotes(prefix) + ": nothing is stripped",
      "its paths are " + in_quotes(route.path.text()));
}

}  // namespace forebay::config
