#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forebay/admin/status.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/inner_request.hpp"

namespace forebay::admin {

/// What came of a run.
struct WarmReport {
  std::size_t requested = 0;
  std::size_t stored = 0;      ///< Fetched and stored.
  std::size_t hits = 0;        ///< Served without a fetch for them alone: they were stored already.
  std::size_t not_stored = 0;  ///< Fetched, and not stored.
  std::size_t failed = 0;      ///< Status 400 and above, or no whole response in time.
  std::size_t not_asked = 0;   ///< The process drained, or the run took too long.
  std::vector<std::pair<std::string, int>> failures{};  ///< The first ones, with their status; 0: no whole response.
  Duration took{};
};

/// Requests URLs by the process's own routes, so that their responses are stored: one run at a time. Used by the admin
/// worker only; the requests are made on the workers of the proxy.
class Warming {
 public:
  static constexpr std::size_t kMostUrls = 1000;
  static constexpr unsigned kMostAtOnce = 64;
  struct Url {
    std::string text;
    proxy::InnerRequest::Url parsed;
  };
  using Then = std::function<void(const WarmReport&)>;

  Warming() = default;
  Warming(const Warming&) = delete;
  ~Warming() { stop(); }

  bool busy() const noexcept;
  /// Unless it is busy. `then` is called on the worker `here` when all are done, or when the process drains.
  void begin(const Sources& sources, net::Worker& here, std::vector<Url> urls, unsigned at_once, Then then);
  /// Ends the run; nothing of it is left on the workers. Nobody is told.
  void stop() noexcept;

 private:
  struct Run;
  std::shared_ptr<Run> run_;
  bool stopped_ = false;
};

}  // namespace forebay::admin
