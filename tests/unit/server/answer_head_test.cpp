#include "server/answer_head.hpp"

#include <gtest/gtest.h>

namespace forebay::server {
namespace {

using Framing = BodyWriter::Framing;

struct Written {
  std::string text;
  AnswerPlan plan;
};

Written write(const AnswerHead& head, AnswerTo to = {},
              http::BodyCursor body = http::BodyCursor(Ref<http::Body>(new http::Body))) {
  Written w;
  w.plan = append_answer_head(w.text, head, body, to, "Date: now\r\n");
  return w;
}

TEST(AnswerHead, FramingFollowsStatusMethodAndVersion) {
  const struct {
    const char* name;
    int status;
    http::Method method;
    http::Version version;
    std::optional<std::uint64_t> length;
    Framing framing;
    bool close;
    const char* lines;
  } cases[] = {
      {"stated length", 200, http::Method::Get, http::Version::Http11, 5, Framing::Length, false,
       "Content-Length: 5\r\n"},
      {"unknown length",
       200,
       http::Method::Get,
       http::Version::Http11,
       {},
       Framing::Chunked,
       false,
       "Transfer-Encoding: chunked\r\n"},
      {"unknown length to 1.0",
       200,
       http::Method::Get,
       http::Version::Http10,
       {},
       Framing::UntilClose,
       true,
       "Connection: close\r\n"},
      {"stated length to 1.0", 200, http::Method::Get, http::Version::Http10, 5, Framing::Length, false,
       "Content-Length: 5\r\nConnection: keep-alive\r\n"},
      {"HEAD states the length of GET", 200, http::Method::Head, http::Version::Http11, 5, Framing::None, false,
       "Content-Length: 5\r\n"},
      {"HEAD of unknown length", 200, http::Method::Head, http::Version::Http11, {}, Framing::None, false, ""},
      {"204 states none", 204, http::Method::Get, http::Version::Http11, 0, Framing::None, false, ""},
      {"304 states that of the 200", 304, http::Method::Get, http::Version::Http11, 5, Framing::None, false,
       "Content-Length: 5\r\n"},
      {"304 of unknown length", 304, http::Method::Get, http::Version::Http11, {}, Framing::None, false, ""},
  };
  for (const auto& c : cases) {
    AnswerHead head;
    head.status = c.status;
    head.length = c.length;
    const auto w = write(head, {c.method, c.version, false});
    EXPECT_EQ(w.plan.framing, c.framing) << c.name;
    EXPECT_EQ(w.plan.close, c.close) << c.name;
    const auto lines = w.text.substr(w.text.find("\r\n") + 2);
    EXPECT_EQ(lines, std::string(c.lines) + "\r\n") << c.name;
  }
}

TEST(AnswerHead, LinesThatAreReadyAreCopiedAndTheFieldsNotWrittenAgain) {
  const http::Field field{"A", "1"};
  AnswerHead head;
  head.fields = {http::FieldsView({&field, 1}), "a: as stored\r\n"};
  head.length = 0;
  EXPECT_EQ(write(head).text, "HTTP/1.1 200 OK\r\na: as stored\r\nContent-Length: 0\r\n\r\n");
}

TEST(AnswerHead, PutsTheHandlersFieldsFirstAndDateWhereThereIsNone) {
  http::Fields fields;
  fields.add("A", "1");
  fields.add("B", "2");
  const http::Field added{"Age", "3", http::FieldId::Age};
  AnswerHead head;
  head.fields = fields;
  head.added = http::FieldsView({&added, 1});
  head.length = 0;
  head.has_date = false;
  EXPECT_EQ(write(head).text, "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nAge: 3\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST(AnswerHead, ContentThatIsKnownToBeEmptyIsStatedSo) {
  AnswerHead head;
  const auto w = write(head, {}, http::BodyCursor());
  EXPECT_EQ(w.plan.framing, Framing::Length);
  EXPECT_NE(w.text.find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(AnswerHead, SaysWhenTheConnectionEnds) {
  AnswerHead head;
  head.length = 0;
  EXPECT_EQ(write(head).text.find("Connection"), std::string::npos);
  EXPECT_NE(write(head, {http::Method::Get, http::Version::Http11, true}).text.find("Connection: close\r\n"),
            std::string::npos);
  head.close = true;
  EXPECT_TRUE(write(head).plan.close);
}

}  // namespace
}  // namespace forebay::server
