#include "content/json_tree.hpp"

namespace forebay::content {

JsonTree::Node JsonTree::member(Node object, std::string_view name) const noexcept {
  if (kind(object) != JsonKind::Object) return kNone;
  Node node = first_child(object);
  while (node != kNone && (items_[node].name.size != name.size() || this->name(node) != name)) node = next(node);
  return node;
}

JsonTree::Node JsonTree::element(Node array, std::size_t place) const noexcept {
  if (kind(array) != JsonKind::Array) return kNone;
  Node node = first_child(array);
  for (; node != kNone && place > 0; --place) node = next(node);
  return node;
}

void JsonTree::append_string(Span span, std::string& out) const {
  // What stood in the text without an escape needs none now: it is copied with its quotes.
  if ((span.at & kDecoded) == 0)
    out.append(source_.data() + span.at - 1, span.size + std::size_t{2});
  else
    append_json_string(out, view(span));
}

void JsonTree::append_canonical(Node node, Numbers numbers, std::string& out) const {
  const Item& item = items_[node];
  switch (item.kind) {
    case JsonKind::Null:
      out.append("null");
      return;
    case JsonKind::False:
      out.append("false");
      return;
    case JsonKind::True:
      out.append("true");
      return;
    case JsonKind::String:
      append_string(item.text, out);
      return;
    case JsonKind::Number:
      if (numbers == Numbers::Value)
        append_exact_decimal(out, view(item.text));
      else
        out.append(view(item.text));
      return;
    case JsonKind::Array:
    case JsonKind::Object:
      append_children(node, numbers, out);
      return;
  }
}

// Recursion ends at kMaxDepth.
void JsonTree::append_children(Node node, Numbers numbers, std::string& out) const {
  const bool object = kind(node) == JsonKind::Object;
  out.push_back(object ? '{' : '[');
  bool first = true;
  for (Node child = first_child(node); child != kNone; child = next(child)) {
    if (!first) out.push_back(',');
    first = false;
    if (object) {
      append_string(items_[child].name, out);
      out.push_back(':');
    }
    append_canonical(child, numbers, out);
  }
  out.push_back(object ? '}' : ']');
}

}  // namespace forebay::content
