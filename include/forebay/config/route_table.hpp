#pragma once

#include <string_view>

#include "forebay/config/config.hpp"

namespace forebay::config {

/// Finds the route of a request. Routes are tried in file order; the first whose host, path, methods and conditions
/// match handles it. Built once per configuration; `find` allocates nothing and stays below a microsecond with a
/// thousand routes.
class RouteTable {
 public:
  explicit RouteTable(const Config& config);
  RouteTable(RouteTable&&) noexcept;
  ~RouteTable();

  struct Match {
    const Route* route = nullptr;  ///< Null: none matched in host and path.
    bool method = false;           ///< False: `route` is the first that matched but for its methods.
    /// Whether its conditions on fields and query hold, Yes or Unclear. Those on the content are not asked.
    rules::Judged conditions;
  };
  /// `host` in normal form; its port does not count. `path` normalised. Of `request` the method and the fields count.
  /// Routes before the one numbered `from` are passed over, but for those that only the method keeps away. `scheme` is
  /// that of the request: `redirect: https` takes those over http alone.
  Match find(std::string_view host, std::string_view path, const http::RequestView& request,
             std::optional<std::string_view> query = std::nullopt, std::size_t from = 0,
             std::string_view scheme = "http") const;
  enum class Which : std::uint8_t { Cacheable, All };
  /// Every route, or cacheable route, that matches host and path, whatever its methods and conditions; for invalidation
  /// and for explaining. Appends to `out`, in file order.
  void find_all(std::string_view host, std::string_view path, std::vector<const Route*>& out,
                Which which = Which::Cacheable) const;

 private:
  struct Index;
  std::unique_ptr<const Index> index_;
};

}  // namespace forebay::config
