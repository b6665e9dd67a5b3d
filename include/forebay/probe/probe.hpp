#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/load.hpp"

namespace forebay::probe {

/// What is asked.
struct Questions {
  std::vector<std::string> paths;    ///< Or URLs; empty: one for each route.
  std::vector<std::string> headers;  ///< Names of fields besides the usual ones.
  Duration timeout = std::chrono::seconds{2};
};

struct Outcome {
  std::vector<config::Diagnostic> found;
  std::vector<std::string> silent;  ///< A sentence for each origin that gave no answer.
  std::vector<std::string> missed;  ///< One for each given path that no route looks up.
};

/// Looks for responses of the origins that depend on a field that is not in the key. Needs a configuration without
/// errors. Uses one connection at a time; an origin that fails once is not asked again. Other messages go to `notes`,
/// one per line.
Outcome ask_origins(const Questions& questions, const config::LoadResult& loaded, std::ostream& notes);

}  // namespace forebay::probe
