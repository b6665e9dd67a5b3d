#include "config_checker.hpp"

#include <chrono>
#include <system_error>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "forebay/net/scheduling.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::admin {
namespace {

/// Processor time is scarce where this thread runs last; the client waits for 30 s.
constexpr auto kLongest = std::chrono::seconds{20};

}  // namespace

bool ConfigChecker::ask(std::string text, std::function<void(const config::TextVerdict&)> then) {
  if (stopping_ || busy_.exchange(true)) return false;
  if (thread_.joinable()) thread_.join();  // it has only its verdict left to hand over
  try {
    thread_ = std::thread([this, text = std::move(text), then = std::move(then)] {
      net::leave_signals_to_others();
      net::take_low_priority();
      const auto until = std::chrono::steady_clock::now() + kLongest;
      config::TextVerdict verdict;
      const auto check = [&] {
        auto machine = config::surroundings_of_this_machine();
        machine.give_up = [&] { return stopping_ || std::chrono::steady_clock::now() >= until; };
        verdict = config::check_text(text, std::move(machine));
      };
      guarded(check, [&] { verdict = {false, true, {}}; });
      busy_ = false;  // before the client hears of it: it may ask again at once
      guarded([&] { then(verdict); }, [] {});
    });
  } catch (const std::system_error&) {
    busy_ = false;
    return false;
  } catch (const std::bad_alloc&) {
    busy_ = false;
    return false;
  }
  return true;
}

void ConfigChecker::stop() noexcept {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace forebay::admin
