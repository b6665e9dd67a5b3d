#pragma once

#include <functional>
#include <string>
#include <vector>

#include "forebay/config/config.hpp"

namespace forebay::config {

/// A tag in `invalidates` of a route, and what carries it.
struct Invalidation {
  const Route* writer = nullptr;
  const rules::TagTemplate* tag = nullptr;
  /// The routes whose `tags.add` can make such a tag. Which tags origins name in fields is not known.
  std::vector<const Route*> readers{};
};
/// Who invalidates whom, in the order of the routes. Tags are not followed further: to invalidate is no write. `step`
/// is called once for each tag, whose readers are looked for in all routes.
std::vector<Invalidation> invalidations(const Config& config, const std::function<void()>& step = nullptr);
/// The routes that store responses and can carry the tag by their `tags.add`.
std::vector<const Route*> readers_of(const Config& config, const rules::TagTemplate& tag);
/// Whether a route's stored responses can have tags that the origin names.
bool reads_tags(const Route& route) noexcept;
/// The graph for people; empty where no route has `invalidates`.
std::string to_text(const std::vector<Invalidation>& graph);

}  // namespace forebay::config
