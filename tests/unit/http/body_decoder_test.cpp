#include <gtest/gtest.h>

#include <string>

#include "forebay/http/h1_parser.hpp"

namespace forebay::http {
namespace {

using std::string_literals::operator""s;

struct Outcome {
  std::string content;
  std::string end;  // "done", "more", or an error
  std::size_t consumed = 0;
  std::string trailers;
};

Outcome decode(BodyDecoder& d, const std::string& input, std::size_t piece) {
  Outcome out;
  std::string held;
  for (std::size_t at = 0; at < input.size() && !d.done();) {
    const auto n = std::min(piece, input.size() - at);
    held.append(input, at, n);
    at += n;
    while (!d.done() && !held.empty()) {
      const auto step = d.step(held);
      if (!step) {
        out.end = step.error() == Errc::TooLarge ? "too large" : "malformed";
        return out;
      }
      if (step->consumed == 0) break;
      out.content.append(step->data);
      out.consumed += step->consumed;
      held.erase(0, step->consumed);
    }
  }
  out.end = d.done() ? "done" : "more";
  for (const Field& f : d.trailers().view()) out.trailers.append(f.name).append("=").append(f.value).append(";");
  EXPECT_EQ(d.delivered(), out.content.size());
  return out;
}

Outcome chunked(const std::string& input, std::size_t piece, const HeadLimits& limits = {},
                Sender sender = Sender::Client) {
  BodyDecoder d;
  d.start(Framing::Chunked, 0, limits, sender);
  return decode(d, input, piece);
}

constexpr std::size_t kPieces[] = {1, 2, 3, 7, 100000};

TEST(BodyDecoder, ChunksAreTakenApart) {
  struct Row {
    std::string input;
    const char* content;
    const char* trailers;
  };
  const Row rows[] = {
      {"0\r\n\r\n", "", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""},
      {"A\r\n0123456789\r\n000\r\n\r\n", "0123456789", ""},
      {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
      {"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5;x\r\nhello\r\n0;y=z\r\n\r\n", "hello", ""},
      {"5 ; x = \"a;\\\"b\\\\\" ; y\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5;x=\"\xC3\xA9\ta\"\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5\t;\tx;y;z=1;w\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"0\r\nX-Sum: 1\r\nX-Other:  two words \r\n\r\n", "", "X-Sum=1;X-Other=two words;"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""},
  };
  for (const Row& r : rows) {
    for (const std::size_t piece : kPieces) {
      const Outcome out = chunked(r.input + "GET /next", piece);
      EXPECT_EQ(out.end, "done") << r.input;
      EXPECT_EQ(out.content, r.content) << r.input;
      EXPECT_EQ(out.trailers, r.trailers) << r.input;
      EXPECT_EQ(out.consumed, r.input.size()) << r.input;
    }
  }
}

TEST(BodyDecoder, MalformedChunksAreRefused) {
  for (const std::string& input : {
           "\r\n"s,
           "\n"s,
           "x\r\n"s,
           "-5\r\nhello\r\n"s,
           "+5\r\nhello\r\n"s,
           " 5\r\nhello\r\n"s,
           "0x5\r\nhello\r\n"s,
           "5\nhello\r\n0\r\n\r\n"s,
           "5\rhello\r\n"s,
           "5\r\nhello0\r\n\r\n"s,
           "5\r\nhello\n0\r\n\r\n"s,
           "5\r\nhello\r0\r\n\r\n"s,
           "5\r\nhelloX\r\n"s,
           "5\r\nhello\r\n\r\n"s,
           "5 \r\nhello\r\n"s,
           "5\t\r\nhello\r\n"s,
           "5,\r\nhello\r\n"s,
           "5;\r\nhello\r\n"s,
           "5; \r\nhello\r\n"s,
           "5;;x\r\nhello\r\n"s,
           "5;=x\r\nhello\r\n"s,
           "5;x=\r\nhello\r\n"s,
           "5;x \r\nhello\r\n"s,
           "5;x= \r\nhello\r\n"s,
           "5;x=y \r\nhello\r\n"s,
           "5;x=\"y\r\nhello\r\n0\r\n\r\n"s,
           "5;x=\"y\"z\r\nhello\r\n"s,
           "5;x=\"y\" \r\nhello\r\n"s,
           "5;x\nhello\r\n"s,
           "5;x=\"\n\"\r\nhello\r\n"s,
           "5;x=\"\\\n\"\r\nhello\r\n"s,
           "5;x=\0\r\nhello\r\n"s,
           "5;\x0bx\r\nhello\r\n"s,
           "5;x\r0\r\n"s,
           "5;a b\r\nhello\r\n"s,
           "5 5\r\nhello\r\n"s,
           "5\0\r\nhello\r\n"s,
           "00000000000000005\r\nhello\r\n"s,
           "fffffffffffffffff\r\n"s,
           "10000000000000000\r\n"s,
           "5\r\nhello\r\n0\r\nX : y\r\n\r\n"s,
           "0\r\nX\r\n\r\n"s,
           "0\r\n: y\r\n\r\n"s,
           "0\r\n X: y\r\n\r\n"s,
           "0\r\nX: y\r\n z\r\n\r\n"s,
           "0\r\nX: y\n\r\n"s,
           "0\r\n\n"s,
           "0\n\r\n"s,
           "0\r\nX: a\rb\r\n\r\n"s,
           "0\r\nX: a\0b\r\n\r\n"s,
           "0\r\nX\xC3: a\r\n\r\n"s,
       }) {
    for (const std::size_t piece : kPieces) EXPECT_EQ(chunked(input, piece).end, "malformed") << input;
  }
}

// What all other readers of answers take. A client's request with one of these is refused, as above.
TEST(BodyDecoder, AnOriginMayPadTheLineOfASizeAndTheNamesOfTrailers) {
  for (const auto& input :
       {"5 \r\nhello\r\n0\r\n\r\n"s, "5\t \r\nhello\r\n0  \r\n\r\n"s, "5;x=y \r\nhello\r\n0\r\n\r\n"s,
        "5 ; x \r\nhello\r\n0\r\n\r\n"s, "5;x=\"y\" \r\nhello\r\n0\r\n\r\n"s}) {
    for (const std::size_t piece : kPieces) {
      const Outcome out = chunked(input + "GET /next", piece, {}, Sender::Origin);
      EXPECT_EQ(out.end, "done") << input;
      EXPECT_EQ(out.content, "hello") << input;
      EXPECT_EQ(out.consumed, input.size()) << input;
      EXPECT_EQ(chunked(input, piece).end, "malformed") << input;
    }
  }
  EXPECT_EQ(chunked("0\r\nX-Sum : 1\r\n\r\n", 3, {}, Sender::Origin).trailers, "X-Sum=1;");
}

TEST(BodyDecoder, OtherFaultsOfAnOriginAreRefusedAndNamed) {
  const std::pair<std::string, const char*> rows[] = {
      {"zz\r\n", "a chunk does not start with a size of up to 16 hex digits"},
      {" 5\r\nhello\r\n", "a chunk does not start with a size of up to 16 hex digits"},
      {"5 5\r\nhello\r\n", "a chunk size is followed by more than extensions, or its line does not end in CRLF"},
      {"5\nhello\r\n", "a chunk size is followed by more than extensions, or its line does not end in CRLF"},
      {"5\r\nhello!\r\n", "a chunk is longer than its size says, or does not end in CRLF"},
      {"5\r\nhello\n0\r\n\r\n", "a chunk is longer than its size says, or does not end in CRLF"},
      {"0\r\nbad line\r\n\r\n", "a line of the trailer section is not a field"},
      {"0\r\n X: y\r\n\r\n", "a line of the trailer section is not a field"},
      {"1 " + std::string(5000, ' '), "chunk extensions are longer than 4096 bytes"},
  };
  for (const auto& [input, problem] : rows) {
    BodyDecoder d;
    d.start(Framing::Chunked, 0, {}, Sender::Origin);
    EXPECT_NE(decode(d, input, 1).end, "done") << input;
    EXPECT_EQ(d.problem(), problem) << input;
  }
}

TEST(BodyDecoder, ARefusedBodyStaysRefused) {
  BodyDecoder d;
  d.start(Framing::Chunked, 0, {});
  EXPECT_FALSE(d.step("x\r\n"));
  EXPECT_FALSE(d.step("0\r\n\r\n"));
  EXPECT_FALSE(d.done());
  EXPECT_FALSE(d.finish_at_eof());
}

TEST(BodyDecoder, ACutBodyNeverLooksComplete) {
  const std::string input = "5;x=\"y\"\r\nhello\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    BodyDecoder d;
    d.start(Framing::Chunked, 0, {});
    EXPECT_EQ(decode(d, input.substr(0, cut), 1000).end, "more") << cut;
    EXPECT_FALSE(d.finish_at_eof()) << cut;
  }
}

TEST(BodyDecoder, ExtensionsAndTrailersHaveLimits) {
  std::string small;
  for (int i = 0; i < 400; ++i) small += "1;abcdefgh\r\nx\r\n";  // 3,600 bytes of extensions
  EXPECT_EQ(chunked(small + "0\r\n\r\n", 100000).end, "done");
  EXPECT_EQ(chunked(small + small + "0\r\n\r\n", 100000).end, "too large");
  EXPECT_EQ(chunked("1;" + std::string(5000, 'x'), 1).end, "too large");
  EXPECT_EQ(chunked("1" + std::string(5000, ' '), 100).end, "too large");
  HeadLimits limits;
  limits.head = 50;
  limits.fields = 2;
  EXPECT_EQ(chunked("0\r\nA: 1\r\nB: 2\r\n\r\n", 3, limits).end, "done");
  EXPECT_EQ(chunked("0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", 3, limits).end, "too large");
  EXPECT_EQ(chunked("0\r\nA: " + std::string(100, 'x'), 3, limits).end, "too large");
  EXPECT_EQ(chunked("0\r\nA: " + std::string(100, 'x') + "\r\n\r\n", 1000, limits).end, "too large");
}

TEST(BodyDecoder, TrailersThatOnlyAHeadMayCarryAreLeftOut) {
  const Outcome out = chunked(
      "0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Kept: 1\r\nSet-Cookie: a=b\r\n"
      "Cache-Control: max-age=9\r\nAuthorization: x\r\nConnection: close\r\nContent-Type: text/html\r\nETag: "
      "\"x\"\r\n\r\n",
      7);
  EXPECT_EQ(out.end, "done");
  EXPECT_EQ(out.trailers, "X-Kept=1;ETag=\"x\";");
}

TEST(BodyDecoder, ALengthIsTakenExactly) {
  for (const std::size_t piece : kPieces) {
    BodyDecoder d;
    d.start(Framing::Length, 5, {});
    EXPECT_EQ(d.remaining(), 5u);
    const Outcome out = decode(d, "helloHTTP/1.1 200 surplus", piece);
    EXPECT_EQ(out.end, "done");
    EXPECT_EQ(out.content, "hello");
    EXPECT_EQ(out.consumed, 5u);
  }
  BodyDecoder d;
  d.start(Framing::Length, 5, {});
  EXPECT_EQ(decode(d, "hell", 2).end, "more");
  EXPECT_EQ(d.remaining(), 1u);
  EXPECT_FALSE(d.finish_at_eof());
  d.start(Framing::Length, 0, {});
  EXPECT_TRUE(d.done());
  d.start(Framing::None, 0, {});
  EXPECT_TRUE(d.done());
  EXPECT_EQ(d.step("GET /")->consumed, 0u);
}

TEST(BodyDecoder, OnlyTheEndOfTheConnectionEndsTheRest) {
  BodyDecoder d;
  d.start(Framing::UntilClose, 0, {});
  EXPECT_EQ(decode(d, "hello\r\n0\r\n\r\n", 3).content, "hello\r\n0\r\n\r\n");
  EXPECT_FALSE(d.done());
  EXPECT_TRUE(d.finish_at_eof());
  EXPECT_TRUE(d.done());
}

TEST(BodyDecoder, DataIsAViewIntoTheInput) {
  BodyDecoder d;
  d.start(Framing::Chunked, 0, {});
  const std::string input = "5\r\nhello\r\n";
  const auto step = d.step(input);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->data.data(), input.data() + 3);
  EXPECT_EQ(step->consumed, 8u);
}

TEST(BodyDecoder, StartsAnewForTheNextBody) {
  BodyDecoder d;
  d.start(Framing::Chunked, 0, {});
  EXPECT_EQ(decode(d, "1;x\r\na\r\n0\r\nT: 1\r\n\r\n", 100).trailers, "T=1;");
  d.start(Framing::Chunked, 0, {});
  const Outcome out = decode(d, "1\r\nb\r\n0\r\n\r\n", 100);
  EXPECT_EQ(out.content, "b");
  EXPECT_EQ(out.trailers, "");
}

}  // namespace
}  // namespace forebay::http
