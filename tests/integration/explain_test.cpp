// What `explain` says of a request, and what then happens to it: some 200 requests, each explained first by the daemon
// that is going to serve it.
#include <boost/json.hpp>

#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

namespace json = boost::json;

std::string base64(std::string_view bytes) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned group = 0, bits = 0;
  for (const char c : bytes) {
    group = group << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6;) out += kLetters[group >> (bits -= 6) & 63];
  }
  if (bits > 0) out += kLetters[group << (6 - bits) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

/// A request, and what the origin would answer it with.
struct Step {
  std::string method, target;
  FieldLines fields{};
  std::string body{};
  int status = 200;
  FieldLines response{{"Cache-Control", "max-age=60"}};
  std::string content = "content";
};
std::ostream& operator<<(std::ostream& out, const Step& s) {
  out << s.method << ' ' << s.target;
  for (const auto& [name, value] : s.fields) out << " [" << name << ": " << value << ']';
  out << " -> " << s.status;
  for (const auto& [name, value] : s.response) out << " [" << name << ": " << value << ']';
  return out;
}

/// The member without its ttl, and the ttl.
std::pair<std::string, std::optional<long>> apart(const std::string& member) {
  const auto at = member.find("; ttl=");
  if (at == std::string::npos) return {member, std::nullopt};
  const auto end = std::min(member.find(';', at + 2), member.size());
  return {member.substr(0, at) + member.substr(end), std::stol(member.substr(at + 6, end - at - 6))};
}

class Explain : public ForebayTest {
 protected:
  void SetUp() override { FOREBAY_NOT_OVER_TLS("it explains requests over http"); }
  json::object explain(const Step& s) {
    json::array headers{json::array{"Host", host(s)}};
    for (const auto& [name, value] : s.fields)
      if (!same_name(name, "Host")) headers.push_back(json::array{name, value});
    json::object question{{"method", s.method}, {"url", "http://" + host(s) + s.target}, {"headers", headers}};
    if (!s.body.empty()) question["body_base64"] = base64(s.body);
    json::object response{{"status", s.status}};
    json::array response_headers;
    for (const auto& [name, value] : s.response) response_headers.push_back(json::array{name, value});
    response["headers"] = response_headers;
    response["body_base64"] = base64(s.content);
    question["response"] = response;
    Client c(daemon->admin_port());
    const auto answer = c.ask("POST", "/api/v1/explain", {{"Host", "localhost"}, {"Content-Type", "application/json"}},
                              json::serialize(question));
    EXPECT_EQ(answer.status, 200) << s << answer;
    json::error_code ec;
    const auto parsed = json::parse(answer.body, ec);
    EXPECT_FALSE(ec) << answer.body;
    return parsed.is_object() ? parsed.get_object() : json::object{};
  }

  /// Explains it, sends it, and compares.
  void follow(const Step& s) {
    ++followed_;
    SCOPED_TRACE(::testing::Message() << s);
    Reply reply(s.status);
    for (const auto& [name, value] : s.response) reply.field(name, value);
    reply.body(s.content);
    const auto told = explain(s);
    auto asked = s.target;
    if (const auto* route = told.at("route").if_object()) asked = text(*route, "target");
    origin.on(asked.substr(0, asked.find('?')), reply);
    auto fields = s.fields;
    if (!fields.has("Host")) fields.emplace_back("Host", host(s));
    const auto answer = ask(s.method, s.target, fields, s.body);

    const auto result = text(told, "result");
    EXPECT_NE(answer.status, 0) << "no answer";
    if (!told.at("status").is_null()) {
      EXPECT_EQ(answer.status, told.at("status").as_int64()) << answer;
      EXPECT_EQ(answer.cache_status(), "") << answer;
      EXPECT_EQ(result, "error");
      return;
    }
    const auto& headers = told.at("headers").as_object();
    EXPECT_EQ(answer.x_cache(), text(headers, "x_cache")) << json::serialize(told);
    const auto expected = apart(text(headers, "cache_status")), got = apart(answer.cache_status());
    EXPECT_EQ(got.first, expected.first) << json::serialize(told);
    ASSERT_EQ(got.second.has_value(), expected.second.has_value()) << answer.cache_status();
    // Between the two seconds may pass. One is for the rounding of a Date.
    if (got.second) {
      EXPECT_LE(*got.second, *expected.second + 1) << answer.cache_status();
      EXPECT_GE(*got.second, *expected.second - kSlack) << answer.cache_status();
    }
    check_store(s, told, result);
  }

  /// Whether what came was stored is what was said of it.
  void check_store(const Step& s, const json::object& told, const std::string& result) {
    if (told.at("stored").is_null()) return;  // there is no key to look under
    const bool was = told.at("stored").at("found").as_bool();
    const bool storable = told.at("response").at("storable").as_bool();
    json::object after;
    const auto settled = [&] {
      after = explain(s);
      const bool found = after.at("stored").at("found").as_bool();
      if (result == "miss" && !was) return found == storable;
      if (result == "hit") return found;
      return text(after, "result") != "coalesced";
    };
    EXPECT_TRUE(eventually(settled)) << "told: " << json::serialize(told) << "\nthen: " << json::serialize(after);
  }

  static std::string text(const json::object& object, std::string_view name) {
    const auto* member = object.if_contains({name.data(), name.size()});
    return member && member->is_string() ? std::string(member->get_string()) : std::string();
  }
  static std::string host(const Step& s) { return s.fields.has("Host") ? s.fields.get("Host") : "shop.test"; }
  void follow_all(const std::vector<Step>& steps) {
    for (const auto& s : steps) follow(s);
  }
  /// Each of these twice: the second one meets what the first has left.
  void follow_twice(const std::vector<Step>& steps) {
    for (const auto& s : steps) {
      follow(s);
      follow(s);
    }
  }

  std::size_t followed_ = 0;
};

const FieldLines kJson{{"Content-Type", "application/json"}};

TEST_F(Explain, ItsVerdictOnResponsesIsWhatThenHappens) {
  start(R"(
routes:
  - {name: ttl, path: /ttl/**, ttl: {default: 1m, min: 5s, max: 10m, status: {404: 10s, 503: 20s, 3xx: 0}}}
  - {name: ignore, path: /ignore/**, ttl: 30s, origin_cache_control: ignore}
  - {name: override, path: /override/**, ttl: 30s, origin_cache_control: override}
  - {name: heuristic, path: /heuristic/**, ttl: {heuristic: 10%}}
  - {name: strip, path: /strip/**, set_cookie: strip}
  - {name: share, path: /share/**, ttl: 1m, request_cookies: share}
  - {name: small, path: /small/**, max_object: 10B}
  - {name: novary, path: /novary/**, vary: ignore}
  - {name: stale, path: /stale/**, stale: {while_revalidate: 1h, if_error: 1h}}
  - {name: unguarded, path: /unguarded/**, suffix_guard: false}
  - {name: forgetful, path: /forgetful/**, pass_memory: 0}
  - {name: plain, path: /**}
)");
  const FieldLines fresh{{"Cache-Control", "max-age=60"}};
  const auto with = [](const char* cache_control) { return FieldLines{{"Cache-Control", cache_control}}; };
  std::vector<Step> steps;
  int n = 0;
  const auto add = [&](const std::string& place, int status, FieldLines response, FieldLines fields = {},
                       std::string content = "content") {
    steps.push_back({"GET",
                     '/' + place + '/' + std::to_string(++n),
                     std::move(fields),
                     {},
                     status,
                     std::move(response),
                     std::move(content)});
  };
  for (const auto* place : {"plain", "ttl", "ignore", "override"}) {
    add(place, 200, {});
    add(place, 200, fresh);
    add(place, 200, with("max-age=0"));
    add(place, 200, with("no-store"));
    add(place, 200, with("private, max-age=60"));
    add(place, 200, {{"Cache-Control", "no-cache"}, {"ETag", "\"1\""}});
    add(place, 200, with("s-maxage=3600, max-age=1"));
    add(place, 200, {{"CDN-Cache-Control", "max-age=40"}, {"Cache-Control", "no-store"}});
    add(place, 200, {{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=1"}});
    add(place, 200, {{"Cache-Control", "max-age=60"}, {"Vary", "*"}});
    add(place, 404, {});
    add(place, 503, {{"Retry-After", "7"}});
  }
  add("ttl", 302, {{"Location", "/"}});
  add("plain", 200, {{"Expires", http_date(100)}});
  add("plain", 200, {{"Expires", "0"}});
  add("plain", 500, fresh);
  add("plain", 299, fresh);
  add("plain", 206, {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-6/10"}});
  add("plain", 200, {{"Cache-Control", "max-age=60"}, {"Age", "20"}});
  add("plain", 200, {{"Cache-Control", "max-age=60"}, {"Age", "90"}, {"ETag", "\"1\""}});
  add("heuristic", 200, {{"Last-Modified", http_date(-10'000)}});
  add("strip", 200, {{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=1"}});
  add("ttl", 200, {}, {{"Cookie", "a=1"}});
  add("ttl", 200, fresh, {{"Cookie", "a=1"}});
  add("share", 200, {}, {{"Cookie", "a=1"}});
  add("small", 200, fresh, {}, "more than ten bytes");
  add("small", 200, fresh, {}, "less");
  add("novary", 200, {{"Cache-Control", "max-age=60"}, {"Vary", "*"}});
  add("forgetful", 200, with("no-store"));
  follow_twice(steps);

  const auto page = FieldLines{{"Cache-Control", "max-age=60"}, {"Content-Type", "text/html"}};
  follow_twice(
      {{"GET", "/plain/account/x.css", {}, {}, 200, page}, {"GET", "/unguarded/account/x.css", {}, {}, 200, page}});
  // Stale from the beginning: served within the window, and instead of an error.
  const auto old = FieldLines{{"Cache-Control", "max-age=60"}, {"Age", "100"}};
  follow_twice({{"GET", "/stale/a", {}, {}, 200, old}});
  const auto error_only =
      FieldLines{{"Cache-Control", "max-age=60, stale-while-revalidate=0"}, {"Age", "100"}, {"ETag", "\"1\""}};
  follow({"GET", "/stale/b", {}, {}, 200, error_only});
  follow({"GET", "/stale/b", {}, {}, 503, {}});
  follow({"GET", "/stale/b", {}, {}, 304, {{"ETag", "\"1\""}, {"Cache-Control", "max-age=60"}}, ""});
  follow({"GET", "/stale/b"});
  EXPECT_GE(followed_, 120u);
}

TEST_F(Explain, NamesWhatSetPassMemory) {
  start("routes: [{path: /**, pass_memory: 1h}]\n");
  const Step step{"GET", "/a", {}, {}, 200, {{"Cache-Control", "private"}}};
  EXPECT_TRUE(explain(step)["pass_memory"].is_null());
  follow(step);
  const auto memory = explain(step)["pass_memory"];
  ASSERT_TRUE(memory.is_object());
  EXPECT_EQ(memory.at("cause"), "private");
  EXPECT_GT(memory.at("left_s").to_number<int>(), 3000);
  follow(step);
  // Stored by now, so that it ends.
  follow({"GET", "/a"});
  EXPECT_TRUE(explain(step)["pass_memory"].is_null());
  follow({"GET", "/no-cache", {}, {}, 200, {{"Cache-Control", "no-cache"}, {"ETag", "\"1\""}}});
  EXPECT_EQ(explain({"GET", "/no-cache"})["pass_memory"].at("cause"), "no_cache");
  // A HEAD fetches by GET where nothing is known, and goes as it is while the key is remembered.
  const Step head{"HEAD", "/head", {}, {}, 200, {{"Cache-Control", "private"}}};
  follow(head);
  follow(head);
  ASSERT_EQ(origin.count("/head"), 2u);
  EXPECT_EQ(origin.requests("/head")[0].method, "GET");
  EXPECT_EQ(origin.requests("/head")[1].method, "HEAD");
}

TEST_F(Explain, ItsKeyAndVerdictOnRequestsAreWhatThenHappens) {
  start(R"(
server: {threads: 2, limits: {request_body: 8KiB}}
routes:
  - {name: key, path: "/key/{id}/{part}", key: {path: [id], query: [lang, f_*], headers: [X-Tenant], cookies: [ab_*]}}
  - {name: except, path: /except/**, key: {query: {except: [utm_*]}, host: false, scheme: false}}
  - {name: none, path: /none/**, key: {query: none}}
  - {name: body, path: /body, methods: [POST, PUT, PATCH, LOCK], key: {body_max: 1KiB}}
  - {name: pointers, path: /pointers, methods: POST, key: {body: [/q, /page], body_max: 1KiB}}
  - {name: form, path: /form, methods: POST, key: {form: [a, b]}}
  - {name: declared, path: /declared, methods: [POST], key: {body: none, body_max: 1KiB}}
  - {name: graphql, path: /graphql, methods: [GET, POST], key: {graphql: true}}
  - {name: query, path: /query, methods: QUERY}
  - {name: options, path: /options, methods: [GET, OPTIONS]}
  - {name: bypass, path: /bypass/**, bypass: {headers: [X-Preview*], cookies: [session_*], query: [debug]}}
  - {name: auth-bypass, path: /auth/bypass, authorization: bypass}
  - {name: auth-key, path: /auth/key, authorization: key}
  - {name: auth-share, path: /auth/share, authorization: share}
  - {name: listens, path: /listens/**, client_cache_control: respect}
  - {name: search, path: /search, no_vary_search: respect}
  - {name: refresh, path: /refresh/ignore, client_refresh: {token: "0123456789abcdef"}}
  - {name: warn, path: /refresh/warn, client_refresh: {token: "0123456789abcdef", otherwise: warn}}
  - {name: forbid, path: /refresh/forbid, client_refresh: {token: "0123456789abcdef", otherwise: forbid}}
  - {name: "off", path: /off, cache: false}
  - {name: private, host: [only.test], path: /hosted}
  - {name: plain, path: /plain/**}
)");
  follow_all({
      {"GET", "/key/1/a"},
      {"GET", "/key/1/b"},
      {"GET", "/key/2/b"},
      {"GET", "/key/1/a?utm=1"},
      {"GET", "/key/1/a?lang=de"},
      {"GET", "/key/1/a?lang="},
      {"GET", "/key/1/a?f_x=1&lang=de"},
      {"GET", "/key/1/a?lang=de&f_x=1"},
      {"GET", "/key/1/a", {{"X-Tenant", "acme"}}},
      {"GET", "/key/1/a", {{"X-Tenant", ""}}},
      {"GET", "/key/1/a", {{"x-tenant", "acme"}, {"Cookie", "theme=dark"}}},
      {"GET", "/key/1/a", {{"Cookie", "ab_home=b; theme=dark"}}},
      {"GET", "/key/1/a", {{"Cookie", "ab_home=b"}}},
      {"HEAD", "/key/1/a"},
      {"HEAD", "/key/9/a"},
      {"GET", "/except/a?x=1&utm_source=m"},
      {"GET", "/except/a?x=1"},
      {"GET", "/except/a?x=1", {{"Host", "other.test"}}},
      {"GET", "/except/a?y=1"},
      {"GET", "/none/a?x=1"},
      {"GET", "/none/a?y=2"},
      {"GET", "/plain/a/./b/../c?x"},
      {"GET", "/plain/a/c?x"},
      {"GET", "/plain/a/c?x="},
      {"GET", "/plain/%61/c?x"},
      {"GET", "/plain/a%2Fc"},
      {"GET", "/plain/a", {{"Host", "SHOP.test:80"}}},
      {"GET", "/plain/a", {{"Connection", "X-Hop"}, {"X-Hop", "1"}}},
      {"GET", "/plain/get-with-content", {}, "content"},
      {"GET", "/plain/ranged", {{"Range", "bytes=0-2"}}},
      {"GET", "/plain/ranged", {{"Range", "bytes=0-2"}}},
      {"GET", "/plain/conditional", {{"If-None-Match", "\"x\""}}},
      {"GET", "/hosted"},
      {"GET", "/hosted", {{"Host", "only.test"}}},
      {"GET", "/nowhere"},
      {"GET", "/off"},
      {"POST", "/off", {}, "x"},
  });
  follow_all({
      {"POST", "/body", kJson, R"({"a":1})"},
      {"POST", "/body", kJson, R"({"a":1})"},
      {"POST", "/body", kJson, R"({"a": 1})"},
      {"POST", "/body", {{"Content-Type", "text/plain"}}, R"({"a":1})"},
      {"PUT", "/body", kJson, R"({"a":1})"},
      {"PATCH", "/body", kJson, R"({"a":1})"},
      {"POST", "/body"},
      {"POST", "/body"},
      {"POST", "/body", kJson, std::string(2000, 'x')},
      {"DELETE", "/body"},
      {"GET", "/body"},
      {"POST", "/body", {}, std::string(10'000, 'x')},
      {"POST", "/pointers", kJson, R"({"q":"a","page":1,"noise":3})"},
      {"POST", "/pointers", kJson, R"({"page":1,"q":"\u0061","noise":4})"},
      {"POST", "/pointers", kJson, R"({"page":1.0,"q":"a"})"},
      {"POST", "/pointers", kJson, R"({"q":"a","q":"b"})"},
      {"POST", "/pointers", kJson, "no json"},
      {"POST",
       "/pointers",
       {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}},
       gzip(R"({"q":"a","page":1})")},
      {"POST",
       "/pointers",
       {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}},
       gzip("{\"q\":\"" + std::string(5000, 'x') + "\"}")},
      {"POST", "/form", {{"Content-Type", "application/x-www-form-urlencoded"}}, "a=1&b=x+y&c=3"},
      {"POST", "/form", {{"Content-Type", "application/x-www-form-urlencoded"}}, "b=x%20y&a=1"},
      {"POST", "/form", {{"Content-Type", "application/x-www-form-urlencoded"}}, "a=%zz"},
      {"POST", "/form", kJson, R"({"a":1})"},
      {"POST", "/declared", kJson, "anything"},
      {"POST", "/declared", kJson, "something else"},
      {"POST", "/declared", kJson, std::string(2000, 'x')},
      {"QUERY", "/query", kJson, R"({"a":1})"},
      {"QUERY", "/query", kJson, R"({"a":1})"},
      {"QUERY", "/query", {}, R"({"a":1})"},
      {"QUERY", "/plain/query", kJson, R"({"a":1})"},
      {"OPTIONS", "/options", {{"Origin", "http://a.test"}, {"Access-Control-Request-Method", "PUT"}}},
      {"OPTIONS", "/options", {{"Origin", "http://a.test"}, {"Access-Control-Request-Method", "PUT"}}},
      {"OPTIONS", "/options", {{"Origin", "http://b.test"}, {"Access-Control-Request-Method", "PUT"}}},
      {"LOCK", "/body"},
      {"PURGE", "/body"},
  });
  const std::string document = R"({"query":"{ a(id: $id) { b } }","variables":{"id":1}})";
  const std::string hash = sha256_hex("{__typename}");
  const std::string extensions = R"("extensions":{"persistedQuery":{"version":1,"sha256Hash":")" + hash + "\"}}";
  const std::string data = R"({"data":{"a":1}})", errors = R"({"errors":[{"message":"no"}]})";
  const FieldLines fresh{{"Cache-Control", "max-age=60"}, {"Content-Type", "application/json"}};
  follow_all({
      {"POST", "/graphql", kJson, document, 200, fresh, data},
      {"POST", "/graphql", kJson, R"({"variables":{"id":1},"query":"{a(id:$id){b}}"})", 200, fresh, data},
      {"GET",
       "/graphql?query=" + percent_encoded("{ a(id: $id) { b } }") + "&variables=" + percent_encoded("{\"id\":1}"),
       {},
       {},
       200,
       fresh,
       data},
      {"POST", "/graphql", kJson, R"({"query":"mutation { a }"})", 200, fresh, data},
      {"POST", "/graphql", kJson, R"({"query":"{ failing }"})", 200, fresh, errors},
      {"POST", "/graphql", kJson, R"({"query":"{ failing }"})", 200, fresh, errors},
      {"POST", "/graphql", kJson, "[" + document + "]", 200, fresh, data},
      {"POST", "/graphql", kJson, "{" + extensions + "}", 200, fresh, data},
      {"POST", "/graphql", kJson, R"({"query":"{__typename}",)" + extensions + "}", 200, fresh, data},
      {"POST", "/graphql", kJson, "{" + extensions + "}", 200, fresh, data},
      {"GET", "/graphql?extensions=" + percent_encoded("{" + extensions.substr(13) + ""), {}, {}, 200, fresh, data},
  });
  const FieldLines token{{"Authorization", "Bearer x"}}, other{{"Authorization", "Bearer y"}};
  const FieldLines shared{{"Cache-Control", "public, max-age=60"}};
  follow_all({
      {"GET", "/bypass/a"},
      {"GET", "/bypass/a", {{"X-Preview-Mode", "1"}}},
      {"GET", "/bypass/a", {{"Cookie", "a=1; session_id=x"}}},
      {"GET", "/bypass/a", {{"Cookie", "a=1"}}},
      {"GET", "/bypass/a?debug"},
      {"GET", "/bypass/a?%64ebug=1"},
      {"GET", "/plain/auth", token},
      {"GET", "/plain/auth"},
      {"GET", "/plain/auth", token},
      {"GET", "/plain/public", token, {}, 200, shared},
      {"GET", "/plain/public", other, {}, 200, shared},
      {"GET", "/auth/bypass", token},
      {"GET", "/auth/key", token},
      {"GET", "/auth/key", token},
      {"GET", "/auth/key", other},
      {"GET", "/auth/share", token},
      {"GET", "/auth/share", other},
      {"GET", "/plain/no-store", {{"Cache-Control", "no-store"}}},
      {"GET", "/plain/no-store"},
      {"GET", "/plain/no-store", {{"Cache-Control", "no-store"}}},
      {"GET", "/plain/cached-only", {{"Cache-Control", "only-if-cached"}}},
      {"GET", "/plain/no-store", {{"Cache-Control", "only-if-cached"}}},
      {"GET", "/plain/no-store", {{"Cache-Control", "no-cache"}}},
      {"GET", "/listens/a"},
      {"GET", "/listens/a", {{"Cache-Control", "no-cache"}}},
      {"GET", "/listens/a", {{"Cache-Control", "max-age=0"}}},
      {"GET", "/listens/a", {{"Cache-Control", "min-fresh=100"}}},
      {"GET", "/listens/old", {}, {}, 200, {{"Cache-Control", "max-age=60"}, {"Age", "70"}, {"ETag", "\"1\""}}},
      {"GET", "/listens/old", {{"Cache-Control", "max-stale=100"}}},
      {"GET", "/refresh/ignore"},
      {"GET", "/refresh/ignore", {{"Forebay-Refresh", "no"}}},
      {"GET", "/refresh/ignore", {{"Forebay-Refresh", "0123456789abcdef"}}},
      {"GET", "/refresh/warn", {{"Forebay-Refresh", "no"}}},
      {"GET", "/refresh/forbid", {{"Forebay-Refresh", "no"}}},
      {"GET", "/refresh/forbid", {{"Forebay-Refresh", "0123456789abcdef"}}},
  });
  const FieldLines language{{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Language"}};
  const FieldLines search{{"Cache-Control", "max-age=60"}, {"No-Vary-Search", "params=(\"utm\")"}};
  follow_all({
      {"GET", "/plain/vary", {{"Accept-Language", "de"}}, {}, 200, language},
      {"GET", "/plain/vary", {{"Accept-Language", "fr"}}, {}, 200, language},
      {"GET", "/plain/vary", {{"Accept-Language", "de"}}, {}, 200, language},
      {"GET", "/plain/vary", {}, {}, 200, language},
      {"GET", "/search?q=1&utm=a", {}, {}, 200, search},
      {"GET", "/search?q=1&utm=b", {}, {}, 200, search},
      {"GET", "/search?q=2&utm=b", {}, {}, 200, search},
      {"GET", "/plain/written"},
      {"GET", "/plain/written"},
      {"POST", "/plain/written", {}, "x"},
      {"GET", "/plain/written"},
      {"POST",
       "/plain/located",
       kJson,
       "x",
       200,
       {{"Cache-Control", "max-age=60"}, {"Content-Location", "/plain/located"}}},
      {"GET", "/plain/located"},
      {"TRACE", "/plain/a"},
      {"GET", "/plain/a", {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}},
      {"GET", "/plain/%00"},
      {"GET", "/plain/" + std::string(17'000, 'a')},
  });
  EXPECT_GE(followed_, 110u);
}

TEST_F(Explain, WithoutADefaultOriginARequestThatNoRouteMatchesIs404) {
  start_without_origin("origins: {o: '" + origin.url() + "'}\nroutes: [{path: /other, origin: o}]\n");
  follow({"GET", "/x"});
}

}  // namespace
}  // namespace forebay::test
