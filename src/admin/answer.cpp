#include "answer.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "forebay/base/text.hpp"
#include "forebay/server/problem.hpp"

namespace forebay::admin {

Answer json_answer(const boost::json::value& document, int status) {
  Answer answer;
  answer.status = status;
  answer.body = boost::json::serialize(document);
  return answer;
}

Answer problem(int status, std::string_view code, std::string_view title, std::string_view detail,
               std::string_view accept) {
  server::Problem p;
  p.status = status;
  p.code = code;
  p.title = title;
  p.detail = detail;
  auto made = server::render(p, accept);
  Answer answer;
  answer.status = status;
  answer.content_type = std::move(made.content_type);
  answer.body = std::move(made.body);
  if (answer.content_type == "application/problem+json")
    answer.body = boost::json::serialize(boost::json::object{{"type", "urn:forebay:error:" + std::string(code)},
                                                             {"title", as_utf8(title)},
                                                             {"status", status},
                                                             {"detail", as_utf8(detail)},
                                                             {"code", as_utf8(code)}}) +
                  '\n';
  return answer;
}

Answer not_allowed(std::string_view allowed, std::string_view accept) {
  auto answer = problem(405, "method_not_allowed", "Method not allowed",
                        "This path supports only " + std::string(allowed) + '.', accept);
  answer.fields.add(http::FieldId::Allow, allowed);
  return answer;
}

void send(server::Exchange& exchange, const Answer& answer) {
  http::Fields fields;
  fields.add(http::FieldId::ContentType, answer.content_type);
  fields.add(http::FieldId::CacheControl, "no-store");
  fields.add("X-Content-Type-Options", "nosniff");
  server::AnswerHead head;
  head.status = answer.status;
  head.fields = fields;
  head.added = answer.fields;
  head.length = answer.body.size();
  head.has_date = false;
  std::vector<Slice> parts;
  if (!answer.body.empty()) parts.push_back(Chunk::copy_of(answer.body)->slice());
  exchange.answer(head, http::BodyCursor(std::move(parts)));
}

}  // namespace forebay::admin
