#include "forebay/proxy/origin_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace forebay::proxy {
namespace {

using http::FieldId;
using http::Method;
using Lines = std::vector<std::pair<const char*, const char*>>;

class OriginFields : public testing::Test {
 protected:
  OriginFields() { origin_.url.authority = "web.internal:3000"; }

  /// What the origin gets of these fields.
  http::Fields sent(const Lines& lines, bool trusted = false, Method method = Method::Get) {
    http::Fields fields;
    for (const auto& [name, value] : lines) fields.add(name, value);
    OriginRequest request{
        config_, origin_, &route_, {method, http::to_string(method), "/a", http::Version::Http11, fields.view()}};
    request.scheme = "http";
    request.host = "shop.test";
    request.peer = "192.0.2.7";
    request.peer_trusted = trusted;
    request.looked_up = looked_up_;
    request.shared = shared_;
    request.drops_credentials = drops_credentials_;
    request.instance_id = "1a2b";
    request.request_id = "r-1";
    request.traceparent = traceparent_;
    return fields_for_origin(request);
  }
  std::optional<std::string> sent(const char* name, const char* value, bool trusted = false,
                                  Method method = Method::Get) {
    const auto fields = sent(Lines{{name, value}}, trusted, method);
    const auto found = fields.view().value(name);
    return found ? std::optional(std::string(*found)) : std::nullopt;
  }

  config::Config config_;
  config::Origin origin_;
  config::Route route_;
  bool looked_up_ = true, shared_ = true, drops_credentials_ = false;
  std::string_view traceparent_;
};

TEST_F(OriginFields, OfAClientThatBelongToASignatureAreNotSentToAnOriginThatGetsOne) {
  const Lines lines{{"Authorization", "Bearer a"},
                    {"X-AMZ-Copy-Source", "/b/c"},
                    {"x-amz-acl", "public-read"},
                    {"X-Amzn-Trace-Id", "Root=1"}};
  EXPECT_EQ(sent(lines).view().count(FieldId::Authorization), 1u);
  EXPECT_TRUE(sent(lines).view().find("x-amz-acl"));
  drops_credentials_ = true;
  route_.request_headers.set = {{"X-Amz-Request-Payer", "requester"}};
  const auto fields = sent(lines);
  EXPECT_FALSE(fields.view().has(FieldId::Authorization));
  EXPECT_FALSE(fields.view().find("X-Amz-Copy-Source"));
  EXPECT_FALSE(fields.view().find("X-Amz-Acl"));
  EXPECT_TRUE(fields.view().find("X-Amzn-Trace-Id"));
  EXPECT_EQ(fields.view().value("X-Amz-Request-Payer"), "requester") << "a route's own";
}

TEST_F(OriginFields, OfTheOriginStandOverAllOthersOfTheirName) {
  origin_.headers = {{"X-Origin-Secret", "sesame", "/file"}, {"X-Redacted", "", ""}};
  auto fields = sent(Lines{{"X-Origin-Secret", "theirs"}, {"X-ORIGIN-SECRET", "theirs"}, {"X-Redacted", "theirs"}});
  EXPECT_EQ(fields.view().value("X-Origin-Secret"), "theirs") << "only what is sent has the secret";
  set_origin_fields(origin_, fields);
  EXPECT_EQ(fields.view().value("X-Origin-Secret"), "sesame");
  EXPECT_FALSE(fields.view().find("X-Redacted"));
  std::size_t lines = 0;
  for (const auto& f : fields.view()) lines += http::iequals(f.name, "x-origin-secret") ? 1 : 0;
  EXPECT_EQ(lines, 1u);
}

TEST_F(OriginFields, SayWhereTheRequestHasBeen) {
  const auto fields = sent(Lines{{"Host", "SHOP.test:80"}, {"Accept", "text/html"}});
  const auto view = fields.view();
  EXPECT_EQ(view.value("Host"), "shop.test");
  EXPECT_EQ(view.value("Accept"), "text/html");
  EXPECT_EQ(view.value("X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(view.value("X-Forwarded-Host"), "shop.test");
  EXPECT_EQ(view.value("Via"), "1.1 forebay");
  EXPECT_EQ(view.value("CDN-Loop"), "forebay;id=1a2b");
  EXPECT_EQ(view.value("X-Request-Id"), "r-1");
}

TEST_F(OriginFields, HaveTheTraceContextOfTheFetchInPlaceOfTheClients) {
  const Lines lines{{"traceparent", "00-a"}, {"Tracestate", "a=1"}, {"tracestate", "b=2"}};
  auto fields = sent(lines);
  EXPECT_EQ(fields.view().value("traceparent"), "00-a") << "as sent, where no span was made: for Vary";
  const auto count = [&](std::string_view name) {
    const auto view = fields.view();
    return std::count_if(view.begin(), view.end(), [&](const auto& f) { return http::iequals(f.name, name); });
  };
  EXPECT_EQ(count("tracestate"), 2);
  traceparent_ = "00-b";
  fields = sent(lines);
  EXPECT_EQ(fields.view().value("traceparent"), "00-b");
  EXPECT_EQ(count("traceparent"), 1);
  EXPECT_FALSE(fields.view().value("tracestate"));
  config_.propagate_trace = false;
  traceparent_ = "";
  EXPECT_FALSE(sent(lines).view().value("traceparent"));
}

TEST_F(OriginFields, HaveTheHostThatTheOriginWants) {
  origin_.host_header = "origin";
  EXPECT_EQ(sent("Host", "shop.test"), "web.internal:3000");
  origin_.host_header = "fixed.test";
  EXPECT_EQ(sent("Host", "shop.test"), "fixed.test");
}

TEST_F(OriginFields, NameNoOtherUrlOrMethodForARequestThatIsLookedUp) {
  const std::pair<const char*, bool> names[] = {{"X-Original-URL", false},  {"x-rewrite-url", false},
                                                {"X_Rewrite_URL", false},   {"X.Original.URL", false},
                                                {"X-Forwarded-Uri", false}, {"X-HTTP-Method-Override", true},
                                                {"X~HTTP~Method", true},    {"X-Forwarded-Method", true}};
  for (const auto& [name, is_method] : names) {
    for (const bool trusted : {false, true}) {
      looked_up_ = true;
      EXPECT_FALSE(sent(name, "evil", trusted)) << name;
      EXPECT_FALSE(sent(name, "evil", trusted, Method::Post)) << name;
      looked_up_ = false;
      EXPECT_FALSE(sent(name, "evil", trusted)) << name << ": a GET that is not looked up needs none";
      EXPECT_EQ(sent(name, "PUT", trusted, Method::Post).has_value(), trusted || is_method) << name;
    }
  }
}

TEST_F(OriginFields, SayOfHostPortAndPrefixWhatATrustedPeerSays) {
  for (const char* name : {"X-Host", "X-Forwarded-Prefix", "X_Forwarded_Prefix", "X-Forwarded-Scheme",
                           "X-Forwarded-Anything", "Front-End-Https"}) {
    EXPECT_FALSE(sent(name, "evil")) << name;
    EXPECT_EQ(sent(name, "/shop", true), "/shop") << name;
    config_.server.forwarded = http::ForwardedMode::Set;
    EXPECT_FALSE(sent(name, "/shop", true)) << name;
    config_.server.forwarded = http::ForwardedMode::Auto;
  }
  EXPECT_EQ(sent("X-Forwarded-Host", "evil"), "shop.test");
  EXPECT_EQ(sent("X-Forwarded-Host", "a.test", true), "a.test");
  EXPECT_EQ(sent("X-Tenant", "acme"), "acme");
}

TEST_F(OriginFields, HaveNoAddressOfAClientThatAStrangerSays) {
  for (const char* name :
       {"X-Real-IP", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP", "X_Real_IP", "Fastly-Client-IP"}) {
    EXPECT_FALSE(sent(name, "6.6.6.6")) << name;
    EXPECT_EQ(sent(name, "9.9.9.9", true), "9.9.9.9") << name;
    config_.server.forwarded = http::ForwardedMode::Off;
    EXPECT_FALSE(sent(name, "9.9.9.9", true)) << name;
    config_.server.forwarded = http::ForwardedMode::Auto;
  }
}

TEST_F(OriginFields, NeverHaveWhatNobodyMaySay) {
  for (const char* name :
       {"X-Forwarded-Server", "X_Forwarded_Server", "X_Forwarded_Proto", "X_Forwarded_For", "X.Forwarded.Host", "Proxy",
        "Forebay_Debug", "Forebay.Refresh", "Accept_Language", "Accept.Language", "X_Request_Id"}) {
    EXPECT_FALSE(sent(name, "x")) << name;
    EXPECT_FALSE(sent(name, "x", true)) << name;
  }
}

TEST_F(OriginFields, NeverMixSchemes) {
  const auto proto = [&](const Lines& lines) {
    const auto fields = sent(lines, true);
    EXPECT_EQ(fields.view().count(http::FieldId::XForwardedProto), 1u);
    return std::string(*fields.view().value("X-Forwarded-Proto"));
  };
  EXPECT_EQ(proto({{"X-Forwarded-Proto", "https, http"}}), "http") << "as the request was read";
  EXPECT_EQ(proto({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}), "http");
  EXPECT_EQ(proto({{"X-Forwarded-Proto", "gopher"}}), "http");
}

TEST_F(OriginFields, CountDownMaxForwardsOfOptions) {
  EXPECT_EQ(sent("Max-Forwards", "5", false, Method::Options), "4");
  EXPECT_EQ(sent("Max-Forwards", "x", false, Method::Options), "x") << "may be ignored";
  EXPECT_EQ(sent("Max-Forwards", "5"), "5") << "means nothing to a GET";
  const auto fields = sent(Lines{{"Max-Forwards", "7"}, {"max-forwards", "3"}}, false, Method::Options);
  EXPECT_EQ(fields.view().value("Max-Forwards"), "2");
}

TEST_F(OriginFields, HaveTheNameOfThisCacheInVia) {
  config_.diagnostics.name = "edge-1";
  EXPECT_EQ(sent("Via", "1.0 a"), "1.0 a, 1.1 edge-1");
}

TEST_F(OriginFields, OfTrailersObeyWhatHoldsInTheHead) {
  route_.request_headers.remove = {"X-Secret"};
  route_.request_headers.set = {{"X-Api-Client", "gateway"}};
  route_.key.headers = {"x-tenant"};
  route_.policy.bypass.headers = {"x-debug*"};
  config_.match_headers = {"x-op"};
  http::Fields trailers, head;
  head.add("Connection", "X-Hop");
  for (const char* name : {"X-Sum",
                           "X-Secret",
                           "X_Secret",
                           "X-Api-Client",
                           "X.Api.Client",
                           "X-Tenant",
                           "X_Tenant",
                           "X-Debug-Sql",
                           "X-Hop",
                           "X-Op",
                           "X_Op",
                           "Forebay-Debug",
                           "Host",
                           "Content-Length",
                           "Authorization",
                           "Cookie",
                           "Transfer-Encoding",
                           "X-Forwarded-For",
                           "X-Real-IP",
                           "X-Forwarded-Host",
                           "Max-Forwards",
                           "X-Request-Id",
                           "Cache-Control",
                           "Proxy",
                           "Via",
                           "Content_Type"})
    trailers.add(name, "1");
  OriginRequest request{config_, origin_, &route_, {Method::Post, "POST", "/a", http::Version::Http11, head.view()}};
  request.looked_up = true;
  trailers_for_origin(request, trailers);
  ASSERT_EQ(trailers.view().size(), 1u);
  EXPECT_EQ(trailers.view()[0].name, "X-Sum");
}

TEST_F(OriginFields, KeepWhatTheRouteKeysOn) {
  route_.key.headers = {"x-host", "x-tenant"};
  EXPECT_EQ(sent("X-Host", "a"), "a");
  EXPECT_EQ(sent("X-Tenant", "a"), "a");
  EXPECT_FALSE(sent("X_Tenant", "b")) << "one name to CGI";
}

TEST_F(OriginFields, LeaveOutConditionsOfASharedFetchAndFieldsForForebay) {
  for (const char* name : {"Range", "If-None-Match", "If-Modified-Since"}) {
    shared_ = true;
    EXPECT_FALSE(sent(name, "x")) << name;
    shared_ = false;
    EXPECT_EQ(sent(name, "x"), "x") << name;
  }
  EXPECT_FALSE(sent("Forebay-Refresh", "token"));
  EXPECT_FALSE(sent("TE", "trailers"));
}

TEST_F(OriginFields, EmptyCookieLinesLeaveNoTrace) {
  EXPECT_EQ(sent(Lines{{"Cookie", ""}, {"Cookie", "a=b"}, {"Cookie", ""}}).view().value("Cookie"), "a=b");
}

TEST_F(OriginFields, AreChangedByTheRouteLast) {
  route_.request_headers.remove = {"cookie"};
  route_.request_headers.set = {{"X-Api-Client", "gateway"}};
  const auto fields =
      sent(Lines{{"Cookie", "a=b"}, {"X-Api-Client", "evil"}, {"X_Api_Client", "evil"}, {"X.Api.Client", "evil"}});
  EXPECT_EQ(fields.view().find("X_Api_Client"), nullptr);
  EXPECT_EQ(fields.view().find("X.Api.Client"), nullptr);
  EXPECT_FALSE(fields.view().has(http::FieldId::Cookie));
  EXPECT_EQ(fields.view().value("X-Api-Client"), "gateway");
}

}  // namespace
}  // namespace forebay::proxy
