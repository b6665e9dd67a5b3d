#include <algorithm>
#include <cstdint>
#include <string>

#include "forebay/rules/tag_template.hpp"
#include "forebay/rules/tags.hpp"
#include "invariant.hpp"

// Lines: the value of a field with tags, one of Cache-Groups, a template, and JSON for it.

namespace {

using namespace forebay;
using fuzz::require;

std::string_view next_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

void check_tags(std::string_view value) {
  std::size_t count = 0;
  rules::for_each_tag(value, [&](std::string_view tag) {
    ++count;
    require(!tag.empty() && fuzz::lies_within(tag, value) && tag.find_first_of(", \t") == std::string_view::npos);
  });
  rules::TagList list(8);
  rules::for_each_tag(value, [&](std::string_view tag) { list.add(tag); });
  require(list.all().size() <= 8 && list.all().size() + list.dropped() <= count);
  // Written anew, they are the same.
  std::string joined;
  for (const auto& tag : list.all()) joined += tag + ", ";
  rules::TagList again(8);
  rules::for_each_tag(joined, [&](std::string_view tag) { again.add(tag); });
  require(again.all() == list.all() && again.dropped() == 0);
}

void check_groups(std::string_view value) {
  http::Fields fields;
  fields.add("Cache-Groups", value);
  for (const auto& group : rules::read_groups(fields, "cache-groups")) {
    require(!group.empty() && group.size() <= rules::kLongestGroup);
    require(!rules::is_tag(rules::group_tag("http", "a", group)));
  }
}

void check_template(std::string_view text, std::string_view json) {
  rules::TagTemplate::Fault fault;
  const auto made = rules::TagTemplate::compile(text, fault);
  require(made.has_value() == fault.message.empty());
  if (!made) return;
  require(made->text() == text && may_meet(*made, *made));
  rules::TagParts parts;
  parts.captures = {{"id", std::string(text)}, {"a", "b"}};
  parts.body = parts.answer = {rules::TagContent::State::Text, json};
  parts.response = http::FieldsView();
  const auto filled = rules::fill({&*made, 1}, parts);
  require(filled.tags.size() <= 256 && filled.unknown.size() <= 1);
  for (const auto& tag : filled.tags) require(rules::is_tag(tag));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  std::string_view rest = input.view();
  check_tags(next_line(rest));
  check_groups(next_line(rest));
  const auto text = next_line(rest);
  check_template(text, rest);
  return 0;
}
