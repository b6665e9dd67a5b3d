#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "forebay/base/hash.hpp"
#include "forebay/rules/no_vary_search.hpp"

// What keys learn from earlier messages. Bounded tables that overwrite old entries; forgetting costs a miss, never a
// wrong response. Thread-safe, with short locks; used only by routes that need them.

namespace forebay::cache {

/// GraphQL documents by the SHA-256 of their text (automatic persisted queries), so that a request with only the hash
/// and one with the document have the same key. Only documents that were seen with their text are added: a client
/// cannot choose what a hash stands for.
class PersistedQueries {
 public:
  explicit PersistedQueries(std::size_t slots = 16384);
  /// Also finds entries of `behind` (may be null), but adds only to itself.
  PersistedQueries(const PersistedQueries* behind, std::size_t slots);
  ~PersistedQueries();
  struct Document {
    Digest normal;     ///< Of the normalised document (the first 128 bits of its SHA-256).
    Digest only_name;  ///< Of the one operation's name, likewise; zero when there are several or it has none.
    bool reads_only = true;
  };
  /// `hash`: 64 lower-case hex digits; anything else is neither added nor found.
  void learn(std::string_view hash, const Document& document);
  std::optional<Document> find(std::string_view hash) const;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

/// The No-Vary-Search rule of the latest stored response of a resource, by `Key::base`.
class SearchRules {
 public:
  explicit SearchRules(std::size_t slots = 4096);
  ~SearchRules();
  /// A rule whose names take more than 4 KiB is not remembered (and the one before it is forgotten): false.
  bool learn(const Digest& base, const rules::NoVarySearch& rule);
  void forget(const Digest& base);
  std::shared_ptr<const rules::NoVarySearch> find(const Digest& base) const;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::cache
