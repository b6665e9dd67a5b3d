#include "forebay/admin/endpoints.hpp"

#include <gmock/gmock.h>

#include "operators.hpp"

namespace forebay::admin {
namespace {

using http::Method;
using ::testing::HasSubstr;
using ::testing::Not;

class EndpointsTest : public ::testing::Test {
 protected:
  std::shared_ptr<FakeExchange> ask(std::string target, Method method = Method::Get) {
    auto exchange = std::make_shared<FakeExchange>(operators_.worker, method, std::move(target));
    exchange->made_notes = handler_.make_notes();
    handler_.start(exchange);
    EXPECT_TRUE(exchange->answered());
    EXPECT_EQ(exchange->length, exchange->text.size());
    EXPECT_THAT(exchange->lines, HasSubstr("Cache-Control: no-store\r\n"));
    return exchange;
  }
  Operators operators_;
  AdminHandler handler_{operators_.sources()};
};

TEST_F(EndpointsTest, ItIsReadyOnlyBetweenStartAndDrain) {
  struct Case {
    State state;
    int status;
    const char* body;
  };
  for (const auto& c :
       {Case{State::Starting, 503, R"({"status":"starting"})"}, Case{State::Ready, 200, R"({"status":"ready"})"},
        Case{State::Draining, 503, R"({"status":"draining"})"},
        Case{State::Stopping, 503, R"({"status":"draining"})"}}) {
    operators_.status.state = c.state;
    const auto answer = ask("/readyz");
    EXPECT_EQ(answer->status, c.status);
    EXPECT_EQ(answer->text, c.body);
    EXPECT_EQ(ask("/livez")->status, 200);
  }
}

TEST_F(EndpointsTest, ReadinessTellsOfOriginsWhenAsked) {
  operators_.status.state = State::Ready;
  EXPECT_EQ(ask("/readyz?origins=1")->text, R"({"status":"ready","origins":{"web":"up"}})");
  EXPECT_EQ(ask("/readyz?origins=0")->text, R"({"status":"ready"})");
}

TEST_F(EndpointsTest, VersionIsOneJsonDocument) {
  const auto answer = ask("/version");
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->lines, HasSubstr("Content-Type: application/json\r\n"));
  for (const auto* member : {"\"version\":", "\"revision\":", "\"compiler\":", "\"boost\":"})
    EXPECT_THAT(answer->text, HasSubstr(member));
}

TEST_F(EndpointsTest, MetricsAreInTheTextFormatAndCanBeSwitchedOff) {
  const auto answer = ask("/metrics");
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->lines, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer->text, HasSubstr("# TYPE forebay_build_info gauge"));
  operators_.change([](config::Config& c) { c.metrics.enabled = false; });
  EXPECT_EQ(ask("/metrics")->status, 404);
}

TEST_F(EndpointsTest, OtherPathsAreProblemsOfKind404) {
  for (const auto* path : {"/", "/api/v1/nothing", "/metrics/", "/livez/..%2fx"}) {
    const auto answer = ask(path);
    EXPECT_EQ(answer->status, 404) << path;
    EXPECT_THAT(answer->lines, HasSubstr("application/problem+json"));
    EXPECT_THAT(answer->text, HasSubstr("not_found"));
  }
  EXPECT_EQ(ask("/a\x01")->status, 400);
}

TEST_F(EndpointsTest, OtherMethodsAre405WithWhatIsAllowed) {
  for (const auto method : {Method::Post, Method::Put, Method::Delete, Method::Options}) {
    const auto answer = ask("/readyz", method);
    EXPECT_EQ(answer->status, 405);
    EXPECT_THAT(answer->lines, HasSubstr("Allow: GET, HEAD\r\n"));
  }
  EXPECT_EQ(ask("/livez", Method::Head)->status, 200);
}

TEST_F(EndpointsTest, EachRequestIsCountedByEndpointAndClass) {
  operators_.status.state = State::Ready;
  ask("/readyz");
  ask("/readyz");
  ask("/nothing");
  handler_.refused({}, {});
  const auto text = ask("/metrics")->text;
  EXPECT_THAT(text, HasSubstr("forebay_admin_requests_total{endpoint=\"readyz\",code=\"2xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("forebay_admin_requests_total{endpoint=\"other\",code=\"4xx\"} 2\n"));
}

TEST_F(EndpointsTest, ProbesAreAnsweredThroughTheWholeDrain) {
  operators_.status.state = State::Draining;
  EXPECT_FALSE(handler_.draining());
  operators_.status.state = State::Stopping;
  EXPECT_TRUE(handler_.draining());
}

TEST_F(EndpointsTest, LongAnswersThatNobodyReadsAreBounded) {
  operators_.change([](config::Config& c) {
    for (int i = 0; i < 500; ++i) c.access.redact_headers.push_back(std::string(4000, 'x') + std::to_string(i));
  });
  const auto first = ask("/api/v1/config");
  ASSERT_EQ(first->status, 200);
  ASSERT_GT(first->text.size(), 1'000'000u);
  std::size_t unread = first->text.size();
  auto next = ask("/api/v1/config");
  for (; next->status == 200 && unread < 100'000'000; next = ask("/api/v1/config")) unread += next->text.size();
  EXPECT_EQ(next->status, 503);
  EXPECT_THAT(next->text, HasSubstr("\"code\":\"busy\""));
  EXPECT_LE(unread, 32u * 1024 * 1024);
  EXPECT_EQ(ask("/livez")->status, 200);
  handler_.finished(*first);
  EXPECT_EQ(ask("/api/v1/config")->status, 200);
}

}  // namespace
}  // namespace forebay::admin
