#include "config/source_extent.hpp"

#include <algorithm>

namespace forebay::config {
namespace {

std::size_t skip_blanks(std::string_view line, std::size_t at) {
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  return at;
}

std::size_t end_of_word(std::string_view line, std::size_t at) {
  while (at < line.size() && std::string_view(" \t,]}").find(line[at]) == std::string_view::npos) ++at;
  return at;
}

/// Past `&anchor` and `!tag`, if something follows them on this line.
std::size_t skip_properties(std::string_view line, std::size_t at) {
  while (at < line.size() && (line[at] == '&' || line[at] == '!')) {
    const auto next = skip_blanks(line, end_of_word(line, at));
    if (next >= line.size() || line[next] == '#') break;
    at = next;
  }
  return at;
}

std::size_t end_of_quotes(std::string_view line, std::size_t at) {
  const char quote = line[at];
  for (std::size_t i = at + 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '\'' && i + 1 < line.size() && line[i + 1] == quote)
        ++i;
      else
        return i + 1;
    }
  }
  return line.size();
}

std::size_t end_of_text(std::string_view line, std::size_t at) {
  auto end = std::min(line.find(" #", at), line.size());
  while (end > at && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
  return end;
}

Place place(Place p, std::size_t begin, std::size_t end) {
  p.column = static_cast<int>(begin) + 1;
  p.length = static_cast<int>(std::max(end, begin + 1) - begin);
  return p;
}

std::size_t start_of(std::string_view line, const Place& p) {
  return std::min(static_cast<std::size_t>(std::max(p.column - 1, 0)), line.size());
}

}  // namespace

Place extent_of_scalar(std::string_view line, Place begin, std::string_view text) {
  const auto at = skip_properties(line, start_of(line, begin));
  if (at >= line.size()) return place(begin, at, at + 1);
  if (line[at] == '"' || line[at] == '\'') return place(begin, at, end_of_quotes(line, at));
  if (!text.empty() && line.substr(at).starts_with(text)) return place(begin, at, at + text.size());
  return place(begin, at, end_of_text(line, at));
}

Place extent_of_collection(std::string_view line, Place begin) {
  const auto at = skip_properties(line, start_of(line, begin));
  if (at >= line.size()) return place(begin, at, at + 1);
  if (line[at] != '{' && line[at] != '[') {
    // A block: the dash of a list, or the first key of a map.
    if (line[at] == '-') return place(begin, at, at + 1);
    return place(begin, at, std::min(line.find(':', at), end_of_text(line, at)));
  }
  int depth = 0;
  for (std::size_t i = at; i < line.size(); ++i) {
    if (line[i] == '"' || line[i] == '\'') {
      i = end_of_quotes(line, i) - 1;
    } else if (line[i] == '{' || line[i] == '[') {
      ++depth;
    } else if ((line[i] == '}' || line[i] == ']') && --depth == 0) {
      return place(begin, at, i + 1);
    }
  }
  return place(begin, at, end_of_text(line, at));
}

Place extent_of_alias(std::string_view line, Place begin) {
  const auto at = start_of(line, begin);
  return place(begin, at, end_of_word(line, at));
}

}  // namespace forebay::config
