#include "http/h2_priority.hpp"

#include <variant>

#include "forebay/http/structured_fields.hpp"

namespace forebay::http {

namespace {
constexpr std::int64_t kLeastUrgent = 7;
}

std::optional<H2Priority> parse_priority(std::string_view value) {
  // Browsers write it in one way, with every request.
  if (value.size() >= 3 && value.starts_with("u=") && value[2] >= '0' && value[2] <= '7' &&
      (value.size() == 3 || value.substr(3) == ", i"))
    return H2Priority{static_cast<std::uint32_t>(value[2] - '0'), value.size() != 3};
  const auto members = sf::parse_dictionary(value);
  if (!members) return std::nullopt;
  H2Priority priority;
  for (const auto& [key, member] : *members) {
    const auto* item = std::get_if<sf::Item>(&member);
    if (!item) continue;
    if (const auto* urgency = std::get_if<std::int64_t>(&item->value); key == "u" && urgency)
      if (*urgency >= 0 && *urgency <= kLeastUrgent) priority.urgency = static_cast<std::uint32_t>(*urgency);
    if (const auto* incremental = std::get_if<bool>(&item->value); key == "i" && incremental)
      priority.incremental = *incremental;
  }
  return priority;
}

}  // namespace forebay::http
