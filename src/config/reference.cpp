// The reference part of docs/configuration.md, made from the table of options.
#include <array>
#include <string>
#include <string_view>

#include "forebay/config/options.hpp"

namespace forebay::config {
namespace {

struct Chapter {
  std::string_view prefix;  ///< Of the options' paths; cut off in the table of an origin, a policy and a route.
  std::string_view title;
  std::string_view text;
  bool cut;
};
constexpr std::array kChapters{
    Chapter{"", "Top level", "", false},
    Chapter{"listen[]", "A listener", "An element of `listen` is an address, or a map with these keys.", true},
    Chapter{"server", "`server`", "", false},
    Chapter{"origins.*", "An origin", "A value of `origins` is a url, or a map with these keys.", true},
    Chapter{"cache", "`cache`", "", false},
    Chapter{"policy", "A policy", "These keys stand in `defaults`, in `policies.NAME` and in a route.", true},
    Chapter{"route", "A route", "Beside the keys of a policy a route has these.", true},
    Chapter{"admin", "`admin`", "", false},
    Chapter{"purge", "`purge`", "", false},
    Chapter{"log", "`log`", "", false},
    Chapter{"metrics", "`metrics`", "", false},
    Chapter{"tracing", "`tracing`", "", false},
    Chapter{"diagnostics", "`diagnostics`", "", false},
    Chapter{"shutdown", "`shutdown`", "", false},
};

bool belongs(const Option& option, const Chapter& chapter) {
  if (chapter.prefix.empty()) return option.path.find_first_of(".[") == std::string_view::npos;
  return option.path.starts_with(chapter.prefix) && option.path.size() > chapter.prefix.size() &&
         option.path[chapter.prefix.size()] == '.';
}

/// A bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string row(const Option& option, const Chapter& chapter) {
  std::string_view key = option.path;
  if (chapter.cut) key.remove_prefix(chapter.prefix.size() + 1);
  std::string out = "| `" + std::string(key) + "` | " + cell(option.type) + " | ";
  out += option.fallback == "-" || option.fallback == "required" ? option.fallback : '`' + cell(option.fallback) + '`';
  out += " | " + cell(option.help);
  if (!option.bounds.empty() && option.path != "version") out += " Bounds: `" + std::string(option.bounds) + "`.";
  if (option.restart) out += " *Needs a restart.*";
  return out + " |\n";
}

}  // namespace

std::string reference_markdown() {
  std::string out;
  for (const auto& chapter : kChapters) {
    out += "### " + std::string(chapter.title) + "\n\n";
    if (!chapter.text.empty()) out += std::string(chapter.text) + "\n\n";
    out += "| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const auto& option : options())
      if (option.here && belongs(option, chapter)) out += row(option, chapter);
    out += '\n';
  }
  out += "### Known, but not in this version\n\nThese keys are refused with FB1016 rather than ignored:\n\n";
  std::string list;
  for (const auto& option : options()) {
    if (option.here) continue;
    if (!list.empty()) list += ",\n";
    list += '`' + std::string(option.path) + '`';
  }
  return out + list + ".\n";
}

}  // namespace forebay::config
