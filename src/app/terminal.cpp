#include "terminal.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace forebay::app {
namespace {

// What the handlers have seen. A signal ends `poll`.
volatile sig_atomic_t g_ended = 0, g_resized = 0, g_suspended = 0;

extern "C" void on_terminal_signal(int signal) {
  if (signal == SIGWINCH)
    g_resized = 1;
  else if (signal == SIGTSTP)
    g_suspended = 1;
  else
    g_ended = 1;
}

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};

void write_all(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

Terminal::Terminal() {
  ::tcgetattr(STDIN_FILENO, &before_);
  struct sigaction action {};
  action.sa_handler = on_terminal_signal;
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);
  enter();
}

Terminal::~Terminal() {
  leave();
  for (const int signal : kSignals) ::signal(signal, SIG_DFL);
}

// The other screen, no cursor, and no new line at the right edge.
void Terminal::enter() const {
  auto raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  write_all("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J");
}

void Terminal::leave() const {
  write_all("\x1b[?7h\x1b[?25h\x1b[?1049l");
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

Terminal::Size Terminal::size() {
  winsize now{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 || now.ws_col == 0 || now.ws_row == 0) return {80, 24};
  return {now.ws_col, now.ws_row};
}

// What was there is erased before a line is written: behind a line as wide as the screen the cursor stands on its last
// character.
std::string screen_text(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i)
    text.append(i == 0 ? "" : "\r\n").append(i + 1 == lines.size() ? "\x1b[J" : "\x1b[K").append(lines[i]);
  return text;
}

void Terminal::show(const std::vector<std::string>& lines) const { write_all(screen_text(lines)); }

bool Terminal::ended() noexcept { return g_ended != 0; }

Terminal::Event Terminal::wait(Duration most, char& key) {
  if (ended()) return Event::Ended;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(std::max(most, Duration{0})).count();
  const int n = ::poll(&input, 1, static_cast<int>(std::min<long>(milliseconds, 60'000)));
  if (ended()) return Event::Ended;
  if (g_suspended != 0) {
    g_suspended = 0;
    leave();
    ::raise(SIGSTOP);
    enter();
    return Event::Resized;
  }
  if (g_resized != 0) {
    g_resized = 0;
    return Event::Resized;
  }
  if (n <= 0) return Event::Timeout;
  return ::read(STDIN_FILENO, &key, 1) == 1 ? Event::Key : Event::Ended;
}

}  // namespace forebay::app
