#include "forebay/base/log.hpp"

#include <sched.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <stdexcept>

#include "forebay/base/mutex.hpp"
#include "forebay/base/output_file.hpp"
#include "forebay/base/terminal_text.hpp"
#include "forebay/base/text.hpp"

namespace forebay::log {
namespace {

constexpr std::size_t kLevels = 5;

// Messages may contain untrusted bytes: control bytes and invalid UTF-8 are replaced, so a message is always one line.
constexpr TextEscapes kLine = [] {
  TextEscapes e{{}, "\xEF\xBF\xBD"};
  for (std::size_t c = 0; c < 0x20; ++c) e.letters[c] = 'u';
  e.letters['\n'] = 'n';
  e.letters[0x7F] = 'u';
  return e;
}();

/// Text for people is read on terminals, too: also without C1 controls and marks that turn the direction of text.
std::string line_of(std::string_view message) {
  std::string line;
  append_escaped_text(line, message, kLine);
  return harmless(line);
}

struct Log {
  Mutex mutex;
  Options options FOREBAY_GUARDED_BY(mutex);
  bool json FOREBAY_GUARDED_BY(mutex) = false;
  std::unique_ptr<spdlog::logger> logger FOREBAY_GUARDED_BY(mutex);
  bool ready FOREBAY_GUARDED_BY(mutex) = false;

  std::atomic<Level> level{Level::Info};
  std::array<std::atomic<unsigned long long>, kLevels> counts{};

  void open(const Options& wanted) FOREBAY_REQUIRES(mutex);
  void put(Level at, std::string_view message) FOREBAY_REQUIRES(mutex);
};

// Never destroyed: threads may log after the statics of main are destroyed.
Log& the_log() {
  static auto* log = new Log;
  return *log;
}

spdlog::sink_ptr make_sink(const std::string& output) {
  if (output == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  // spdlog would make the directory.
  if (missing_directory(output))
    throw std::runtime_error("cannot open the log " + output + ": " + why_not_opened(output, ENOENT));
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
  } catch (const spdlog::spdlog_ex& e) {
    throw std::runtime_error("cannot open the log " + output + ": " + e.what());
  }
}

bool wants_json(const Options& options) {
  if (options.format != Format::Auto) return options.format == Format::Json;
  const bool standard = options.output == "stderr" || options.output == "stdout";
  return !standard || ::isatty(options.output == "stderr" ? STDERR_FILENO : STDOUT_FILENO) == 0;
}

void Log::open(const Options& wanted) {
  auto fresh = std::make_unique<spdlog::logger>("forebay", make_sink(wanted.output));
  json = wants_json(wanted);
  const char* pattern = json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %v";
  fresh->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  fresh->set_level(spdlog::level::trace);  // we check the level before formatting
  fresh->flush_on(spdlog::level::trace);
  logger = std::move(fresh);
  options = wanted;
  ready = true;
}

void Log::put(Level at, std::string_view message) {
  if (!ready) open(Options{.level = Level::Info, .format = Format::Text, .output = "stderr"});
  std::string line;
  if (json) {
    line.append("\"level\":\"").append(to_string(at)).append("\",\"message\":");
    append_json_string(line, message);
  } else {
    line.append(to_string(at)).append(" ");
    line += line_of(message);
  }
  logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void configure(const Options& options) {
  auto& log = the_log();
  const MutexLock lock(log.mutex);
  log.open(options);
  log.level.store(options.level, std::memory_order_relaxed);
}

void reopen() {
  auto& log = the_log();
  const MutexLock lock(log.mutex);
  if (!log.ready || log.options.output == "stderr" || log.options.output == "stdout") return;
  const auto options = log.options;
  try {
    log.open(options);
  } catch (const std::exception& e) {
    log.put(Level::Error, std::string(e.what()) + "; the open file stays in use");
  }
}

void set_level(Level level) { the_log().level.store(level, std::memory_order_relaxed); }
Level level() { return the_log().level.load(std::memory_order_relaxed); }
bool enabled(Level level) noexcept { return level >= the_log().level.load(std::memory_order_relaxed); }

unsigned long long count(Level level) noexcept {
  return the_log().counts[static_cast<std::size_t>(level)].load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) {
  if (enabled(level)) write_always(level, message);
}

void write_always(Level level, std::string_view message) {
  auto& log = the_log();
  log.counts[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  const MutexLock lock(log.mutex);
  log.put(level, message);
}

void write_last(std::string_view message) {
  auto& log = the_log();
  for (int tries = 0; tries < 10'000; ++tries, ::sched_yield()) {
    if (!log.mutex.try_lock()) continue;
    log.put(Level::Error, message);
    log.mutex.unlock();
    return;
  }
  std::string line = "forebay: ";
  line += line_of(message) + '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

std::string_view to_string(Level level) noexcept {
  switch (level) {
    case Level::Trace: return "trace";
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warn: return "warn";
    case Level::Error: return "error";
  }
  return "error";
}

}  // namespace forebay::log
