// Any method on a route that lists it, with the content of the request in the key.
#include "body_keys.hpp"

namespace forebay::test {
namespace {

class BodyKeys : public BodyKeysTest {};

TEST_F(BodyKeys, ASecondPostWithTheSameBodyIsAHitOnlyWhereTheRouteNamesTheMethod) {
  start("routes: [{path: /yes, methods: [POST, PUT, PATCH]}, {path: /no}]\n");
  for (const auto* method : {"POST", "PUT", "PATCH"}) {
    const auto first = ask(method, "/yes", kJson, "{}");
    EXPECT_THAT(first.cache_status(), MatchesRegex(std::string("forebay; fwd=miss; stored; ") + kTtlOf60)) << method;
    const auto second = ask(method, "/yes", kJson, "{}");
    EXPECT_THAT(second.cache_status(), MatchesRegex(std::string("forebay; hit; ") + kTtlOf60)) << method;
    EXPECT_EQ(second.body, first.body) << method;
    EXPECT_THAT(first.body, StartsWith(method)) << "the method is in the key";
    for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(method, "/no", kJson, "{}").x_cache(), "BYPASS") << method;
  }
  EXPECT_EQ(origin.count("/yes"), 3u);
  EXPECT_EQ(origin.count("/no"), 6u);
}

TEST_F(BodyKeys, AMethodOfOnesOwnIsKeyedToo) {
  start("routes: [{path: /**, methods: [SEARCH]}]\n");
  EXPECT_EQ(ask("SEARCH", "/a", kJson, "1").x_cache(), "MISS");
  EXPECT_EQ(ask("SEARCH", "/a", kJson, "1").x_cache(), "HIT");
  EXPECT_EQ(ask("SEARCH", "/a", kJson, "2").x_cache(), "MISS");
  EXPECT_EQ(get("/a").x_cache(), "BYPASS");
}

TEST_F(BodyKeys, TheTextOfAKeyOverTheBodyAsSent) {
  start("diagnostics: {cache_status: key}\nroutes: [{name: r, path: /**, methods: POST}]\n");
  const auto a = post("/a?q", "some text", {{"Content-Type", "Text/Plain; charset=UTF-8"}});
  EXPECT_THAT(a.key(),
              StartsWith("r|POST|http|shop.test|/a|q:q|b:" + sha256_hex("some text").substr(0, 32) + "|m:text/plain;"));
  EXPECT_EQ(post("/a", "x", {}).key(), "r|POST|http|shop.test|/a|b:" + sha256_hex("x").substr(0, 32))
      << "a Content-Type that is absent";
  const auto packed = gzip("some text");
  EXPECT_THAT(post("/a", packed, {{"Content-Encoding", "gzip"}, {"Content-Type", "text/plain"}}).key(),
              HasSubstr("|b:gzip:" + sha256_hex(packed).substr(0, 32) + "|m:text/plain"));
}

TEST_F(BodyKeys, DifferentBodiesNeverShareHoweverTheyAreSent) {
  start("routes: [{path: /**, methods: POST, key: {body_max: 1MiB}}]\nserver: {threads: 2}\n");
  for (const std::size_t n : {1u, 100u, 4096u, 65535u, 65536u, 300u * 1024u}) {
    auto one = pattern(n), two = one;
    two.back() = '#';
    const auto target = "/" + std::to_string(n);
    const auto first = post(target, one);
    EXPECT_EQ(first.x_cache(), "MISS") << n;
    EXPECT_TRUE(origin.last(target).body == one) << n;
    EXPECT_EQ(origin.last(target).get("Content-Length"), std::to_string(n)) << "a known length stays known";
    const auto other = post(target, two);
    EXPECT_EQ(other.x_cache(), "MISS") << n;
    EXPECT_TRUE(origin.last(target).body == two) << n;
    const auto again = post(target, one);
    EXPECT_EQ(again.x_cache(), "HIT") << n;
    EXPECT_EQ(again.body, first.body) << n;
    for (const std::size_t chunk : {1u, 1000u, 70000u}) {
      if (n / chunk > 5000) continue;
      const auto coded = ask("POST", target, with(kJson, "Transfer-Encoding", "chunked"), chunked(two, chunk));
      EXPECT_EQ(coded.x_cache(), "HIT") << n << " in chunks of " << chunk << ": framing is no part of the content";
      EXPECT_EQ(coded.body, other.body) << n;
    }
    EXPECT_EQ(origin.count(target), 2u) << n;
  }
}

TEST_F(BodyKeys, NoContentIsOneAndTheSameHoweverItIsSaidAndUnlikeSome) {
  start("routes: [{path: /**, methods: POST}]\n");
  EXPECT_EQ(ask("POST", "/a", {}).x_cache(), "MISS");
  EXPECT_EQ(ask("POST", "/a", {{"Content-Length", "0"}}).x_cache(), "HIT");
  EXPECT_EQ(ask("POST", "/a", {{"Transfer-Encoding", "chunked"}}, "0\r\n\r\n").x_cache(), "HIT");
  EXPECT_EQ(ask("POST", "/a", {}, "x").x_cache(), "MISS");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(BodyKeys, NoContentIsNoJson) {
  start("routes: [{path: /**, methods: POST, key: {body: [/q]}}]\n");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("POST", "/a", kJson).cache_param("detail"), "body_unparsable");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(BodyKeys, AnotherContentTypeIsAnotherKey) {
  start("routes: [{path: /raw, methods: POST}, {path: /json, methods: POST, key: {body: ['']}}]\n");
  for (const std::string target : {"/raw", "/json"}) {
    post(target, "{}", {{"Content-Type", "application/json; charset=utf-8"}});
    EXPECT_EQ(post(target, "{}", {{"Content-Type", "application/json"}}).x_cache(), "MISS");
    EXPECT_EQ(post(target, "{}", {{"Content-Type", "application/vnd.x+json"}}).x_cache(), "MISS");
    EXPECT_EQ(post(target, "{}", {}).x_cache(), "MISS");
    EXPECT_EQ(post(target, "{}", {{"Content-Type", "Application/JSON;charset=UTF-8"}}).x_cache(), "HIT")
        << "case and blanks make no other type";
  }
}

TEST_F(BodyKeys, OtherPartsOfTheKeyCountBesideTheBody) {
  // The protocol of DynamoDB: one path, the operation in a header, the rest in the body.
  start(
      "diagnostics: {cache_status: key}\n"
      "routes: [{name: db, path: /, methods: POST, key: {headers: [X-Amz-Target], body: ['']}}]\n");
  const FieldLines read{{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "DynamoDB_20120810.GetItem"}};
  const FieldLines query{{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "DynamoDB_20120810.Query"}};
  const auto first = post("/", R"({"TableName":"t","Key":{"id":{"S":"1"}}})", read);
  EXPECT_EQ(first.key(),
            "db|POST|http|shop.test|/|h:x-amz-target=DynamoDB_20120810.GetItem|b:="
            R"({"Key":{"id":{"S":"1"}},"TableName":"t"})"
            "|m:application/x-amz-json-1.0");
  EXPECT_EQ(post("/", R"({ "Key": {"id": {"S": "1"}}, "TableName": "t" })", read).x_cache(), "HIT");
  EXPECT_EQ(post("/", R"({"TableName":"t","Key":{"id":{"S":"1"}}})", query).x_cache(), "MISS");
  EXPECT_EQ(post("/", R"({"TableName":"t","Key":{"id":{"S":"2"}}})", read).x_cache(), "MISS");
}

TEST_F(BodyKeys, OnlyTheMembersThatPointersChooseCount) {
  start(
      "diagnostics: {cache_status: key}\n"
      "routes: [{name: s, path: /**, methods: POST, key: {body: [/filter, /page, /a~1b, '/list/0']}}]\n");
  const auto first = post("/s", R"({"trace":"1","page":2,"filter":{"b":[3,1],"a":"x y"}})");
  EXPECT_EQ(first.key(), R"(s|POST|http|shop.test|/s|b:/filter={"a":"x y","b":[3,1]} /page=2|m:application/json)");
  EXPECT_EQ(post("/s", R"({"filter":{"a":"x y","b":[3,1]},"page":2,"trace":"2","more":null})").x_cache(), "HIT");
  for (const auto* other :
       {R"({"filter":{"a":"x y","b":[1,3]},"page":2})", R"({"filter":{"a":"x y","b":[3,1]},"page":3})",
        R"({"filter":{"a":"x y","b":[3,1]}})", R"({"filter":{"a":"x y","b":[3,1]},"page":null})",
        R"({"filter":{"a":"x y","b":[3,1]},"page":"2"})", R"({"filter":{"a":"x y","b":[3,1]},"page":2,"a/b":1})",
        R"({"filter":{"a":"x y","b":[3,1]},"page":2,"list":[1]})", R"({"page":2})", "{}"})
    EXPECT_EQ(post("/s", other).x_cache(), "MISS") << other;
  for (const auto* none : {"[]", "null", R"("/page")", R"({"pages":2})"})
    EXPECT_EQ(post("/s", none).x_cache(), "MISS") << none << ": with nothing chosen it shares with its like alone";
  EXPECT_EQ(post("/s", R"({"filter":{"a":"x y","b":[3,1]},"page":2,"list":[1,2,3]})").x_cache(), "HIT")
      << "only the first element counts";
  EXPECT_THAT(post("/s", R"({"a/b":"|%="})").key(), HasSubstr("|b:/a~1b=\"%7C%25=\"|m:"));
}

TEST_F(BodyKeys, AValueThatLooksLikeAnotherPointerIsStillAValue) {
  start("routes: [{path: /**, methods: POST, key: {body: [/a, /b]}}]\n");
  const std::vector<std::string> all{R"({"a":"1","b":"2"})",  R"({"a":"1 /b=2"})",  R"({"a":"1\" /b=\"2"})",
                                     R"({"a":"1|m:"})",       R"({"b":"2"})",       R"({"a":"1"})",
                                     R"({"a":["1","/b=2"]})", R"({"a":"1","b":2})", R"({"a":1})",
                                     R"({"a":"1%20/b=2"})"};
  for (const auto& body : all) EXPECT_EQ(post("/x", body).x_cache(), "MISS") << body;
  for (const auto& body : all) EXPECT_EQ(post("/x", body).x_cache(), "HIT") << body;
}

TEST_F(BodyKeys, SpellingsOfOneJsonDocumentShare) {
  start("routes: [{path: /**, methods: POST, key: {body: ['']}}]\n");
  EXPECT_TRUE(share(R"({"a":1,"b":2})", R"({ "b":2, "a":1 })"));
  EXPECT_TRUE(share(R"({"a":[1, {"x":true,"y":null}]})", "{\"a\":\r\n\t[1,{\"y\":null,\"x\":true}]}\n"));
  EXPECT_TRUE(share(R"({"caf\u00e9":"\/"})", "{\"caf\xc3\xa9\":\"/\"}"));
  EXPECT_TRUE(share(R"({"a":"\uD83D\uDE00"})", "{\"a\":\"\xf0\x9f\x98\x80\"}"));
  EXPECT_TRUE(share(R"(["\u0008\u0041\u000A"])", R"(["\bA\n"])"));
}

TEST_F(BodyKeys, ValuesThatAreUnlikeNeverShare) {
  start("routes: [{path: /**, methods: POST, key: {body: ['']}}]\n");
  const std::vector<std::string> unlike{"1",
                                        "1.0",
                                        "\"1\"",
                                        "1e0",
                                        "1e400",
                                        "1e401",
                                        "true",
                                        "null",
                                        "[]",
                                        "{}",
                                        "\"\"",
                                        "0",
                                        "-0",
                                        "false",
                                        "[1]",
                                        "[[]]",
                                        "[{}]",
                                        "\"a\"",
                                        "\"A\"",
                                        "\"null\"",
                                        "\" 1\"",
                                        "12",
                                        "-1",
                                        "10e-1",
                                        "1E0",
                                        "1.00",
                                        "\"caf\xc3\xa9\"",
                                        "\"cafe\xcc\x81\""};
  for (const auto& text : unlike) EXPECT_EQ(post("/v", "{\"a\":" + text + "}").x_cache(), "MISS") << text;
  for (const auto& text : unlike) EXPECT_EQ(post("/v", "{\"a\":" + text + "}").x_cache(), "HIT") << text;
  EXPECT_EQ(origin.count("/v"), unlike.size());
  EXPECT_FALSE(share("[1,2]", "[2,1]")) << "the order of arrays counts";
}

TEST_F(BodyKeys, NumbersByValueAreExactDecimals) {
  start("routes: [{path: /**, methods: POST, key: {body: [''], numbers: value}}]\n");
  EXPECT_TRUE(share("[2]", "[2.0]"));
  EXPECT_TRUE(share("[2]", "[2e0]"));
  EXPECT_TRUE(share("[200]", "[2E+2]"));
  EXPECT_TRUE(share("[0.5]", "[5e-1]"));
  EXPECT_TRUE(share("[1e400]", "[10e399]"));
  EXPECT_FALSE(share("[1e400]", "[1e401]"));
  EXPECT_FALSE(share("[9007199254740993]", "[9007199254740992]")) << "beyond a double's precision";
  EXPECT_FALSE(share("[0.1]", "[0.10000000000000000000001]"));
  EXPECT_FALSE(share("[2]", "[\"2\"]"));
  EXPECT_FALSE(share("[2]", "[-2]"));
  expect_bypass("/far", "[1e9999999999999999]", kJson, "body_unparsable");
}

TEST_F(BodyKeys, WhatTwoReadersCouldTakeForDifferentThingsIsNotLookedUp) {
  start(
      "routes: [{path: /whole, methods: POST, key: {body: ['']}}, {path: /part, methods: POST, key: {body: [/a]}}]\n");
  std::string deep(200, '[');
  deep += std::string(200, ']');
  const std::vector<std::string> traps{
      R"({"a":1,"a":2})",
      R"({"a":1,"\u0061":2})",
      R"({"a":1,"b":{"x":1,"x":1}})",
      R"({"a":1,"b":[{"c":{"d":1,"d":2}}]})",
      "{\"a\":\"\xff\"}",
      "{\"a\":1,\"b\":\"\xc0\xaf\"}",
      "{\"a\":1,\"b\":\"\xed\xa0\x80\"}",
      "{\"a\":1,\"\xf5\x80\x80\x80\":1}",
      R"({"a":"\ud800"})",
      R"({"a":1,"b":"\udc00\ud800"})",
      deep,
      "{\"a\":1,\"b\":" + deep + "}",
      R"({"a":1}{"a":2})",
      R"({"a":1} x)",
      R"({"a":1,})",
      R"({'a':1})",
      R"({a:1})",
      R"({"a":01})",
      R"({"a":+1})",
      R"({"a":.5})",
      R"({"a":1.})",
      R"({"a":NaN})",
      R"({"a":0x10})",
      R"({"a":1)",
      R"({"a":"1)",
      "{\"a\":\"\n\"}",
      R"({"a":"\x41"})",
      "{\"a\":1}/* c */",
      "\xef\xbb\xbf{\"a\":1}",
      std::string("{\"a\":1}\0", 8),
      " ",
      "a=1&b=2",
      "<a/>",
  };
  for (const auto& body : traps) {
    expect_bypass("/whole", body, kJson, "body_unparsable");
    expect_bypass("/part", body, kJson, "body_unparsable");
  }
  EXPECT_TRUE(
      metric_reaches("forebay_cache_requests_total", {{"result", "bypass"}}, static_cast<double>(4 * traps.size())));
}

TEST_F(BodyKeys, SixtyFourLevelsOfJsonAreKeyed) {
  start("routes: [{path: /**, methods: POST, key: {body: ['']}}]\n");
  EXPECT_TRUE(share(std::string(60, '[') + std::string(60, ']'), std::string(60, '[') + " " + std::string(60, ']')));
}

TEST_F(BodyKeys, TheSameJsonEncodedOrNotIsOneEntryAndTheOriginGetsWhatTheClientSent) {
  start("routes: [{path: /**, methods: POST, key: {body: ['']}}]\n");
  const std::string json = R"({"a":[1,2,3],"text":"some text some text some text"})";
  struct Case {
    const char* coding;
    std::string content;
  };
  const Case cases[] = {{"gzip", gzip(json)}, {"x-gzip", gzip(json)}, {"br", brotli(json)},
                        {"zstd", zstd(json)}, {"GZIP", gzip(json)},   {"identity, gzip", gzip(json)}};
  int n = 0;
  for (const auto& c : cases) {
    const auto path = "/" + std::to_string(n++);
    const auto fields = with(kJson, "Content-Encoding", c.coding);
    EXPECT_EQ(post(path, c.content, fields).x_cache(), "MISS") << c.coding;
    EXPECT_TRUE(origin.last(path).body == c.content) << c.coding;
    EXPECT_EQ(origin.last(path).get("Content-Encoding"), c.coding);
    EXPECT_EQ(post(path, json).x_cache(), "HIT") << c.coding << ", then identity";
    EXPECT_EQ(ask("POST", path, with(kJson, "Transfer-Encoding", "chunked"), chunked(json, 7)).x_cache(), "HIT");
    EXPECT_EQ(ask("POST", path, with(fields, "Transfer-Encoding", "chunked"), chunked(c.content, 5)).x_cache(), "HIT");
    EXPECT_EQ(origin.count(path), 1u) << c.coding;
  }
  // Some take deflate for what has no zlib wrapper, and find another text in the same bytes.
  const auto deflated = with(kJson, "Content-Encoding", "deflate");
  EXPECT_EQ(post("/d", zlib_deflate(json), deflated).x_cache(), "MISS");
  EXPECT_EQ(post("/d", json).x_cache(), "MISS");
  EXPECT_EQ(post("/d", zlib_deflate(json), deflated).x_cache(), "HIT");
}

TEST_F(BodyKeys, WhatOriginsUnpackDifferentlyIsNotLookedUp) {
  start(R"(
routes:
  - {path: /json, methods: POST, key: {body: ['']}}
  - {path: /form, methods: POST, key: {form: [q]}}
)");
  const FieldLines form{{"Content-Type", "application/x-www-form-urlencoded"}};
  const auto gzipped = with(form, "Content-Encoding", "gzip");
  expect_bypass("/json", gzip("[1") + gzip("]"), with(kJson, "Content-Encoding", "gzip"), "body_unparsable");
  expect_bypass("/json", brotli(gzip("[1]")), with(kJson, "Content-Encoding", "gzip, br"), "body_unparsable");
  expect_bypass("/form", gzip("q=t") + gzip("ea"), gzipped, "body_unparsable");
  expect_bypass("/form", gzip("q=tea"), with(with(form, "Content-Encoding", "identity"), "Content-Encoding", "gzip"),
                "body_unparsable");
  EXPECT_EQ(post("/form", gzip("q=tea"), gzipped).x_cache(), "MISS");
  EXPECT_EQ(post("/form", "q=tea", form).x_cache(), "MISS") << "undecoded it would be a form without fields";
}

TEST_F(BodyKeys, WhatInflatesBeyondTheLimitOrNotAtAllIsNotLookedUp) {
  start(R"(
routes:
  - {path: /json, methods: POST, key: {body: ['']}}
  - {path: /as-sent, methods: POST, key: {body: [''], decode: false}}
)");
  const auto gzipped = with(kJson, "Content-Encoding", "gzip");
  const std::string bomb = "[" + std::string(20 << 20, ' ') + "]";
  expect_bypass("/json", gzip(bomb), gzipped, "body_too_large");
  expect_bypass("/json", brotli(bomb), with(kJson, "Content-Encoding", "br"), "body_too_large");
  expect_bypass("/json", zstd(bomb), with(kJson, "Content-Encoding", "zstd"), "body_too_large");
  expect_bypass("/json", gzip("{}") + "tail", gzipped, "body_unparsable");
  expect_bypass("/json", gzip("{}").substr(0, 15), gzipped, "body_unparsable");
  expect_bypass("/json", "{}", gzipped, "body_unparsable");
  expect_bypass("/json", "{}", with(kJson, "Content-Encoding", "unheard-of"), "body_unparsable");
  expect_bypass("/json", gzip(R"({"a":1,"a":2})"), gzipped, "body_unparsable");
  expect_bypass("/as-sent", gzip("{}"), gzipped, "body_unparsable");
  EXPECT_EQ(post("/json", gzip("{}"), gzipped).x_cache(), "MISS") << "the next one is none the worse";
}

TEST_F(BodyKeys, UnderBodyAllTheCodingIsPartOfTheKey) {
  start("routes: [{path: /**, methods: POST}]\n");
  const auto packed = gzip("text");
  post("/a", packed, with(kJson, "Content-Encoding", "gzip"));
  EXPECT_EQ(post("/a", "text").x_cache(), "MISS");
  EXPECT_EQ(post("/a", packed).x_cache(), "MISS") << "the same bytes without their coding mean something else";
  EXPECT_EQ(post("/a", packed, with(kJson, "Content-Encoding", "gzip")).x_cache(), "HIT");
}

TEST_F(BodyKeys, FormFieldsByName) {
  start(
      "diagnostics: {cache_status: key}\n"
      "routes: [{name: f, path: /**, methods: POST, key: {form: [q, page]}}]\n");
  const FieldLines form{{"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(post("/a", "csrf=1&page=2&q=a+b", form).key(),
            "f|POST|http|shop.test|/a|f:q=a b&page=2|m:application/x-www-form-urlencoded");
  EXPECT_EQ(origin.last("/a").body, "csrf=1&page=2&q=a+b");
  EXPECT_EQ(post("/a", "q=a%20b&page=%32&csrf=2", form).x_cache(), "HIT") << "fully decoded";
  EXPECT_EQ(post("/a", "%71=a+b&page=2", form).x_cache(), "HIT");
  for (const auto* body : {"q=a%2Bb&page=2", "q=a%26page=2", "q=a+b", "page=2", "q=a+b&page=2&q=c", "q=c&q=a+b&page=2",
                           "q=a+b&page=", "x=1"})
    EXPECT_EQ(post("/a", body, form).x_cache(), "MISS") << body;
  expect_bypass("/b", "q=%zz", form, "body_unparsable");
  expect_bypass("/b", "q=%4", form, "body_unparsable");
  expect_bypass("/b", "x=1;q=2", form, "body_unparsable");
}

TEST_F(BodyKeys, ContentOnAGetIsKeyedWhereTheRouteSaysSo) {
  start("routes: [{path: /keyed, key: {body: all}}, {path: /not}]\n");
  EXPECT_EQ(ask("GET", "/keyed", kJson, "1").x_cache(), "MISS");
  EXPECT_EQ(ask("GET", "/keyed", kJson, "1").x_cache(), "HIT");
  EXPECT_EQ(ask("GET", "/keyed", kJson, "2").x_cache(), "MISS");
  EXPECT_EQ(origin.last("/keyed").body, "2");
  EXPECT_EQ(get("/keyed").x_cache(), "MISS") << "without content";
  EXPECT_EQ(get("/keyed").x_cache(), "HIT");
  EXPECT_EQ(ask("GET", "/not", kJson, "1").cache_status(), "forebay; fwd=bypass; detail=request_body");
}

TEST_F(BodyKeys, WithBodyNoneThePostIsSharedAndItsBodyStillForwarded) {
  start("routes: [{path: /**, methods: POST, key: {body: none}}]\n");
  EXPECT_EQ(post("/a", "one").x_cache(), "MISS");
  EXPECT_EQ(origin.last("/a").body, "one");
  auto c = connect();
  EXPECT_EQ(c.ask("POST", "/a", kJson, pattern(60000)).x_cache(), "HIT");
  EXPECT_EQ(c.get("/b").x_cache(), "BYPASS") << "the unread body did not become a request";
}

TEST_F(BodyKeys, WhatTheOriginSaysOfStoringHoldsForAPostToo) {
  origin.on("/ttl", Reply().body("x"));
  origin.on("/no-store", Reply::with("no-store"));
  origin.on("/private", Reply::with("private, max-age=60"));
  origin.on("/cookie", Reply::fresh().field("Set-Cookie", "a=1"));
  origin.on("/500", Reply(500).body("x"));
  start("routes: [{path: /**, methods: POST, ttl: 60s, pass_memory: 0}]\n");
  post("/ttl", "b");
  EXPECT_EQ(post("/ttl", "b").x_cache(), "HIT");
  const std::pair<const char*, const char*> cases[] = {
      {"/no-store", "no_store"}, {"/private", "private"}, {"/cookie", "set_cookie"}, {"/500", "status"}};
  for (const auto& [path, reason] : cases) {
    post(path, "b");
    const auto second = post(path, "b");
    EXPECT_EQ(second.x_cache(), "MISS") << path;
    EXPECT_EQ(second.cache_param("detail"), path == std::string("/500") ? second.cache_param("detail") : reason);
    EXPECT_EQ(origin.count(path), 2u);
  }
}

TEST_F(BodyKeys, APostThatTheRouteListsIsAReadAndOtherWritesDropWhatItStored) {
  start("routes: [{path: /**, methods: [GET, POST]}]\n");
  get("/a");
  post("/a", "1");
  EXPECT_EQ(get("/a").x_cache(), "HIT") << "a listed method invalidates nothing";
  ask("DELETE", "/a");
  EXPECT_EQ(get("/a").x_cache(), "MISS");
  EXPECT_EQ(post("/a", "1").x_cache(), "MISS") << "every method of the URL";
  EXPECT_EQ(post("/b", "1").x_cache(), "MISS");
  ask("PUT", "/a", {}, "x");
  EXPECT_EQ(post("/b", "1").x_cache(), "HIT");
}

TEST_F(BodyKeys, OnlyIfCachedAndConditionsWorkOnAPost) {
  origin.otherwise([](const Received&) { return Reply::fresh("x").field("ETag", "\"v\""); });
  start("routes: [{path: /**, methods: POST}]\n");
  const auto only = with(kJson, "Cache-Control", "only-if-cached");
  EXPECT_TRUE(is_problem(post("/a", "1", only), 504));
  EXPECT_EQ(origin.count("/a"), 0u);
  post("/a", "1");
  EXPECT_EQ(post("/a", "1", only).x_cache(), "HIT");
  EXPECT_TRUE(is_problem(post("/a", "2", only), 504));
  const auto before = origin.count("/a");
  const auto guarded = post("/a", "1", with(kJson, "If-Match", "\"other\""));
  EXPECT_EQ(guarded.x_cache(), "BYPASS") << "a precondition on an unsafe method is the origin's to judge";
  EXPECT_EQ(origin.count("/a"), before + 1);
  EXPECT_EQ(origin.last("/a").get("If-Match"), "\"other\"");
}

}  // namespace
}  // namespace forebay::test
