#pragma once

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "forebay/base/clock.hpp"

namespace forebay::app {

/// What shows these lines and nothing else, where no line is longer than the screen is wide.
std::string screen_text(const std::vector<std::string>& lines);

/// The whole screen of the terminal on standard output, with keys from standard input. The terminal is as before once
/// it goes, also when a signal ends or suspends the process.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;

  struct Size {
    std::size_t columns, lines;
  };
  static Size size();
  void show(const std::vector<std::string>& lines) const;

  enum class Event { Key, Resized, Ended, Timeout };
  /// Waits for a key, which goes to `key`, for so long at most. `Ended`: a signal asks us to end, or nobody can type.
  Event wait(Duration most, char& key);
  /// Whether a signal asks us to end.
  static bool ended() noexcept;

 private:
  void enter() const;
  void leave() const;
  termios before_{};
};

}  // namespace forebay::app
