#include "content/json_tree.hpp"

#include <algorithm>
#include <bit>
#include <boost/json/basic_parser_impl.hpp>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

namespace forebay::content {
namespace {

namespace bj = boost::json;

using Node = JsonTree::Node;

// Bytes of the text, or of the decoded text when the top bit of `at` is set.
struct Span {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};
constexpr std::uint32_t kDecoded = std::uint32_t{1} << 31;

struct Item {
  Span name;
  Span text;  // of a scalar; for arrays and objects `at` is the first child
  Node next = JsonTree::kNone;
  JsonKind kind = JsonKind::Null;
};

// A member of an object that is still open. Most names differ in their first eight bytes, so that most comparisons are
// one of two integers.
struct Member {
  std::uint64_t prefix;
  Node node;
};

struct Level {
  Node node;
  Node last;           // arrays: the child so far last
  std::uint32_t base;  // objects: where its members begin on the stack of members
};

std::uint64_t prefix_of(std::string_view name) noexcept {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, name.data(), std::min(name.size(), sizeof bytes));
  if constexpr (std::endian::native == std::endian::little) bytes = __builtin_bswap64(bytes);
  return bytes;
}

// What survives between texts; above this it is given back, so that one large text does not cost its memory for ever.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;
template <class C>
void empty_out(C& buffer) {
  if (buffer.capacity() * sizeof(typename C::value_type) > kKeptBytes) C().swap(buffer);
  buffer.clear();
}

}  // namespace

// The handler of Boost.JSON's parser: the events of one text make the nodes.
struct JsonTreeBuilder {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::string_view source;
  std::string decoded;
  std::vector<Item> items;
  std::vector<Member> members;
  std::vector<Level> levels;
  Node pending = JsonTree::kNone;  // the member whose name has been read
  std::uint32_t part_from = 0;     // where the string begins whose parts are being put together
  bool in_parts = false;

  void start(std::string_view text) {
    source = text;
    empty_out(decoded);
    empty_out(items);
    empty_out(members);
    levels.clear();
    pending = JsonTree::kNone;
    in_parts = false;
  }

  std::string_view view(Span span) const noexcept {
    return (span.at & kDecoded) != 0 ? std::string_view(decoded).substr(span.at & ~kDecoded, span.size)
                                     : source.substr(span.at, span.size);
  }
  bool in_source(const char* at) const noexcept {
    return !std::less<>{}(at, source.data()) && std::less<>{}(at, source.data() + source.size());
  }

  bool add_part(bj::string_view part) {
    if (!in_parts) part_from = static_cast<std::uint32_t>(decoded.size());
    in_parts = true;
    decoded.append(part.data(), part.size());
    return true;
  }
  // A string without escapes comes whole and as a view of the text; others come out of the parser's own buffer.
  Span end_of_string(bj::string_view rest) {
    if (!in_parts && (rest.empty() || in_source(rest.data()))) {
      const auto at = rest.empty() ? 0 : static_cast<std::uint32_t>(rest.data() - source.data());
      return {at, static_cast<std::uint32_t>(rest.size())};
    }
    add_part(rest);
    in_parts = false;
    return {part_from | kDecoded, static_cast<std::uint32_t>(decoded.size()) - part_from};
  }

  Item& new_value(JsonKind kind) {
    if (pending != JsonTree::kNone) {
      Item& item = items[std::exchange(pending, JsonTree::kNone)];
      item.kind = kind;
      return item;
    }
    const auto node = static_cast<Node>(items.size());
    if (!levels.empty()) {
      Level& level = levels.back();
      (level.last == JsonTree::kNone ? items[level.node].text.at : items[level.last].next) = node;
      level.last = node;
    }
    Item& item = items.emplace_back();
    item.kind = kind;
    return item;
  }
  bool open(JsonKind kind) {
    Item& item = new_value(kind);
    item.text.at = JsonTree::kNone;
    levels.push_back(
        {static_cast<Node>(&item - items.data()), JsonTree::kNone, static_cast<std::uint32_t>(members.size())});
    return true;
  }

  // Puts the members into the order of their names and links them; false when a name stands twice.
  bool close_object() {
    const Level level = levels.back();
    levels.pop_back();
    const auto first = members.begin() + level.base;
    const auto less = [this](const Member& a, const Member& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : view(items[a.node].name) < view(items[b.node].name);
    };
    if (members.end() - first > 24) {
      std::sort(first, members.end(), less);
    } else {
      for (auto i = first; i != members.end(); ++i) {
        const Member moved = *i;
        auto to = i;
        for (; to != first && less(moved, to[-1]); --to) *to = to[-1];
        *to = moved;
      }
    }
    Node* link = &items[level.node].text.at;
    for (auto i = first; i != members.end(); ++i) {
      if (i != first && i[-1].prefix == i->prefix && view(items[i[-1].node].name) == view(items[i->node].name))
        return false;
      *link = i->node;
      link = &items[i->node].next;
    }
    members.erase(first, members.end());
    return true;
  }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(JsonKind::Object); }
  bool on_object_end(std::size_t, bj::error_code& ec) {
    if (close_object()) return true;
    ec = bj::error::syntax;
    return false;
  }
  bool on_array_begin(bj::error_code&) { return open(JsonKind::Array); }
  bool on_array_end(std::size_t, bj::error_code&) {
    levels.pop_back();
    return true;
  }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return add_part(part); }
  bool on_key(bj::string_view rest, std::size_t, bj::error_code&) {
    const Span name = end_of_string(rest);
    pending = static_cast<Node>(items.size());
    items.emplace_back().name = name;
    members.push_back({prefix_of(view(name)), pending});
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) { return add_part(part); }
  bool on_string(bj::string_view rest, std::size_t, bj::error_code&) {
    const Span text = end_of_string(rest);
    new_value(JsonKind::String).text = text;
    return true;
  }
  // The text is given to the parser in one piece, so that a number comes whole, whatever its type.
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_number(bj::string_view written) {
    new_value(JsonKind::Number).text = {static_cast<std::uint32_t>(written.data() - source.data()),
                                        static_cast<std::uint32_t>(written.size())};
    return true;
  }
  bool on_int64(std::int64_t, bj::string_view written, bj::error_code&) { return on_number(written); }
  bool on_uint64(std::uint64_t, bj::string_view written, bj::error_code&) { return on_number(written); }
  bool on_double(double, bj::string_view written, bj::error_code&) { return on_number(written); }
  bool on_bool(bool value, bj::error_code&) {
    new_value(value ? JsonKind::True : JsonKind::False);
    return true;
  }
  bool on_null(bj::error_code&) {
    new_value(JsonKind::Null);
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

struct JsonTree::Private {
  static bj::parse_options options() {
    bj::parse_options options;
    options.max_depth = kMaxDepth;
    return options;
  }
  bj::basic_parser<JsonTreeBuilder> parser{options()};
  JsonTreeBuilder& built = parser.handler();

  const Item& item(Node node) const noexcept { return built.items[node]; }
  void append(Node node, Numbers numbers, std::string& out) const;
  void append_children(Node node, Numbers numbers, std::string& out) const;
};

JsonTree::JsonTree() : p_(std::make_unique<Private>()) {}
JsonTree::~JsonTree() = default;
JsonTree::JsonTree(JsonTree&&) noexcept = default;
JsonTree& JsonTree::operator=(JsonTree&&) noexcept = default;

Result<void> JsonTree::read(std::string_view text) {
  if (text.size() >= kDecoded) return Errc::TooLarge;
  try {
    bj::error_code ec;
    p_->built.start(text);
    p_->parser.reset();
    const std::size_t used = p_->parser.write_some(false, text.data(), text.size(), ec);
    if (ec || used != text.size() || !p_->parser.done()) return Errc::Malformed;
    return {};
  } catch (const std::exception&) {
    return Errc::OutOfMemory;
  }
}

JsonKind JsonTree::kind(Node node) const noexcept { return p_->item(node).kind; }
Node JsonTree::first_child(Node node) const noexcept { return p_->item(node).text.at; }
Node JsonTree::next(Node node) const noexcept { return p_->item(node).next; }
std::string_view JsonTree::name(Node node) const noexcept { return p_->built.view(p_->item(node).name); }
std::string_view JsonTree::text(Node node) const noexcept { return p_->built.view(p_->item(node).text); }

Node JsonTree::member(Node object, std::string_view name) const noexcept {
  if (kind(object) != JsonKind::Object) return kNone;
  Node node = first_child(object);
  while (node != kNone && (p_->item(node).name.size != name.size() || this->name(node) != name)) node = next(node);
  return node;
}

Node JsonTree::element(Node array, std::size_t place) const noexcept {
  if (kind(array) != JsonKind::Array) return kNone;
  Node node = first_child(array);
  for (; node != kNone && place > 0; --place) node = next(node);
  return node;
}

void JsonTree::append_canonical(Node node, Numbers numbers, std::string& out) const { p_->append(node, numbers, out); }

void JsonTree::Private::append(Node node, Numbers numbers, std::string& out) const {
  const Item& it = item(node);
  switch (it.kind) {
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
      append_json_string(out, built.view(it.text));
      return;
    case JsonKind::Number:
      if (numbers == Numbers::Value)
        append_exact_decimal(out, built.view(it.text));
      else
        out.append(built.view(it.text));
      return;
    case JsonKind::Array:
    case JsonKind::Object:
      append_children(node, numbers, out);
      return;
  }
}

// Recursion ends at kMaxDepth.
void JsonTree::Private::append_children(Node node, Numbers numbers, std::string& out) const {
  const bool object = item(node).kind == JsonKind::Object;
  out.push_back(object ? '{' : '[');
  bool first = true;
  for (Node child = item(node).text.at; child != kNone; child = item(child).next) {
    if (!first) out.push_back(',');
    first = false;
    if (object) {
      append_json_string(out, built.view(item(child).name));
      out.push_back(':');
    }
    append(child, numbers, out);
  }
  out.push_back(object ? '}' : ']');
}

}  // namespace forebay::content
