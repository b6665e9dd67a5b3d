#include "answer.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "forebay/base/text.hpp"
#include "forebay/content/encoder.hpp"
#include "forebay/server/problem.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

/// Shorter contents fit in a packet or two.
constexpr std::size_t kLeastCoded = 2048;

bool append_gzip(std::string_view text, std::string& out) {
  const auto encoder = content::Encoder::make(content::Compression::Gzip, text.size());
  if (!encoder) return false;
  char piece[16384];
  for (bool ending = false;;) {
    const auto made = ending ? encoder->finish(piece, sizeof piece) : encoder->take(text, piece, sizeof piece);
    if (!made) return false;
    out.append(piece, *made);
    if (*made == sizeof piece) continue;
    if (ending) return true;
    ending = true;
  }
}

}  // namespace

Answer json_answer(const boost::json::value& document, int status) {
  Answer answer;
  answer.status = status;
  answer.body = with_plain_numbers(boost::json::serialize(document));
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

void send(server::Exchange& exchange, const Answer& answer, bool gzip) {
  std::string body;
  const bool may_be_coded = answer.body.size() >= kLeastCoded;
  const bool coded = may_be_coded && gzip && append_gzip(answer.body, body);
  const auto& sent = coded ? body : answer.body;
  http::Fields fields;
  fields.add(http::FieldId::ContentType, answer.content_type);
  fields.add(http::FieldId::CacheControl, "no-store");
  fields.add("X-Content-Type-Options", "nosniff");
  if (may_be_coded) fields.add(http::FieldId::Vary, "Accept-Encoding");
  if (coded) fields.add(http::FieldId::ContentEncoding, "gzip");
  server::AnswerHead head;
  head.status = answer.status;
  head.fields = fields;
  head.added = answer.fields;
  head.has_date = false;
  if (answer.stream) {
    exchange.end_is_leaving();
    return exchange.answer(head, http::BodyCursor(answer.stream));
  }
  head.length = sent.size();
  std::vector<Slice> parts;
  if (!sent.empty()) parts.push_back(Chunk::copy_of(sent)->slice());
  exchange.answer(head, http::BodyCursor(std::move(parts)));
}

}  // namespace forebay::admin
