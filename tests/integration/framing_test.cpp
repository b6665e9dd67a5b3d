// Every ambiguous message is refused with 400 and close, and nothing is ever smuggled. RFC 9112.
#include <random>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Framing : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received&) { return Reply().body("x"); });
    start();
  }
  // Answered `status`, the connection closed, and the origin untouched.
  void refused(const std::string& bytes, int status = 400) {
    const auto before = origin.count();
    auto c = connect();
    c.send(bytes);
    const auto a = c.read();
    EXPECT_EQ(a.status, status) << bytes.substr(0, 200) << "\n->\n" << a;
    EXPECT_TRUE(a.complete()) << a.complaint;
    EXPECT_EQ(c.pending(), "") << "nothing behind the refusal";
    EXPECT_TRUE(c.closed()) << bytes.substr(0, 200);
    EXPECT_EQ(origin.count(), before) << bytes.substr(0, 200);
  }
  void accepted(const std::string& bytes) {
    const auto a = send_raw(bytes);
    EXPECT_EQ(a.status, 200) << bytes.substr(0, 200) << "\n->\n" << a;
  }
  static std::string post(const std::string& fields, const std::string& body = "") {
    return "POST /p HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n" + body;
  }
};

const char* const kEvil = "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n";

TEST_F(Framing, AmbiguousLengthsAreRefused) {
  const std::string chunked = "1\r\nx\r\n0\r\n\r\n";
  for (const std::string fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
           "Transfer-Encoding:\r\n chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           " Transfer-Encoding: chunked\r\n",
           "Transfer-Encoding: \x0b"
           "chunked\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
           "Transfer-Encoding: chunked;q=1\r\n",
           "Transfer-Encoding: xchunked, chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5, 6\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length: 5.0\r\n",
           "Content-Length: \r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Content-Length: 18446744073709551616\r\n",
           "Content-Length : 5\r\n",
           "Content-Length: 5\r\n 6\r\n",
           "Content-Length: 5\nTransfer-Encoding: chunked\r\n",
           "Content_Length: 1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
       })
    refused(post(fields, chunked + kEvil));
}

TEST_F(Framing, UnknownCodingsAre501OrRefused) {
  for (const std::string fields :
       {"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: cow\r\n", "Transfer-Encoding: gzip\r\n"}) {
    const auto before = origin.count();
    auto c = connect();
    c.send(post(fields, std::string("0\r\n\r\n") + kEvil));
    const auto a = c.read();
    EXPECT_THAT(a.status, AnyOf(400, 501)) << fields;
    EXPECT_TRUE(c.closed());
    EXPECT_EQ(origin.count(), before);
  }
}

TEST_F(Framing, MalformedHeadsAreRefused) {
  for (const std::string head : {
           "GET /a HTTP/1.1\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n",
           "GET  /a HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a  HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n",
           " GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1.1 \r\nHost: a\r\n\r\n",
           "GET /a\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1,1\r\nHost: a\r\n\r\n",
           "GET /a http/1.1\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\nno-colon\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
           "GET /a HTTP/1.1\nHost: a\n\n",
           "GET /a HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
           "GET /a HTTP/1.1\r\nHost : a\r\n\r\n",
           "GET /a HTTP/1.1\r\n Host: a\r\n\r\n",
           "G(T /a HTTP/1.1\r\nHost: a\r\n\r\n",
           "\x16\x03\x01\x02\x01\xfc\x03\x03\r\n\r\n",
       })
    refused(head);
  const std::string nul(1, '\0');
  refused("GET /a HTTP/1.1\r\nHost: a\r\nX: a" + nul + "b\r\n\r\n");
  refused("GET /a" + nul + "b HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(Framing, OtherVersionsAre505OrRefused) {
  for (const std::string version : {"HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/1.2", "HTTP/11.1"}) {
    const auto a = send_raw("GET /a " + version + "\r\nHost: shop.test\r\n\r\n");
    if (version == "HTTP/1.2" && a.status == 200)
      continue;  // RFC 9110 section 2.5 lets a higher minor version be read as 1.1
    EXPECT_THAT(a.status, AnyOf(400, 505)) << version;
  }
}

TEST_F(Framing, MalformedChunksAreRefusedAndNeverLookCompleteToTheOrigin) {
  const std::string te = "Transfer-Encoding: chunked\r\n";
  for (const std::string body : {
           "x\r\nabc\r\n0\r\n\r\n",
           "0x3\r\nabc\r\n0\r\n\r\n",
           "-1\r\nabc\r\n0\r\n\r\n",
           "+3\r\nabc\r\n0\r\n\r\n",
           " 3\r\nabc\r\n0\r\n\r\n",
           "3 \r\nabc\r\n0\r\n\r\n",
           "3\nabc\r\n0\r\n\r\n",
           "3\r\nabcd\r\n0\r\n\r\n",
           "3\r\nabc0\r\n\r\n",
           "3\r\nabc\n0\r\n\r\n",
           "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
           "3;a=\x01\r\nabc\r\n0\r\n\r\n",
           "3;a\nb\r\nabc\r\n0\r\n\r\n",
           "3;=b\r\nabc\r\n0\r\n\r\n",
           "3;\"a\r\nabc\r\n0\r\n\r\n",
           "\r\n0\r\n\r\n",
           "3\r\nabc\r\n0\r\nBad Trailer: x\r\n\r\n",
           "3\r\nabc\r\n0\r\nX: a\r\n folded\r\n\r\n",
           "3\r\nabc\r\n0\r\nX: a\nGET /smuggled HTTP/1.1\r\n\r\n",
       }) {
    auto c = connect();
    c.send(post(te, body + kEvil));
    const auto a = c.read();
    EXPECT_THAT(a.status, AnyOf(400, 0)) << body;
    EXPECT_TRUE(c.closed()) << body;
  }
  EXPECT_TRUE(eventually([&] {
    const auto all = origin.requests("/p");
    return std::none_of(all.begin(), all.end(), [](const Received& r) { return !r.complete && !r.broken; });
  })) << "what had begun at the origin was ended";
  for (const auto& r : origin.requests("/p")) EXPECT_FALSE(r.complete) << r.head << r.body;
  EXPECT_EQ(origin.count("/smuggled"), 0u);
}

TEST_F(Framing, WellFormedChunksExtensionsAndTrailersAreTaken) {
  const std::string te = "Transfer-Encoding: chunked\r\n";
  struct Case {
    std::string body;
    std::string content;
  };
  const Case cases[] = {
      {"0\r\n\r\n", ""},
      {"3\r\nabc\r\n0\r\n\r\n", "abc"},
      {"3;ext\r\nabc\r\n0;last\r\n\r\n", "abc"},
      {"3;a=b;c=\"d;e\\\"f\"\r\nabc\r\n0\r\n\r\n", "abc"},
      {"0000003\r\nabc\r\n000\r\n\r\n", "abc"},
      {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
      {"3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n", "abc"},
  };
  for (const auto& x : cases) {
    auto c = connect();
    c.send(post(te, x.body));
    EXPECT_EQ(c.read().status, 200) << x.body;
    EXPECT_EQ(origin.last("/p").body, x.content) << x.body;
    EXPECT_TRUE(origin.last("/p").complete);
    EXPECT_EQ(c.get("/next").status, 200) << "the connection is in step";
  }
}

TEST_F(Framing, TooManyChunkExtensionsAreRefused) {
  std::string body;
  for (int i = 0; i < 200; ++i) body += "1;" + std::string(100, 'e') + "\r\nx\r\n";
  auto c = connect();
  c.send(post("Transfer-Encoding: chunked\r\n", body + "0\r\n\r\n"));
  EXPECT_THAT(c.read().status, AnyOf(400, 413, 431, 0));
  EXPECT_TRUE(c.closed());
  for (const auto& r : origin.requests("/p")) EXPECT_FALSE(r.complete);
}

TEST_F(Framing, TrailerFieldsAreNeverMergedIntoTheHead) {
  auto c = connect();
  c.send(post("Transfer-Encoding: chunked\r\nTrailer: X-Role\r\n",
              "1\r\nx\r\n0\r\nX-Role: admin\r\nHost: evil\r\nContent-Length: 5\r\nAuthorization: evil\r\n\r\n"));
  EXPECT_EQ(c.read().status, 200);
  const auto r = origin.last("/p");
  EXPECT_FALSE(r.has("X-Role"));
  EXPECT_FALSE(r.has("Authorization"));
  EXPECT_EQ(r.get("Host"), "shop.test");
  for (const auto* name : {"Host", "Content-Length", "Authorization"}) EXPECT_FALSE(r.trailers.has(name)) << name;
}

TEST_F(Framing, HarmlessVarietyIsTaken) {
  accepted("\r\nGET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  accepted("GET /a HTTP/1.1\r\nhOsT:shop.test\r\n\r\n");
  accepted("GET /a HTTP/1.1\r\nHost: \t shop.test \t\r\nX-Empty:\r\n\r\n");
  accepted("GET /a HTTP/1.1\r\nHost: shop.test\r\nX-Latin: \xe4\xf6\r\n\r\n");
  accepted("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n");
  accepted("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 003\r\n\r\nabc");
  accepted("GET /a HTTP/1.0\r\n\r\n");
}

TEST_F(Framing, AfterARefusalNothingMoreOfTheConnectionIsRead) {
  auto c = connect();
  c.send(std::string("GET /ok HTTP/1.1\r\nHost: shop.test\r\n\r\nGET /a HTTP/1.1\r\nBad Field: x\r\n\r\n") + kEvil);
  EXPECT_EQ(c.read().status, 200);
  const auto a = c.read();
  EXPECT_EQ(a.status, 400);
  EXPECT_EQ(a.get("Connection"), "close");
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(origin.count("/smuggled"), 0u);
}

TEST_F(Framing, TransferEncodingInHttp10IsRefused) {
  refused("POST /p HTTP/1.0\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

// Whatever comes, every answer is a whole message of its own and what reaches the origin is unambiguous (TearDown looks
// at that).
TEST_F(Framing, ThousandsOfMutatedRequestsNeverBringTheConnectionOutOfStep) {
  const std::vector<std::string> seeds{
      post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nT: v\r\n\r\n") + kEvil,
      post("Content-Length: 5\r\n", "hello") + kEvil,
      "GET /a?q=1 HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive\r\nIf-None-Match: \"x\"\r\n\r\n" +
          std::string(kEvil),
      "HEAD http://shop.test/a HTTP/1.1\r\nHost: shop.test\r\nRange: bytes=0-1\r\n\r\n" + std::string(kEvil),
  };
  const std::vector<std::string> splices{"\r\n",
                                         "\n",
                                         "\r",
                                         " ",
                                         "\t",
                                         ":",
                                         ",",
                                         ";",
                                         std::string(1, '\0'),
                                         "chunked",
                                         "Transfer-Encoding: chunked\r\n",
                                         "Content-Length: 3\r\n",
                                         "0\r\n\r\n",
                                         "\x0b",
                                         "\xff"};
  std::mt19937 random(20240607);  // the same every time
  for (int i = 0; i < 2000; ++i) {
    auto text = seeds[random() % seeds.size()];
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 4);
      else if (random() % 2 == 0)
        text.insert(at, splices[random() % splices.size()]);
      else
        text[at] = static_cast<char>(random());
    }
    auto c = connect();
    c.send(text);
    c.socket().finish_sending();
    const bool head_first = text.substr(std::min(text.size(), text.find_first_not_of("\r\n"))).starts_with("HEAD ");
    for (bool first = true;; first = false) {
      const auto a = c.read(first && head_first ? "HEAD" : "GET");
      if (a.status == 0) {
        EXPECT_NE(a.end, Ending::Timeout) << text;
        EXPECT_NE(a.end, Ending::Malformed) << a.complaint << '\n' << text;
        break;
      }
      ASSERT_TRUE(a.complete()) << a << "\nto\n" << text;
      if (a.get("Connection") == "close") break;
    }
  }
}

TEST_F(Framing, RequestsThatArriveByteByByteAreTheSameRequests) {
  auto c = connect();
  const auto text = post("Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n");
  for (const char byte : text) c.send(std::string_view(&byte, 1));
  EXPECT_EQ(c.read().status, 200);
  EXPECT_EQ(origin.last("/p").body, "abcde");
}

}  // namespace
}  // namespace forebay::test
