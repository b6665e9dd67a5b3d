#include <algorithm>
#include <charconv>
#include <iterator>

#include "command_line.hpp"

namespace forebay::app {

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  using Unit = std::pair<std::string_view, std::int64_t>;
  static constexpr Unit kUnits[] = {{"ns", 1},
                                    {"us", 1'000},
                                    {"ms", 1'000'000},
                                    {"s", 1'000'000'000},
                                    {"m", 60'000'000'000},
                                    {"h", 3'600'000'000'000}};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double n = 0;
    const auto number = std::from_chars(text.data(), text.data() + text.size(), n, std::chars_format::fixed);
    if (number.ec != std::errc{} || n < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()));
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    const auto* known =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.first == unit; });
    if (known == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit.size());
    total += n * static_cast<double>(known->second);
  }
  if (total > 9e18) return std::nullopt;
  return Duration{static_cast<std::int64_t>(total)};
}

}  // namespace forebay::app
