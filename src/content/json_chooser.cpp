#include "content/fold.hpp"
#include "content/json_parser.hpp"

// Only the values that pointers select are put into the tree. The pointers into the current value are the last of
// `active_`, from `first` on; `depth` is the number of their steps taken.

namespace forebay::content {

bool JsonParser::read(std::span<const JsonPointer> pointers, std::span<JsonTree::Chosen> chosen) {
  pointers_ = pointers;
  chosen_ = chosen;
  auto& active = tree_.active_;
  active.clear();
  for (std::size_t i = 0; i < pointers.size(); ++i) active.push_back(static_cast<std::uint32_t>(i));
  const Place behind = choose(skip_space(text_), 0, 0);
  return behind && skip_space(behind) == end_;
}

JsonParser::Place JsonParser::choose(Place at, std::size_t depth, std::size_t first) {
  const auto& active = tree_.active_;
  bool ends = false;
  for (auto i = first; i < active.size(); ++i) ends |= pointers_[active[i]].steps().size() == depth;
  if (ends) {
    const Node node = next_node();
    const Place behind = value(at, depth);
    if (!behind) return nullptr;
    for (auto i = first; i < active.size(); ++i)
      if (!follow(node, depth, active[i])) return nullptr;
    return behind;
  }
  const bool leads = first < active.size() && may_open(depth);
  if (leads && *at == '{') return choose_member(at, depth, first);
  if (leads && *at == '[') return choose_element(at, depth, first);
  return skip(at, depth);
}

JsonParser::Place JsonParser::choose_member(Place at, std::size_t depth, std::size_t first) {
  auto& active = tree_.active_;
  const auto last = active.size();
  const auto base = open_members();
  at = skip_space(at + 1);
  if (*at == '}') return at + 1;
  while (true) {
    const auto name = member_name(at);
    if (!name.behind || !activate(tree_.view(name.span), depth, first, last)) return nullptr;
    push_member(name.span, kNone);
    at = choose(name.behind, depth + 1, last);
    if (!at) return nullptr;
    active.resize(last);
    at = skip_space(at);
    if (*at == '}') return close_members(base) ? at + 1 : nullptr;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

JsonParser::Place JsonParser::choose_element(Place at, std::size_t depth, std::size_t first) {
  auto& active = tree_.active_;
  const auto last = active.size();
  for (auto i = first; i < last; ++i) come_to_list(depth, active[i]);
  at = skip_space(at + 1);
  if (*at == ']') return at + 1;
  for (std::size_t place = 0;; ++place) {
    for (auto i = first; i < last; ++i)
      if (array_index(pointers_[active[i]].steps()[depth]) == place) active.push_back(active[i]);
    at = choose(at, depth + 1, last);
    if (!at) return nullptr;
    active.resize(last);
    at = skip_space(at);
    if (*at == ']') return at + 1;
    if (*at != ',') return nullptr;
    at = skip_space(at + 1);
  }
}

// The pointers [first, last) of `active_` whose step equals the name become active in its value. False for a name that
// only some parsers treat as equal.
bool JsonParser::activate(std::string_view name, std::size_t depth, std::size_t first, std::size_t last) {
  auto& active = tree_.active_;
  for (auto i = first; i < last; ++i) {
    const auto pointer = active[i];
    const std::string& step = pointers_[pointer].steps()[depth];
    if (name == step) {
      active.push_back(pointer);
      step_through_object(depth, pointer);
    } else if (same_folded(name, step)) {
      return false;
    }
  }
  return true;
}

// Follows the remaining steps of a pointer inside of a value that another one has selected.
bool JsonParser::follow(Node node, std::size_t depth, std::uint32_t pointer) {
  const auto& steps = pointers_[pointer].steps();
  for (; depth < steps.size() && node != kNone; ++depth) {
    if (tree_.kind(node) == JsonKind::Object) {
      node = tree_.member(node, steps[depth]);
      if (node == JsonTree::kAmbiguous) return false;
      step_through_object(depth, pointer);
    } else {
      if (tree_.kind(node) == JsonKind::Array) come_to_list(depth, pointer);
      const auto index = array_index(steps[depth]);
      node = index ? tree_.element(node, *index) : kNone;
    }
  }
  chosen_[pointer].node = node;
  return true;
}

void JsonParser::come_to_list(std::size_t depth, std::uint32_t pointer) noexcept {
  if (!array_index(pointers_[pointer].steps()[depth])) chosen_[pointer].in_list = true;
}

// Not an array index, with which the same pointer would find an element.
void JsonParser::step_through_object(std::size_t depth, std::uint32_t pointer) noexcept {
  if (array_index(pointers_[pointer].steps()[depth])) chosen_[pointer].through_objects |= std::uint64_t{1} << depth;
}

}  // namespace forebay::content
