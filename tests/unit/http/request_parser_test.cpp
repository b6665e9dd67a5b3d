#include <gtest/gtest.h>

#include <string>

#include "forebay/http/target.hpp"
#include "unit/http/request_verdict.hpp"

namespace forebay::http {
namespace {

TEST(RequestParser, AHeadBecomesViewsIntoTheBuffer) {
  const std::string bytes =
      "POST /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nX-Empty:\r\nX-Spaces: \t a  b \t\r\ncontent-LENGTH: "
      "5\r\n\r\nhello";
  RequestParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(bytes));
  const RequestView& v = p.view();
  EXPECT_EQ(v.method, Method::Post);
  EXPECT_EQ(v.method_text, "POST");
  EXPECT_EQ(v.target, "/a/b?c=d");
  EXPECT_EQ(v.version, Version::Http11);
  ASSERT_EQ(v.fields.size(), 4u);
  EXPECT_EQ(v.fields[0].id, FieldId::Host);
  EXPECT_EQ(v.fields[0].value, "shop.example");
  EXPECT_EQ(v.fields[1].value, "");
  EXPECT_EQ(v.fields[2].name, "X-Spaces");
  EXPECT_EQ(v.fields[2].value, "a  b");
  EXPECT_EQ(v.fields[3].name, "content-LENGTH");
  EXPECT_EQ(v.fields[3].id, FieldId::ContentLength);
  EXPECT_EQ(p.head_size(), bytes.size() - 5);
  EXPECT_EQ(p.framing(), Framing::Length);
  EXPECT_EQ(p.content_length(), 5u);
  EXPECT_GE(v.target.data(), bytes.data());
  EXPECT_LT(v.target.data(), bytes.data() + bytes.size());
}

TEST(RequestParser, EveryKnownFieldGetsItsNumber) {
  for (int i = 1; i < static_cast<int>(FieldId::kCount); ++i) {
    const auto id = static_cast<FieldId>(i);
    if (id == FieldId::Host || id == FieldId::ContentLength || id == FieldId::TransferEncoding) continue;
    const std::string bytes = get(std::string(field_name(id)) + ": x\r\n");
    RequestParser p(HeadLimits{});
    ASSERT_TRUE(p.parse(bytes)) << bytes;
    EXPECT_EQ(p.view().fields[1].id, id) << bytes;
  }
}

TEST(RequestParser, ReadsOnBehindAHeadThatWasTaken) {
  std::string buffer = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3";
  RequestParser p(HeadLimits{});
  for (const char* target : {"/1", "/2"}) {
    p.reset();
    ASSERT_TRUE(p.parse(buffer));
    EXPECT_EQ(p.view().target, target);
    buffer.erase(0, p.head_size());
  }
  p.reset();
  EXPECT_EQ(p.parse(buffer).error(), Errc::Incomplete);
}

TEST(RequestParser, ViewsFollowABufferThatMoved) {
  const std::string first = get("X-A: 1\r\n");
  RequestParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(first));
  const std::string second = first + "body";
  ASSERT_TRUE(p.parse(second));
  EXPECT_GE(p.view().target.data(), second.data());
  EXPECT_LT(p.view().target.data(), second.data() + second.size());
  EXPECT_EQ(p.view().fields.value("x-a"), "1");
  EXPECT_EQ(p.head_size(), first.size());
}

TEST(RequestParser, LeadingEmptyLinesAreSkippedButNotForEver) {
  expect("\r\n\r\n" + get(""), "none");
  expect("\r\n\r\n\r\n\r\n" + get(""), "none");
  expect("\r\n\r\n\r\n\r\n\r\n" + get(""), "400");
  expect("\n" + get(""), "400");
  expect("\r" + get(""), "400");
  expect(" \r\n" + get(""), "400");
  const std::string bytes = "\r\n" + get("");
  RequestParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(bytes));
  EXPECT_EQ(p.view().method_text, "GET");
  EXPECT_EQ(p.head_size(), bytes.size());
}

TEST(RequestParser, RequestLines) {
  const std::pair<std::string, const char*> rows[] = {
      {"GET / HTTP/1.1", "none"},
      {"M-SEARCH * HTTP/1.1", "none"},
      {"OPTIONS * HTTP/1.1", "none"},
      {"GET http://a/b HTTP/1.1", "none"},
      {"CONNECT a:443 HTTP/1.1", "none"},
      {"GET /a|b[1]{}\"<>^`\\ HTTP/1.1", "none"},
      {"GET / HTTP/1.2", "none"},
      {"GET / HTTP/1.9", "none"},
      {"GET / HTTP/1.0", "none"},
      {"GET / HTTP/2.0", "505"},
      {"GET / HTTP/3.0", "505"},
      {"GET / HTTP/0.9", "505"},
      {"PRI * HTTP/2.0", "505"},
      {"GET /", "400"},
      {"GET", "400"},
      {"GET / HTTP/1", "400"},
      {"GET / HTTP/1.", "400"},
      {"GET / HTTP/11", "400"},
      {"GET / HTTP/1.10", "400"},
      {"GET / HTTP/1,1", "400"},
      {"GET / http/1.1", "400"},
      {"GET / HTTPS/1.1", "400"},
      {"GET / XTTP/1.1", "400"},
      {"GET / HTTP/1.1 ", "400"},
      {"GET / HTTP/1.1x", "400"},
      {"GET / HTTP/ 1.1", "400"},
      {"GET  / HTTP/1.1", "400"},
      {"GET /  HTTP/1.1", "400"},
      {" GET / HTTP/1.1", "400"},
      {"\tGET / HTTP/1.1", "400"},
      {"GET\t/ HTTP/1.1", "400"},
      {"GET /\tHTTP/1.1", "400"},
      {"GET /a b HTTP/1.1", "400"},
      {"GET  HTTP/1.1", "400"},
      {"GE(T / HTTP/1.1", "400"},
      {"G\xC3\x89T / HTTP/1.1", "400"},
      {"\"GET\" / HTTP/1.1", "400"},
      {"GET /\x80 HTTP/1.1", "400"},
      {"GET /\xC3\xA9 HTTP/1.1", "400"},
      {"GET /#f HTTP/1.1", "400"},
      {"GET /\x7f HTTP/1.1", "400"},
      {"GET /\x01 HTTP/1.1", "400"},
      {"GET /\0 HTTP/1.1"s, "400"},
      {"GET /\r HTTP/1.1", "400"},
      {"GET / HTTP/1.1\r", "400"},
      {"GET /\n HTTP/1.1", "400"},
      {std::string(64, 'A') + " / HTTP/1.1", "none"},
      {std::string(65, 'A') + " / HTTP/1.1", "400"},
      {"\x16\x03\x01\x02", "400"},
  };
  for (const auto& [line, expected] : rows) expect(line + "\r\nHost: a\r\n\r\n", expected);
}

TEST(RequestParser, GarbageIsRefusedBeforeALineEnds) {
  EXPECT_EQ(whole("\x16\x03\x01"), "400");
  EXPECT_EQ(whole(std::string(65, 'A')), "400");
  EXPECT_EQ(whole("("), "400");
  EXPECT_EQ(whole(""), "incomplete");
  EXPECT_EQ(whole("G"), "incomplete");
  EXPECT_EQ(whole("\r"), "incomplete");
}

TEST(RequestParser, HostIsThereOnceAndGood) {
  const std::pair<std::string, const char*> rows[] = {
      {"Host: a\r\n", "none"},
      {"hOsT: example.com:8080\r\n", "none"},
      {"Host: [::1]:80\r\n", "none"},
      {"", "400"},
      {"Host: a\r\nHost: a\r\n", "400"},
      {"Host: a\r\nhost: b\r\n", "400"},
      {"Host: a\r\nX: y\r\nHOST: a\r\n", "400"},
      {"Host:\r\n", "400"},
      {"Host: \r\n", "400"},
      {"Host: a, b\r\n", "400"},
      {"Host: a,b\r\n", "400"},
      {"Host: a b\r\n", "400"},
      {"Host: a/b\r\n", "400"},
      {"Host: a@b\r\n", "400"},
      {"Host: http://a\r\n", "400"},
      {"Host: [::1\r\n", "400"},
      {"Host: ::1\r\n", "400"},
      {"Host: a:99999\r\n", "400"},
      {"Host: a:b\r\n", "400"},
      {"Host: a#b\r\n", "400"},
      {"Host: \xC3\xA9\r\n", "400"},
      {"Host: a\"b\r\n", "400"},
  };
  for (const auto& [lines, expected] : rows) expect("GET / HTTP/1.1\r\n" + lines + "\r\n", expected);
  expect("GET / HTTP/1.0\r\n\r\n", "none");
  expect("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "none");
  expect("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400");
  expect("GET / HTTP/1.0\r\nHost: [::1\r\n\r\n", "400");
  expect("GET http://a/ HTTP/1.1\r\n\r\n", "400");
}

// RFC 9112 section 3.2.2.
TEST(RequestParser, AuthorityIsThatOfTheTargetElseHost) {
  const struct {
    const char* head;
    const char* authority;
  } rows[] = {
      {"GET / HTTP/1.1\r\nHost: Shop.test:80\r\n", "Shop.test:80"},
      {"GET http://a.test:81/x?y HTTP/1.1\r\nHost: b.test\r\n", "a.test:81"},
      {"GET HTTPS://a.test?y=http://c.test/ HTTP/1.1\r\nHost: b.test\r\n", "a.test"},
      {"GET http://[::1]:8080 HTTP/1.1\r\nHost: b.test\r\n", "[::1]:8080"},
      {"GET http:///x HTTP/1.1\r\nHost: b.test\r\n", ""},
      {"GET /x?y=http://a.test/ HTTP/1.1\r\nHost: b.test\r\n", "b.test"},
      {"GET x?y=http://a.test/ HTTP/1.1\r\nHost: b.test\r\n", "b.test"},
      {"OPTIONS * HTTP/1.1\r\nHost: b.test\r\n", "b.test"},
      {"CONNECT a.test:443 HTTP/1.1\r\nHost: b.test\r\n", "b.test"},
      {"GET / HTTP/1.0\r\n", ""},
      {"GET / HTTP/1.0\r\nHost: b.test\r\n", "b.test"},
      {"GET http://a.test/ HTTP/1.0\r\n", "a.test"},
  };
  for (const auto& r : rows) {
    const std::string bytes = r.head + "\r\n"s;
    RequestParser p{HeadLimits{}};
    ASSERT_TRUE(p.parse(bytes)) << r.head;
    EXPECT_EQ(p.view().authority, r.authority) << r.head;
    Target target;
    if (target.read(p.view().method, p.view().target) && !target.authority().empty()) {
      EXPECT_EQ(p.view().authority, target.authority()) << r.head;
    }
    p.reset();
    EXPECT_EQ(p.view().authority, "");
  }
}

TEST(RequestParser, AuthorityOfARefusedHeadIsReadAsFarAsItCame) {
  const struct {
    const char* bytes;
    const char* authority;
  } rows[] = {
      {"GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\nBad Field: x\r\n\r\n", "a.test"},
      {"GET / HTTP/1.1\r\nHost: b.test\r\nBad Field: x\r\n\r\n", "b.test"},
      {"GET / HTTP/1.1\r\nBad Field: x\r\nHost: b.test\r\n\r\n", ""},
      {"no request", ""},
  };
  for (const auto& r : rows) {
    RequestParser p{HeadLimits{}};
    ASSERT_FALSE(p.parse(r.bytes)) << r.bytes;
    p.read_before_fault(r.bytes);
    EXPECT_EQ(p.view().authority, r.authority) << r.bytes;
  }
}

TEST(RequestParser, FieldLinesAreReadStrictly) {
  const std::pair<std::string, const char*> rows[] = {
      {"X: \xC3\xA9\r\n", "none"},
      {"X!#$%&'*+-.^_`|~: y\r\n", "none"},
      {"X:\r\n", "none"},
      {"X: a\tb\r\n", "none"},
      {": y\r\n", "400"},
      {"X\r\n", "400"},
      {"X y\r\n", "400"},
      {"X : y\r\n", "400"},
      {"X\xC3\xA9: y\r\n", "400"},
      {"X(: y\r\n", "400"},
      {"X@: y\r\n", "400"},
      {"X: a\rb\r\n", "400"},
      {"X: a\r\r\n", "400"},
      {"X: a\nY: b\r\n", "400"},
      {"X: a\n\r\n", "400"},
      {"X: a\n\n", "400"},
      {"X: a\0b\r\n"s, "400"},
      {"X: a\x7f\r\n", "400"},
      {"X: a\x1b\r\n", "400"},
      {"X: a\r\n b\r\n", "400"},
      {"X: a\r\n\tb\r\n", "400"},
      {"X: a\r\n \r\n", "400"},
      {"X: a\r\n\rY: b\r\n", "400"},
      {"\nX: a\r\n", "400"},
  };
  for (const auto& [lines, expected] : rows) expect(get(lines), expected);
  expect("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400");
  expect("GET / HTTP/1.1\nHost: a\n\n", "400");
  expect("GET / HTTP/1.1\r\nHost: a\n\n", "400");
  expect("GET / HTTP/1.1\r\nHost: a\r\n\n", "400");
}

TEST(RequestParser, LimitsCountBeforeTheHeadIsWhole) {
  HeadLimits limits;
  limits.target = 20;
  limits.head = 100;
  limits.fields = 3;
  expect("GET /" + std::string(19, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "none", limits);
  expect("GET /" + std::string(20, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "414", limits);
  expect("GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "414", limits);
  expect("GET /" + std::string(100000, 'a'), "414", limits);
  expect("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(68, 'a') + "\r\n\r\n", "none", limits);
  expect("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(69, 'a') + "\r\n\r\n", "431", limits);
  expect("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100000, 'a'), "431", limits);
  expect("GET / HTTP/1.1\r\nHost: a\r\nA:1\r\nB:2\r\n\r\n", "none", limits);
  expect("GET / HTTP/1.1\r\nHost: a\r\nA:1\r\nB:2\r\nC:3\r\n\r\n", "431", limits);
  expect("GET / HTTP/1.1\r\nHost: a\r\nA:1\r\nB:2\r\nC:3\r\n", "431", limits);
  limits.target = 1000;
  expect("GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "414", limits);
}

TEST(RequestParser, AHeadOfTenThousandFieldsIsRefusedAtTheLimit) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 10000; ++i) bytes += "A: b\r\n";
  EXPECT_EQ(whole(bytes), "431");
}

TEST(RequestParser, ABodyBehindTheHeadIsNotCounted) {
  EXPECT_EQ(whole(post("Content-Length: 100000\r\n") + std::string(100000, 'x')), "length 100000");
}

TEST(RequestParser, PersistenceFollowsVersionAndConnection) {
  struct Row {
    const char* version;
    const char* lines;
    bool lasts;
  };
  const Row rows[] = {{"1.1", "", true},
                      {"1.1", "Connection: close\r\n", false},
                      {"1.1", "Connection: CLOSE\r\n", false},
                      {"1.1", "Connection: x, close\r\n", false},
                      {"1.1", "Connection: x\r\nConnection: close\r\n", false},
                      {"1.1", "Connection: keep-alive, close\r\n", false},
                      {"1.1", "Connection: closed\r\n", true},
                      {"1.1", "Proxy-Connection: close\r\n", true},
                      {"1.2", "", true},
                      {"1.0", "", false},
                      {"1.0", "Connection: Keep-Alive\r\n", true},
                      {"1.0", "Connection: keep-alive, close\r\n", false},
                      {"1.0", "Proxy-Connection: keep-alive\r\n", false}};
  for (const Row& r : rows) {
    const std::string bytes = "GET / HTTP/"s + r.version + "\r\nHost: a\r\n" + r.lines + "\r\n";
    RequestParser p(HeadLimits{});
    ASSERT_TRUE(p.parse(bytes)) << bytes;
    EXPECT_EQ(p.keep_alive(), r.lasts) << bytes;
  }
}

TEST(RequestParser, ExpectationsAreKnownOrNot) {
  struct Row {
    const char* version;
    const char* lines;
    bool proceed, unknown;
  };
  const Row rows[] = {{"1.1", "", false, false},
                      {"1.1", "Expect: 100-continue\r\n", true, false},
                      {"1.1", "Expect: 100-Continue\r\n", true, false},
                      {"1.1", "Expect: 200-ok\r\n", false, true},
                      {"1.1", "Expect: 100-continue, x\r\n", true, true},
                      {"1.0", "Expect: 100-continue\r\n", false, false}};
  for (const Row& r : rows) {
    const std::string bytes = "POST / HTTP/"s + r.version + "\r\nHost: a\r\nContent-Length: 1\r\n" + r.lines + "\r\n";
    RequestParser p(HeadLimits{});
    ASSERT_TRUE(p.parse(bytes)) << bytes;
    EXPECT_EQ(p.expects_continue(), r.proceed) << bytes;
    EXPECT_EQ(p.unknown_expectation(), r.unknown) << bytes;
  }
}

TEST(RequestParser, WhatStandsBeforeAFaultCanBeRead) {
  struct Row {
    std::string bytes;
    const char *method, *target, *id;
  };
  HeadLimits limits;
  limits.target = 60;
  limits.fields = 3;
  const std::string id = "Host: a\r\nX-Request-Id: abc\r\n";
  const Row rows[] = {
      {"GET /a HTTP/1.1\r\n" + id + "bad line\r\n\r\n", "GET", "/a", "abc"},
      {"GET /a HTTP/1.1\r\n" + id + "Bad : x\r\n\r\n", "GET", "/a", "abc"},
      {"GET /a HTTP/1.1\r\n" + id + " folded\r\n\r\n", "GET", "/a", "abc"},
      {"GET /a HTTP/1.1\r\n" + id + "X: 1\nY: 2\r\n\r\n", "GET", "/a", "abc"},
      {"GET /a HTTP/1.1\r\n" + id + "A: 1\r\nB: 2\r\n\r\n", "GET", "/a", "abc"},
      {"\r\n\r\nGET /a HTTP/1.1\r\n" + id + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "GET", "/a", "abc"},
      {"GET /a HTTP/1.1\r\nbad line\r\n" + id + "\r\n", "GET", "/a", ""},
      {"GET /a HTTP/2.0\r\n" + id + "\r\n", "GET", "/a", "abc"},
      {"POST /a?b HTTP/1.1\r\nX-Request-Id: abc\r\n\r\n", "POST", "/a?b", "abc"},
      {"GET /a b HTTP/1.1\r\n" + id + "\r\n", "GET", "/a", "abc"},
      {"GET /" + std::string(60, 'a') + " HTTP/1.1\r\n" + id + "\r\n", "GET",
       "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""},
      {"GET /a HTTP/1.1\n" + id + "\r\n", "GET", "/a", ""},
      {"\x16\x03\x01 /a HTTP/1.1\r\n" + id + "\r\n", "", "", ""},
      {"garbage\r\n\r\n", "", "", ""},
  };
  for (const auto& r : rows) {
    RequestParser p(limits);
    ASSERT_FALSE(p.parse(r.bytes)) << r.bytes;
    p.read_before_fault(r.bytes);
    EXPECT_EQ(p.view().method_text, r.method) << r.bytes;
    EXPECT_EQ(p.view().target, r.target) << r.bytes;
    EXPECT_EQ(p.view().fields.value("X-Request-Id").value_or(""), r.id) << r.bytes;
  }
  RequestParser early(limits);
  EXPECT_EQ(early.parse("POST /slow HTTP/1.1\r\nHost: a\r\nX-Req").error(), Errc::Incomplete);
  early.read_before_fault("POST /slow HTTP/1.1\r\nHost: a\r\nX-Req");
  EXPECT_EQ(early.view().target, "/slow");
  EXPECT_EQ(early.view().fields.size(), 1u);
}

TEST(RequestParser, SaysThatAClientSpeaksAnotherProtocol) {
  RequestParser tls(HeadLimits{});
  ASSERT_FALSE(tls.parse("\x16\x03\x01\x02"));
  EXPECT_EQ(tls.problem(), "The client uses TLS (https), but this listener uses plain HTTP.");
  RequestParser h2(HeadLimits{});
  ASSERT_FALSE(h2.parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  EXPECT_TRUE(h2.bad_version());
  EXPECT_EQ(h2.problem(), "The client uses HTTP/2, but this listener supports only HTTP/1.1 and HTTP/1.0.");
  RequestParser other(HeadLimits{});
  ASSERT_FALSE(other.parse("GET / HTTP/3.0\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(other.problem(), "");
}

TEST(RequestParser, NothingOfOneRequestIsLeftForTheNext) {
  const std::string first = "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 9\r\nX: y\r\n\r\n";
  const std::string second = get("");
  RequestParser p(HeadLimits{});
  ASSERT_TRUE(p.parse(first));
  EXPECT_FALSE(p.keep_alive());
  p.reset();
  EXPECT_EQ(p.head_size(), 0u);
  ASSERT_TRUE(p.parse(second));
  EXPECT_TRUE(p.keep_alive());
  EXPECT_EQ(p.framing(), Framing::None);
  EXPECT_EQ(p.content_length(), 0u);
  EXPECT_EQ(p.view().fields.size(), 1u);
}

}  // namespace
}  // namespace forebay::http
