#include <cstdint>
#include <string>

#include "forebay/http/h1_parser.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

void check_pieces(std::string_view input, const http::HeadLimits& limits, http::Method method,
                  const http::ResponseParser& whole, const Result<void>& verdict) {
  http::ResponseParser parser(limits);
  parser.answer_to(method);
  for (std::size_t n = std::min<std::size_t>(1, input.size());; ++n) {
    const auto result = parser.parse(input.substr(0, n));
    if (!result && result.error() == Errc::Incomplete && n < input.size()) continue;
    require(result.has_value() == verdict.has_value());
    if (!result) {
      require(result.error() == verdict.error());
      require(parser.problem() == whole.problem());
      return;
    }
    require(parser.head_size() == whole.head_size() && parser.view().status == whole.view().status);
    require(parser.framing() == whole.framing() && parser.content_length() == whole.content_length());
    require(parser.declared_length() == whole.declared_length() && parser.other_coding() == whole.other_coding());
    require(parser.keep_alive() == whole.keep_alive());
    return;
  }
}

void check_accepted(const http::ResponseParser& parser, std::string_view input, http::Method method) {
  const http::ResponseView& view = parser.view();
  const auto head = input.substr(0, parser.head_size());
  require((head.ends_with("\r\n\r\n") || head.ends_with("\n\n")) && view.status >= 100 && view.status <= 999);
  for (const http::Field& f : view.fields) {
    // A value that stood on several lines is the parser's own, and frames nothing.
    const bool framing = f.id == http::FieldId::ContentLength || f.id == http::FieldId::TransferEncoding;
    require(fuzz::lies_within(f.name, head) && (!framing || fuzz::lies_within(f.value, head)));
    require(http::is_token(f.name) && http::is_field_value(f.value));
  }
  const bool coded = view.fields.has(http::FieldId::TransferEncoding);
  require(!(coded && parser.declared_length()));
  if (method == http::Method::Head || http::never_has_content(view.status)) {
    require(parser.framing() == http::Framing::None);
  } else if (parser.framing() == http::Framing::Length) {
    require(parser.declared_length() == parser.content_length());
  }
  if (parser.framing() == http::Framing::UntilClose) require(!parser.keep_alive());
  if (parser.framing() == http::Framing::Chunked) require(coded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  for (const http::Method method : {http::Method::Get, http::Method::Head}) {
    for (const http::HeadLimits& limits : {http::HeadLimits{}, http::HeadLimits{1, 150, 4}}) {
      http::ResponseParser parser(limits);
      parser.answer_to(method);
      const auto verdict = parser.parse(input.view());
      check_pieces(input.view(), limits, method, parser, verdict);
      if (verdict) check_accepted(parser, input.view(), method);
      if (!verdict && verdict.error() != Errc::Incomplete) require(!parser.problem().empty());
    }
  }
  return 0;
}
