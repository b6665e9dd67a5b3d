#include "order_words.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <utility>

#include "forebay/base/log.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::app {
namespace {

struct Named {
  const char* name;
  OrderFlags::What what;
  const char* help;
};
constexpr Named kOrders[] = {
    {"reload", OrderFlags::What::Reload, "Have the running daemon read its configuration again; 3 when it refuses it."},
    {"drain", OrderFlags::What::Drain,
     "Take the running daemon out of load balancing: /readyz answers 503, and requests are still served."},
    {"undrain", OrderFlags::What::Undrain, "Undo `drain`."},
    {"log-level", OrderFlags::What::LogLevel, "Show or set the level of the running daemon's log."},
};

void add_text(CLI::App* app, const char* names, std::string& into, const char* what, const char* help) {
  app->add_option(names, into, help)->type_name(what)->take_last();
}

/// False, with a sentence in `fault`, when it is none. An empty text is none and no fault.
bool read(const char* flag, const std::string& text, std::optional<Duration>& into, std::string& fault) {
  if (text.empty()) return true;
  into = config::read_duration(text);
  if (into && *into >= Duration{0}) return true;
  fault = std::string(flag) + " needs a duration such as 5s, not \"" + text + '"';
  return false;
}

/// Empty when it is one.
std::string level_fault(const std::string& level) {
  std::vector<std::string_view> known;
  for (const auto l : {log::Level::Trace, log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error})
    known.push_back(log::to_string(l));
  if (std::find(known.begin(), known.end(), level) != known.end()) return {};
  const auto meant = nearest(level, known);
  return "\"" + level + "\" is not a level; " +
         (meant ? "did you mean " + *meant + '?' : "write trace, debug, info, warn or error");
}

}  // namespace

void add_orders(CLI::App& app, OrderWords& words) {
  for (const auto& order : kOrders) {
    auto* command = app.add_subcommand(order.name, order.help);
    if (order.what == OrderFlags::What::Drain) {
      add_text(command, "--delay", words.delay, "DUR",
               "Close the connections of clients with their next answer after this time; the command waits for it. "
               "Default: shutdown.delay, without waiting.");
      add_text(command, "--wait", words.wait, "DUR", "Then wait until no client is connected, for so long at most.");
    }
    if (order.what == OrderFlags::What::LogLevel) {
      command->add_option("level", words.level, "trace, debug, info, warn or error. Without it: show the level.")
          ->type_name("LEVEL");
      add_text(command, "--for", words.time, "DUR", "Go back to the configured level after this time.");
    }
    command->add_flag("--json", words.flags.json, "Print JSON.");
    command->add_option("-c,--config", words.flags.config, "Configuration file with admin.listen.")
        ->type_name("FILE")
        ->take_last();
    command
        ->add_option("--admin", words.flags.admin, "Admin address. Default: $FOREBAY_ADMIN, the file, 127.0.0.1:8081.")
        ->type_name("ADDR")
        ->take_last();
    add_text(command, "--timeout", words.timeout, "DUR", "Time limit for each answer of the daemon (default 35s).");
  }
}

bool is_order(const std::string& command) {
  return std::any_of(std::begin(kOrders), std::end(kOrders), [&](const auto& o) { return command == o.name; });
}

std::variant<OrderFlags, std::string> finish_order(const std::string& command, OrderWords& words) {
  auto& flags = words.flags;
  flags.what =
      std::find_if(std::begin(kOrders), std::end(kOrders), [&](const auto& o) { return command == o.name; })->what;
  std::string fault;
  std::optional<Duration> timeout;
  if (!read("--delay", words.delay, flags.delay, fault) || !read("--wait", words.wait, flags.wait, fault) ||
      !read("--for", words.time, flags.time, fault) || !read("--timeout", words.timeout, timeout, fault))
    return fault;
  if (flags.time && *flags.time == Duration{0}) return std::string("--for needs a duration of more than 0");
  if (timeout) {
    if (*timeout == Duration{0}) return std::string("--timeout needs a duration of more than 0");
    flags.timeout = *timeout;
  }
  flags.delay_text = words.delay;
  flags.time_text = words.time;
  flags.level = words.level;
  if (!flags.level.empty())
    if (auto wrong = level_fault(flags.level); !wrong.empty()) return wrong;
  if (flags.level.empty() && flags.time) return std::string("--for requires a level");
  return std::move(flags);
}

}  // namespace forebay::app
