#include "forebay/server/problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::server {
namespace {

using testing::HasSubstr;
using testing::Not;

const Problem kProblem{504,     "origin_timeout", "Gateway Timeout", "The origin did not answer in time.",
                       "req-1", "origin_error"};

TEST(Problem, IsProblemJsonWithAStableType) {
  const auto doc = render(kProblem, "");
  EXPECT_EQ(doc.content_type, "application/problem+json");
  EXPECT_EQ(doc.body, R"({"type":"urn:forebay:error:origin_timeout","title":"Gateway Timeout","status":504,)"
                      R"("detail":"The origin did not answer in time.","request_id":"req-1","reason":"origin_error"})"
                      "\n");
}

TEST(Problem, LeavesOutWhatIsEmpty) {
  const auto doc = render({400, "bad_request", "Bad Request", "", "", ""}, "");
  EXPECT_EQ(doc.body, "{\"type\":\"urn:forebay:error:bad_request\",\"title\":\"Bad Request\",\"status\":400}\n");
}

TEST(Problem, TakesTheFormThatTheClientPrefers) {
  const struct {
    const char* accept;
    const char* type;
  } cases[] = {
      {"*/*", "application/problem+json"},
      {"application/json", "application/problem+json"},
      {"application/json, text/html;q=0.9", "application/problem+json"},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"},
      {"text/html;q=0.5, */*;q=0.8", "application/problem+json"},
      {"text/plain", "text/plain; charset=utf-8"},
      {"TEXT/Plain;q=0.1", "text/plain; charset=utf-8"},
      {"text/*", "text/html; charset=utf-8"},
      {"text/html;q=0, text/plain;q=0", "application/problem+json"},
      {"image/png", "application/problem+json"},
      {"text/html;level=1;q=0.3, application/problem+json;q=0.2", "text/html; charset=utf-8"},
      {"text/html;q=bad", "text/html; charset=utf-8"},
      {",,,", "application/problem+json"},
  };
  for (const auto& c : cases) EXPECT_EQ(render(kProblem, c.accept).content_type, c.type) << c.accept;
}

TEST(Problem, EscapesWhatComesFromOutside) {
  const Problem p{400, "bad_request", "Bad <b>", "\"quoted\" & \\ \x01 \xff\xc3\xa9", "<script>", ""};
  EXPECT_THAT(render(p, "").body, HasSubstr(R"("\"quoted\" & \\ \u0001 \ufffdé")"));
  const auto html = render(p, "text/html").body;
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr("&quot;quoted&quot; &amp;"));
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
}

TEST(Problem, TextNamesTheErrorAndTheRequest) {
  EXPECT_EQ(render(kProblem, "text/plain").body,
            "504 Gateway Timeout\nThe origin did not answer in time.\nerror: origin_timeout\nreason: "
            "origin_error\nrequest: req-1\n");
}

}  // namespace
}  // namespace forebay::server
