#include "forebay/content/json.hpp"

#include "content/json_tree.hpp"

namespace forebay::content {

std::optional<JsonPointer> JsonPointer::parse(std::string_view text) {
  JsonPointer pointer;
  pointer.text_ = text;
  if (text.empty()) return pointer;
  if (text.front() != '/') return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      pointer.steps_.emplace_back();
    } else if (text[i] != '~') {
      pointer.steps_.back().push_back(text[i]);
    } else {
      ++i;
      if (i == text.size() || (text[i] != '0' && text[i] != '1')) return std::nullopt;
      pointer.steps_.back().push_back(text[i] == '0' ? '~' : '/');
    }
  }
  return pointer;
}

namespace {

// RFC 6901 section 4: digits without a leading zero. `-`, the element behind the last, never exists.
std::optional<std::size_t> array_index(std::string_view step) {
  if (step.empty() || step.size() > 9 || (step.size() > 1 && step.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  for (const char c : step) {
    if (c < '0' || c > '9') return std::nullopt;
    index = 10 * index + static_cast<std::size_t>(c - '0');
  }
  return index;
}

JsonTree::Node follow(const JsonTree& tree, const JsonPointer& pointer) {
  auto node = tree.root();
  for (const std::string& step : pointer.steps()) {
    if (tree.kind(node) == JsonKind::Object) {
      node = tree.member(node, step);
    } else {
      const auto index = array_index(step);
      node = index ? tree.element(node, *index) : JsonTree::kNone;
    }
    if (node == JsonTree::kNone) break;
  }
  return node;
}

constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

}  // namespace

struct CanonicalJson::Private {
  struct Found {
    bool there = false;
    std::size_t from = 0;
    std::size_t size = 0;
  };
  JsonTree tree;
  std::string text;
  std::vector<Found> found;
};

CanonicalJson::CanonicalJson() : p_(std::make_unique<Private>()) {}
CanonicalJson::~CanonicalJson() = default;
CanonicalJson::CanonicalJson(CanonicalJson&&) noexcept = default;
CanonicalJson& CanonicalJson::operator=(CanonicalJson&&) noexcept = default;

Result<void> CanonicalJson::read(std::string_view text, std::span<const JsonPointer> pointers, Numbers numbers) {
  Private& p = *p_;
  p.found.clear();
  if (p.text.capacity() > kKeptBytes) std::string().swap(p.text);
  p.text.clear();
  if (auto done = p.tree.read(text, numbers); !done) return done;
  for (const JsonPointer& pointer : pointers) {
    const auto node = follow(p.tree, pointer);
    auto& found = p.found.emplace_back();
    if (node == JsonTree::kNone) continue;
    found.there = true;
    found.from = p.text.size();
    p.tree.append_canonical(node, numbers, p.text);
    found.size = p.text.size() - found.from;
  }
  return {};
}

std::optional<std::string_view> CanonicalJson::value(std::size_t i) const noexcept {
  if (i >= p_->found.size() || !p_->found[i].there) return std::nullopt;
  return std::string_view(p_->text).substr(p_->found[i].from, p_->found[i].size);
}

}  // namespace forebay::content
