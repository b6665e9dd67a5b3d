#include "forebay/cache/key.hpp"

#include "key_builder.hpp"

namespace forebay::cache {
namespace {

Digest digest_of_digests(const Digest& a, const Digest& b) noexcept {
  const Digest both[] = {a, b};
  return digest_of({reinterpret_cast<const char*>(both), sizeof both});
}

}  // namespace

rules::Reason Key::build(const KeySpec& spec, const KeyInput& input, std::vector<KeyPart>* parts) {
  if (parts) parts->clear();
  return KeyBuilder(*this, spec, input, parts).build();
}

void Key::build_resource(const KeySpec& spec, const KeyInput& input) {
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
