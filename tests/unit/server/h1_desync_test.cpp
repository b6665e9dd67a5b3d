// What a stranger sends, however it is bent, never makes answers and requests disagree.
#include <gmock/gmock.h>

#include <random>

#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using State = net::BodySource::State;

struct DesyncTest : EdgeTest {
  DesyncTest() {
    // Half of the requests have their content pulled, half leave it unread; both ways it must not become a request.
    handler.script = [](const ExchangePtr& exchange) {
      const std::string target(exchange->request().target);
      std::string_view bytes;
      State state = State::End;
      if (exchange->has_body() && target.size() % 2 == 0) {
        while ((state = exchange->body().pull(bytes)) == State::Data) {
        }
      }
      if (state == State::End) answer_text(*exchange, target);
      if (state == State::Wait || state == State::Broken || state == State::TooLarge) exchange->cut();
    };
  }

  /// All that comes back, taken apart strictly: whole responses one after the other, or a last one that is cut by a
  /// reset.
  void check(const std::string& sent) {
    const int before = handler.started;
    auto client = connect();
    client.send(sent);
    client.half_close();
    const std::string answers = client.rest();
    std::string_view left = answers;
    int whole = 0, own = 0;
    while (!left.empty()) {
      http::ResponseParser parser{http::HeadLimits{}};
      parser.reset();
      // The script answers with the target, so that an answer to HEAD is told by what follows it.
      parser.answer_to(http::Method::Get);
      ASSERT_TRUE(parser.parse(left)) << sent << "\n-->\n" << answers;
      const bool error = parser.view().fields.value("X-Cache").has_value();
      left.remove_prefix(parser.head_size());
      ASSERT_LE(parser.content_length(), left.size()) << sent << "\n-->\n" << answers;
      const auto content = left.substr(0, parser.content_length());
      left.remove_prefix(parser.content_length());
      if (error) {
        ++own;
        ASSERT_TRUE(left.empty()) << "the connection ends behind an error";
      } else {
        ++whole;
        ASSERT_EQ(content.find('\n'), std::string_view::npos) << "content is the target of a request";
      }
    }
    ASSERT_LE(own, 1);
    ASSERT_LE(whole, handler.started - before);
  }
};

TEST_F(DesyncTest, TenThousandBentRequestsNeverDesynchronise) {
  const std::string seeds[] = {
      "GET /ab HTTP/1.1\r\nHost: a\r\n\r\nGET /cd HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /abc HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nGET / HTTP/GET /ab HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /ab HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;e=1\r\nGET \r\n0\r\nT: 1\r\n\r\nGET /ab "
      "HTTP/1.1\r\nHost: a\r\n\r\n",
      "PUT /abc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "POST /abcd HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  const std::string pieces[] = {"\r\n",
                                "\n",
                                "\r",
                                ":",
                                " ",
                                "\t",
                                "0",
                                "Content-Length: 3\r\n",
                                "Transfer-Encoding: chunked\r\n",
                                "Host: b\r\n",
                                "chunked",
                                ",",
                                ";",
                                "\"",
                                std::string(1, '\0'),
                                "\x80",
                                "-1",
                                "ffffffffffffffff"};
  std::mt19937 random(7);
  for (int i = 0; i < 10'000 && !HasFatalFailure(); ++i) {
    std::string text = seeds[random() % std::size(seeds)];
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      const auto at = random() % text.size();
      switch (random() % 4) {
        case 0: text.erase(at, 1 + random() % 3); break;
        case 1: text.insert(at, pieces[random() % std::size(pieces)]); break;
        case 2: text[at] = static_cast<char>(random() % 256); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 20)); break;
      }
    }
    check(text);
  }
}

}  // namespace
}  // namespace forebay::server::test
