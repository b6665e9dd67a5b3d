// What has happened to the process.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "answers.hpp"
#include "forebay/base/events.hpp"
#include "forebay/base/text.hpp"
#include "json_text.hpp"
#include "query.hpp"

namespace forebay::admin {

namespace json = boost::json;

std::optional<Answer> answer_events(const Call& call) {
  std::string fault;
  const auto query = read_query(call.query, {"limit"}, fault);
  if (!query) return call.bad(fault);
  const auto asked = query->find("limit");
  const auto limit = asked == query->end() ? std::optional(100U) : read_count(asked->second, 1, events::kMost);
  if (!limit) return call.bad("\"limit\" must be a number between 1 and " + std::to_string(events::kMost) + '.');
  const auto now = call.now();
  json::array list;
  for (const auto& event : events::latest(*limit)) {
    // The wall clock may have been set since.
    const auto wall = now.wall - (now.mono - event->at);
    list.push_back(json::object{{"id", event->id},
                                {"at", time_text(std::chrono::duration_cast<Seconds>(wall.time_since_epoch()).count())},
                                {"kind", events::to_string(event->kind)},
                                {"text", as_utf8(event->text)},
                                {"detail", json::parse('{' + event->details + '}')}});
  }
  return json_answer(json::object{{"events", std::move(list)}});
}

}  // namespace forebay::admin
