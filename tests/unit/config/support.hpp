#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "forebay/config/load.hpp"

namespace forebay::config::test {

/// A machine of 2 cores and 8 GiB, without limits; `${SET}` is "value".
inline Surroundings machine() {
  Surroundings s;
  s.cpus = 2;
  s.memory_limit = std::uint64_t{8} << 30;
  s.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SET") return "value";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
  return s;
}

using Overrides = std::vector<std::pair<std::string, std::string>>;

inline LoadResult load_text(const std::string& text, const Overrides& overrides = {},
                            const Surroundings& s = machine()) {
  LoadRequest request;
  request.file = "test.yaml";
  request.text = text;
  request.overrides = overrides;
  return load(request, s);
}

/// The codes of all diagnostics, in order.
inline std::vector<int> codes(const LoadResult& result) {
  std::vector<int> out;
  for (const auto& d : result.diagnostics) out.push_back(d.code);
  return out;
}

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace forebay::config::test
