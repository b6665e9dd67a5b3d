// `forebay top`: what the running daemon does, on one screen.
#include <unistd.h>

#include <boost/json/object.hpp>
#include <iostream>
#include <thread>

#include "admin_client.hpp"
#include "printed_json.hpp"
#include "terminal.hpp"
#include "top_screen.hpp"

namespace forebay::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;  // for all that is read at a time
constexpr std::size_t kColumnsOnce = 120;

/// What the daemon answers. False, with why it did not in `page.trouble`, or a refusal in `refused`.
class Reader {
 public:
  explicit Reader(const DaemonPlace& daemon) : daemon_(daemon) {}

  bool read(TopPage& page) {
    const auto rows = page.view == TopView::Routes ? std::string()
                      : page.view == TopView::Keys ? "/api/v1/keys?limit=100&by=" + top_sorts(page.view)[page.sort % 4]
                                                   : "/api/v1/origins";
    refused_.reset();
    deadline_ = net::SteadyClock::now() + kPatience;
    return ask("/api/v1/status", {"version", "state"}, page.status, page) &&
           ask("/api/v1/stats?window=60s", {"state", "current"}, page.stats, page) &&
           (rows.empty() || ask(rows, {page.view == TopView::Keys ? "keys" : "origins"}, page.rows, page));
  }
  /// The answer that was none of those asked for; nothing: nobody answers.
  const std::optional<AdminAnswer>& refused() const { return refused_; }

 private:
  bool ask(const std::string& target, std::initializer_list<const char*> members, std::string& into, TopPage& page) {
    if (Terminal::ended()) return false;
    auto answer = ask_admin(daemon_, {"GET", target, {}}, deadline_, page.trouble);
    if (answer && granted(*answer, members)) {
      into = std::move(answer->body);
      page.trouble.clear();
      return true;
    }
    if (answer) page.trouble = about_refusal(daemon_, *answer);
    refused_ = std::move(answer);
    return false;
  }
  const DaemonPlace& daemon_;
  net::SteadyClock::time_point deadline_{};
  std::optional<AdminAnswer> refused_;
};

/// One document for programs: those of the admin API.
void print_json(const TopPage& page) {
  static constexpr const char* kRows[] = {"", ",\"keys\":", ",\"origins\":"};
  std::string document = "{\"status\":" + page.status + ",\"stats\":" + page.stats;
  document += kRows[static_cast<std::size_t>(page.view)];
  if (page.view != TopView::Routes) document += page.rows;
  document += '}';
  std::cout << (::isatty(STDOUT_FILENO) == 1 ? printed_json(document) : document) << '\n' << std::flush;
}

void print_text(const TopPage& page) {
  for (const auto& line : top_lines(page, kColumnsOnce, 0)) std::cout << line << '\n';
  std::cout << std::flush;
}

void choose(TopPage& page, TopView view) {
  page.view = view;
  page.sort = 0;
  page.rows.clear();
}

/// Until the user ends it.
void run_on_terminal(const TopFlags& flags, Reader& reader, TopPage& page) {
  Terminal terminal;
  auto next = net::SteadyClock::now() + flags.interval;
  while (true) {
    const auto size = Terminal::size();
    terminal.show(top_lines(page, size.columns, size.lines));
    char key = 0;
    const auto event = terminal.wait(next - net::SteadyClock::now(), key);
    if (event == Terminal::Event::Ended) return;
    bool changed = false;
    if (event == Terminal::Event::Key) {
      if (key == 'q') return;
      if (key == 'p') page.paused = !page.paused;
      changed = key == 'r' || key == 'k' || key == 'o' || key == 's';
      if (key == 's') ++page.sort;
      if (key == 'r') choose(page, TopView::Routes);
      if (key == 'k') choose(page, TopView::Keys);
      if (key == 'o') choose(page, TopView::Origins);
    }
    if (!changed && (page.paused || net::SteadyClock::now() < next)) {
      if (page.paused && net::SteadyClock::now() >= next) next = net::SteadyClock::now() + flags.interval;
      continue;
    }
    reader.read(page);
    next = net::SteadyClock::now() + flags.interval;
  }
}

/// Says why nothing could be read.
ExitCode trouble(const TopPage& page, const Reader& reader) {
  std::cerr << "forebay: " << page.trouble << '\n';
  const auto& refused = reader.refused();
  return refused ? code_of_refusal(*refused) : ExitCode::NotReached;
}

}  // namespace

ExitCode top(const TopFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return why;
  TopPage page{.address = daemon->address, .status = {}, .stats = {}, .rows = {}, .view = flags.view};
  Reader reader(*daemon);
  if (!reader.read(page)) return trouble(page, reader);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1;
  if (!flags.once && !flags.json && terminal) {
    run_on_terminal(flags, reader, page);
    return ExitCode::Done;
  }
  const auto print = flags.json ? print_json : print_text;
  print(page);
  while (flags.json && !flags.once && std::cout) {
    std::this_thread::sleep_for(flags.interval);
    if (reader.read(page))
      print(page);
    else if (const auto& refused = reader.refused(); !refused || refused->status != 503)  // which passes
      return trouble(page, reader);
  }
  return ExitCode::Done;
}

}  // namespace forebay::app
