#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "flags.hpp"
#include "forebay/net/http_client.hpp"

namespace forebay::app {

std::optional<Scenario> scenario_of(std::string_view name);
std::vector<std::string> scenario_names();
/// What it does and what to look at, as lines for people.
std::string_view text_of(Scenario scenario);

/// Requests to the demo, at a modest rate, until it is destroyed.
class DemoTraffic {
 public:
  /// Sets `down` while the shop is to fail; it outlives this.
  DemoTraffic(Scenario scenario, net::Endpoint to, std::atomic<bool>& down);

 private:
  void run(const std::stop_token& stop);
  void send(std::string_view method, const std::string& target, const std::string& content = {}) const;
  void send_at_once(std::uint64_t turn) const;

  const Scenario scenario_;
  const net::Endpoint to_;
  std::atomic<bool>& down_;
  std::jthread thread_;  // the last, since it uses the others
};

}  // namespace forebay::app
