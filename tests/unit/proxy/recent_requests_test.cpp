#include "forebay/proxy/recent_requests.hpp"

#include <gmock/gmock.h>

namespace forebay::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

AccessRecord request(std::string_view id, std::string_view path = "/a") {
  AccessRecord r;
  r.request_id = id;
  r.method = "GET";
  r.path = path;
  r.query = "token=secret&a=1";
  r.has_query = true;
  r.status = 200;
  r.reason = rules::Reason::NoStore;
  return r;
}

TEST(RecentRequests, AreFoundByTheirIdAsTheLogHasThem) {
  RecentRequests recent(4);
  EXPECT_THAT(recent.find("a", 9, {}), IsEmpty());
  {
    // Nothing of what the record shows outlives the call.
    const std::string id = "first", path = "/p/" + std::string(40, 'x');
    recent.keep(request(id, path));
  }
  recent.keep(request("", "/without"));
  config::AccessLog config;
  config.redact_query = {"token"};
  const auto found = recent.find("first", 9, config);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].reason, rules::Reason::NoStore);
  EXPECT_THAT(found[0].json, HasSubstr("\"path\":\"/p/" + std::string(40, 'x') + '"'));
  EXPECT_THAT(found[0].json, HasSubstr("\"request_id\":\"first\""));
  EXPECT_THAT(found[0].json, Not(HasSubstr("secret")));
  EXPECT_THAT(recent.find("", 9, config), IsEmpty()) << "those without an id are not kept";
}

TEST(RecentRequests, AreForgottenWhenNewerOnesCome) {
  RecentRequests recent(3);
  for (int i = 0; i < 5; ++i) recent.keep(request("id-" + std::to_string(i)));
  EXPECT_THAT(recent.find("id-1", 9, {}), IsEmpty());
  for (int i = 2; i < 5; ++i) EXPECT_THAT(recent.find("id-" + std::to_string(i), 9, {}), SizeIs(1)) << i;
}

TEST(RecentRequests, OfOneIdComeTheLatestFirst) {
  RecentRequests recent(3);
  for (const auto* path : {"/1", "/2", "/3", "/4"}) recent.keep(request("same", path));
  const auto found = recent.find("same", 2, {});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].json, HasSubstr("\"/4\""));
  EXPECT_THAT(found[1].json, HasSubstr("\"/3\""));
}

TEST(RecentRequests, HaveABoundForTheirTexts) {
  RecentRequests recent(2);
  const std::string longest(100'000, 'x');
  auto r = request("long", longest);
  r.user_agent = r.referer = r.host = r.query = longest;
  recent.keep(r);
  const auto found = recent.find("long", 9, {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_LT(found[0].json.size(), 4096u);
  EXPECT_THAT(found[0].json, HasSubstr("\"path\":\"xxx"));
}

}  // namespace
}  // namespace forebay::proxy
