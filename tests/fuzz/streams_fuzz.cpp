#include <cstdint>
#include <string>

#include "forebay/http/event_stream.hpp"
#include "forebay/http/websocket.hpp"
#include "invariant.hpp"

namespace {

using forebay::fuzz::require;

/// Behind which bytes there is a boundary, read byte by byte.
template <class Reader>
std::string boundaries(std::string_view bytes) {
  Reader reader;
  std::string marks;
  for (const char& c : bytes) {
    require(reader.take({&c, 1}) == 1);
    marks += reader.at_boundary() ? '|' : '.';
  }
  return marks;
}

/// It does not matter how the bytes are cut.
template <class Reader>
void check(std::string_view bytes) {
  const auto marks = boundaries<Reader>(bytes);
  for (const std::size_t piece : {std::size_t{3}, std::size_t{64}, bytes.size()}) {
    Reader reader;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto part = bytes.substr(at, piece - at % piece);
      const auto n = reader.take(part);
      require(n > 0 && n <= part.size());
      at += n;
      require(reader.at_boundary() == (marks[at - 1] == '|'));
      require(n == part.size() || reader.at_boundary());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const forebay::fuzz::Exact input(forebay::fuzz::as_text(data, size));
  check<forebay::http::WebSocketFrames>(input.view());
  check<forebay::http::EventBoundaries>(input.view());
  return 0;
}
