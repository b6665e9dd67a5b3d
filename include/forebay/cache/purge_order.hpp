#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/hash.hpp"

namespace forebay::cache {

enum class PurgeMode : std::uint8_t {
  Hard,  ///< Entries are gone.
  Soft,  ///< Entries are stale from now on, and keep their validators.
};
std::string_view to_string(PurgeMode mode) noexcept;

/// What an entry was named by. Write: by the resource of an unsafe request (RFC 9111 section 4.4).
enum class PurgeKind : std::uint8_t { Url, Prefix, Tag, Route, Id, All, Write };
inline constexpr std::size_t kPurgeKinds = 7;
std::string_view to_string(PurgeKind kind) noexcept;

/// URLs by their text. A key without a host is matched whatever the host. A key without the path may be for any URL of
/// its route: it is matched whatever the path, but only by a pattern that names this route.
struct UrlPattern {
  enum class How : std::uint8_t {
    Exact,   ///< Counts as Url.
    Prefix,  ///< Counts as Prefix; also `Glob`, in which `*` stands for any text.
    Glob,
    Keyed,     ///< Counts as Url. `text` is `Key::after_host` of the URL on `route`.
    Searched,  ///< Counts as Url. The same up to the query: keys under a No-Vary-Search rule, whatever their query.
  };
  How how = How::Prefix;
  std::string host{};  ///< In normal form (http::append_normal_host); empty: every host.
  /// Path, in the form of http::Target::path(), and perhaps `?` with the query as it is in keys. An exact path or a
  /// glob without `?` matches whatever the query.
  std::string text{};
  std::string route{};  ///< Only keys of this route; empty: of any.
};

/// The name of a tag in entries and orders: two tags are one only if their bytes are equal.
Digest tag_digest(std::string_view tag) noexcept;

/// What to purge: entries that any of these name. `all` names every entry, and the rest is not looked at then.
struct PurgeOrder {
  std::vector<Digest> resources{};    ///< `Key::resource` of a URL, under each route that may have it.
  std::vector<UrlPattern> urls{};     ///< Searched for in all entries.
  std::vector<Digest> tags{};         ///< `tag_digest`.
  std::vector<std::string> routes{};  ///< Names of routes; searched for in all entries.
  std::vector<Digest> ids{};          ///< `Key::id`; searched for in all entries.
  bool all = false;
  PurgeMode mode = PurgeMode::Hard;
  bool dry_run = false;   ///< Only counts.
  bool by_write = false;  ///< All is counted as PurgeKind::Write.
  Timestamp now{};        ///< From when on soft-purged entries are stale.

  bool empty() const noexcept {
    return resources.empty() && urls.empty() && tags.empty() && routes.empty() && ids.empty() && !all;
  }
};

/// The number of entries that an order named. One that two kinds name counts for both, and once in the total.
struct Purged {
  std::array<std::uint64_t, kPurgeKinds> by{};
  std::uint64_t total = 0;
  std::uint64_t of(PurgeKind kind) const noexcept { return by[static_cast<std::size_t>(kind)]; }
};

}  // namespace forebay::cache
