#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "answers.hpp"
#include "forebay/admin/explain.hpp"

namespace forebay::admin {
namespace {

/// For each url of the origin that is out of use.
void note_urls(const upstream::OriginState& origin, std::vector<std::string>& notes) {
  std::size_t down = 0;
  for (std::size_t i = 0; i < origin.urls(); ++i) {
    const auto why = origin.why_down(i);
    if (why.empty()) continue;
    ++down;
    notes.push_back(origin.url(i) + " of the origin " + origin.config().name + " is out of use: " + std::string(why));
  }
  if (down == 0 || origin.urls() == 1) return;
  notes.push_back(std::to_string(origin.urls() - down) + " of " + std::to_string(origin.urls()) + " urls of " +
                  origin.config().name + " are in use");
}

}  // namespace

std::optional<Answer> answer_explain(const Call& call) {
  if (const auto id = id_to_explain(call.content)) return explain_recent(call, *id);
  const auto& sources = call.admin.sources;
  const auto read = read_explain_request(call.content);
  if (const auto* fault = std::get_if<std::string>(&read)) return call.bad(*fault);
  const auto runtime = sources.runtime();
  const auto& request = std::get<proxy::ExplainRequest>(read);
  if (const auto why = proxy::unsendable(request); !why.empty())
    return call.bad("This request cannot be sent: " + std::string(why) + '.');
  auto explained =
      proxy::explain(request, {*runtime->config, runtime->routes, &sources.shared.store, &sources.shared, call.now()});
  if (!explained) return call.bad("This request cannot be sent.");
  const auto& name = explained->route ? explained->route->origin : runtime->config->default_origin;
  if (const auto origin = runtime->origins.find(name); origin != runtime->origins.end())
    note_urls(*origin->second, explained->notes);
  Answer a;
  a.body = to_json(*explained);
  return a;
}

}  // namespace forebay::admin
