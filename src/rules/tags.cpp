#include "forebay/rules/tags.hpp"

#include "forebay/http/structured_fields.hpp"

namespace forebay::rules {
namespace {

constexpr std::string_view kGroup = "cache-group ";

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

bool is_tag(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kLongestTag && !text.starts_with(kGroup) &&
         std::none_of(text.begin(), text.end(), is_control);
}

void TagList::add(std::string_view tag) {
  const bool valid = is_tag(tag);
  if (valid && seen_.contains(digest_of(tag))) return;
  if (!valid || all_.size() >= most_) {
    ++dropped_;
    return;
  }
  seen_.insert(digest_of(tag));
  all_.emplace_back(tag);
}

void TagList::read(http::FieldsView fields, const std::vector<std::string>& names) {
  for (const auto& name : names)
    for (const auto& field : fields)
      if (http::iequals(field.name, name)) for_each_tag(field.value, [this](std::string_view tag) { add(tag); });
}

std::vector<std::string> read_groups(http::FieldsView fields, std::string_view name) {
  std::vector<std::string> groups;
  if (!fields.find(name)) return groups;
  std::string scratch;
  const auto list = http::sf::parse_list(fields.combined(name, scratch).value_or(""));
  if (!list) return groups;
  for (const auto& member : *list) {
    const auto* item = std::get_if<http::sf::Item>(&member);
    const auto* text = item ? std::get_if<std::string>(&item->value) : nullptr;
    if (!text || text->empty() || text->size() > kLongestGroup || groups.size() >= kMostGroups) continue;
    if (std::find(groups.begin(), groups.end(), *text) == groups.end()) groups.push_back(*text);
  }
  return groups;
}

std::string group_tag(std::string_view scheme, std::string_view host, std::string_view group) {
  std::string tag(kGroup);
  return tag.append(scheme).append("://").append(host).append(1, ' ').append(group);
}

}  // namespace forebay::rules
