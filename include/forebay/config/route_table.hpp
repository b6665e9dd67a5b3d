#pragma once

#include <string_view>

#include "forebay/config/config.hpp"

namespace forebay::config {

/// Finds the route of a request. Routes are tried in file order; the first whose host, path and methods match handles
/// it. Built once per configuration; `find` allocates nothing and stays below a microsecond with a thousand routes.
class RouteTable {
 public:
  explicit RouteTable(const Config& config);
  RouteTable(RouteTable&&) noexcept;
  ~RouteTable();

  struct Match {
    const Route* route = nullptr;  ///< Null: none matched in host and path.
    bool method = false;           ///< False: `route` is the first that matched but for its methods.
  };
  /// `host` in normal form; its port does not count. `path` normalised.
  Match find(std::string_view host, std::string_view path, http::Method method, std::string_view method_text) const;
  /// Every cacheable route that matches host and path, whatever its methods; for invalidation. Appends to `out`.
  void find_all(std::string_view host, std::string_view path, std::vector<const Route*>& out) const;

 private:
  struct Index;
  std::unique_ptr<const Index> index_;
};

}  // namespace forebay::config
