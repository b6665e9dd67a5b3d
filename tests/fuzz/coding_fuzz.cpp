#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "forebay/content/coding.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

constexpr std::size_t kLimit = 20000;

// What comes out whole comes out the same in pieces.
void check(std::string_view coding, std::string_view content, std::size_t limit) {
  std::string whole;
  const auto done = content::decode(coding, content, limit, whole);
  require(whole.size() <= limit);
  for (const std::size_t step : {std::size_t{1}, std::size_t{61}, content.size() + 1}) {
    content::Decoder decoder(coding);
    std::string out;
    Result<void> fed;
    for (std::size_t at = 0; fed && at < content.size(); at += step)
      fed = decoder.feed(content.substr(at, step), limit, out);
    require(out.size() <= limit);
    // Several members and frames are a stream, and no whole.
    if (done) require(fed && decoder.finished() && out == whole);
  }
  // More room changes nothing but what was too large.
  if (done && limit < kLimit) {
    std::string more;
    require(content::decode(coding, content, kLimit, more) && more == whole);
  }
}

// Codings of a hop: what comes out does not depend on the pieces and the room, and never more than the room at once.
void check_transfer(std::initializer_list<std::string_view> codings, std::string_view content) {
  std::string first;
  bool whole = false, begun = false;
  for (const std::size_t room : {std::size_t{4096}, std::size_t{1}, std::size_t{77}}) {
    auto decoder = content::TransferDecoder::make(codings);
    require(decoder.has_value());
    std::string out, piece(room, '\0');
    bool failed = false;
    for (std::size_t at = 0; at < content.size() && !failed && out.size() < kLimit; at += 61) {
      auto in = content.substr(at, 61);
      while (out.size() < kLimit) {
        const auto made = decoder->step(in, piece.data(), room);
        if (!made) {
          failed = true;
          break;
        }
        require(*made <= room);
        out.append(piece, 0, *made);
        if (*made < room) {
          require(in.empty());
          break;
        }
      }
    }
    if (out.size() >= kLimit) return;
    const bool done = !failed && decoder->finished();
    if (std::exchange(begun, true)) {
      require(done == whole);
      if (done) require(out == first);
    }
    whole = done;
    first = out;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  for (const char* coding : {"gzip", "deflate", "br", "zstd"}) {
    check(coding, input.view(), kLimit);
    check(coding, input.view(), 100);
  }
  check_transfer({"gzip"}, input.view());
  check_transfer({"deflate", "gzip"}, input.view());
  // The first line as a field, the rest as the content.
  const std::string_view text = input.view();
  const std::size_t end = text.find('\n');
  if (end != std::string_view::npos) {
    const auto field = text.substr(0, end);
    std::string out;
    (void)content::decode(field, text.substr(end + 1), kLimit, out);
    require(out.size() <= kLimit);
  }
  return 0;
}
