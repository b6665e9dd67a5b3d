#include "forebay/proxy/origin_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace forebay::proxy {
namespace {

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
    request.instance_id = "1a2b";
    request.request_id = "r-1";
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
  bool looked_up_ = true, shared_ = true;
};

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

TEST_F(OriginFields, HaveTheHostThatTheOriginWants) {
  origin_.host_header = "origin";
  EXPECT_EQ(sent("Host", "shop.test"), "web.internal:3000");
  origin_.host_header = "fixed.test";
  EXPECT_EQ(sent("Host", "shop.test"), "fixed.test");
}

TEST_F(OriginFields, LeaveOutWhatChoosesTheAnswerBehindTheKeyUnlessAPeerIsTrusted) {
  for (const char* name : {"X-Host", "x-original-url", "X_Rewrite_URL", "X-Forwarded-Prefix", "X-HTTP-Method-Override",
                           "X-Forwarded-Scheme", "Accept_Language"}) {
    EXPECT_FALSE(sent(name, "evil")) << name;
    EXPECT_EQ(sent(name, "evil", true), "evil") << name;
  }
  EXPECT_EQ(sent("X-Forwarded-Host", "evil"), "shop.test");
  EXPECT_EQ(sent("X-Forwarded-Host", "evil", true), "evil");
  EXPECT_EQ(sent("X-Tenant", "acme"), "acme");
}

TEST_F(OriginFields, KeepWhatTheRouteKeysOn) {
  route_.key.headers = {"x-host", "x-tenant"};
  EXPECT_EQ(sent("X-Host", "a"), "a");
  EXPECT_EQ(sent("X-Tenant", "a"), "a");
  EXPECT_FALSE(sent("X_Tenant", "b")) << "one name to CGI";
}

TEST_F(OriginFields, LetAPostThatNobodySharesSayWhatItStandsFor) {
  looked_up_ = false;
  EXPECT_EQ(sent("X-HTTP-Method-Override", "PUT", false, Method::Post), "PUT");
  EXPECT_FALSE(sent("X-HTTP-Method-Override", "PUT"));
  looked_up_ = true;
  EXPECT_FALSE(sent("X-HTTP-Method-Override", "PUT", false, Method::Post));
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

TEST_F(OriginFields, AreChangedByTheRouteLast) {
  route_.request_headers.remove = {"cookie"};
  route_.request_headers.set = {{"X-Api-Client", "gateway"}};
  const auto fields = sent(Lines{{"Cookie", "a=b"}, {"X-Api-Client", "evil"}});
  EXPECT_FALSE(fields.view().has(http::FieldId::Cookie));
  EXPECT_EQ(fields.view().value("X-Api-Client"), "gateway");
}

}  // namespace
}  // namespace forebay::proxy
