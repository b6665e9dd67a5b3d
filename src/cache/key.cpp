#include "forebay/cache/key.hpp"

#include "key_builder.hpp"

namespace forebay::cache {
namespace {

Digest digest_of_digests(const Digest& a, const Digest& b) noexcept {
  const Digest both[] = {a, b};
  return digest_of({reinterpret_cast<const char*>(both), sizeof both});
}

}  // namespace

Key::Key() = default;
Key::~Key() = default;
Key::Key(Key&&) noexcept = default;
Key& Key::operator=(Key&&) noexcept = default;

Key::Key(const Key& o)
    : text_(o.text_),
      id_(o.id_),
      resource_(o.resource_),
      resource_from_(o.resource_from_),
      query_from_(o.query_from_),
      query_to_(o.query_to_),
      rule_from_(o.rule_from_) {}

Key& Key::operator=(const Key& o) {
  if (this == &o) return *this;
  text_ = o.text_;
  id_ = o.id_;
  resource_ = o.resource_;
  resource_from_ = o.resource_from_;
  query_from_ = o.query_from_;
  query_to_ = o.query_to_;
  rule_from_ = o.rule_from_;
  return *this;
}

rules::Reason Key::build(const KeySpec& spec, const KeyInput& input, std::vector<KeyPart>* parts) {
  if (!scratch_) scratch_ = std::make_unique<Scratch>();
  if (parts) parts->clear();
  return KeyBuilder(*this, spec, input, parts).build();
}

void Key::build_resource(const KeySpec& spec, const KeyInput& input) {
  if (!scratch_) scratch_ = std::make_unique<Scratch>();
  KeyBuilder(*this, spec, input, nullptr).build_resource();
}

Digest Key::searched_resource() const noexcept {
  static constexpr Digest kSearched{0, 1};
  return digest_of_digests(digest_of(std::string_view(text_).substr(resource_from_, query_from_ - resource_from_)),
                           kSearched);
}

Digest Key::base() const noexcept {
  const auto text = std::string_view(text_);
  return digest_of_digests(digest_of(text.substr(0, query_from_)),
                           digest_of(text.substr(query_to_, rule_from_ - query_to_)));
}

}  // namespace forebay::cache
