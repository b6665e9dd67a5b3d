// Orders that the main thread carries out.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "forebay/base/duration_text.hpp"
#include "forebay/base/text.hpp"
#include "forebay/config/duration.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;

json::array keys(const std::vector<std::string>& paths) {
  json::array out;
  for (const auto& path : paths) out.emplace_back(as_utf8(path));
  return out;
}

/// A problem document with what a client needs to show the cause.
Answer rejected(const Reloaded& reloaded) {
  auto answer = json_answer(json::object{{"type", "urn:forebay:error:configuration_rejected"},
                                         {"title", "Configuration rejected"},
                                         {"status", 422},
                                         {"detail", "The configuration was rejected (" + as_utf8(reloaded.why) +
                                                        "); the current one stays in force."},
                                         {"code", "configuration_rejected"},
                                         {"applied", false},
                                         {"diagnostics", to_json_value(reloaded.diagnostics)}},
                            422);
  answer.content_type = "application/problem+json";
  answer.outcome = "rejected (" + reloaded.why + ')';
  return answer;
}

Answer to_answer(const Reloaded& reloaded) {
  if (!reloaded.applied) return rejected(reloaded);
  auto answer = json_answer(json::object{{"applied", true},
                                         {"diagnostics", to_json_value(reloaded.diagnostics)},
                                         {"changed", keys(reloaded.changed)},
                                         {"restart_required", keys(reloaded.restart_required)}});
  answer.outcome = "applied";
  return answer;
}

Answer stopping(const Call& call) {
  return call.refuse(409, "stopping", "The process is stopping", "Nothing has changed; a stop cannot be undone.");
}

/// For endpoints without a document.
std::optional<Answer> refuse_members(const Call& call) {
  std::string fault;
  if (!read_texts(call.content, {}, fault)) return call.bad(fault);
  return std::nullopt;
}

}  // namespace

std::optional<Answer> answer_reload(const Call& call) {
  if (auto refused = refuse_members(call)) return refused;
  call.admin.sources.orders.reload([later = call.later(), stopping = stopping(call)](const Reloaded& reloaded) {
    later.answer(reloaded.stopping ? stopping : to_answer(reloaded));
  });
  return std::nullopt;
}

std::optional<Answer> answer_drain(const Call& call) {
  std::string fault;
  const auto document = read_texts(call.content, {"delay"}, fault);
  if (!document) return call.bad(fault);
  std::optional<Duration> delay;
  if (const auto written = document->find("delay"); written != document->end()) {
    delay = config::read_duration(written->second);
    if (!delay || *delay < Duration{0} || *delay > std::chrono::hours{24})
      return call.bad("\"delay\" must be a duration of at most 24h, such as 5s.");
  }
  const auto what = delay ? "draining after " + duration_text(*delay) : std::string("draining");
  call.admin.sources.orders.drain(delay, [later = call.later(), what](bool done) {
    auto answer = json_answer(json::object{{"state", to_string(State::Draining)}}, 202);
    answer.outcome = done ? what : "the process is stopping, and drains already";
    later.answer(std::move(answer));
  });
  return std::nullopt;
}

std::optional<Answer> answer_undrain(const Call& call) {
  if (auto refused = refuse_members(call)) return refused;
  call.admin.sources.orders.undrain([later = call.later(), stopping = stopping(call)](bool done) {
    later.answer(done ? json_answer(json::object{{"state", to_string(State::Ready)}}, 202) : stopping);
  });
  return std::nullopt;
}

}  // namespace forebay::admin
