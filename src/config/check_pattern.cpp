// Patterns and prefixes that are well formed and surely not meant.
#include <algorithm>

#include "config/compiled_pattern.hpp"
#include "config/readers.hpp"
#include "forebay/base/text.hpp"

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
    const bool letter = is_letter(c) || c == '_';
    if (!letter && (name.empty() || !is_digit(c))) break;
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
    const bool bracketed = !segment.empty() && segment.front() == '[' && segment.back() == ']' &&
                           segment.find_first_of("-^[", 1) == std::string_view::npos;
    if (segment.size() > 1 && (segment.front() == ':' || segment.front() == '<' || bracketed))
      section.report().warning(2022, *section.find("path"), section.path_of("path"),
                               in_quotes(segment) + " matches only itself, letter for letter",
                               "write {" + name_in(segment) + "} for any segment");
    if (segment.starts_with('{') && segment.ends_with("...}"))
      section.report().warning(2022, *section.find("path"), section.path_of("path"),
                               in_quotes(segment) + " is one segment, and the dots are a part of its name",
                               "write {" + name_in(segment) + "+} for all the rest");
    at = end;
  }
}

bool is_word_byte(char c) noexcept { return is_alnum(c) || c == '_' || c == '-'; }

/// Whether there is a `.*` or `.+` that is no wildcard behind a dot: in `/favicon.*` the dot is one of a name.
bool has_any_bytes(std::string_view text) {
  for (auto at = text.find('.'); at != std::string_view::npos; at = text.find('.', at + 1)) {
    if (at + 1 >= text.size()) return false;
    if (text[at + 1] == '+') return true;
    if (text[at + 1] == '*' && (at == 0 || !is_word_byte(text[at - 1]))) return true;
  }
  return false;
}

/// What only a regular expression means by it: `.*`, `\d`, `(a|b)`, `[0-9]`, `$` at the end.
bool looks_regular(std::string_view text) {
  if (has_any_bytes(text)) return true;
  if (text.find("[0-9]") != std::string_view::npos || text.find("[a-z") != std::string_view::npos) return true;
  if (text.find("[^") != std::string_view::npos || text.find('\\') != std::string_view::npos) return true;
  const auto bar = text.find('|');
  const bool choice = bar != std::string_view::npos && text.substr(0, bar).find('(') != std::string_view::npos;
  return text.ends_with('$') || text.starts_with('^') || choice;
}

/// Whether no text that begins with "/" matches the expression as a whole. What it finds is true; it may miss some.
bool matches_no_path(std::string_view expression) {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  const re2::RE2 anchored("^(?:" + std::string(expression) + ")", options);
  std::string low, high;
  return anchored.ok() && anchored.PossibleMatchRange(&low, &high, 16) && (high < "/" || low >= "0");
}

/// The expression without what marks it as one, here or elsewhere.
std::string_view bare_expression(std::string_view text) {
  for (const std::string_view mark : {"~*", "~"})
    if (text.starts_with(mark)) {
      text.remove_prefix(mark.size());
      break;
    }
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

/// A regular expression that is searched for elsewhere, as the one over a whole path that it is here. `/**` is none.
std::string as_regular(std::string_view text) {
  const bool any_case = text.starts_with("~*");
  text = bare_expression(text);
  const bool below = text.ends_with("/**");
  if (below) text.remove_suffix(2);
  std::string out(text);
  if (below) out += ".*";
  if (matches_no_path(out)) {
    const bool begins = out.starts_with('^');
    const bool tail = !begins && (out.ends_with('$') || out.starts_with('\\') || out.starts_with('.'));
    if (tail)
      out.insert(0, ".*");
    else
      out.insert(begins ? 1 : 0, "/");
  }
  return std::string("~ ") + (any_case ? "(?i)" : "") + out;
}

/// A `~` that is well formed and never matches: the whole path is matched, and each begins with "/".
void never_matches(const Section& section, const Route& route) {
  const std::string_view text = route.path.text();
  if (!text.starts_with('~') || !matches_no_path(bare_expression(text))) return;
  section.report().warning(2022, *section.find("path"), section.path_of("path"),
                           in_quotes(text) +
                               " matches no path: the expression is for the whole path, which begins "
                               "with \"/\"",
                           "write " + in_quotes(as_regular(text)));
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

/// The name of a capture in what stands between braces elsewhere: `id:[0-9]+`, `id:int`, `*rest`, `rest...`.
std::string name_between(std::string_view inside) {
  const auto begin = inside.find_first_not_of("*");
  if (begin == std::string_view::npos) return "rest";
  inside.remove_prefix(begin);
  return std::string(inside.substr(0, std::min(inside.find_first_of(":?*.+="), inside.size())));
}

/// `{rest*}`, `{*rest}`, `{rest...}` and `{rest:.*}` of other routers.
bool takes_the_rest(std::string_view inside) {
  if (const auto colon = inside.find(':'); colon != std::string_view::npos)
    return inside.substr(colon) == ":.*" || inside.substr(colon) == ":.+" || inside.substr(colon) == ":path";
  return inside.ends_with('*') || inside.starts_with('*') || inside.ends_with("...");
}

/// A path whose one bad segment is written as it would be here; empty where that cannot be told.
std::string hint_for_segments(std::string_view text) {
  const auto stars = text.find("**");
  const auto open = text.find('{');
  if (stars != std::string_view::npos && open == std::string_view::npos) {
    if (stars > 0 && text[stars - 1] != '/' && stars + 2 == text.size()) {
      const auto front = std::string(text.substr(0, stars));
      return "write " + in_quotes(front + "/**") + " for what lies below, or " + in_quotes(front + "*") +
             " for one segment";
    }
    return {};
  }
  const auto close = open == std::string_view::npos ? open : text.find('}', open);
  if (close == std::string_view::npos || text.find('{', open + 1) < close) return {};
  const auto inside = text.substr(open + 1, close - open - 1);
  const auto front = std::string(text.substr(0, open)), rest = std::string(text.substr(close + 1));
  const auto name = name_between(inside);
  const bool whole = front.ends_with('/') && (rest.empty() || rest.starts_with('/'));
  if (rest.find('{') != std::string::npos || name.empty() || name_in("<" + name) != name) return {};
  if (!whole) {
    if (inside != name) return {};
    std::string escaped;
    for (const char c : rest) escaped += c == '.' ? "\\." : std::string(1, c);
    return "write " + in_quotes(front + '*' + rest) + ", or " +
           in_quotes("~ " + front + "(?P<" + name + ">[^/]+)" + escaped) + " for a capture";
  }
  if (inside == name || inside == name + '+') return {};
  if (takes_the_rest(inside)) return rest.empty() ? "write " + in_quotes(front + '{' + name + "+}") : std::string();
  const auto colon = inside.find(':');
  const auto plain = in_quotes(front + '{' + name + '}' + rest);
  const bool regular = colon != std::string_view::npos && looks_regular(inside.substr(colon + 1));
  if (!regular) return "write " + plain;
  return "write " + plain + ", or " +
         in_quotes("~ " + front + "(?P<" + name + '>' + std::string(inside.substr(colon + 1)) + ')' + rest);
}

}  // namespace

std::string hint_for_pattern(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return {};
  if (text.starts_with("~")) return text.starts_with("~*") ? "write " + in_quotes(as_regular(text)) : "";
  if (text.starts_with('/')) return hint_for_segments(text);
  if (text.empty()) return "write \"/**\" for all paths";
  if (constexpr std::string_view kLocation = "location "; text.starts_with(kLocation)) {
    text.remove_prefix(kLocation.size());
    if (text.starts_with('/'))  // a prefix, too
      return "write " + in_quotes(std::string(text) + (text.ends_with('/') ? "**" : "/**"));
    return text.starts_with('~') ? "write " + in_quotes(as_regular(text)) : hint_for_pattern(text);
  }
  for (const std::string_view mark : {"^~", "="}) {  // of nginx: a prefix, and one path
    const auto begin = text.starts_with(mark) ? text.find_first_not_of(' ', mark.size()) : std::string_view::npos;
    if (begin == std::string_view::npos || text[begin] != '/') continue;
    auto path = std::string(text.substr(begin));
    if (mark == "^~") path += path.ends_with('/') ? "**" : "/**";
    return "write " + in_quotes(path);
  }
  if (text == "*" || text == "**") return "write \"/**\" for all paths";
  if (looks_regular(text)) return "a regular expression begins with \"~\": write " + in_quotes(as_regular(text));
  const bool file = text.starts_with("*.") && text.find('/') == std::string_view::npos;
  return "write " + in_quotes((file ? "/**/" : "/") + std::string(text));
}

void check_pattern(const Section& section, const Route& route) {
  foreign_captures(section, route);
  taken_literally(section, route);
  never_matches(section, route);
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
