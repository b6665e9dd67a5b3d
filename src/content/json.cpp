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

constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

}  // namespace

struct CanonicalJson::Private {
  struct Value {
    std::size_t from = 0;
    std::size_t size = 0;  // at least one where there is a value
  };
  JsonTree tree;
  std::string text;
  std::vector<JsonTree::Chosen> chosen;
  std::vector<Value> values;
};

CanonicalJson::CanonicalJson() : p_(std::make_unique<Private>()) {}
CanonicalJson::~CanonicalJson() = default;

Result<void> CanonicalJson::read(std::string_view text, std::span<const JsonPointer> pointers, Numbers numbers) {
  Private& p = *p_;
  p.values.clear();
  if (p.text.capacity() > kKeptBytes) std::string().swap(p.text);
  p.text.clear();
  if (auto done = p.tree.read(text, pointers, numbers, p.chosen); !done) return done;
  for (const auto& chosen : p.chosen) {
    const auto from = p.text.size();
    if (chosen.node != JsonTree::kNone) p.tree.append_canonical(chosen.node, numbers, p.text);
    p.values.push_back({from, p.text.size() - from});
  }
  return {};
}

std::optional<std::string_view> CanonicalJson::value(std::size_t i) const noexcept {
  if (i >= p_->values.size() || p_->values[i].size == 0) return std::nullopt;
  return std::string_view(p_->text).substr(p_->values[i].from, p_->values[i].size);
}

std::uint64_t CanonicalJson::through_objects(std::size_t i) const noexcept {
  return value(i) ? p_->chosen[i].through_objects : 0;
}

bool CanonicalJson::in_list(std::size_t i) const noexcept {
  return i < p_->values.size() && !value(i) && p_->chosen[i].in_list;
}

}  // namespace forebay::content
