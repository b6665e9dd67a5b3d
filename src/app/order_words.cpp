#include "order_words.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/log.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::app {
namespace {

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

std::variant<OrderFlags, std::string> finish_order(OrderFlags::What what, OrderWords& words) {
  auto& flags = words.flags;
  flags.what = what;
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
