#include "content/json_tree.hpp"

#include "content/fold.hpp"
#include "content/json_parser.hpp"
#include "content/plain_run.hpp"
#include "forebay/base/text.hpp"

namespace forebay::content {
namespace {

// Memory that a buffer keeps between texts; more is freed, so that a large text does not hold memory for ever.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;
template <class Buffer>
void bound(Buffer& buffer) {
  if (buffer.capacity() * sizeof(typename Buffer::value_type) > kKeptBytes) Buffer().swap(buffer);
}

}  // namespace

Result<void> JsonTree::start(std::string_view text) {
  items_.clear();
  decoded_.clear();
  if (text.size() >= kDecoded) return Errc::TooLarge;
  bound(text_);
  bound(decoded_);
  bound(items_);
  bound(members_);
  text_.assign(text);
  text_.append(kPlainBlock, '\0');
  size_ = text.size();
  return {};
}

Result<void> JsonTree::read(std::string_view text, Numbers numbers) {
  if (auto started = start(text); !started) return started;
  if (JsonParser(*this, numbers).read()) return {};
  items_.clear();
  return Errc::Malformed;
}

Result<void> JsonTree::read(std::string_view text, std::span<const JsonPointer> pointers, Numbers numbers,
                            std::vector<Chosen>& chosen) {
  chosen.assign(pointers.size(), {});
  if (auto started = start(text); !started) return started;
  if (JsonParser(*this, numbers).read(pointers, chosen)) return {};
  items_.clear();
  return Errc::Malformed;
}

std::optional<std::size_t> array_index(std::string_view step) noexcept {
  if (step.empty() || step.size() > 9 || (step.size() > 1 && step.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  for (const char c : step) {
    if (c < '0' || c > '9') return std::nullopt;
    index = 10 * index + static_cast<std::size_t>(c - '0');
  }
  return index;
}

JsonTree::Node JsonTree::member(Node object, std::string_view name) const noexcept {
  if (kind(object) != JsonKind::Object) return kNone;
  Node found = kNone;
  for (Node node = first_child(object); node != kNone; node = next(node)) {
    if (this->name(node) == name)
      found = node;
    else if (same_folded(this->name(node), name))
      return kAmbiguous;
  }
  return found;
}

JsonTree::Node JsonTree::element(Node array, std::size_t place) const noexcept {
  if (kind(array) != JsonKind::Array) return kNone;
  Node node = first_child(array);
  for (; node != kNone && place > 0; --place) node = next(node);
  return node;
}

void JsonTree::append_string(Span span, std::string& out) const {
  // A string without escapes in the text is copied with its quotes.
  if ((span.at & kDecoded) == 0)
    out.append(text_, span.at - 1, span.size + std::size_t{2});
  else
    append_json_string(out, view(span), kCanonicalJsonEscapes);
}

void JsonTree::append_canonical(Node node, Numbers numbers, std::string& out) const {
  const Item& item = items_[node];
  switch (item.kind) {
    case JsonKind::Null: out.append("null"); return;
    case JsonKind::False: out.append("false"); return;
    case JsonKind::True: out.append("true"); return;
    case JsonKind::String: append_string(item.text, out); return;
    case JsonKind::Number:
      if (numbers == Numbers::Value)
        append_exact_decimal(out, view(item.text));
      else
        out.append(view(item.text));
      return;
    case JsonKind::Array:
    case JsonKind::Object: append_children(node, numbers, out); return;
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
