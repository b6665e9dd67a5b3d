#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/base/hash.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::rules {

/// Bytes of one tag.
inline constexpr std::size_t kLongestTag = 1024;

/// Whether a text can be a tag: 1 to `kLongestTag` bytes, none of them a control byte, and not the name of a group.
bool is_tag(std::string_view text) noexcept;

/// Calls `f(tag)` for the tags in the value of a field (Cache-Tag, Surrogate-Key, xkey): they are separated by commas,
/// blanks or both, as none of the systems that read such fields allows either in a tag. Case matters. Members that are
/// no tags are passed on too.
template <class F>
void for_each_tag(std::string_view value, F&& f) {
  constexpr std::string_view kSeparators = ", \t";
  for (std::size_t from = value.find_first_not_of(kSeparators); from != std::string_view::npos;) {
    const auto to = std::min(value.find_first_of(kSeparators, from), value.size());
    f(value.substr(from, to - from));
    from = value.find_first_not_of(kSeparators, to);
  }
}

/// The tags of one response, each once, in order. Bounded; what goes beyond is counted.
class TagList {
 public:
  explicit TagList(std::size_t most) : most_(most) {}
  void add(std::string_view tag);
  /// Those in all lines of these fields.
  void read(http::FieldsView fields, const std::vector<std::string>& names);

  const std::vector<std::string>& all() const noexcept { return all_; }
  std::vector<std::string> take() noexcept { return std::move(all_); }
  /// Further tags than there may be, and texts that are none.
  std::size_t dropped() const noexcept { return dropped_; }

 private:
  std::size_t most_, dropped_ = 0;
  std::vector<std::string> all_;
  std::set<Digest> seen_;
};

/// Cache-Groups and Cache-Group-Invalidation (RFC 9875): the strings in a structured list. At least 32 of 32 bytes have
/// to be read. A field that is not such a list is ignored, as are its members of other types.
inline constexpr std::size_t kMostGroups = 128;
inline constexpr std::size_t kLongestGroup = 1024;
std::vector<std::string> read_groups(http::FieldsView fields, std::string_view name);

/// The name of a group among tags, such as `cache-group https://shop.test scores`: no tag has it, and no group of
/// another origin (`scheme` and `host`, which have no blanks).
std::string group_tag(std::string_view scheme, std::string_view host, std::string_view group);

}  // namespace forebay::rules
