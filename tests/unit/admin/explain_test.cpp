#include "forebay/admin/explain.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace forebay::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

proxy::ExplainRequest read(std::string_view document) {
  auto r = read_explain_request(document);
  if (const auto* fault = std::get_if<std::string>(&r)) {
    ADD_FAILURE() << *fault;
    return {};
  }
  return std::get<proxy::ExplainRequest>(std::move(r));
}

std::string fault_of(std::string_view document) {
  const auto r = read_explain_request(document);
  const auto* fault = std::get_if<std::string>(&r);
  return fault == nullptr ? "" : *fault;
}

TEST(ExplainDocument, IsReadWithHeadersInBothForms) {
  for (const auto* headers :
       {R"({"X-Tenant":"acme","Accept":["a","b"]})", R"([["X-Tenant"," acme "],["Accept","a"],["Accept","b"]])"}) {
    const auto r = read(std::string(R"({"method":"POST","url":"/a","body":"{}","headers":)") + headers +
                        R"(,"response":{"status":404,"headers":{"ETag":"\"1\""},"body_base64":"/wA="}})");
    EXPECT_EQ(r.method, "POST");
    EXPECT_EQ(r.url, "/a");
    EXPECT_EQ(r.content, "{}");
    ASSERT_EQ(r.fields.view().size(), 3u);
    EXPECT_EQ(r.fields.view().value("X-Tenant"), "acme");
    EXPECT_EQ(r.fields.view()[2].value, "b");
    ASSERT_TRUE(r.response);
    EXPECT_EQ(r.response->status, 404);
    EXPECT_EQ(r.response->fields.view().value("ETag"), "\"1\"");
    EXPECT_EQ(r.response->content, std::string("\xff\0", 2));
  }
  const auto bare = read(R"({"url":"/a","body":null,"response":null})");
  EXPECT_EQ(bare.method, "GET");
  EXPECT_FALSE(bare.content);
  EXPECT_FALSE(bare.response);
}

TEST(ExplainDocument, SaysWhatIsWrongWithIt) {
  struct Case {
    const char* document;
    const char* fault;
  };
  for (const auto& c : {Case{"", "not valid JSON"}, Case{"[1]", "object"}, Case{"{}", "\"url\" is missing"},
                        Case{R"({"url":1})", "\"url\" must be a string"},
                        Case{R"({"url":"/","metod":"GET"})", "unknown member \"metod\"; known members are method, url"},
                        Case{R"({"url":"/","method":"A B"})", "\"method\" is not a method"},
                        Case{R"({"url":"/","headers":"X: 1"})", "\"headers\" must be an object or a list"},
                        Case{R"({"url":"/","headers":[["a"]]})", "\"headers\" as a list must hold [name, value]"},
                        Case{R"({"url":"/","headers":{"a":1}})", "value of a must be a string"},
                        Case{R"({"url":"/","headers":{"a":[1]}})", "list of a must hold strings"},
                        Case{R"({"url":"/","headers":{"a b":"1"}})", "\"a b\" is not a field name"},
                        Case{R"({"url":"/","headers":{"a":"1\r\nb: 2"}})", "value of a contains"},
                        Case{R"({"url":"/","body":"a","body_base64":"YQ=="})", "cannot be used together"},
                        Case{R"({"url":"/","body_base64":"*"})", "not valid Base64"},
                        Case{R"({"url":"/","response":[]})", "\"response\" must be an object"},
                        Case{R"({"url":"/","response":{"state":1}})", "unknown member \"response.state\""},
                        Case{R"({"url":"/","response":{"status":"200"}})", "from 200 to 599"},
                        Case{R"({"url":"/","response":{"status":100}})", "from 200 to 599"},
                        Case{R"({"url":"/","response":{"headers":3}})", "\"response.headers\" must be"}})
    EXPECT_THAT(fault_of(c.document), HasSubstr(c.fault)) << c.document;
}

TEST(ExplainDocument, IsWrittenAsItIsRead) {
  proxy::ExplainRequest request;
  request.method = "PUT";
  request.url = "http://h/\"q\"";
  request.fields.add("A", "1");
  request.fields.add("A", "2");
  request.content = std::string("\xc3\x28\0x", 4);  // no UTF-8
  auto& response = request.response.emplace();
  response.status = 503;
  response.fields.add("Retry-After", "3");
  response.content = "text \xc3\xa4";
  const auto again = read(write_explain_request(request));
  EXPECT_EQ(again.method, request.method);
  EXPECT_EQ(again.url, request.url);
  EXPECT_EQ(again.content, request.content);
  ASSERT_EQ(again.fields.view().size(), 2u);
  EXPECT_EQ(again.fields.view()[1].value, "2");
  EXPECT_EQ(again.response->status, 503);
  EXPECT_EQ(again.response->content, response.content);
}

proxy::Explanation example() {
  proxy::Explanation e;
  e.method = "POST";
  e.url = "http://shop.example.com/api/search";
  auto& route = e.route.emplace();
  route.name = "search";
  route.file = "forebay.yaml";
  route.line = 74;
  route.origin = "catalog";
  route.methods = {"POST"};
  route.target = "/api/search";
  e.has_key = true;
  e.key_text = R"(search|POST|http|shop.example.com|/api/search|h:x-tenant=acme|b:/query="shoes" /page=1)";
  e.key_id = "5f0c1d";
  e.parts = {{"route", "", "search", true},        {"method", "", "POST", true},
             {"header", "X-Tenant", "acme", true}, {"body", "/query", "\"shoes\"", true},
             {"body", "/filters", "", false},      {"body", "/page", "1", true}};
  e.looked_up = true;
  auto& stored = e.stored.emplace();
  stored.found = true;
  stored.state = "fresh";
  stored.age_s = 4;
  stored.ttl_s = 11;
  stored.lifetime_s = 15;
  stored.size = 3174;
  stored.hits = 12;
  stored.variants = 1;
  auto& response = e.response.emplace();
  response.storable = true;
  response.ttl_s = 15;
  response.ttl_source = "default";
  response.ttl_setting = "routes.search.ttl.default";
  response.swr_s = 60;
  response.swr_setting = "defaults.stale.while_revalidate";
  e.result = "hit";
  e.cache_status = "forebay; hit; ttl=11";
  e.x_cache = "HIT";
  e.notes = {"one thing"};
  return e;
}

TEST(ExplainText, NamesAnotherOriginThanTheRoutesThatHasGivenWhatIsStored) {
  auto e = example();
  e.stored->origin = e.route->origin;
  EXPECT_THAT(to_text(to_json(e)), HasSubstr(", L1\n"));
  e.stored->origin = "backup";
  EXPECT_THAT(to_text(to_json(e)), HasSubstr(", L1, from backup\n"));
}

TEST(ExplainText, HasTheLinesOfTheManual) {
  EXPECT_EQ(to_text(to_json(example())),
            "POST http://shop.example.com/api/search\n"
            "route      search  (forebay.yaml:74, policy -)  methods POST, origin catalog\n"
            "key        search|POST|http|shop.example.com|/api/search|h:x-tenant=acme|b:/query=\"shoes\" /page=1\n"
            "           id 5f0c1d  parts: header X-Tenant, body /query, /page (absent: /filters)\n"
            "request    looked up\n"
            "stored     yes, fresh: age 4 s of 15 s, 3.1 KiB, 12 hits, L1\n"
            "response   would be stored: ttl 15 s (from routes.search.ttl.default), stale-while-revalidate 60 s "
            "(defaults.stale.while_revalidate)\n"
            "answer     Cache-Status: forebay; hit; ttl=11\n"
            "note       one thing\n");
}

TEST(ExplainText, LeavesOutWhatIsAbsentAndSaysWhatIsNot) {
  proxy::Explanation e;
  e.method = "GET";
  e.url = "/a";
  e.result = "bypass";
  e.lookup_reason = rules::Reason::NoRoute;
  e.cache_status = "forebay; fwd=bypass; detail=no_route";
  EXPECT_EQ(to_text(to_json(e)),
            "GET /a\nroute      none\nrequest    not looked up: no_route\n"
            "answer     Cache-Status: forebay; fwd=bypass; detail=no_route\n");
  e.own_status = 308;
  EXPECT_THAT(to_text(to_json(e)), HasSubstr("answer     Forebay's own answer, 308\n"));
  e.result = "error";
  e.own_status = 404;
  EXPECT_THAT(to_text(to_json(e)), HasSubstr("answer     Forebay's own error, 404\n"));
  e = example();
  e.route->target = "/v2/search";
  e.stored = proxy::Explanation::Stored{};
  e.stored->variants = 2;
  e.response->storable = false;
  e.response->reason = rules::Reason::NoStore;
  e.pass_memory = proxy::Explanation::PassMemory{rules::Reason::NoFreshness, 7};
  const auto text = to_text(to_json(e));
  EXPECT_THAT(
      text,
      HasSubstr(
          "\npass       requests for this key do not wait for each other: no_freshness, remembered for another 7 s "
          "(pass_memory)\n"));
  EXPECT_THAT(text, HasSubstr("\n           the origin is asked for /v2/search\n"));
  EXPECT_THAT(text, HasSubstr("stored     no; 2 variants of the key for other requests\n"));
  EXPECT_THAT(text, HasSubstr("response   would not be stored: no_store\n"));
}

TEST(ExplainText, OfWhatIsStoredTheLifetimeItselfIsShown) {
  auto e = example();
  e.stored->age_s = 2;
  e.stored->ttl_s = -1;
  e.stored->lifetime_s = 2;
  e.stored->state = "stale";
  EXPECT_THAT(to_text(to_json(e)), HasSubstr("stored     yes, stale: age 2 s of 2 s, "));
}

TEST(ExplainText, NothingInItSteersATerminal) {
  auto e = example();
  e.url = "http://h/\x1b[31m\xc2\x9b\x7f";
  e.notes = {"a\nb\rc\td"};
  for (const char c : to_text(to_json(e))) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << int(c);
  EXPECT_THAT(to_text(to_json(e)), Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(to_text(to_json(e)), HasSubstr("note       a?b?c?d\n"));
}

TEST(ExplainText, OfWhatIsNoExplanationIsEmpty) {
  EXPECT_EQ(to_text("no json"), "");
  EXPECT_EQ(to_text("[]"), "");
  for (const auto* text : {"", "{}", "no json", "[]", R"({"status":"ok"})", R"({"request":{},"lookup":{}})"}) {
    EXPECT_EQ(to_text(text), "") << text;
    EXPECT_FALSE(is_explanation(text)) << text;
  }
  EXPECT_TRUE(is_explanation(to_json(example())));
  EXPECT_TRUE(is_explanation(to_json(proxy::Explanation{})));
}

TEST(ExplainJson, HasNullForWhatIsAbsentAndNeverBrokenText) {
  proxy::Explanation e;
  e.method = "GET";
  e.url = "/\xff";
  const auto document = boost::json::parse(to_json(e)).as_object();
  for (const auto* name : {"route", "key", "stored", "pass_memory", "response", "status"})
    EXPECT_TRUE(document.at(name).is_null()) << name;
  EXPECT_TRUE(document.at("lookup").at("reason").is_null());
  EXPECT_EQ(document.at("request").at("url").as_string(), "/\xef\xbf\xbd");
  const auto full = boost::json::parse(to_json(example())).as_object();
  EXPECT_EQ(boost::json::serialize(full.at("key").at("parts").at(4)),
            R"({"kind":"body","name":"/filters","value":null,"present":false})");
  EXPECT_EQ(full.at("stored").at("tier").as_string(), "l1");
  EXPECT_EQ(full.at("response").at("ttl_setting").as_string(), "routes.search.ttl.default");
}

}  // namespace
}  // namespace forebay::admin
