// The level of the operational log.
#include <boost/json/object.hpp>
#include <string>

#include "answers.hpp"
#include "forebay/base/duration_text.hpp"
#include "forebay/base/events.hpp"
#include "forebay/config/duration.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;
using log::Level;

constexpr auto kLongest = std::chrono::hours{24 * 30};

std::optional<Level> level_of(std::string_view word) {
  for (const auto level : {Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error})
    if (log::to_string(level) == word) return level;
  return std::nullopt;
}

Answer current(const Call& call) {
  const auto left = call.admin.log.left(call.now().mono);
  return json_answer(json::object{{"level", log::to_string(log::level())},
                                  {"configured", log::to_string(call.admin.sources.runtime()->config->log.level)},
                                  {"for_s", left ? json::value(whole_seconds(*left)) : json::value(nullptr)}});
}

}  // namespace

std::optional<Answer> answer_log_level(const Call& call) { return current(call); }

std::optional<Answer> answer_log_level_change(const Call& call) {
  std::string fault;
  const auto document = read_texts(call.content, {"level", "for"}, fault);
  if (!document) return call.bad(fault);
  const auto word = document->find("level");
  const auto level = word == document->end() ? std::nullopt : level_of(word->second);
  if (!level) return call.bad("\"level\" must be trace, debug, info, warn or error.");
  std::string outcome = "level " + std::string(log::to_string(*level));
  if (const auto written = document->find("for"); written != document->end()) {
    const auto time = config::read_duration(written->second);
    if (!time || *time <= Duration{0} || *time > kLongest)
      return call.bad("\"for\" must be a duration of more than 0 and at most 30d, such as 5m.");
    call.admin.log.set_for(call.worker, *level, *time,
                           [&sources = call.admin.sources] { return sources.runtime()->config->log.level; });
    outcome += " for " + duration_text(*time);
  } else {
    call.admin.log.set(*level);
  }
  events::record(call.now().mono, events::Kind::LogLevel, "the log has the " + outcome);
  auto answer = current(call);
  answer.outcome = std::move(outcome);
  return answer;
}

}  // namespace forebay::admin
