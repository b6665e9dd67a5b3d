#pragma once

#include <string>
#include <utility>
#include <vector>

namespace forebay::test {

/// What one run of the program gave.
struct Outcome {
  int exit = -1;  ///< -1: it did not end in time and was killed.
  std::string out, err;
};

/// Runs the program to its end. The environment is empty but for PATH and what is named here; standard input is
/// `input`.
Outcome run_forebay(const std::vector<std::string>& arguments,
                    const std::vector<std::pair<std::string, std::string>>& environment = {},
                    const std::string& input = {});
/// The same of any program; the first word is its path.
Outcome run_program(std::vector<std::string> words,
                    const std::vector<std::pair<std::string, std::string>>& environment = {},
                    const std::string& input = {});

}  // namespace forebay::test
