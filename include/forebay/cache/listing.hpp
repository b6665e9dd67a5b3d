#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/cache/entry.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/purge_order.hpp"
#include "forebay/cache/selecting.hpp"
#include "forebay/rules/freshness.hpp"

namespace forebay::cache {

/// Of a stored response, whatever a request says. Purged: softly, or by a write; it is stale, too.
enum class EntryState : std::uint8_t { Fresh, Stale, Purged };
std::string_view to_string(EntryState state) noexcept;

/// Where a listing goes on. It stays valid while the store lives, whatever happens to the entries.
struct ListCursor {
  std::size_t shard = 0;
  std::uint64_t place = 0;

  /// Letters and digits.
  std::string text() const;
  static std::optional<ListCursor> parse(std::string_view text);
};

/// Which stored responses to list: those that fit all that is given.
struct ListQuery {
  std::string route{};
  std::optional<UrlPattern> url{};
  std::optional<Digest> tag{};  ///< `tag_digest`.
  std::optional<Digest> id{};   ///< `Key::id`.
  std::optional<EntryState> state{};
  /// For the largest, the most used, the oldest or the latest ones: a caller that keeps the best few of a whole listing
  /// asks for better ones than the worst of them, so that nothing is made of the rest.
  std::size_t least_bytes = 0;  ///< `Listed::bytes`.
  std::uint64_t least_hits = 0;
  Timestamp received_from = Timestamp::min(),
            received_to = Timestamp::max();  ///< `Freshness::received`, both included.

  Timestamp now{};
  ListCursor from{};
  /// The most rows of a page. The responses of a key stay together, so there may be as many as it has.
  std::size_t rows = 100;
  /// After about so many keys the page ends, with fewer rows or none, so that a call has a bound.
  std::size_t visits = 20'000;
};

/// One stored response.
struct Listed {
  Ref<const Entry> entry;  ///< Text of the key, head, length and origin; it is kept in memory as long as this is.
  Digest id;               ///< Of the key.
  UrlSpans url;            ///< In its text.
  rules::Freshness freshness;
  EntryState state = EntryState::Fresh;
  std::uint64_t hits = 0;         ///< Since it was stored or last freshened.
  std::size_t bytes = 0;          ///< What it is charged with, including compressed forms.
  VaryRef names;                  ///< The names of fields that it is selected by,
  std::string secondary;          ///< and their values in its request (`rules::append_secondary_key`).
  std::vector<std::string> tags;  ///< In no order.
};

struct ListPage {
  std::vector<Listed> rows;
  std::optional<ListCursor> next;  ///< Nothing: that was all.
  std::size_t visited = 0;
};

}  // namespace forebay::cache
