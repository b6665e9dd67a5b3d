#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/schema.hpp"

namespace forebay::config {

/// One map of the file and what may stand in it.
struct Where {
  const Schema* schema = nullptr;
  const Schema* also = nullptr;  ///< A route takes its own keys and those of a policy.
  std::string path{};
  std::string label{};  ///< ` (search)` behind the path of a named route.
};

/// What a walk over the keys of a tree meets.
class KeyVisitor {
 public:
  virtual ~KeyVisitor() = default;
  virtual void unknown(const Entry& entry, const Where& where) = 0;
  /// A key of a later version.
  virtual void later(const Entry& entry, const Where& where) = 0;
  /// A scalar or a list where a map is needed, or the other way round.
  virtual void misshapen(const Node& value, const std::string& path, std::string message, std::string hint) = 0;
  /// A key below which the table of options lists none.
  virtual void leaf(const Entry& entry, const Schema& known) = 0;
  /// `x-...`, whose value is the user's.
  virtual void users_own(const Entry& entry) = 0;
  /// A key that stands twice; its value is in no map. Null for one that the table does not list.
  virtual void repeated(const Entry& entry, const Schema* known) = 0;
};

/// Whether an unknown key is what other proxies call the origin, with one text as its value.
bool stands_for_origin(const Entry& entry);
/// A text that is an origin's url, or a host and port without the scheme, as a url.
std::optional<std::string> plain_url(const Node& value);
/// A path, letter for letter.
bool is_plain_path(std::string_view text);
/// Whether a text where a map is needed is surely no secret: an address, a duration, a switch or a path.
bool is_harmless(const Node& value, std::string_view path);

/// Compares every key of the tree with the table of options.
void walk_keys(const Node& root, KeyVisitor& visitor);

/// Reports what `walk_keys` finds: unknown keys (FB1001), ones of later versions (FB1016), and maps where a list is
/// needed and the like (FB1002).
void check_keys(const Node& root, Report& report);

}  // namespace forebay::config
