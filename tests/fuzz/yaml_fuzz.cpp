#include <cstdint>
#include <string>

#include "forebay/config/load.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

config::Surroundings machine() {
  config::Surroundings s;
  s.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "APP_PORT") return "3000";
    return std::nullopt;
  };
  s.memory_limit = std::uint64_t{1} << 30;
  s.cpus = 2;
  return s;
}

config::LoadResult load(std::string text) {
  config::LoadRequest request;
  request.file = "forebay.yaml";
  request.text = std::move(text);
  return config::load(request, machine());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = load(std::string(fuzz::as_text(data, size)));
  bool errors = false;
  for (const config::Diagnostic& d : result.diagnostics) {
    errors = errors || d.severity == config::Severity::Error;
    require(d.code > 1000 && !d.message.empty() && d.line >= 0 && d.column >= 0);
  }
  require(errors == !result.ok());
  const std::string text = config::to_text(result.diagnostics, true);
  require(text.empty() == result.diagnostics.empty());
  config::to_json(result.diagnostics);
  config::to_github(result.diagnostics);
  config::summary(result.diagnostics);
  if (!result.ok()) return 0;
  // What `check --print` shows is the same configuration again.
  const std::string printed = config::print(*result.config);
  const auto again = load(printed);
  if (!again.ok()) std::fputs((printed + config::to_text(again.diagnostics)).c_str(), stderr);
  require(again.ok());
  require(config::print(*again.config) == printed);
  return 0;
}
