#include "server/answer_head.hpp"

#include "forebay/base/text.hpp"
#include "forebay/http/h1_writer.hpp"
#include "forebay/http/message.hpp"

namespace forebay::server {

namespace {

bool known_empty(const http::BodyCursor& body) {
  const http::Fields* trailers = body.trailers();
  return body.known_length() == std::uint64_t{0} && (trailers == nullptr || trailers->view().empty());
}

void append_content_length(std::string& out, std::uint64_t length) {
  out += "Content-Length: ";
  append_number(out, length);
  out += "\r\n";
}

}  // namespace

AnswerFraming framing_of(const AnswerHead& head, const http::BodyCursor& body, http::Method method,
                         http::Version version) {
  using Framing = BodyWriter::Framing;
  if (method == http::Method::Head || http::never_has_content(head.status)) {
    // RFC 9110 section 8.6: a 204 never states a length; to HEAD and in a 304 it is that of the 200 to GET.
    if (head.length && head.status != 204) return {Framing::None, head.length};
    return {};
  }
  if (head.length || known_empty(body)) return {Framing::Length, head.length.value_or(0)};
  return {version == http::Version::Http10 ? Framing::UntilClose : Framing::Chunked, {}};
}

AnswerPlan append_answer_head(std::string& out, const AnswerHead& head, const http::BodyCursor& body,
                              const AnswerTo& to, std::string_view date_line) {
  using Framing = BodyWriter::Framing;
  const AnswerFraming framed = framing_of(head, body, to.method, to.version);
  AnswerPlan plan{framed.framing, 0, to.close || head.close || framed.framing == Framing::UntilClose};
  http::append_status_line(out, head.status);
  http::append_lines(out, head.fields);
  for (const auto& f : head.added) http::append_line(out, f.name, f.value);
  if (!head.has_date) out += date_line;

  if (framed.framing == Framing::Length) plan.length = *framed.stated;
  if (framed.stated) append_content_length(out, *framed.stated);
  if (framed.framing == Framing::Chunked) out += "Transfer-Encoding: chunked\r\n";

  if (plan.close) {
    out += "Connection: close\r\n";
  } else if (to.version == http::Version::Http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return plan;
}

}  // namespace forebay::server
