#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/scalar.hpp"

namespace forebay::config {

/// One map of the file with its place in it.
class Section {
 public:
  /// `path` is that in the file (`routes[2].stale`).
  Section(Report& report, const Node* node, std::string path)
      : report_(&report), node_(node && node->is_map() ? node : nullptr), path_(std::move(path)) {}

  /// A map below; empty when absent or no map (which the key check has reported).
  Section in(std::string_view key) const;
  /// The value of a key, unless absent or reported already. An empty value is reported here.
  const Node* find(std::string_view key) const;
  /// A value that is a map; null for anything else, which the key check has reported.
  const Node* map(std::string_view key) const;
  const Node* node() const noexcept { return node_; }
  Report& report() const noexcept { return *report_; }
  const std::string& path() const noexcept { return path_; }
  std::string path_of(std::string_view key) const;
  std::string path_of(std::string_view key, std::size_t index) const;  ///< `routes[2].methods[1]`

  /// The scalars of a list; one scalar is a list of one. Nothing when absent or wrong.
  std::optional<std::vector<NodePtr>> list(std::string_view key) const;
  /// A scalar's text; a map, a list or nothing is reported as not being `what`.
  const std::string* scalar(const Node& node, const std::string& path, std::string_view what) const;
  /// Whether it is a name or glob; reported else. Warns of one that has what separates names elsewhere.
  bool check_glob(const Node& item, const std::string& path) const;
  /// Warns of a name that has what separates names elsewhere: `a,b`, `?a`, `a=1`.
  void check_separators(const Node& item, const std::string& path) const;
  /// Reports a text that is no name of a header field.
  void bad_field_name(const Node& node, const std::string& path) const;
  void fault(const Node& node, const std::string& path, const Fault& fault) const {
    report_->error(fault.code, node, path, fault.message, fault.hint);
  }
  void error(int code, const Node& node, const std::string& path, std::string message, std::string hint = {}) const {
    report_->error(code, node, path, std::move(message), std::move(hint));
  }

 private:
  Report* report_;
  const Node* node_;
  std::string path_;
};

}  // namespace forebay::config
