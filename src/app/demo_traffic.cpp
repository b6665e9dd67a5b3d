#include "demo_traffic.hpp"

#include <algorithm>
#include <utility>

#include "forebay/http/fields.hpp"

namespace forebay::app {
namespace {

using namespace std::chrono_literals;

struct Known {
  std::string_view name;
  Scenario scenario;
  std::string_view text;
};
constexpr Known kScenarios[] = {
    {"hits", Scenario::Hits,
     "10 requests a second for 20 products, most of them for 4. Look at X-Cache and the results in the access log:\n"
     "each product is fetched once, is a HIT for 30 s, and is then refreshed in the background.\n"},
    {"stampede", Scenario::Stampede,
     "20 requests at once for one new URL, every 5 seconds; the shop takes 2 s for it. Look at the access log and at\n"
     "/stats: one request reaches the shop (\"slow\"), the others wait for its response (COALESCED).\n"},
    {"origin-down", Scenario::OriginDown,
     "5 requests a second for /api/time, which is fresh for 2 s. The shop answers 503 for 4 of every 8 seconds. Look "
     "at\n"
     "the access log: clients get the stored response (STALE) and never the 503.\n"},
    {"post", Scenario::Post,
     "5 requests a second, POST /api/search with three different searches, the members of the JSON in any order. The\n"
     "route keys them by /query and /page. Look at the access log and at /stats: three fetches (\"search\") every 30 "
     "s.\n"},
};
constexpr auto kPatience = 5s;
constexpr int kAtOnce = 20;

/// Waits; false when it is to end.
bool pause(const std::stop_token& stop, std::chrono::milliseconds time) {
  for (const auto until = net::SteadyClock::now() + time; net::SteadyClock::now() < until;) {
    if (stop.stop_requested()) return false;
    std::this_thread::sleep_for(std::min(time, 50ms));
  }
  return !stop.stop_requested();
}

std::string search(std::uint64_t turn) {
  const auto page = std::to_string(turn / 2 % 3 + 1);
  return turn % 2 == 0 ? R"({"query":"tea","page":)" + page + '}' : R"({"page": )" + page + R"(, "query": "tea"})";
}

}  // namespace

std::optional<Scenario> scenario_of(std::string_view name) {
  for (const auto& known : kScenarios)
    if (known.name == name) return known.scenario;
  return std::nullopt;
}

std::vector<std::string> scenario_names() {
  std::vector<std::string> names;
  for (const auto& known : kScenarios) names.emplace_back(known.name);
  return names;
}

std::string_view text_of(Scenario scenario) {
  return std::find_if(std::begin(kScenarios), std::end(kScenarios),
                      [&](const Known& known) { return known.scenario == scenario; })
      ->text;
}

DemoTraffic::DemoTraffic(Scenario scenario, net::Endpoint to, std::atomic<bool>& down)
    : scenario_(scenario),
      to_(std::move(to)),
      down_(down),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void DemoTraffic::run(const std::stop_token& stop) {
  for (std::uint64_t turn = 0;; ++turn) {
    auto wait = 200ms;
    switch (scenario_) {
      case Scenario::Hits:
        // Three of four requests are for the first four products.
        send("GET", "/api/products/" + std::to_string(turn % 4 != 0 ? turn % 4 + 1 : turn / 4 % 20 + 1));
        wait = 100ms;
        break;
      case Scenario::Stampede:
        send_at_once(turn);
        wait = 3s;
        break;
      case Scenario::OriginDown:
        down_ = turn / 20 % 2 == 1;
        send("GET", "/api/time");
        break;
      case Scenario::Post: send("POST", "/api/search", search(turn)); break;
    }
    if (!pause(stop, wait)) return;
  }
}

void DemoTraffic::send(std::string_view method, const std::string& target, const std::string& content) const {
  std::string text = std::string(method) + ' ' + target + " HTTP/1.1\r\n";
  http::append_line(text, "Host", "localhost");
  http::append_line(text, "User-Agent", "forebay-demo");
  http::append_line(text, "Connection", "close");
  if (!content.empty()) {
    http::append_line(text, "Content-Type", "application/json");
    http::append_line(text, "Content-Length", std::to_string(content.size()));
  }
  text += "\r\n" + content;
  static_cast<void>(net::ask(to_, method, text, 1024 * 1024, net::SteadyClock::now() + kPatience));
}

void DemoTraffic::send_at_once(std::uint64_t turn) const {
  std::vector<std::jthread> threads;
  for (int i = 0; i < kAtOnce; ++i)
    threads.emplace_back([this, turn] { send("GET", "/api/slow?round=" + std::to_string(turn)); });
}

}  // namespace forebay::app
