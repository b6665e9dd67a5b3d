#include "forebay/proxy/request_filter.hpp"

#include <gmock/gmock.h>

namespace forebay::proxy {
namespace {

using ::testing::HasSubstr;

AccessRecord record() {
  AccessRecord r;
  r.method = "GET";
  r.host = "shop.test";
  r.path = "/api/v1/search";
  r.route = "search";
  r.status = 503;
  r.result = rules::CacheResult::Miss;
  r.reason = rules::Reason::NoStore;
  r.total_ms = 250.5;
  r.bytes_out = 1000;
  r.origin_name = "shop";
  r.origin_status = 503;
  r.user_agent = "curl";
  return r;
}

bool passes(std::string_view filter) {
  const auto parsed = RequestFilter::parse(filter);
  if (const auto* fault = std::get_if<RequestFilter::Fault>(&parsed)) {
    ADD_FAILURE() << filter << ": " << fault->why;
    return false;
  }
  return std::get<RequestFilter>(parsed).matches(record());
}

TEST(RequestFilter, AllConditionsMustHold) {
  for (const auto* filter : {"",
                             "  ",
                             "result=miss",
                             "cache.result=miss",
                             "reason=no_store",
                             "status=503",
                             "status>=500",
                             "status>502",
                             "status<504",
                             "status<=503",
                             "status!=200",
                             "time.total_ms>200",
                             "time.total_ms<250.6",
                             "path~/api/",
                             "path!~/shop/",
                             "route=search",
                             "route!=other",
                             "method=GET",
                             "host=shop.test",
                             "bytes_out=1000",
                             "origin.name=shop",
                             "origin.status>=500",
                             "stored=false",
                             "path~\"/api/\"",
                             "age_s!=5",
                             "error.code=",
                             "result=miss status>=500 time.total_ms>200 path~/api/ route=search",
                             "result=miss and status>=500  and\troute=search"})
    EXPECT_TRUE(passes(filter)) << filter;
  for (const auto* filter : {"result=hit", "status<500", "status=200", "path~/shop/", "path!~/api/", "route=other",
                             "time.total_ms>300", "age_s>=0", "age_s<10", "ttl_s=0", "result=miss status=200"})
    EXPECT_FALSE(passes(filter)) << filter;
}

TEST(RequestFilter, FaultsSayWhereAndWhatThereIs) {
  struct Case {
    const char* filter;
    std::size_t at;
    const char* why;
  };
  for (const auto& c :
       {Case{"result=miss rout=x", 12, "did you mean route?"}, Case{"=5", 0, "begins with the name of a field"},
        Case{"status", 0, "needs one of"}, Case{"status>high", 0, "is a number, and \"high\" is none"},
        Case{"status~5", 0, "is a number: it has"}, Case{"route>a", 0, "is a text: it has"},
        Case{"result=hot", 0, "there are hit, stale"}, Case{"reason=x", 0, "is no reason; there are "},
        Case{"path=\"a b", 0, "quotes of the value are not closed"}, Case{"and status=5", 0, "is no field"},
        Case{"status=5 user_agent=x", 9, "is no field"}, Case{"query=secret", 0, "there are result, reason"},
        Case{"status=", 0, "is none"}}) {
    const auto parsed = RequestFilter::parse(c.filter);
    const auto* const fault = std::get_if<RequestFilter::Fault>(&parsed);
    ASSERT_NE(fault, nullptr) << c.filter;
    EXPECT_EQ(fault->at, c.at) << c.filter;
    EXPECT_THAT(fault->why, HasSubstr(c.why)) << c.filter;
  }
}

TEST(RequestFilter, ValuesWithBlanksStandInQuotes) {
  const auto parsed = RequestFilter::parse(R"(path~"a b" path~"q\"x" )");
  auto r = record();
  r.path = "/a b/q\"x";
  EXPECT_TRUE(std::get<RequestFilter>(parsed).matches(r));
  r.path = "/a b/";
  EXPECT_FALSE(std::get<RequestFilter>(parsed).matches(r));
}

TEST(RequestFilter, TheNumberOfConditionsIsBounded) {
  std::string most;
  for (std::size_t i = 0; i < RequestFilter::kMostConditions; ++i) most += "status=503 ";
  EXPECT_TRUE(passes(most));
  EXPECT_TRUE(std::holds_alternative<RequestFilter::Fault>(RequestFilter::parse(most + "status=503")));
}

}  // namespace
}  // namespace forebay::proxy
