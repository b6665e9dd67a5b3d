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
    if (segment.size() > 1 && (segment.front() == ':' || segment.front() == '<'))
      section.report().warning(2022, *section.find("path"), section.path_of("path"),
                               in_quotes(segment) + " matches only itself, letter for letter",
                               "write {" + name_in(segment) + "} for any segment");
    at = end;
  }
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

void check_pattern(const Section& section, const Route& route) {
  foreign_captures(section, route);
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
