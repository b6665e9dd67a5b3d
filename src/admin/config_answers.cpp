#include <boost/json/object.hpp>

#include "answers.hpp"
#include "forebay/config/load.hpp"
#include "forebay/http/target.hpp"
#include "json_text.hpp"

namespace forebay::admin {

namespace json = boost::json;

std::optional<Answer> answer_config(const Call& call) {
  std::string format = "yaml";
  http::for_each_query_pair(call.query, [&](const http::QueryPair& pair) {
    if (pair.name == "format") format = pair.value.value_or("");
  });
  if (format != "yaml" && format != "json") return call.bad("The format of the configuration is yaml or json.");
  const auto config = call.admin.sources.runtime()->config;
  Answer answer;
  if (format == "yaml") answer.content_type = "application/yaml";
  answer.body = format == "yaml" ? config::print(*config) : config::print_json(*config);
  return answer;
}

}  // namespace forebay::admin
