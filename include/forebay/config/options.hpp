#pragma once

#include <span>
#include <string>
#include <string_view>

namespace forebay::config {

/// One key of the file. This table feeds the parser's checks and suggestions, `check --print` and the reference page;
/// nothing else lists keys.
struct Option {
  std::string_view
      path;  ///< `server.timeouts.header`, `origins.*.timeouts.connect`, `policy.ttl.default`, `route.name`.
  std::string_view type;      ///< Of contract 2.1: `duration`, `size`, `list of glob`...
  std::string_view fallback;  ///< As printed.
  std::string_view bounds;    ///< Empty: none beyond the type.
  bool restart = false;       ///< A reload cannot change it.
  bool here = true;           ///< False: known, but not in this version (FB1016).
  std::string_view help;      ///< One sentence.
};
std::span<const Option> options() noexcept;
/// docs/configuration.md's reference part, as Markdown.
std::string reference_markdown();

}  // namespace forebay::config
