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

/// Asks the origins of a configuration without errors for answers that show a field which their route does not key on.
/// One connection at a time; an origin that does not answer once is asked no more. What else is to be said goes to
/// `notes`, a line each.
Outcome ask_origins(const Questions& questions, const config::LoadResult& loaded, std::ostream& notes);

}  // namespace forebay::probe
