#include "forebay/content/coding.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "coded.hpp"

namespace forebay::content {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string decoded(std::string_view coding, std::string_view content, std::size_t limit = kMiB) {
  std::string out = "what was there before";
  const auto done = decode(coding, content, limit, out);
  EXPECT_LE(out.size(), limit);
  return done ? out : "error " + std::string(to_string(done.error()));
}
std::string error(Errc e) { return "error " + std::string(to_string(e)); }

// The same through a Decoder, in pieces of `step` bytes.
std::string streamed(std::string_view coding, std::string_view content, std::size_t step, std::size_t limit = kMiB) {
  Decoder decoder(coding);
  std::string out = "<";
  for (std::size_t at = 0; at < content.size(); at += step) {
    const auto done = decoder.feed(content.substr(at, step), limit, out);
    EXPECT_LE(out.size(), limit + 1);
    if (!done) {
      EXPECT_FALSE(decoder.finished());
      EXPECT_EQ(decoder.feed("x", limit, out).error(), done.error()) << "an error stays";
      return error(done.error());
    }
  }
  return decoder.finished() ? out.substr(1) : error(Errc::Malformed);
}

struct Sample {
  const char* coding;
  std::string (*code)(std::string_view);
};
std::string zstd_coded(std::string_view content) { return zstd(content); }
constexpr Sample kSamples[] = {{"gzip", gzip}, {"deflate", deflated}, {"br", brotli}, {"zstd", zstd_coded}};

std::vector<std::string> contents() {
  std::mt19937_64 random(7);
  std::string noise(50000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return {"",
          "a",
          R"({"a":1,"b":[2,3]})",
          std::string(100000, 'x'),
          noise,
          std::string(16384, 'y'),
          std::string(16383, 'z')};
}

TEST(Coding, OneIsKnownInAnyCaseAndMoreAreNot) {
  for (const char* field : {"gzip", "x-gzip", "GZip", " gzip ", "identity, gzip", "gzip,identity", ",gzip,,"})
    EXPECT_EQ(decoded(field, gzip("content")), "content") << field;
  for (const char* field : {"", "identity", "identity, identity", " ,"})
    EXPECT_EQ(decoded(field, "content"), "content") << field;
  for (const char* field : {"compress", "x-compress", "gzip;q=1", "gzip br", "unknown", "gzip, unknown", "gzip,gzip",
                            "gzip, identity, gzip", "gzip, br", "*", "\"gzip\"", "dcb", "aes128gcm", "gzipp"})
    EXPECT_EQ(decoded(field, gzip(gzip("content"))), error(Errc::Unsupported)) << field;
}

TEST(Coding, ContentComesOutAsItWentIn) {
  for (const Sample& sample : kSamples) {
    for (const auto& content : contents()) {
      const std::string coded = sample.code(content);
      EXPECT_TRUE(decoded(sample.coding, coded) == content) << sample.coding << ' ' << content.size();
      for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, coded.size()})
        EXPECT_TRUE(streamed(sample.coding, coded, step) == content)
            << sample.coding << ' ' << content.size() << ' ' << step;
    }
  }
  EXPECT_EQ(decoded("", "as it is"), "as it is");
  EXPECT_EQ(decoded("identity", "as it is"), "as it is");
  EXPECT_EQ(streamed("", "as it is", 3), "as it is");
}

TEST(Coding, OfSeveralNoneIsUndone) {
  // Origins differ on them: some undo the first, some the last, some all.
  const std::string content = R"({"a":1})";
  EXPECT_EQ(decoded("gzip, br", brotli(gzip(content))), error(Errc::Unsupported));
  EXPECT_EQ(decoded("gzip, gzip", gzip(gzip(content))), error(Errc::Unsupported));
  EXPECT_EQ(streamed("gzip, br", "x", 1), error(Errc::Unsupported));
  EXPECT_EQ(streamed("compress", "x", 1), error(Errc::Unsupported));
}

TEST(Coding, CutContentIsMalformed) {
  const std::string content = R"({"some":"content","of":"some","length":1})";
  for (const Sample& sample : kSamples) {
    const std::string coded = sample.code(content);
    for (std::size_t n = 0; n < coded.size(); ++n) {
      const std::vector<char> exact(coded.begin(), coded.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(decoded(sample.coding, {exact.data(), n}), error(Errc::Malformed)) << sample.coding << ' ' << n;
      EXPECT_EQ(streamed(sample.coding, {exact.data(), n}, 5), error(Errc::Malformed)) << sample.coding << ' ' << n;
    }
  }
}

TEST(Coding, BytesBehindTheEndAreMalformed) {
  const std::string content = "some content";
  using std::string_literals::operator""s;
  for (const Sample& sample : kSamples) {
    for (const auto& behind : {"x"s, "\0"s, "\0\0\0\0\0\0\0\0"s, "\x1f\x8b"s, "\x28\xB5\x2F\xFDx"s}) {
      const std::string coded = sample.code(content) + behind;
      EXPECT_EQ(decoded(sample.coding, coded), error(Errc::Malformed)) << sample.coding;
      EXPECT_EQ(streamed(sample.coding, coded, 1), error(Errc::Malformed)) << sample.coding;
      EXPECT_EQ(streamed(sample.coding, coded, coded.size()), error(Errc::Malformed)) << sample.coding;
    }
  }
}

TEST(Coding, BrokenContentIsMalformed) {
  const std::string content(1000, 'q');
  for (const Sample& sample : {kSamples[0], kSamples[1], kSamples[3]}) {  // brotli has no checksum
    std::string coded = sample.code(content);
    coded[coded.size() - 2] = static_cast<char>(coded[coded.size() - 2] ^ 1);
    EXPECT_EQ(decoded(sample.coding, coded), error(Errc::Malformed)) << sample.coding;
  }
  for (const Sample& sample : kSamples)
    EXPECT_EQ(decoded(sample.coding, "{\"a\":1,\"b\":2,\"c\":3}"), error(Errc::Malformed)) << sample.coding;
  EXPECT_EQ(decoded("deflate", raw_deflated(content)), error(Errc::Malformed)) << "deflate is the format of zlib";
  EXPECT_EQ(decoded("gzip", deflated(content)), error(Errc::Malformed));
  EXPECT_EQ(decoded("deflate", gzip(content)), error(Errc::Malformed));
}

TEST(Coding, MembersAndFramesMayFollowOneAnotherInAStream) {
  // RFC 1952 section 2.2; RFC 8878 section 3.1, with a skippable frame between.
  const std::string skippable("\x5A\x2A\x4D\x18\x03\x00\x00\x00xyz", 11);
  const std::pair<const char*, std::string> rows[] = {
      {"gzip", gzip("one ") + gzip("") + gzip("two")},
      {"gzip", gzip("one two") + gzip("")},
      {"zstd", zstd("one ") + zstd("two")},
      {"zstd", zstd("one ") + skippable + zstd("two")},
      {"zstd", skippable + zstd("one two")},
      {"zstd", zstd("one two") + skippable},
      {"zstd", zstd("one two") + zstd("")},
  };
  for (const auto& [coding, content] : rows) {
    EXPECT_EQ(streamed(coding, content, 1), "one two") << coding;
    EXPECT_EQ(streamed(coding, content, content.size()), "one two") << coding;
    EXPECT_EQ(decoded(coding, content), error(Errc::Malformed))
        << "many readers take no more than the first " << coding;
    EXPECT_EQ(decoded(coding, std::string_view(coding) == "gzip" ? gzip("one") : zstd("one")), "one")
        << "whatever was read before";
  }
  EXPECT_EQ(decoded("zstd", skippable), error(Errc::Malformed));
  EXPECT_EQ(decoded("br", brotli("one") + brotli("two")), error(Errc::Malformed));
  EXPECT_EQ(decoded("deflate", deflated("one") + deflated("two")), error(Errc::Malformed));
  EXPECT_EQ(streamed("gzip", gzip("one") + gzip("two").substr(0, 12), 1), error(Errc::Malformed));
}

TEST(Coding, OldFormatsOfZstdAreMalformed) {
  using std::string_view_literals::operator""sv;
  for (const auto magic : {"\x27\xB5\x2F\xFD"sv, "\x26\xB5\x2F\xFD"sv, "\x25\xB5\x2F\xFD"sv, "\x1E\xB5\x2F\xFD"sv})
    EXPECT_EQ(decoded("zstd", std::string(magic) + zstd("content").substr(4)), error(Errc::Malformed));
}

TEST(Coding, NothingMoreThanTheLimitComesOut) {
  const std::string content(1000, 'x');
  for (const Sample& sample : kSamples) {
    const std::string coded = sample.code(content);
    EXPECT_EQ(decoded(sample.coding, coded, 1000), content) << sample.coding;
    EXPECT_EQ(decoded(sample.coding, coded, 999), error(Errc::TooLarge)) << sample.coding;
    EXPECT_EQ(decoded(sample.coding, coded, 0), error(Errc::TooLarge)) << sample.coding;
    EXPECT_EQ(streamed(sample.coding, coded, 3, 1000), content) << sample.coding;
    EXPECT_EQ(streamed(sample.coding, coded, 3, 999), error(Errc::TooLarge)) << sample.coding;
    EXPECT_EQ(decoded(sample.coding, sample.code(""), 0), "") << sample.coding;
  }
  EXPECT_EQ(decoded("", content, 999), error(Errc::TooLarge));
  EXPECT_EQ(decoded("identity", content, 1000), content);
  EXPECT_EQ(streamed("", content, 100, 999), error(Errc::TooLarge));
}

TEST(Coding, ABombStopsAtTheLimitWhateverIsBehindIt) {
  const std::string much(64 * kMiB, '\0');
  for (const Sample& sample : kSamples) {
    const std::string bomb = sample.code(much);
    ASSERT_LT(bomb.size(), much.size() / 500);
    std::string out;
    EXPECT_EQ(decode(sample.coding, bomb, 65536, out).error(), Errc::TooLarge) << sample.coding;
    EXPECT_LE(out.size(), 65536U);
    EXPECT_LE(out.capacity(), 4 * 65536U) << sample.coding;
    // The bytes behind the limit are not even looked at.
    EXPECT_EQ(decode(sample.coding, bomb.substr(0, bomb.size() / 2), 65536, out).error(), Errc::TooLarge)
        << sample.coding;
  }
}

TEST(Coding, AWindowOfZstdAboveEightMebibytesIsTooLarge) {
  const std::string content(1000, 'x');
  EXPECT_EQ(decoded("zstd", zstd(content, 23)), content);
  EXPECT_EQ(decoded("zstd", zstd(content, 24)), error(Errc::TooLarge));
  EXPECT_EQ(decoded("zstd", zstd(content, 27)), error(Errc::TooLarge));
}

TEST(Decoder, CanBeMoved) {
  Decoder one("gzip");
  std::string out;
  const std::string coded = gzip("content");
  ASSERT_TRUE(one.feed(coded.substr(0, 9), 100, out));
  Decoder other(std::move(one));
  ASSERT_TRUE(other.feed(coded.substr(9), 100, out));
  EXPECT_TRUE(other.finished());
  EXPECT_EQ(out, "content");
}

}  // namespace
}  // namespace forebay::content
