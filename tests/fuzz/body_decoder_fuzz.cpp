#include <cstdint>
#include <string>

#include "forebay/http/h1_parser.hpp"
#include "forebay/http/h1_writer.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

struct Outcome {
  std::string content;
  std::string trailers;
  std::size_t consumed = 0;
  bool done = false;
  std::optional<Errc> error;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view input, std::size_t piece, http::Sender sender) {
  http::BodyDecoder decoder;
  decoder.start(http::Framing::Chunked, 0, http::HeadLimits{100, 200, 4}, sender);
  Outcome out;
  for (std::size_t seen = 0; !decoder.done() && !out.error;) {
    seen = std::min(input.size(), seen + piece);
    const fuzz::Exact held(input.substr(out.consumed, seen - out.consumed));
    std::size_t at = 0;
    while (!decoder.done()) {
      const auto step = decoder.step(held.view().substr(at));
      if (!step) {
        out.error = step.error();
        require(!decoder.problem().empty());
        break;
      }
      require(step->consumed <= held.view().size() - at && fuzz::lies_within(step->data, held.view()));
      require(step->data.size() <= step->consumed);
      if (step->consumed == 0) break;
      at += step->consumed;
      out.content.append(step->data);
    }
    out.consumed += at;
    if (seen == input.size()) break;
  }
  out.done = decoder.done();
  require(decoder.delivered() == out.content.size());
  if (out.error) out.consumed = 0;  // how far an error was seen depends on the pieces
  for (const http::Field& f : decoder.trailers().view()) {
    require(http::is_token(f.name) && http::is_field_value(f.value));
    require(f.id != http::FieldId::ContentLength && f.id != http::FieldId::TransferEncoding);
    http::append_line(out.trailers, f.name, f.value);
  }
  return out;
}

void check(std::string_view input, http::Sender sender) {
  const Outcome whole = decode(input, input.size() + 1, sender);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, input.size() / 2 + 1})
    require(decode(input, piece, sender) == whole);
  // What is taken of a client is taken of an origin, and means the same.
  if (sender == http::Sender::Client && whole.done) require(decode(input, 2, http::Sender::Origin) == whole);
  if (!whole.done) return;
  // Whatever was taken apart can be put together again, and says the same.
  std::string again;
  if (!whole.content.empty()) {
    http::append_chunk_size(again, whole.content.size());
    again.append(whole.content).append("\r\n");
  }
  again.append("0\r\n").append(whole.trailers).append("\r\n");
  const Outcome second = decode(again, again.size(), http::Sender::Client);
  require(second.done && second.content == whole.content && second.trailers == whole.trailers);
  require(second.consumed == again.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::as_text(data, size);
  check(input, http::Sender::Client);
  check(input, http::Sender::Origin);
  return 0;
}
