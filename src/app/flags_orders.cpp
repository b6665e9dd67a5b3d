// The flags of `reload`, `drain`, `undrain` and `log-level`.
#include <algorithm>

#include "commands.hpp"
#include "flags_shared.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::app {
namespace {

using What = OrderFlags::What;

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
  const auto known = log_levels();
  if (std::find(known.begin(), known.end(), level) != known.end()) return {};
  const auto meant = nearest(level, {known.begin(), known.end()});
  return "\"" + level + "\" is not a level; " +
         (meant ? "did you mean " + *meant + '?' : "write trace, debug, info, warn or error");
}

class OrderWords final : public CommandWords {
 public:
  OrderWords(CLI::App& app, What what) : CommandWords(app) {
    flags_.what = what;
    flag("--json", flags_.json, "Print JSON.");
    add_daemon(*this, flags_.config, flags_.admin);
    text("--timeout", timeout_, "DUR", "Time limit for each answer of the daemon (default 35s).");
    if (what == What::Drain) {
      text("--delay", flags_.delay_text, "DUR",
           "Close connections of clients with their next answer after this time, and wait for it. Default: "
           "shutdown.delay, without waiting.");
      text("--wait", wait_, "DUR", "Then wait until no client is connected, for so long at most.");
    } else if (what == What::LogLevel) {
      word("level", flags_.level, "LEVEL", "trace, debug, info, warn or error. Without it: show the level.")
          .one_of(log_levels());
      text("--for", flags_.time_text, "DUR", "Go back to the configured level after this time.");
    }
  }

  Command finish() override {
    auto& f = flags_;
    std::string fault;
    std::optional<Duration> timeout;
    if (!read("--delay", f.delay_text, f.delay, fault) || !read("--wait", wait_, f.wait, fault) ||
        !read("--for", f.time_text, f.time, fault) || !read("--timeout", timeout_, timeout, fault))
      return usage(std::move(fault));
    if (f.time && *f.time == Duration{0}) return usage("--for needs a duration of more than 0");
    if (timeout && *timeout == Duration{0}) return usage("--timeout needs a duration of more than 0");
    if (timeout) f.timeout = *timeout;
    if (!f.level.empty())
      if (auto wrong = level_fault(f.level); !wrong.empty()) return usage(std::move(wrong));
    if (f.level.empty() && f.time) return usage("--for requires a level");
    return Command(std::move(f), order);
  }

 private:
  OrderFlags flags_;
  std::string wait_, timeout_;
};

}  // namespace

std::unique_ptr<CommandWords> reload_words(CLI::App& app) { return std::make_unique<OrderWords>(app, What::Reload); }
std::unique_ptr<CommandWords> drain_words(CLI::App& app) { return std::make_unique<OrderWords>(app, What::Drain); }
std::unique_ptr<CommandWords> undrain_words(CLI::App& app) { return std::make_unique<OrderWords>(app, What::Undrain); }
std::unique_ptr<CommandWords> log_level_words(CLI::App& app) {
  return std::make_unique<OrderWords>(app, What::LogLevel);
}

}  // namespace forebay::app
