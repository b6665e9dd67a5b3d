#pragma once

#include <span>
#include <string>
#include <string_view>

namespace forebay::config {

/// One key of the file, as the reference page shows it. They are made from the tables of settings, which also read,
/// check and print the file.
struct Option {
  std::string path;  ///< `server.timeouts.header`, `origins.*.timeouts.connect`, `policy.ttl.default`, `route.name`.
  std::string_view type;    ///< `duration`, `size`, `list of glob`...
  std::string fallback;     ///< As printed; `-`: none.
  std::string_view bounds;  ///< Empty: none beyond the type.
  bool restart = false;     ///< A reload cannot change it.
  bool here = true;         ///< False: known, but not in this version (FB1016).
  std::string_view help;    ///< One sentence.
};
std::span<const Option> options();
/// docs/configuration.md's reference part, as Markdown.
std::string reference_markdown();

}  // namespace forebay::config
