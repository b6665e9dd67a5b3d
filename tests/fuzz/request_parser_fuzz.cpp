#include <cstdint>
#include <string>

#include "forebay/http/h1_parser.hpp"
#include "forebay/http/h1_writer.hpp"
#include "forebay/http/target.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

bool same_fields(http::FieldsView a, http::FieldsView b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].value != b[i].value || a[i].id != b[i].id) return false;
  }
  return true;
}

// However the bytes are cut, the verdict is one.
void check_pieces(std::string_view input, const http::HeadLimits& limits, const http::RequestParser& whole,
                  const Result<void>& verdict) {
  for (const std::size_t step : {std::size_t{1}, input.size() / 2 + 1}) {
    http::RequestParser parser(limits);
    for (std::size_t n = std::min(step, input.size());; n = std::min(n + step, input.size())) {
      const fuzz::Exact so_far(input.substr(0, step == 1 ? input.size() : n));
      const auto result = parser.parse(so_far.view().substr(0, n));
      if (!result && result.error() == Errc::Incomplete && n < input.size()) continue;
      require(result.has_value() == verdict.has_value());
      if (!result) {
        require(result.error() == verdict.error());
      } else {
        require(parser.head_size() == whole.head_size());
        require(parser.framing() == whole.framing() && parser.content_length() == whole.content_length());
        require(same_fields(parser.view().fields, whole.view().fields));
      }
      break;
    }
  }
}

// What was accepted is one message to every reader: written out anew it reads the same.
void check_accepted(const http::RequestParser& parser, std::string_view input, const http::HeadLimits& limits) {
  const http::RequestView& view = parser.view();
  const auto head = input.substr(0, parser.head_size());
  require(head.ends_with("\r\n\r\n") && parser.head_size() <= limits.head + 8);
  require(view.fields.size() <= limits.fields && view.target.size() <= limits.target);
  require(fuzz::lies_within(view.target, head) && fuzz::lies_within(view.method_text, head));
  require(http::is_token(view.method_text) && !view.target.empty());
  std::string again(view.method_text);
  again.append(" ")
      .append(view.target)
      .append(view.version == http::Version::Http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const http::Field& f : view.fields) {
    require(fuzz::lies_within(f.name, head) && fuzz::lies_within(f.value, head));
    require(http::is_token(f.name) && http::is_field_value(f.value) && http::trim(f.value) == f.value);
    require(f.id == http::field_id(f.name));
    http::append_line(again, f.name, f.value);
  }
  again.append("\r\n");
  const auto codings = view.fields.count(http::FieldId::TransferEncoding);
  const auto lengths = view.fields.count(http::FieldId::ContentLength);
  require(codings + lengths <= 1 && view.fields.count(http::FieldId::Host) <= 1);
  require(view.authority.empty() || fuzz::lies_within(view.authority, head));
  http::Target target;
  if (target.read(view.method, view.target))
    require(view.authority ==
            (target.authority().empty() ? view.fields.value(http::FieldId::Host).value_or("") : target.authority()));
  require((codings == 1) == (parser.framing() == http::Framing::Chunked));
  require(parser.framing() != http::Framing::UntilClose);
  http::RequestParser second{http::HeadLimits{SIZE_MAX / 2, SIZE_MAX / 2, SIZE_MAX}};
  require(second.parse(again).has_value());
  require(same_fields(second.view().fields, view.fields) && second.view().target == view.target);
  require(second.framing() == parser.framing() && second.content_length() == parser.content_length());
  require(second.keep_alive() == parser.keep_alive());
}

// What is told of a refused head stands in it.
void check_refused(http::RequestParser& parser, std::string_view input, const http::HeadLimits& limits) {
  parser.read_before_fault(input);
  const http::RequestView& view = parser.view();
  require(view.method_text.empty() || http::is_token(view.method_text));
  require(view.method_text.empty() || (fuzz::lies_within(view.method_text, input) &&
                                       (view.target.empty() || fuzz::lies_within(view.target, input))));
  require(view.fields.size() <= limits.fields);
  for (const http::Field& f : view.fields) {
    require(fuzz::lies_within(f.name, input) && http::is_token(f.name));
    require(http::is_field_value(f.value) && http::trim(f.value) == f.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  for (const http::HeadLimits& limits : {http::HeadLimits{}, http::HeadLimits{24, 150, 4}}) {
    http::RequestParser parser(limits);
    const auto verdict = parser.parse(input.view());
    check_pieces(input.view(), limits, parser, verdict);
    if (verdict)
      check_accepted(parser, input.view(), limits);
    else
      check_refused(parser, input.view(), limits);
  }
  return 0;
}
