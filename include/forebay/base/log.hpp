#pragma once

#include <string>
#include <string_view>

namespace forebay::log {

/// The operational log: events for operators, never one line per request. Thread-safe; a call below the level costs one
/// load. Only this module includes spdlog.
enum class Level { Trace, Debug, Info, Warn, Error };
enum class Format { Auto, Json, Text };

struct Options {
  Level level = Level::Info;
  Format format = Format::Auto;   ///< Auto: text on a terminal, else JSON.
  std::string output = "stderr";  ///< "stderr", "stdout" or a path.
  bool operator==(const Options&) const = default;
};

/// Opens the output; throws `std::runtime_error` when a file cannot be opened. Before the first call: text on stderr.
void configure(const Options& options);
/// Reopens a file output (USR1, after rotation).
void reopen();
void set_level(Level level);
Level level();
bool enabled(Level level) noexcept;
/// Messages written so far at this level, for `forebay_log_messages_total`.
unsigned long long count(Level level) noexcept;

void write(Level level, std::string_view message);
/// The same whatever the level of the log is: for what operators have done.
void write_always(Level level, std::string_view message);
/// The last message, at level error, of a process that ends in the middle of something. Where the log's lock is not to
/// be had, the calling thread may hold it itself: then the message goes to standard error.
void write_last(std::string_view message);
inline void debug(std::string_view m) {
  if (enabled(Level::Debug)) write(Level::Debug, m);
}
inline void info(std::string_view m) {
  if (enabled(Level::Info)) write(Level::Info, m);
}
inline void warn(std::string_view m) {
  if (enabled(Level::Warn)) write(Level::Warn, m);
}
inline void error(std::string_view m) {
  if (enabled(Level::Error)) write(Level::Error, m);
}

std::string_view to_string(Level level) noexcept;

}  // namespace forebay::log
