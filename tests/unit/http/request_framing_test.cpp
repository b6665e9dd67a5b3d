#include <gtest/gtest.h>

#include <string>

#include "unit/http/request_verdict.hpp"

namespace forebay::http {
namespace {

// Every way known to us to make two readers see two different ends of one message.
TEST(RequestParser, AmbiguousFramingIsRefused) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "none"},
      {"Content-Length: 0\r\n", "none"},
      {"Content-Length: 5\r\n", "length 5"},
      {"Content-Length: 005\r\n", "length 5"},
      {"Content-Length:5\r\n", "length 5"},
      {"Content-Length: \t5 \r\n", "length 5"},
      {"Transfer-Encoding: chunked\r\n", "chunked"},
      {"transfer-encoding:CHUNKED \r\n", "chunked"},
      // Content-Length
      {"Content-Length: 5\r\nContent-Length: 5\r\n", "400"},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", "400"},
      {"Content-Length: 5, 5\r\n", "400"},
      {"Content-Length: 5, 6\r\n", "400"},
      {"Content-Length: 5,\r\n", "400"},
      {"Content-Length: ,5\r\n", "400"},
      {"Content-Length: 5 5\r\n", "400"},
      {"Content-Length:\r\n", "400"},
      {"Content-Length: +5\r\n", "400"},
      {"Content-Length: -5\r\n", "400"},
      {"Content-Length: -0\r\n", "400"},
      {"Content-Length: 5.0\r\n", "400"},
      {"Content-Length: 0x5\r\n", "400"},
      {"Content-Length: 5e0\r\n", "400"},
      {"Content-Length: 5_0\r\n", "400"},
      {"Content-Length: \"5\"\r\n", "400"},
      {"Content-Length: five\r\n", "400"},
      {"Content-Length: 5;q=1\r\n", "400"},
      {"Content-Length: 18446744073709551615\r\n", "400"},
      {"Content-Length: 18446744073709551616\r\n", "400"},
      {"Content-Length: 18446744073709551621\r\n", "400"},
      {"Content-Length: 99999999999999999999999999\r\n", "400"},
      {"Content-Length: \xC2\xB2\r\n", "400"},
      {"Content-Length : 5\r\n", "400"},
      {"Content-Length\t: 5\r\n", "400"},
      {" Content-Length: 5\r\n", "400"},
      {"Content-Length\r\n", "400"},
      {"Content-Length: 5\r\n 0\r\n", "400"},
      {"Content-Length:\r\n 5\r\n", "400"},
      {"Content-Length:\v5\r\n", "400"},
      {"Content-Length: 5\0\r\n"s, "400"},
      // Transfer-Encoding
      {"Transfer-Encoding:\r\n", "400"},
      {"Transfer-Encoding: ,\r\n", "400"},
      {"Transfer-Encoding: identity\r\n", "400"},
      {"Transfer-Encoding: xchunked\r\n", "400"},
      {"Transfer-Encoding: chunkedx\r\n", "400"},
      {"Transfer-Encoding: chunked-foo\r\n", "400"},
      {"Transfer-Encoding: chunk\r\n", "400"},
      {"Transfer-Encoding: x\r\n", "400"},
      {"Transfer-Encoding: gzip\r\n", "400"},
      {"Transfer-Encoding: gzip, chunked\r\n", "501"},
      {"Transfer-Encoding: deflate,chunked\r\n", "501"},
      {"Transfer-Encoding: x-unknown, chunked\r\n", "400"},
      {"Transfer-Encoding: chunked, gzip\r\n", "400"},
      {"Transfer-Encoding: chunked, identity\r\n", "400"},
      {"Transfer-Encoding: identity, chunked\r\n", "400"},
      {"Transfer-Encoding: chunked, chunked\r\n", "400"},
      {"Transfer-Encoding: chunked,\r\n", "400"},
      {"Transfer-Encoding: ,chunked\r\n", "400"},
      {"Transfer-Encoding: chunked;q=1\r\n", "400"},
      {"Transfer-Encoding: chunked ; x\r\n", "400"},
      {"Transfer-Encoding: \"chunked\"\r\n", "400"},
      {"Transfer-Encoding: 'chunked'\r\n", "400"},
      {"Transfer-Encoding: chunked chunked\r\n", "400"},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       "400"},
      {"Transfer-Encoding: \x0c"
       "chunked\r\n",
       "400"},
      {"Transfer-Encoding: chunked\x0b\r\n", "400"},
      {"Transfer-Encoding: chu\0nked\r\n"s, "400"},
      {"Transfer-Encoding: \xC2\xA0"
       "chunked\r\n",
       "400"},
      {"Transfer-Encoding : chunked\r\n", "400"},
      {"Transfer-Encoding\t: chunked\r\n", "400"},
      {"Transfer-Encoding\x0b: chunked\r\n", "400"},
      {"Transfer-Encoding\0: chunked\r\n"s, "400"},
      {"Transfer Encoding: chunked\r\n", "400"},
      {" Transfer-Encoding: chunked\r\n", "400"},
      {"\tTransfer-Encoding: chunked\r\n", "400"},
      {"X: y\r\n Transfer-Encoding: chunked\r\n", "400"},
      {"Transfer-Encoding:\r\n chunked\r\n", "400"},
      {"Transfer-Encoding: chunked\r\n , identity\r\n", "400"},
      {"Transfer-Encoding:\n chunked\r\n", "400"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "400"},
      {"Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n", "400"},
      // both
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "400"},
      {"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "400"},
      {"Content-Length: 5\r\nTransfer-Encoding: identity\r\n", "400"},
      {"Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n", "400"},
      {"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", "400"},
      {"Transfer-Encoding:\r\nContent-Length: 5\r\n", "400"},
      {"Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400"},
  };
  static_assert(std::size(rows) >= 60);
  const auto status = [](const std::string& v) { return v.substr(0, 3) == "400" ? "400"s : v; };
  for (const auto& [lines, expected] : rows) {
    const std::string bytes = post(lines) + "5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(status(whole(bytes)), expected) << lines;
    for (const std::size_t step : {1u, 2u, 5u}) EXPECT_EQ(status(in_pieces(bytes, step)), expected) << step << lines;
  }
}

TEST(RequestParser, ATransferCodingInHttp10IsRefused) {
  expect("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400");
  expect("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "400");
  expect("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", "length 3");
  expect("POST / HTTP/1.2\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked");
}

}  // namespace
}  // namespace forebay::http
