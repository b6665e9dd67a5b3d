// Answers that are odd and clear: what RFC 9112 has a proxy mend, and what it refuses by name.
#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class OddAnswers : public ForebayTest {
 protected:
  static Reply coded(const std::string& transfer_encoding, const std::string& content, bool chunks = true) {
    auto reply = Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: " + transfer_encoding +
                            "\r\n\r\n" + (chunks ? chunked(content, 7) : content));
    return chunks ? reply : reply.close_silently();
  }
  static Reply head(const std::string& lines, const std::string& rest = {}) {
    return Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n" + lines + "\r\n" + rest).close_silently();
  }
};

TEST_F(OddAnswers, ATransferCodingIsUndoneAndNeverPassedOnAsContent) {
  const auto text = pattern(30000);
  origin.on("/gzip", coded("gzip, chunked", gzip(text)));
  origin.on("/x-gzip", coded("X-GZip ,\tchunked", gzip(text)));
  origin.on("/deflate", coded("deflate, chunked", zlib_deflate(text)));
  origin.on("/two-lines", coded("gzip\r\nTransfer-Encoding: chunked", gzip(text)));
  origin.on("/two", coded("deflate, gzip, chunked", gzip(zlib_deflate(text))));
  origin.on("/identity", coded("identity, chunked", text));
  origin.on("/until-close", coded("gzip", gzip(text), false));
  start("routes: [{path: /until-close, close_delimited: store}, {path: /**}]\n");
  for (const auto* path : {"/gzip", "/x-gzip", "/deflate", "/two-lines", "/two", "/identity", "/until-close"}) {
    for (const auto* x_cache : {"MISS", "HIT"}) {
      const auto a = get(path);
      EXPECT_TRUE(a.complete()) << path << a;
      EXPECT_TRUE(a.body == text) << path << a;
      EXPECT_EQ(a.x_cache(), x_cache) << path;
      EXPECT_FALSE(a.has("Content-Encoding")) << path;
      EXPECT_THAT(a.get("Transfer-Encoding"), AnyOf("", "chunked")) << path;
    }
    EXPECT_EQ(origin.count(path), 1u) << path;
  }
}

TEST_F(OddAnswers, AContentCodingUnderATransferCodingStays) {
  const auto coded_content = gzip("the content");
  origin.on("/a",
            Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Encoding: gzip\r\nTransfer-Encoding: "
                       "gzip, chunked\r\n\r\n" +
                       chunked(gzip(coded_content), 9)));
  start();
  const auto a = get("/a", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(a.body, coded_content);
  EXPECT_EQ(a.get("Content-Encoding"), "gzip");
}

TEST_F(OddAnswers, ATransferCodingThatCannotBeUndoneIsA502) {
  const auto text = gzip("content");
  const std::vector<std::string> codings{"compress, chunked", "br, chunked", "gzip;level=9, chunked",          "zstd",
                                         "chunked, gzip",     "xyz",         "gzip, gzip, gzip, gzip, chunked"};
  for (std::size_t i = 0; i < codings.size(); ++i)
    origin.on("/" + std::to_string(i), coded(codings[i], text, codings[i].ends_with("chunked")));
  start();
  for (std::size_t i = 0; i < codings.size(); ++i) {
    const auto a = get("/" + std::to_string(i));
    EXPECT_TRUE(is_problem(a, 502)) << codings[i] << a;
    EXPECT_EQ(a.body.find("coding"), std::string::npos) << "the client gets the general sentence";
  }
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "protocol"}}, codings.size()));
  EXPECT_NE(daemon->log().find("Transfer-Encoding: unsupported coding"), std::string::npos);
}

TEST_F(OddAnswers, ABrokenOrCutTransferCodingIsNeverCompleteNorStored) {
  const auto whole = gzip(pattern(200000));
  auto flipped = whole;
  flipped[flipped.size() - 6] ^= 1;
  origin.on("/cut", coded("gzip, chunked", whole.substr(0, whole.size() - 4)));
  origin.on("/flipped", coded("gzip, chunked", flipped));
  origin.on("/plain", coded("gzip, chunked", "no gzip at all"));
  origin.on("/close", coded("gzip", whole.substr(0, whole.size() / 2), false));
  start("routes: [{path: /**, close_delimited: store}]\n");
  for (const auto* path : {"/cut", "/flipped", "/plain", "/close"}) {
    const auto a = get(path);
    EXPECT_FALSE(a.status == 200 && a.complete()) << path;
  }
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(OddAnswers, AHeadAndA304UnderATransferCodingHaveNoContentToUndo) {
  origin.on("/a", Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: br, chunked\r\nX-Here: 1\r\n\r\n"));
  start("routes: [{path: /**, cache: false}]\n");
  const auto a = ask("HEAD", "/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.get("X-Here"), "1");
  EXPECT_FALSE(a.has("Transfer-Encoding"));
}

// A few kilobytes that inflate to many megabytes meet a client that reads slowly like any other content.
TEST_F(OddAnswers, ContentThatInflatesToALotIsHeldBackByItsReader) {
  const std::string large(64 * 1024 * 1024, 'x');
  origin.on("/bomb", coded("gzip, gzip", gzip(gzip(large)), false));
  start("cache: {memory: 64MiB}\nroutes: [{path: /**, max_object: 1MiB}]\n");
  Client slow(daemon->port());
  slow.request("GET", "/bomb");
  EXPECT_EQ(slow.read_head().status, 200);
  EXPECT_EQ(slow.read_raw(100000).substr(0, 3).size(), 3u);
  EXPECT_TRUE(get("/bomb").body == large) << "and a fast one gets all of it";
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(OddAnswers, TheOriginIsNeverAskedForTransferCodings) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  start("routes: [{path: /p, cache: false}, {path: /**}]\n");
  for (const auto* path : {"/p", "/a"}) {
    get(path, {{"TE", "gzip, trailers"}, {"Connection", "TE"}});
    get(std::string(path) + "2", {{"TE", "deflate"}});
    EXPECT_FALSE(origin.last(path).has("TE"));
    EXPECT_FALSE(origin.last(std::string(path) + "2").has("TE"));
  }
}

TEST_F(OddAnswers, BlanksBeforeAColonAreRemovedOnTheWay) {
  origin.on("/a", head("X-Padded \t: one two\r\nContent-Length : 5\r\nETag\t: \"v\"\r\n", "hello"));
  start();
  for (const auto* x_cache : {"MISS", "HIT"}) {
    const auto a = get("/a");
    EXPECT_EQ(a.x_cache(), x_cache) << a;
    EXPECT_EQ(a.body, "hello");
    EXPECT_NE(a.head.find("\r\nX-Padded: one two\r\n"), std::string::npos) << a.head;
    EXPECT_NE(a.head.find("\r\nETag: \"v\"\r\n"), std::string::npos) << a.head;
  }
}

TEST_F(OddAnswers, AFoldedValueGoesOnAsOneLine) {
  origin.on("/a", head("X-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n", "ok"));
  start();
  const auto a = get("/a");
  EXPECT_EQ(a.body, "ok");
  EXPECT_NE(a.head.find("\r\nX-Folded: one two three\r\n"), std::string::npos) << a.head;
}

TEST_F(OddAnswers, AHeadWhoseLinesAllEndInLfAloneIsRead) {
  origin.on("/lf", Reply::raw("HTTP/1.1 200 OK\nCache-Control: max-age=60\nContent-Length: 2\n\nok"));
  origin.on("/mixed", Reply::raw("HTTP/1.1 200 OK\r\nX: user text\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok"));
  start();
  EXPECT_EQ(get("/lf").body, "ok");
  EXPECT_EQ(get("/lf").x_cache(), "HIT");
  EXPECT_TRUE(is_problem(get("/mixed"), 502));
  EXPECT_NE(daemon->log().find("line 2: ends in LF only, unlike the first line"), std::string::npos) << daemon->log();
}

TEST_F(OddAnswers, BlanksBehindAChunkSizeAreTaken) {
  origin.on("/a",
            head("Transfer-Encoding: chunked\r\n", "5  \r\nhello\r\n6\t;x=y \r\n world\r\n0 \r\nX-Sum : 9\r\n\r\n"));
  start();
  for (const auto* x_cache : {"MISS", "HIT"}) {
    const auto a = get("/a");
    EXPECT_TRUE(a.complete()) << a;
    EXPECT_EQ(a.body, "hello world");
    EXPECT_EQ(a.x_cache(), x_cache);
  }
}

TEST_F(OddAnswers, OfAClientNoneOfThisIsTaken) {
  start();
  for (const std::string request :
       {"GET / HTTP/1.1\r\nHost : shop.test\r\n\r\n", "GET / HTTP/1.1\nHost: shop.test\n\n",
        "GET / HTTP/1.1\r\nHost: shop.test\r\nX: a\r\n b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n"})
    EXPECT_EQ(send_raw(request).status, 400) << request;
}

TEST_F(OddAnswers, WhatIsRefusedNamesLineAndRuleInTheLogsAndTheClientGetsTheGeneralSentence) {
  origin.on("/a", head("Field-With-Secret value: x\r\n"));
  start();
  const auto a = get("/a");
  EXPECT_TRUE(is_problem(a, 502)) << a;
  EXPECT_NE(a.body.find("response is invalid"), std::string::npos) << a.body;
  EXPECT_EQ(a.body.find("byte"), std::string::npos) << a.body;
  EXPECT_NE(daemon->log().find("line 3: field name has a space or tab at byte 18"), std::string::npos) << daemon->log();
  const auto line = access_line("/a");
  EXPECT_EQ(line.at("origin.error"), "protocol");
  EXPECT_NE(line.at("origin.detail").find("line 3: field name has a space or tab at byte 18"), std::string::npos);
}

}  // namespace
}  // namespace forebay::test
