#include "forebay/net/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace forebay::net {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::StartsWith;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Listens on a port of 127.0.0.1.
struct Listening {
  boost::asio::io_context io;
  tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
  std::string port = std::to_string(acceptor.local_endpoint().port());

  Asked ask(std::size_t most = 1024, milliseconds patience = milliseconds{10'000}) {
    return net::ask({"127.0.0.1", port, {}}, "GET", kRequest, most, SteadyClock::now() + patience);
  }
  /// Asks a server that reads the request, sends `answer` and closes.
  Asked answered(std::string answer, std::size_t most = 1024) {
    std::thread server([&] {
      tcp::socket socket = acceptor.accept();
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n");
      EXPECT_EQ(request, kRequest);
      boost::asio::write(socket, boost::asio::buffer(answer));
    });
    auto asked = ask(most);
    server.join();
    return asked;
  }
};

TEST(HttpClient, ReadsTheFinalAnswerWithoutItsFraming) {
  const auto asked = Listening().answered(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nX-A: "
      "1\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  ASSERT_TRUE(asked.answer) << asked.why;
  EXPECT_EQ(asked.answer->status, 404);
  EXPECT_EQ(asked.answer->fields.view().value("X-A"), "1");
  EXPECT_EQ(asked.answer->body, "abcde");
  EXPECT_TRUE(asked.answer->whole);
}

/// Follows a server that sends `answer` and then waits for the end of the connection.
struct Followed {
  explicit Followed(const std::string& answer, std::size_t most_pieces = 100,
                    milliseconds silence = milliseconds{10'000}) {
    Listening listening;
    std::thread server([&] {
      tcp::socket socket = listening.acceptor.accept();
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n");
      boost::asio::write(socket, boost::asio::buffer(answer));
      boost::system::error_code error;
      char byte = 0;
      socket.read_some(boost::asio::buffer(&byte, 1), error);
    });
    std::size_t pieces = 0;
    asked = follow({"127.0.0.1", listening.port, {}}, "GET", kRequest, 1024,
                   SteadyClock::now() + std::chrono::seconds{10}, silence, [&](std::string_view piece) {
                     content += piece;
                     return ++pieces < most_pieces;
                   });
    server.join();
  }
  Asked asked;
  std::string content;
};

TEST(HttpClient, AStreamIsGivenPieceByPieceUntilItEndsOrNoMoreIsWanted) {
  const std::string stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n";
  const Followed all(stream + "0\r\n\r\n");
  ASSERT_TRUE(all.asked.answer);
  EXPECT_EQ(all.content, "abcde");
  EXPECT_TRUE(all.asked.answer->whole);
  EXPECT_EQ(all.asked.answer->body, "");
  const Followed some(stream, 1);
  EXPECT_EQ(some.content, "abc");
  EXPECT_FALSE(some.asked.answer->whole);
}

TEST(HttpClient, ASilentStreamIsGivenUp) {
  const Followed silent("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 100, milliseconds{50});
  ASSERT_TRUE(silent.asked.answer);
  EXPECT_EQ(silent.content, "abc");
  EXPECT_FALSE(silent.asked.answer->whole);
}

TEST(HttpClient, ARefusalInPlaceOfAStreamHasItsBody) {
  const Followed refused("HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!");
  EXPECT_EQ(refused.asked.answer->status, 401);
  EXPECT_EQ(refused.asked.answer->body, "no!");
  EXPECT_EQ(refused.content, "");
}

TEST(HttpClient, ABodyThatEndsWithItsConnectionIsWhole) {
  const auto asked = Listening().answered("HTTP/1.1 200 OK\r\n\r\nabc");
  ASSERT_TRUE(asked.answer) << asked.why;
  EXPECT_EQ(asked.answer->body, "abc");
  EXPECT_TRUE(asked.answer->whole);
}

TEST(HttpClient, ABodyThatBreaksOffOrIsTooLongIsNotWhole) {
  for (const std::size_t most : {std::size_t{1024}, std::size_t{2}}) {
    const auto asked = Listening().answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", most);
    ASSERT_TRUE(asked.answer) << asked.why;
    EXPECT_EQ(asked.answer->body, std::string("abc").substr(0, most));
    EXPECT_FALSE(asked.answer->whole);
  }
}

TEST(HttpClient, SaysWhyThereIsNoAnswer) {
  const auto odd = Listening().answered("220 mail.test ESMTP\r\n\r\n");
  EXPECT_FALSE(odd.answer);
  EXPECT_EQ(odd.why, "what answers is not HTTP");
  const auto ended = Listening().answered("HTTP/1.1 2");
  EXPECT_EQ(ended.error, Errc::Closed);
  EXPECT_EQ(ended.why, "the connection ended without an answer");
  const auto mute = Listening().ask(1024, milliseconds{20});
  EXPECT_EQ(mute.error, Errc::Timeout);
  EXPECT_EQ(mute.why, "no answer came in time");
}

TEST(HttpClient, NamesTheAddressesThatItTried) {
  const auto soon = SteadyClock::now() + milliseconds{10'000};
  std::string port;
  {
    Listening gone;
    port = gone.port;
  }
  const auto refused = ask({"localhost", port, {}}, "GET", kRequest, 1024, soon);
  EXPECT_EQ(refused.error, Errc::Closed);
  EXPECT_THAT(refused.why, StartsWith("127.0.0.1:" + port + ": Connection refused; [::1]:" + port + ": "));
  const std::string path = "/nowhere/" + std::string(200, 'a');
  EXPECT_EQ(ask({{}, {}, path}, "GET", kRequest, 1024, soon).why, path + ": File name too long");
  EXPECT_EQ(ask({{}, {}, "/nowhere/a"}, "GET", kRequest, 1024, soon).why, "/nowhere/a: No such file or directory");
  const auto late = ask({"127.0.0.1", port, {}}, "GET", kRequest, 1024, SteadyClock::now() - milliseconds{1});
  EXPECT_EQ(late.error, Errc::Timeout);
  EXPECT_THAT(late.why, EndsWith(": no connection in time"));
}

}  // namespace
}  // namespace forebay::net
