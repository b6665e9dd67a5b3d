#include <gtest/gtest.h>

#include <initializer_list>

#include "coded.hpp"
#include "forebay/content/coding.hpp"

namespace forebay::content {
namespace {

// What comes out of `content` in pieces of `given` bytes and steps of `room` bytes; "error NAME", or "unfinished".
std::string undone(std::initializer_list<std::string_view> codings, std::string_view content, std::size_t given,
                   std::size_t room) {
  auto decoder = TransferDecoder::make(codings);
  if (!decoder) return "error " + std::string(to_string(decoder.error()));
  std::string out, piece(room, '\0');
  for (std::size_t at = 0; at < content.size(); at += given) {
    auto in = content.substr(at, given);
    for (bool more = true; more;) {
      const auto made = decoder->step(in, piece.data(), room);
      if (!made) return "error " + std::string(to_string(made.error()));
      EXPECT_LE(*made, room);
      out.append(piece, 0, *made);
      more = *made == room;
    }
    EXPECT_TRUE(in.empty());
  }
  return decoder->finished() ? out : "unfinished";
}

std::string expect_whole(std::initializer_list<std::string_view> codings, std::string_view content) {
  const auto first = undone(codings, content, content.size() + 1, 100000);
  for (const std::size_t given : {1, 7, 4096})
    for (const std::size_t room : {1, 100, 16384}) EXPECT_TRUE(undone(codings, content, given, room) == first);
  return first;
}

TEST(TransferDecoder, UndoesEachCodingAndSeveral) {
  const std::string text = "some content " + std::string(5000, 'x') + " and its end";
  EXPECT_EQ(expect_whole({"gzip"}, gzip(text)), text);
  EXPECT_EQ(expect_whole({"X-GZIP"}, gzip(text)), text);
  EXPECT_EQ(expect_whole({"deflate"}, deflated(text)), text);
  EXPECT_EQ(expect_whole({"deflate", "gzip"}, gzip(deflated(text))), text) << "the last one is undone first";
  EXPECT_EQ(expect_whole({"gzip", "gzip", "gzip"}, gzip(gzip(gzip(text)))), text);
  EXPECT_EQ(expect_whole({"gzip"}, gzip("one") + gzip("two")), "onetwo");
  EXPECT_EQ(expect_whole({}, text), text);
}

TEST(TransferDecoder, RefusesWhatItCannotUndo) {
  for (const std::string_view coding : {"compress", "x-compress", "br", "zstd", "gzip;q=1", "chunked", "identity", ""})
    EXPECT_EQ(undone({coding}, "x", 1, 1), "error " + std::string(to_string(Errc::Unsupported))) << coding;
  EXPECT_EQ(undone({"gzip", "gzip", "gzip", "gzip"}, "x", 1, 1), "error " + std::string(to_string(Errc::Unsupported)));
}

TEST(TransferDecoder, BrokenAndCutContentIsNeverFinished) {
  const std::string coded = gzip("some content");
  for (std::size_t cut = 1; cut < coded.size(); ++cut)
    EXPECT_EQ(undone({"gzip"}, std::string_view(coded).substr(0, cut), 5, 100), "unfinished") << cut;
  const std::string malformed = "error " + std::string(to_string(Errc::Malformed));
  EXPECT_EQ(undone({"gzip"}, "not gzip at all", 5, 100), malformed);
  EXPECT_EQ(undone({"deflate"}, deflated("x") + "more", 5, 100), malformed);
  EXPECT_EQ(undone({"deflate"}, raw_deflated("some content"), 5, 100), malformed);
  EXPECT_EQ(undone({"deflate", "gzip"}, gzip("not deflated"), 5, 100), malformed);
  std::string flipped = coded;
  flipped[flipped.size() - 6] ^= 1;  // of the checksum
  EXPECT_EQ(undone({"gzip"}, flipped, 5, 100), malformed);
}

}  // namespace
}  // namespace forebay::content
