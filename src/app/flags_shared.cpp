#include "flags_shared.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/log.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::app {

void add_settings(CommandWords& words, RunFlags& flags, std::vector<std::string>& set) {
  words.text(
      "-c,--config", flags.config, "FILE",
      "Configuration file, - for standard input. Default: $FOREBAY_CONFIG, ./forebay.yaml, /etc/forebay/forebay.yaml.");
  words.text("--origin", flags.origin, "URL", "Origin URL. Without -c, no file is read.");
  words.text("--listen", flags.listen, "ADDR", "Address for clients (default :8080).");
  words.text("--ttl", flags.ttl, "DUR", "Lifetime of responses without one from the origin, e.g. 30s.");
  words.text("--memory", flags.memory, "SIZE", "Memory for stored responses, e.g. 512MiB or 40%.");
  words.text("--log-level", flags.log_level, "LEVEL", "trace, debug, info, warn or error.").one_of(log_levels());
  words.text("--log-format", flags.log_format, "FORMAT", "auto, json or text.").one_of(log_formats());
  words.list("--set", set, "KEY=VALUE",
             "Set one key of the configuration, e.g. routes.search.ttl.default=5s; repeatable.");
}

void add_admin_setting(CommandWords& words, RunFlags& flags) {
  words.text("--admin", flags.admin, "ADDR", "Address of the admin listener (default 127.0.0.1:8081), or off.");
}

/// The error does not repeat what is written: it may be `admin.token SECRET`.
std::optional<Said> split_settings(const std::vector<std::string>& written, RunFlags& flags) {
  for (const auto& pair : written) {
    const auto eq = pair.find('=');
    if (eq == std::string::npos || eq == 0) return usage("--set needs KEY=VALUE, such as routes.search.ttl.default=5s");
    auto key = pair.substr(0, eq);
    if (std::any_of(flags.set.begin(), flags.set.end(), [&](const auto& said) { return said.first == key; }))
      return usage("--set " + key + " is given twice; give it once");
    flags.set.emplace_back(std::move(key), pair.substr(eq + 1));
  }
  return std::nullopt;
}

std::optional<Said> take_file(const std::string& file, RunFlags& flags) {
  if (file.empty()) return std::nullopt;
  if (flags.config) return usage("the configuration file is given twice, with -c and without; give it once");
  flags.config = file;
  return std::nullopt;
}

void add_daemon(CommandWords& words, std::optional<std::string>& config, std::optional<std::string>& admin) {
  words.text("-c,--config", config, "FILE", "Configuration file with admin.listen.");
  words.text("--admin", admin, "ADDR", "Admin address. Default: $FOREBAY_ADMIN, the file, 127.0.0.1:8081.");
}

std::optional<Said> take_time(const char* flag, const std::string& text, const char* example, Duration& into) {
  const auto time = config::read_duration(text);
  if (!time || *time <= Duration{0})
    return usage(std::string(flag) + " needs a duration such as " + example + ", not \"" + text + '"');
  into = *time;
  return std::nullopt;
}

std::vector<std::string> log_levels() {
  std::vector<std::string> names;
  for (const auto level : {log::Level::Trace, log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error})
    names.emplace_back(log::to_string(level));
  return names;
}

std::vector<std::string> log_formats() { return {"auto", "json", "text"}; }

}  // namespace forebay::app
