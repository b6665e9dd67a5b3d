#include <gtest/gtest.h>

#include <string>

#include "forebay/http/h1_parser.hpp"

namespace forebay::http {
namespace {

using std::string_literals::operator""s;

std::string verdict(const Result<void>& result, const ResponseParser& p) {
  if (!result) {
    switch (result.error()) {
      case Errc::Incomplete: return "incomplete";
      case Errc::Malformed: return "malformed";
      case Errc::Ambiguous: return "ambiguous";
      case Errc::HeaderTooLarge: return "too large";
      default: return "another error";
    }
  }
  const std::string other = p.other_coding() ? " other" : "";
  switch (p.framing()) {
    case Framing::None: return "none" + other;
    case Framing::Length: return "length " + std::to_string(p.content_length()) + other;
    case Framing::Chunked: return "chunked" + other;
    case Framing::UntilClose: return "close" + other;
  }
  return "?";
}

void expect(const std::string& bytes, const std::string& expected, Method method = Method::Get,
            HeadLimits limits = {}) {
  ResponseParser p(limits);
  p.answer_to(method);
  EXPECT_EQ(verdict(p.parse(bytes), p), expected) << bytes;
  for (const std::size_t step : {1u, 3u, 16u}) {
    ResponseParser pieces(limits);
    pieces.answer_to(method);
    for (std::size_t n = step;; n += step) {
      const std::string so_far = bytes.substr(0, n);
      const auto result = pieces.parse(so_far);
      if (!result && result.error() == Errc::Incomplete && n < bytes.size()) continue;
      EXPECT_EQ(verdict(result, pieces), expected) << step << " at a time: " << bytes;
      break;
    }
  }
}

std::string ok(const std::string& lines) { return "HTTP/1.1 200 OK\r\n" + lines + "\r\n"; }

TEST(ResponseParser, AHeadBecomesViewsIntoTheBuffer) {
  const std::string bytes = ok("Content-Length: 3\r\nETag: \"x\"\r\n") + "abc";
  ResponseParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(bytes));
  EXPECT_EQ(p.view().status, 200);
  EXPECT_EQ(p.view().version, Version::Http11);
  EXPECT_EQ(p.view().fields.value(FieldId::ETag), "\"x\"");
  EXPECT_EQ(p.head_size(), bytes.size() - 3);
  EXPECT_TRUE(p.keep_alive());
}

TEST(ResponseParser, StatusLines) {
  const std::pair<std::string, const char*> rows[] = {
      {"HTTP/1.1 200 OK", "close"},        {"HTTP/1.1 200 ", "close"},
      {"HTTP/1.1 200", "close"},           {"HTTP/1.1 200 Caf\xC3\xA9 \t!", "close"},
      {"HTTP/1.1 299 Odd", "close"},       {"HTTP/1.1 599 Odd", "close"},
      {"HTTP/1.1 999 Odd", "close"},       {"HTTP/1.0 200 OK", "close"},
      {"HTTP/1.3 200 OK", "close"},        {"HTTP/1.1 100 Continue", "none"},
      {"HTTP/1.1 099 Odd", "malformed"},   {"HTTP/1.1 20 OK", "malformed"},
      {"HTTP/1.1 2000 OK", "malformed"},   {"HTTP/1.1 2x0 OK", "malformed"},
      {"HTTP/1.1 200OK", "malformed"},     {"HTTP/1.1  200 OK", "malformed"},
      {"HTTP/1.1 -20 OK", "malformed"},    {"HTTP/1.1 200 O\x01K", "malformed"},
      {"HTTP/1.1 200 O\0K"s, "malformed"}, {"HTTP/1.1 200 O\rK", "malformed"},
      {"HTTP/1.1", "malformed"},           {"HTTP/2.0 200 OK", "malformed"},
      {"HTTP/0.9 200 OK", "malformed"},    {"http/1.1 200 OK", "malformed"},
      {"ICY 200 OK", "malformed"},         {"", "malformed"},
      {" HTTP/1.1 200 OK", "malformed"},   {"<html>", "malformed"},
  };
  for (const auto& [line, expected] : rows) expect(line + "\r\n\r\n", expected);
}

// RFC 9112 sections 2.2, 5.1 and 5.2: what a proxy mends in an answer, and what it does not.
TEST(ResponseParser, BlanksBeforeAColonAreRemoved) {
  const std::string bytes = ok("Content-Length : 3\r\nX-Two \t : a b \r\n");
  ResponseParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(bytes)) << p.problem();
  EXPECT_EQ(p.content_length(), 3u);
  EXPECT_EQ(p.framing(), Framing::Length);
  ASSERT_EQ(p.view().fields.size(), 2u);
  EXPECT_EQ(p.view().fields.begin()[1].name, "X-Two");
  EXPECT_EQ(p.view().fields.begin()[1].value, "a b");
  expect(ok("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n"), "ambiguous");
  expect(ok("Content-Length\t: 3\r\nContent-Length : 4\r\n"), "ambiguous");
}

TEST(ResponseParser, FoldedValuesBecomeOneLine) {
  const std::string bytes = ok("X: a\r\n b\r\n\t c \r\nY:\r\n z\r\nX: d\r\n");
  ResponseParser p(HeadLimits{});
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(p.parse(bytes)) << p.problem();
    ASSERT_EQ(p.view().fields.size(), 3u);
    EXPECT_EQ(p.view().fields.begin()[0].value, "a b c");
    EXPECT_EQ(p.view().fields.begin()[1].value, "z");
    EXPECT_EQ(p.view().fields.begin()[2].value, "d");
  }
  for (const auto* lines : {"Content-Length: 1\r\n 0\r\n", "Content-Length:\r\n 10\r\n",
                            "Transfer-Encoding:\r\n chunked\r\n", " X: a\r\n", "X: a\r\n \r\n", "X: a\r\n b\x01\r\n"})
    expect(ok(lines), "malformed");
}

TEST(ResponseParser, LfAloneEndsLinesOnlyWhereItEndsAll) {
  expect("HTTP/1.1 200 OK\n\n", "close");
  expect("HTTP/1.1 200 OK\nContent-Length: 3\nX: y\n\nabc", "length 3");
  for (const auto* head :
       {"HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\n\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\r\n",
        "HTTP/1.1 200 OK\nX: a\rb\n\n", "HTTP/1.1 200 OK\r\n\n"})
    expect(head, "malformed");
}

TEST(ResponseParser, WhatIsRefusedNamesLineAndRule) {
  const std::pair<std::string, const char*> rows[] = {
      {"HTTP/1.1 200 OK\r\nA: b\r\nA Field Of Mine: x\r\n\r\n", "line 3: field name has a space or tab at byte 2"},
      {"HTTP/1.1 200 OK\r\nX-Fifteen-bytes- y: x\r\n\r\n", "line 2: field name has a space or tab at byte 17"},
      {"HTTP/1.1 200 OK\r\nX(y): x\r\n\r\n", "line 2: field name has the byte 0x28 at byte 2"},
      {"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s, "line 2: field value has the byte 0x00 at byte 5"},
      {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "line 2: field has no colon"},
      {"HTTP/1.1 200 OK\r\n : x\r\n\r\n", "line 2: starts with a space or tab before any field"},
      {"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "line 2: field has no name"},
      {"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "line 2: ends in LF only, unlike the first line"},
      {"HTTP/1.1 200 O\x01\r\n\r\n", "line 1: reason phrase has the byte 0x01 at byte 15"},
      {"HTTP/1.1 20 OK\r\n\r\n", "line 1: has no three-digit status after one space"},
      {"garbage\r\n\r\n", "line 1: does not start with HTTP/1.x"},
      {"\r\n", "line 1: is empty instead of a status line"},
      {ok("Content-Length: 3\r\nContent-Length: 4\r\n"), "Content-Length: has two values"},
      {ok("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
       "Transfer-Encoding: appears together with Content-Length"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: appears in an HTTP/1.0 response"},
  };
  for (const auto& [bytes, problem] : rows) {
    ResponseParser p(HeadLimits{});
    EXPECT_FALSE(p.parse(bytes)) << bytes;
    EXPECT_EQ(p.problem(), problem) << bytes;
  }
}

TEST(ResponseParser, FramingFollowsRfc9112) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "close"},
      {"Content-Length: 0\r\n", "length 0"},
      {"Content-Length: 10\r\n", "length 10"},
      {"Content-Length: 10, 10\r\n", "length 10"},
      {"Content-Length: 10\r\nContent-Length: 10\r\n", "length 10"},
      {"Content-Length: 10, 11\r\n", "ambiguous"},
      {"Content-Length: 10\r\nContent-Length: 11\r\n", "ambiguous"},
      {"Content-Length: +10\r\n", "malformed"},
      {"Content-Length: -1\r\n", "malformed"},
      {"Content-Length: 0x10\r\n", "malformed"},
      {"Content-Length: ten\r\n", "malformed"},
      {"Content-Length:\r\n", "malformed"},
      {"Content-Length: 99999999999999999999\r\n", "malformed"},
      {"Transfer-Encoding: chunked\r\n", "chunked"},
      {"Transfer-Encoding: Chunked\r\n", "chunked"},
      {"Transfer-Encoding: gzip, chunked\r\n", "chunked other"},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "chunked other"},
      {"Transfer-Encoding: gzip\r\n", "close other"},
      {"Transfer-Encoding: identity\r\n", "close other"},
      {"Transfer-Encoding: xchunked\r\n", "close other"},
      {"Transfer-Encoding: chunked, gzip\r\n", "close other"},
      {"Transfer-Encoding: x;a=b\r\n", "close other"},
      {"Transfer-Encoding: chunked, chunked\r\n", "ambiguous"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "ambiguous"},
      {"Transfer-Encoding: chunked;x=y\r\n", "malformed"},
      {"Transfer-Encoding: \"chunked\"\r\n", "malformed"},
      {"Transfer-Encoding: a b\r\n", "malformed"},
      {"Transfer-Encoding:\r\n", "malformed"},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "ambiguous"},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "ambiguous"},
      {"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n", "ambiguous"},
      {"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "ambiguous"},
      {"Content-Length : 5\r\n", "length 5"},
      {" Content-Length: 5\r\n", "malformed"},
      {"X: a\r\n b\r\n", "close"},
      {"X: a\nContent-Length: 5\r\n", "malformed"},
      {"X: a\rb\r\n", "malformed"},
      {"X: a\0b\r\n"s, "malformed"},
  };
  for (const auto& [lines, expected] : rows) expect(ok(lines), expected);
  expect("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "ambiguous");
}

TEST(ResponseParser, SomeAnswersNeverHaveContent) {
  expect(ok("Content-Length: 10\r\n"), "none", Method::Head);
  expect(ok("Transfer-Encoding: chunked\r\n"), "none", Method::Head);
  expect(ok(""), "none", Method::Head);
  for (const char* status : {"100", "101", "103", "204", "304"}) {
    expect("HTTP/1.1 "s + status + " X\r\nContent-Length: 10\r\n\r\n", "none");
  }
  const std::string bytes = "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n";
  ResponseParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(bytes));
  EXPECT_EQ(p.declared_length(), 10u);
  EXPECT_TRUE(p.keep_alive());
}

TEST(ResponseParser, PersistenceFollowsVersionConnectionAndFraming) {
  const std::pair<std::string, bool> rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\n", false},
      {"HTTP/1.1 200 OK\r\n\r\n", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", true},
  };
  for (const auto& [bytes, lasts] : rows) {
    ResponseParser p(HeadLimits{});
    ASSERT_TRUE(p.parse(bytes)) << bytes;
    EXPECT_EQ(p.keep_alive(), lasts) << bytes;
  }
}

TEST(ResponseParser, AHeadWithoutEndIsRefusedAtTheLimit) {
  HeadLimits limits;
  limits.head = 100;
  limits.fields = 2;
  expect("HTTP/1.1 200 " + std::string(1000, 'x'), "too large", Method::Get, limits);
  expect("HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x'), "too large", Method::Get, limits);
  expect(ok("A: 1\r\nB: 2\r\nC: 3\r\n"), "too large", Method::Get, limits);
  expect(ok("A: 1\r\nB: 2\r\n"), "close", Method::Get, limits);
}

TEST(ResponseParser, ATargetLimitIsNoneOfItsBusiness) {
  HeadLimits limits;
  limits.target = 4;
  expect("HTTP/1.1 200 a-long-reason-phrase-of-no-use-to-anybody-at-all-but-longer-than-a-method\r\n\r\n", "close",
         Method::Get, limits);
}

TEST(ResponseParser, InterimAndFinalAnswersAreReadOneAfterTheOther) {
  std::string buffer = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("Content-Length: 2\r\n") + "hi";
  ResponseParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(buffer));
  EXPECT_EQ(p.view().status, 103);
  buffer.erase(0, p.head_size());
  p.reset();
  ASSERT_TRUE(p.parse(buffer));
  EXPECT_EQ(p.view().status, 200);
  EXPECT_EQ(p.content_length(), 2u);
  EXPECT_EQ(p.view().fields.value(FieldId::Link), std::nullopt);
}

}  // namespace
}  // namespace forebay::http
