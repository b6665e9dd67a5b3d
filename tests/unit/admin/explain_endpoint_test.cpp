#include <gmock/gmock.h>

#include "forebay/admin/endpoints.hpp"
#include "operators.hpp"

namespace forebay::admin {
namespace {

using http::Method;
using ::testing::HasSubstr;
using ::testing::Not;

class ExplainEndpoint : public ::testing::Test {
 protected:
  std::shared_ptr<FakeExchange> request(std::string content = R"({"url":"http://h/a"})", Method method = Method::Post) {
    auto exchange = std::make_shared<FakeExchange>(operators_.worker, method, "/api/v1/explain");
    exchange->made_notes = handler_.make_notes();
    if (!content.empty()) exchange->content.pieces = {std::move(content)};
    return exchange;
  }
  std::shared_ptr<FakeExchange> ask(std::shared_ptr<FakeExchange> exchange) {
    handler_.start(exchange);
    return exchange;
  }
  void with_token() {
    operators_.change([](config::Config& c) { c.operators.token = "s3cret"; });
  }
  static void from_afar(FakeExchange& exchange) {
    exchange.from.address = "10.0.0.9";
    exchange.from.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 9};
  }

  Operators operators_;
  AdminHandler handler_{operators_.sources()};
};

TEST_F(ExplainEndpoint, ExplainsToThisMachine) {
  const auto answer = ask(request());
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->lines, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(answer->lines, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(answer->text, HasSubstr(R"("request":{"method":"GET","url":"http://h/a"})"));
  EXPECT_EQ(ask(request("{}"))->status, 400);
  EXPECT_EQ(ask(request(R"({"url":"ftp://h/"})"))->status, 400);
}

TEST_F(ExplainEndpoint, ContentMayComeInPieces) {
  const auto exchange = request();
  exchange->content.pieces = {R"({"url":)", "", R"("http://h/)", "", "a\"}"};
  handler_.start(exchange);
  EXPECT_FALSE(exchange->answered());
  exchange->content.go_on();
  EXPECT_FALSE(exchange->answered());
  exchange->content.go_on();
  EXPECT_TRUE(exchange->answered());
  EXPECT_EQ(exchange->status, 200);
}

TEST_F(ExplainEndpoint, ContentThatIsTooLongIs413AndWhatBreaksIsTheEdges) {
  EXPECT_EQ(ask(request(std::string(1024 * 1024 + 1, ' ')))->status, 413);
  auto exchange = request();
  exchange->content.last = net::BodySource::State::TooLarge;
  EXPECT_EQ(ask(exchange)->status, 413);
  exchange = request();
  exchange->content.last = net::BodySource::State::Broken;
  EXPECT_FALSE(ask(exchange)->answered());
}

TEST_F(ExplainEndpoint, AWaitThatNobodyEndsGoesWithItsExchange) {
  auto exchange = request();
  exchange->content.pieces = {"", "x"};
  handler_.start(exchange);
  EXPECT_FALSE(exchange->content.waiters.empty());
  exchange->made_notes->reset();
  EXPECT_TRUE(exchange->content.waiters.empty());
}

TEST_F(ExplainEndpoint, OnlyPostIsAnswered) {
  for (const auto method : {Method::Get, Method::Head, Method::Put, Method::Delete}) {
    const auto answer = ask(request("", method));
    EXPECT_EQ(answer->status, 405);
    EXPECT_THAT(answer->lines, HasSubstr("Allow: POST\r\n"));
    EXPECT_THAT(answer->text, HasSubstr(R"("code":"method_not_allowed")"));
  }
}

TEST_F(ExplainEndpoint, FromElsewhereATokenIsWanted) {
  auto exchange = request();
  from_afar(*exchange);
  EXPECT_EQ(ask(exchange)->status, 403) << "there is no token that would help";
  with_token();
  exchange = request();
  from_afar(*exchange);
  ask(exchange);
  EXPECT_EQ(exchange->status, 401);
  EXPECT_THAT(exchange->lines, HasSubstr("WWW-Authenticate: Bearer realm=\"forebay\"\r\n"));
  EXPECT_THAT(exchange->lines, HasSubstr("application/problem+json"));
  EXPECT_THAT(exchange->text, HasSubstr(R"("code":"unauthorized")"));
  for (const auto& [field, status] : {std::pair{"Bearer s3cret", 200},
                                      {"bearer  s3cret", 200},
                                      {"Bearer S3cret", 401},
                                      {"Bearer s3cre", 401},
                                      {"Bearer", 401},
                                      {"Basic s3cret", 401},
                                      {"s3cret", 401}}) {
    exchange = request();
    from_afar(*exchange);
    exchange->field("Authorization", field);
    exchange->field("Host", "admin.example.com");
    EXPECT_EQ(ask(exchange)->status, status) << field;
  }
}

TEST_F(ExplainEndpoint, AWrongTokenIsRefusedEvenFromThisMachine) {
  with_token();
  auto exchange = request();
  exchange->field("Authorization", "Bearer wrong");
  EXPECT_EQ(ask(exchange)->status, 401);
  EXPECT_EQ(ask(request())->status, 200) << "none is needed here";
  operators_.change([](config::Config& c) { c.operators.allow_loopback = false; });
  EXPECT_EQ(ask(request())->status, 401);
}

TEST_F(ExplainEndpoint, LoopbackIsEveryLoopbackAddressAndUnixSocketsAreToo) {
  auto v6 = request();
  v6->from.ip = {};
  v6->from.ip[15] = 1;
  EXPECT_EQ(ask(v6)->status, 200);
  auto other = request();
  other->from.ip[15] = 77;
  EXPECT_EQ(ask(other)->status, 200);
  auto local = request();
  local->from = {};
  EXPECT_EQ(ask(local)->status, 403) << "of a peer without an address nothing is known";
  local = request();
  local->from = {};
  local->from.unix_socket = true;
  EXPECT_EQ(ask(local)->status, 200);
  auto unspecified = request();
  unspecified->from.ip = {};
  EXPECT_EQ(ask(unspecified)->status, 403);
}

TEST_F(ExplainEndpoint, HostHasToBeOneOfOurNames) {
  operators_.change([](config::Config& c) { c.operators.allowed_hosts = {"forebay.internal"}; });
  for (const auto& [host, status] : {std::pair{"localhost", 200},
                                     {"LOCALHOST:8081", 200},
                                     {"127.0.0.1", 200},
                                     {"[::1]:8081", 200},
                                     {"forebay.internal:9000", 200},
                                     {"rebound.example.com", 403},
                                     {"localhost.example.com", 403},
                                     {"", 403}}) {
    auto exchange = request();
    exchange->field("Host", host);
    EXPECT_EQ(ask(exchange)->status, status) << host;
  }
  auto none = request();
  none->without("Host");
  EXPECT_EQ(ask(none)->status, 403);
}

TEST_F(ExplainEndpoint, APageOfAnotherSiteIsRefused) {
  struct Case {
    const char* name;
    const char* value;
    int status;
  };
  for (const auto& c : {Case{"Origin", "http://127.0.0.1:8081", 200}, Case{"Origin", "http://127.0.0.1:3000", 403},
                        Case{"Origin", "https://evil.example", 403}, Case{"Origin", "null", 403},
                        Case{"Sec-Fetch-Site", "same-origin", 200}, Case{"Sec-Fetch-Site", "none", 200},
                        Case{"Sec-Fetch-Site", "cross-site", 403}, Case{"Sec-Fetch-Site", "same-site", 403}}) {
    auto exchange = request();
    exchange->field(c.name, c.value);
    EXPECT_EQ(ask(exchange)->status, c.status) << c.name << ": " << c.value;
  }
}

TEST_F(ExplainEndpoint, RequestsAreCountedUnderItsName) {
  ask(request());
  ask(request("", Method::Get));
  auto metrics = std::make_shared<FakeExchange>(operators_.worker, Method::Get, "/metrics");
  metrics->made_notes = handler_.make_notes();
  handler_.start(metrics);
  EXPECT_THAT(metrics->text, HasSubstr("forebay_admin_requests_total{endpoint=\"explain\",code=\"2xx\"} 1\n"));
  EXPECT_THAT(metrics->text, HasSubstr("forebay_admin_requests_total{endpoint=\"explain\",code=\"4xx\"} 1\n"));
}

}  // namespace
}  // namespace forebay::admin
