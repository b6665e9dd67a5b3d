// `forebay tail`: requests as they end, a line each.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

#include "admin_client.hpp"
#include "flags_watch.hpp"
#include "forebay/base/terminal_text.hpp"
#include "forebay/base/text.hpp"
#include "printed_json.hpp"

namespace forebay::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPatience = 5s;
// The daemon sends a comment each 15 s.
constexpr auto kSilence = 40s;
constexpr auto kPause = 1s;
constexpr int kMostTries = 30;
constexpr std::size_t kMostEvent = std::size_t{4} * 1024 * 1024;

// What was printed is flushed line by line, so nothing is lost.
extern "C" void end_at_once(int) { ::_exit(0); }

std::string text_at(const json::value& record, const char* pointer) {
  json::error_code ec;
  const auto* found = record.find_pointer(pointer, ec);
  if (found == nullptr) return {};
  if (const auto* text = found->if_string()) return harmless({text->data(), text->size()});
  if (const auto* number = found->if_int64()) return std::to_string(*number);
  if (found->is_number()) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.3f", found->to_number<double>());
    return digits;
  }
  return {};
}

/// `TIME METHOD HOST PATH STATUS RESULT (REASON) BYTES TIME ROUTE`
std::string line_of(const std::string& data) {
  json::error_code ec;
  const auto record = json::parse(data, ec);
  if (ec) return harmless(data);
  const auto at = [&](const char* pointer) { return text_at(record, pointer); };
  const auto or_dash = [](std::string text) { return text.empty() ? "-" : text; };
  const auto ts = at("/ts");
  std::string line = (ts.size() > 23 ? ts.substr(11, 12) : or_dash(ts)) + ' ' + or_dash(at("/method")) + ' ' +
                     at("/host") + at("/path");
  if (const auto query = at("/query"); !query.empty()) line += '?' + query;
  line += ' ' + or_dash(at("/status")) + ' ' + or_dash(at("/cache/result"));
  if (const auto reason = at("/cache/reason"); !reason.empty()) line += " (" + reason + ')';
  line += ' ' + at("/bytes_out") + " B " + at("/time/total_ms") + " ms route=" + at("/route");
  if (const auto error = at("/origin/error"); !error.empty()) line += " origin_error=" + error;
  return line;
}

/// Whether a stream of the daemon may begin so. Other servers send documents.
bool may_begin_stream(std::string_view text) {
  constexpr std::string_view kBegins[] = {":", "event: ", "retry: "};
  return std::any_of(std::begin(kBegins), std::end(kBegins),
                     [&](std::string_view begin) { return begin.starts_with(text.substr(0, begin.size())); });
}

/// Makes lines of the events of a stream.
class Printer {
 public:
  explicit Printer(const TailFlags& flags) : flags_(flags) {}
  /// False when nothing more is wanted.
  bool take(std::string_view piece) {
    text_ += piece;
    is_foreign_ = !begun_ && !may_begin_stream(text_);
    if (is_foreign_) return false;
    std::size_t from = 0;
    for (auto end = text_.find("\n\n"); end != std::string::npos; end = text_.find("\n\n", from)) {
      event(std::string_view(text_).substr(from, end - from));
      from = end + 2;
      if (done_) return false;
    }
    text_.erase(0, from);
    return text_.size() <= kMostEvent;
  }
  /// Behind the end of a stream.
  void restart() { text_.clear(); }
  bool done() const { return done_; }
  bool begun() const { return begun_; }
  /// Whether what came are no events.
  bool is_foreign() const { return is_foreign_; }

 private:
  void event(std::string_view text) {
    begun_ = true;
    constexpr std::string_view kRequest = "event: request\ndata: ", kDropped = "event: dropped\ndata: {\"dropped\":";
    if (text.starts_with(kRequest)) {
      const std::string data(text.substr(kRequest.size()));
      std::cout << (!flags_.json ? line_of(data) : terminal_ ? printed_json(data) : data) << '\n' << std::flush;
      // The reader of our output may have gone.
      done_ = !std::cout || (flags_.count != 0 && ++printed_ == flags_.count);
    } else if (text.starts_with(kDropped)) {
      auto n = text.substr(kDropped.size());
      std::cerr << "forebay: " << harmless(n.substr(0, n.find('}'))) << " requests were left out\n";
    }
  }

  const TailFlags& flags_;
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::string text_;
  std::uint64_t printed_ = 0;
  bool done_ = false, begun_ = false, is_foreign_ = false;
};

std::string target_of(const TailFlags& flags) {
  std::string target = "/api/v1/requests/stream";
  for (const auto& filter : flags.filters) {
    target += target.find('?') == std::string::npos ? "?filter=" : "&filter=";
    for (const char c : filter) {
      if (is_alnum(c) || c == '.' || c == '_' || c == '-')
        target += c;
      else
        append_percent_encoded(target, static_cast<unsigned char>(c));
    }
  }
  return target;
}

}  // namespace

ExitCode tail(const TailFlags& flags) {
  ::signal(SIGINT, end_at_once);
  ::signal(SIGTERM, end_at_once);
  ::signal(SIGPIPE, SIG_IGN);
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.config, flags.admin, why);
  if (!daemon) return why;
  Printer printer(flags);
  const AdminRequest request{"GET", target_of(flags), {}};
  std::string trouble;
  for (int tries = 0; tries <= kMostTries;) {
    const auto answer = follow_admin(
        *daemon, request, net::SteadyClock::now() + kPatience, kSilence,
        [&](std::string_view piece) { return printer.take(piece); }, trouble);
    if (printer.done()) return ExitCode::Done;
    if (answer && (answer->status != 200 || !answer->is_stream || printer.is_foreign()))
      return report_refusal(*daemon, *answer);
    if (!answer && !printer.begun()) break;
    if (answer) {
      std::cerr << "forebay: the stream of " << daemon->address << " has ended; asking again\n";
      tries = 0;
    }
    ++tries;
    printer.restart();
    std::this_thread::sleep_for(kPause);
  }
  std::cerr << "forebay: " << trouble << '\n';
  return ExitCode::NotReached;
}

}  // namespace forebay::app
