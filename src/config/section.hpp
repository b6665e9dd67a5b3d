#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/scalar.hpp"

namespace forebay::config {

/// One map of the file with its place in the table of options, which gives each key its type and bounds. A key that is
/// absent leaves its target alone; one that is wrong is reported and leaves it alone too.
class Section {
 public:
  /// `schema` is the path in the table (`server.timeouts`), `path` that in the file (`routes[2].stale`).
  Section(Report& report, const Node* node, std::string schema, std::string path)
      : report_(&report),
        node_(node && node->is_map() ? node : nullptr),
        schema_(std::move(schema)),
        path_(std::move(path)) {}

  /// A map below; empty when absent or no map (which the key check has reported).
  Section in(std::string_view key) const;
  /// The value of a key, unless absent or reported already. An empty value is reported here.
  const Node* find(std::string_view key) const;
  const Node* node() const noexcept { return node_; }
  Report& report() const noexcept { return *report_; }
  const std::string& path() const noexcept { return path_; }
  std::string path_of(std::string_view key) const;
  std::string path_of(std::string_view key, std::size_t index) const;  ///< `routes[2].methods[1]`

  /// Each tells whether the target was set.
  bool duration(std::string_view key, Duration& out) const;
  bool size(std::string_view key, std::uint64_t& out) const;
  bool ratio(std::string_view key, double& out) const;
  bool boolean(std::string_view key, bool& out) const;
  template <class T>
  bool integer(std::string_view key, T& out) const {
    const auto value = any_integer(key);
    if (value) out = static_cast<T>(*value);
    return value.has_value();
  }
  /// The index in the option's closed list of words.
  template <class E>
  bool choice(std::string_view key, E& out) const {
    const auto index = any_choice(key);
    if (index) out = static_cast<E>(*index);
    return index.has_value();
  }
  bool text(std::string_view key, std::string& out) const;
  /// The scalars of a list; one scalar is a list of one. Nothing when absent or wrong.
  std::optional<std::vector<NodePtr>> list(std::string_view key) const;

  /// A list of globs; one that is none is reported and left out. Tells whether the target was set.
  bool globs(std::string_view key, std::vector<std::string>& out) const;
  /// The same for globs over names of header fields, which have no other bytes than the names.
  bool field_globs(std::string_view key, std::vector<std::string>& out) const;
  /// The same for names of header fields, as they are written.
  bool header_names(std::string_view key, std::vector<std::string>& out) const;

  /// A typed value of one node of this section's key, bounds checked.
  std::optional<Duration> duration_of(std::string_view key, const Node& node, const std::string& path) const;
  /// A scalar's text; a map, a list or nothing is reported as not being `what`.
  const std::string* scalar(const Node& node, const std::string& path, std::string_view what) const;
  /// Warns of a name that has what separates names elsewhere: `a,b`, `?a`, `a=1`.
  void check_separators(const Node& item, const std::string& path) const;
  /// Reports a text that is no name of a header field.
  void bad_field_name(const Node& node, const std::string& path) const;
  void fault(const Node& node, const std::string& path, const Fault& fault) const;
  void error(int code, const Node& node, const std::string& path, std::string message, std::string hint = {}) const {
    report_->error(code, node, path, std::move(message), std::move(hint));
  }
  std::string schema_of(std::string_view key) const;

 private:
  std::optional<std::int64_t> any_integer(std::string_view key) const;
  std::optional<std::size_t> any_choice(std::string_view key) const;

  Report* report_;
  const Node* node_;
  std::string schema_;
  std::string path_;
};

/// `low..high` of the table, either end open; compares by `parse`.
template <class T>
std::optional<Fault> out_of_bounds(T value, std::string_view text, std::string_view bounds,
                                   Parsed<T> (*parse)(std::string_view)) {
  const auto dots = bounds.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto low = bounds.substr(0, dots);
  const auto high = bounds.substr(dots + 2);
  const auto between =
      high.empty() ? "at least " + std::string(low) : "between " + std::string(low) + " and " + std::string(high);
  if (!low.empty() && value < parse(low).value.value_or(T{}))
    return Fault{1004, in_quotes(text) + " is too small", between};
  if (!high.empty() && value > parse(high).value.value_or(std::numeric_limits<T>::max())) {
    return Fault{1004, in_quotes(text) + " is too large", between};
  }
  return std::nullopt;
}

}  // namespace forebay::config
