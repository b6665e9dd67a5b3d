#include "forebay/http/message.hpp"

#include <gtest/gtest.h>

#include "forebay/base/text.hpp"
#include "forebay/http/h1_writer.hpp"

namespace forebay::http {
namespace {

TEST(Methods, AreReadInTheirOwnCaseOnly) {
  for (int i = 0; i < static_cast<int>(Method::Other); ++i) {
    const auto m = static_cast<Method>(i);
    EXPECT_EQ(method_of(to_string(m)), m);
  }
  for (const char* other : {"get", "Get", "GETX", "GE", "", "M-SEARCH", "PURGE", "HEAD ", "OPTION"}) {
    EXPECT_EQ(method_of(other), Method::Other) << other;
  }
}

TEST(Methods, OnlyKnownOnesAreSafeOrIdempotent) {
  struct Row {
    Method method;
    bool safe, idempotent;
  };
  const Row rows[] = {{Method::Get, true, true},       {Method::Head, true, true},   {Method::Options, true, true},
                      {Method::Trace, true, true},     {Method::Query, true, true},  {Method::Put, false, true},
                      {Method::Delete, false, true},   {Method::Post, false, false}, {Method::Patch, false, false},
                      {Method::Connect, false, false}, {Method::Other, false, false}};
  for (const Row& r : rows) {
    EXPECT_EQ(is_safe(r.method), r.safe) << to_string(r.method);
    EXPECT_EQ(is_idempotent(r.method), r.idempotent) << to_string(r.method);
  }
}

TEST(Statuses, HaveThePhrasesOfTheRegistry) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(508), "Loop Detected");
  EXPECT_EQ(reason_phrase(299), "");
  for (const int none : {100, 103, 199, 204, 304}) EXPECT_TRUE(never_has_content(none)) << none;
  for (const int some : {200, 205, 206, 404}) EXPECT_FALSE(never_has_content(some)) << some;
}

TEST(Request, OwnsWhatTheViewBorrowed) {
  std::string buffer = "POST|/a?b|Host|h.example|X-A|1";
  Field fields[] = {{std::string_view(buffer).substr(10, 4), std::string_view(buffer).substr(15, 9), FieldId::Host},
                    {std::string_view(buffer).substr(25, 3), std::string_view(buffer).substr(29, 1), FieldId::Other}};
  RequestView view{Method::Post,
                   std::string_view(buffer).substr(0, 4),
                   std::string_view(buffer).substr(5, 4),
                   Version::Http11,
                   FieldsView(fields),
                   fields[0].value};
  Request request(view);
  buffer.assign(buffer.size(), '!');
  Request moved = std::move(request);
  EXPECT_EQ(moved.view().method_text, "POST");
  EXPECT_EQ(moved.view().target, "/a?b");
  EXPECT_EQ(moved.view().fields.value(FieldId::Host), "h.example");
  EXPECT_EQ(moved.view().fields.value("x-a"), "1");
  EXPECT_EQ(moved.view().authority, "h.example");
}

TEST(Writer, PutsMessagesTogether) {
  std::string out;
  append_status_line(out, 200);
  append_status_line(out, 299);
  append_request_line(out, "GET", "/a?b");
  append_chunk_size(out, 0x5A);
  append_chunk_size(out, SIZE_MAX);
  Fields trailers;
  trailers.add("X-Sum", "1");
  append_last_chunk(out, trailers);
  append_last_chunk(out, {});
  append_number(out, 0);
  append_number(out, UINT64_MAX);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nHTTP/1.1 299 \r\nGET /a?b HTTP/1.1\r\n5a\r\nffffffffffffffff\r\n"
            "0\r\nX-Sum: 1\r\n\r\n0\r\n\r\n018446744073709551615");
}

}  // namespace
}  // namespace forebay::http
