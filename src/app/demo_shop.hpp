#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/http/message.hpp"

namespace forebay::app {

/// A small product API: slow, cacheable, private and failing endpoints, and request counts.
class DemoShop {
 public:
  struct Answer {
    int status = 200;
    std::string content_type = "application/json";
    http::Fields fields;  ///< Further ones.
    std::string body;
    Duration after{0};  ///< How long the "database" takes.
  };
  Answer answer(http::Method method, std::string_view path, WallTime now);
  /// While it is set, every answer but that of /stats is a 503.
  std::atomic<bool>& down() noexcept { return down_; }

 private:
  Answer products();
  Answer product(std::string_view id, WallTime now);
  Answer flaky();
  Answer search();
  Answer stats() const;

  struct Count {
    std::string_view name;
    std::uint64_t n = 0;
  };
  Count counts_[7] = {{"products"}, {"product"}, {"slow"}, {"me"}, {"flaky"}, {"time"}, {"search"}};
  std::atomic<bool> down_{false};
};

}  // namespace forebay::app
