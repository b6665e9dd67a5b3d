#include <utility>

#include "answers.hpp"
#include "forebay/config/load.hpp"
#include "query.hpp"

namespace forebay::admin {
namespace {

using Printing = std::string (*)(const config::Config&);

Answer verdict_answer(const config::TextVerdict& verdict) {
  if (verdict.given_up)
    return problem(422, "check_too_long", "The check takes too long",
                   "The text is too large or too deeply repeated to be checked here; use forebay check.", {});
  Answer answer;
  answer.body = std::string("{\"ok\":") + (verdict.ok ? "true" : "false") +
                ",\"diagnostics\":" + config::to_json(verdict.diagnostics) + '}';
  return answer;
}

}  // namespace

std::optional<Answer> answer_config(const Call& call) {
  std::string fault;
  const auto query = read_query(call.query, {"format", "source"}, fault);
  if (!query) return call.bad(fault);
  const auto format = query->find("format"), source = query->find("source");
  const bool json = format != query->end() && format->second == "json";
  const bool sources = source != query->end() && source->second == "1";
  if (format != query->end() && !json && format->second != "yaml") return call.bad("\"format\" must be yaml or json.");
  if (source != query->end() && !sources && source->second != "0") return call.bad("\"source\" must be 1 or 0.");
  const Printing plain = json ? Printing(config::print_json) : Printing(config::print);
  const Printing whole = json ? Printing(config::print_json_with_sources) : Printing(config::print_with_sources);
  Answer answer;
  if (!json) answer.content_type = "application/yaml";
  answer.body = (sources ? whole : plain)(*call.admin.sources.runtime()->config);
  return answer;
}

std::optional<Answer> answer_config_check(const Call& call) {
  const auto later = call.later();
  const bool asked = call.admin.checker.ask(std::string(call.content), [later](const config::TextVerdict& verdict) {
    later.answer(verdict_answer(verdict));
  });
  if (asked) return std::nullopt;
  auto refused = call.refuse(503, "busy", "Busy", "Another configuration is being checked; try again in a second.");
  refused.fields.add("Retry-After", "1");
  later.answer(std::move(refused));
  return std::nullopt;
}

}  // namespace forebay::admin
