// What is forwarded to the origin and back, and what is not. RFC 9110 section 7.6, RFC 7239, RFC 8586.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Forwarding : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received&) { return Reply().body("x"); });
  }
};

TEST_F(Forwarding, HopByHopFieldsAndThoseThatConnectionNamesGoNoFurther) {
  start();
  get("/a", {{"Connection", "X-Hop, close, Keep-Alive"},
             {"X-Hop", "1"},
             {"Keep-Alive", "timeout=5"},
             {"TE", "trailers"},
             {"Proxy-Connection", "keep-alive"},
             {"Proxy-Authorization", "Basic x"},
             {"Upgrade", "h2c"},
             {"HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"},
             {"X-End", "2"}});
  const auto r = origin.last("/a");
  for (const auto* name : {"X-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Upgrade",
                           "HTTP2-Settings", "Transfer-Encoding"})
    EXPECT_FALSE(r.has(name)) << name;
  EXPECT_NE(r.get("Connection"), "X-Hop, close, Keep-Alive");
  EXPECT_EQ(r.get("X-End"), "2");
}

TEST_F(Forwarding, SettingsOfAnUpgradeToHttp2GoNoFurtherThoughConnectionDoesNotNameThem) {
  origin.on("/answer", Reply::fresh().field("HTTP2-Settings", "AAMAAABk"));
  start();
  EXPECT_EQ(get("/a", {{"HTTP2-Settings", "AAMAAABk"}, {"X-End", "2"}}).status, 200);
  EXPECT_FALSE(origin.last("/a").has("HTTP2-Settings"));
  EXPECT_EQ(origin.last("/a").get("X-End"), "2");
  EXPECT_FALSE(get("/answer").has("HTTP2-Settings")) << "no server may send it";
}

TEST_F(Forwarding, ConnectionNamesAreRemovedBeforeTheKeyIsMade) {
  origin.on("/k", [](const Received& r) { return Reply::fresh(r.get("X-Tenant")); });
  start("routes: [{path: /**, key: {headers: [X-Tenant]}}]\n");
  EXPECT_EQ(get("/k", {{"X-Tenant", "evil"}, {"Connection", "X-Tenant"}}).body, "");
  EXPECT_EQ(get("/k", {{"X-Tenant", "evil"}}).body, "evil");
}

TEST_F(Forwarding, ConnectionMayNotRemoveWhatTheRequestIsMadeOf) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\nConnection: Host, Content-Length\r\n\r\nbody");
  c.read();
  for (const auto& r : origin.requests("/a")) {
    EXPECT_EQ(r.get("Host"), "shop.test");
    EXPECT_EQ(r.body, "body");
  }
  EXPECT_THAT(origin.complaints(), IsEmpty());
}

TEST_F(Forwarding, ViaIsAddedToWhatIsThere) {
  origin.on("/a", Reply().field("Via", "1.1 inner").body("x"));
  start();
  const auto a = get("/a", {{"Via", "1.0 outer"}});
  EXPECT_THAT(origin.last("/a").get("Via"), MatchesRegex("1\\.0 outer, 1\\.1 [^ ,]+"));
  EXPECT_THAT(a.get("Via"), StartsWith("1.1 inner")) << "on answers a gateway may add its own (RFC 9110 section 7.6.3)";
}

TEST_F(Forwarding, AnUntrustedPeersForwardedFieldsAreReplaced) {
  start();
  get("/a", {{"X-Forwarded-For", "6.6.6.6"},
             {"X-Forwarded-Proto", "https"},
             {"X-Forwarded-Host", "evil.test"},
             {"X-Forwarded-Port", "666"},
             {"Forwarded", "for=6.6.6.6;host=evil.test"}});
  const auto r = origin.last("/a");
  EXPECT_EQ(r.get("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(r.get("X-Forwarded-Proto"), scheme());
  EXPECT_THAT(r.get("X-Forwarded-Host"), AnyOf("", "shop.test"));
  EXPECT_NE(r.get("X-Forwarded-Port"), "666");
  EXPECT_THAT(r.get("Forwarded"), Not(HasSubstr("6.6.6.6")));
  EXPECT_THAT(r.get("Forwarded"), Not(HasSubstr("evil")));
  EXPECT_THAT(r.get("Forwarded"), HasSubstr("for=127.0.0.1"));
}

TEST_F(Forwarding, ATrustedPeersForwardedFieldsAreAppendedTo) {
  start("server: {threads: 1, trusted_proxies: [127.0.0.0/8]}\nroutes: [{path: /**}]\n");
  get("/a", {{"X-Forwarded-For", "10.1.2.3"}, {"X-Forwarded-Proto", "https"}, {"Forwarded", "for=\"[2001:db8::1]\""}});
  const auto r = origin.last("/a");
  EXPECT_EQ(r.get("X-Forwarded-For"), "10.1.2.3, 127.0.0.1");
  EXPECT_EQ(r.get("X-Forwarded-Proto"), "https");
  EXPECT_THAT(r.get("Forwarded"), StartsWith("for=\"[2001:db8::1]\", for=127.0.0.1"));
}

TEST_F(Forwarding, WithoutForwardedOfATrustedPeerNoneIsBegun) {
  start("server: {threads: 1, trusted_proxies: [127.0.0.0/8]}\nroutes: [{path: /**}]\n");
  get("/a", {{"X-Forwarded-For", "10.1.2.3"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_FALSE(origin.last("/a").has("Forwarded")) << "it would say that the proxy is the client, over http";
  get("/b");
  EXPECT_THAT(origin.last("/b").get("Forwarded"), StartsWith("for=127.0.0.1"));
}

TEST_F(Forwarding, TheLogTellsOnceWhoseFieldsAreReplacedAndWhichSettingWouldTrustThem) {
  FOREBAY_NOT_OVER_TLS("there https is the truth");
  start();
  get("/plain");
  EXPECT_THAT(daemon->log(), Not(HasSubstr("trusted_proxies")));
  for (int i = 0; i < 3; ++i) get("/a", {{"X-Forwarded-Proto", "https"}});
  const auto line =
      "X-Forwarded-* and Forwarded fields of peers in 127.0.0.0/24 are replaced (X-Forwarded-Proto becomes \"" +
      scheme() + "\")";
  ASSERT_TRUE(eventually([&] { return daemon->log().find(line) != std::string::npos; }));
  const auto log = daemon->log();
  EXPECT_THAT(log, HasSubstr("set server.trusted_proxies: [\"127.0.0.0/24\"]"));
  EXPECT_THAT(log.substr(log.find(line) + 1), Not(HasSubstr(line)));
  daemon.reset();
  start("server: {threads: 1, trusted_proxies: [\"127.0.0.0/24\"]}\nroutes: [{path: /**}]\n");
  get("/b", {{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(origin.last("/b").get("X-Forwarded-Proto"), "https");
  EXPECT_THAT(daemon->log(), Not(HasSubstr("are replaced")));
}

TEST_F(Forwarding, PeersOfAUnixSocketAreTrustedByTheWordUnix) {
  const TempDir dir;
  const auto path = dir.file("s");
  for (const bool trusted : {false, true}) {
    daemon.reset();
    start(std::string("server: {threads: 1, trusted_proxies: ") + (trusted ? "[unix]" : "[]") +
          "}\nlisten: ['unix:" + path + "', '127.0.0.1:0']\nroutes: [{path: /**}]\n");
    Client c(Socket::connect_unix(path));
    c.get("/u", {{"X-Forwarded-For", "10.1.2.3"}, {"X-Forwarded-Proto", "https"}});
    const auto r = origin.last("/u");
    EXPECT_EQ(r.get("X-Forwarded-For"), trusted ? "10.1.2.3" : "");
    EXPECT_EQ(r.get("X-Forwarded-Proto"), trusted ? "https" : "http");
    EXPECT_EQ(access_line("/u")["client"], trusted ? "10.1.2.3" : "");
    EXPECT_EQ(daemon->log().find("set server.trusted_proxies: [unix]") == std::string::npos, trusted);
    Client tcp(daemon->port("127.0.0.1:0"));
    tcp.get("/t", {{"X-Forwarded-Proto", "https"}});
    EXPECT_EQ(origin.last("/t").get("X-Forwarded-Proto"), "http") << "of a TCP peer it is another matter";
  }
}

TEST_F(Forwarding, ForwardedFieldsMayBeSwitchedOff) {
  start("server: {threads: 1, forwarded: off}\nroutes: [{path: /**}]\n");
  get("/a", {{"X-Forwarded-For", "6.6.6.6"}, {"Forwarded", "for=6.6.6.6"}});
  const auto r = origin.last("/a");
  for (const auto* name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"})
    EXPECT_FALSE(r.has(name)) << name;
}

TEST_F(Forwarding, TheSchemeOfATrustedPeerIsPartOfTheKeyAndThatOfAStrangerIsNot) {
  origin.on("/s", [](const Received& r) { return Reply::fresh(r.get("X-Forwarded-Proto")); });
  start();
  get("/s", {{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(get("/s").x_cache(), "HIT");
  daemon.reset();
  start("server: {threads: 1, trusted_proxies: [127.0.0.1/32]}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/s", {{"X-Forwarded-Proto", "https"}}).body, "https");
  EXPECT_EQ(get("/s", {{"X-Forwarded-Proto", "http"}}).body, "http");
}

TEST_F(Forwarding, HostIsPreservedOrTheOriginsOrAText) {
  for (const auto& [setting, expected] : std::vector<std::pair<std::string, std::string>>{
           {"preserve", "shop.test"}, {"origin", origin.authority()}, {"inner.test", "inner.test"}}) {
    daemon.reset();
    start("origins: {o: {url: '" + origin.url() + "', host_header: " + setting +
          "}}\norigin: o\nroutes: [{path: /**}]\n");
    get("/a");
    EXPECT_EQ(origin.last("/a").get("Host"), expected) << setting;
  }
}

TEST_F(Forwarding, NoSpellingOfAHostReachesTheAnswersOfOthers) {
  FOREBAY_NOT_OVER_TLS("port 80 is the default of http alone");
  // One key for all spellings, so an origin that writes the Host into its answer must see one of them only.
  start();
  for (const auto* host : {"SHOP.test", "shop.test:80", "shop.test:", "shop.test:080", "shop%2Etest"}) {
    auto c = connect();
    c.send(std::string("GET /spelt HTTP/1.1\r\nHost: ") + host + "\r\n\r\n");
    EXPECT_EQ(c.read().status, 200) << host;
    EXPECT_EQ(origin.last("/spelt").get("Host"), "shop.test") << host;
    EXPECT_THAT(origin.last("/spelt").get("Forwarded"), HasSubstr("host=shop.test;")) << host;
  }
}

TEST_F(Forwarding, AnAbsoluteTargetsAuthorityReplacesHost) {
  start();
  auto c = connect();
  c.send("GET http://real.test/a?q HTTP/1.1\r\nHost: other.test\r\n\r\n");
  EXPECT_EQ(c.read().status, 200);
  const auto r = origin.last("/a");
  EXPECT_EQ(r.get("Host"), "real.test");
  EXPECT_EQ(r.target, "/a?q");
}

TEST_F(Forwarding, TheOriginGetsTheNormalisedPathAndTheQueryAsSent) {
  start();
  const std::pair<const char*, const char*> cases[] = {
      {"/a/./b/../c", "/a/c"}, {"/%7Euser", "/~user"}, {"/a%2fb", "/a%2Fb"},
      {"//a//b", "//a//b"},    {"/a;p=1", "/a;p=1"},   {"/a?x=%7e&y=/../z", "/a?x=%7e&y=/../z"},
      {"/../../a", "/a"},      {"/a/..", "/"},         {"/%2e%2e/b", "/b"},
      {"/a%5Cb", "/a%5Cb"},    {"/?", "/?"},
  };
  for (const auto& [sent, expected] : cases) {
    const auto before = origin.count();
    EXPECT_EQ(get(sent).status, 200) << sent;
    EXPECT_EQ(origin.count(), before + 1) << sent;
    const std::string path = std::string(expected).substr(0, std::string(expected).find('?'));
    EXPECT_EQ(origin.last(path).target, expected) << sent;
  }
}

TEST_F(Forwarding, OptionsStarIsForwardedAsItIs) {
  start();
  auto c = connect();
  c.send("OPTIONS * HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  EXPECT_NE(c.read("OPTIONS").status, 0);
  for (const auto& r : origin.requests("*")) EXPECT_EQ(r.method, "OPTIONS");
}

TEST_F(Forwarding, BadTargetsAndHostsAreRefusedAndNothingReachesTheOrigin) {
  start();
  for (const std::string target :
       {"/a%00b", "/a#f", "/a\x01", "/a\x7f", "a", "/a b", "/%", "/%4", "/%zz", "http://", "http:///a", "/a%0d%0a"}) {
    const auto a = send_raw("GET " + target + " HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    if (target == "/a%0d%0a" && a.status == 200) continue;  // encoded bytes that no reader takes for a line end
    if (target.starts_with("/%") && a.status == 200) continue;
    EXPECT_EQ(a.status, 400) << target;
  }
  const auto before = origin.count();
  for (const std::string host :
       {"[::1", "a b", "a/b", "user@a", "a:b", "a:99999", "[::1]x", "a\tb", "a?b", "a#b", "a\\b"})
    EXPECT_EQ(send_raw("GET /h HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 400) << host;
  EXPECT_EQ(origin.count(), before);
  for (const std::string host : {"[::1]", "[::1]:80", "a.test:8080", "A-b.test", "1.2.3.4"})
    EXPECT_EQ(send_raw("GET /h HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 200) << host;
}

TEST_F(Forwarding, ConnectAndTraceAre405) {
  start();
  EXPECT_EQ(send_raw("TRACE /a HTTP/1.1\r\nHost: shop.test\r\n\r\n").status, 405);
  EXPECT_THAT(send_raw("CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\n").status, AnyOf(405, 400));
  EXPECT_EQ(origin.count(), 0u);
}

TEST_F(Forwarding, UpgradeToWhatTheRouteDoesNotListIsIgnored) {
  start();
  const auto h2c =
      get("/a", {{"Connection", "Upgrade, HTTP2-Settings"}, {"Upgrade", "h2c"}, {"HTTP2-Settings", "AAMAAABk"}});
  EXPECT_EQ(h2c.status, 200);
  EXPECT_TRUE(h2c.head.starts_with("HTTP/1.1 200 ")) << h2c.head;
  EXPECT_FALSE(h2c.has("Upgrade"));
  EXPECT_FALSE(origin.last("/a").has("HTTP2-Settings"));
  EXPECT_FALSE(origin.last("/a").has("Upgrade"));
  EXPECT_THAT(origin.last("/a").get("Connection"), Not(HasSubstr("pgrade")));
  const auto websocket = get("/ws", {{"Connection", "Upgrade, Sec-WebSocket-Key"},
                                     {"Upgrade", "h2c"},
                                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
  EXPECT_EQ(websocket.status, 200);
  EXPECT_THAT(origin.last("/ws").head, Not(HasSubstr("pgrade")));
  EXPECT_FALSE(origin.last("/ws").has("Sec-WebSocket-Key")) << "what Connection names goes no further";
}

TEST_F(Forwarding, ForebaysOwnRequestFieldsAreNeverForwarded) {
  start();
  get("/a", {{"Forebay-Debug", "secret"}, {"Forebay-Refresh", "secret"}, {"Forebay-Anything", "secret"}});
  EXPECT_THAT(origin.last("/a").head, Not(HasSubstr("secret")));
}

TEST_F(Forwarding, ForebayPointedAtItselfAnswers508OnTheSecondPass) {
  // The loop is closed by hand: what the origin was sent comes back to the client side.
  start();
  get("/a");
  const auto loop = origin.last("/a").get("CDN-Loop");
  EXPECT_THAT(loop, MatchesRegex("forebay; ?id=[0-9a-f]+"));
  const auto before = origin.count();
  const auto a = get("/b", {{"CDN-Loop", loop}});
  EXPECT_TRUE(is_problem(a, 508)) << a;
  EXPECT_EQ(origin.count(), before);
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "loop"}}, 1));
}

TEST_F(Forwarding, ALoopIsSeenBeforeAnyLookUpAndAnotherForebayIsNone) {
  origin.on("/a", Reply::fresh());
  start();
  get("/a");
  const auto own = origin.last("/a").get("CDN-Loop");
  EXPECT_EQ(get("/a", {{"CDN-Loop", own}}).status, 508) << "even on what would be a hit";
  EXPECT_EQ(get("/b", {{"CDN-Loop", "forebay;id=0123456789abcdef, other"}, {"Via", "1.1 forebay"}}).status, 200);
  EXPECT_THAT(origin.last("/b").get("CDN-Loop"), StartsWith("forebay;id=0123456789abcdef, other, forebay"));
  std::string many;
  for (int i = 0; i < 17; ++i) many += (i ? ", " : "") + std::string("forebay;id=") + std::to_string(i);
  EXPECT_EQ(get("/c", {{"CDN-Loop", many}}).status, 508) << "more than sixteen of them";
}

TEST_F(Forwarding, AnAnswersCacheStatusOfAnInnerCacheStaysInFront) {
  origin.on("/a",
            Reply::fresh().field("Cache-Status", "inner; hit").field("X-Cache", "HIT from inner").field("Age", "3"));
  start();
  EXPECT_THAT(get("/a").cache_status(), StartsWith("inner; hit, forebay; fwd=uri-miss"));
  const auto hit = get("/a");
  EXPECT_THAT(hit.cache_status(), StartsWith("inner; hit, forebay; hit"));
  EXPECT_THAT(hit.x_cache(), EndsWith("HIT"));
  EXPECT_EQ(hit.fields.count("Age"), 1u);
}

TEST_F(Forwarding, AnAnswerWithoutADateGetsOne) {
  origin.on("/a", Reply::fresh().without_date());
  start();
  for (const auto& a : {get("/a"), get("/a")}) EXPECT_EQ(a.fields.count("Date"), 1u);
}

constexpr auto kTrusting = "server: {threads: 1, trusted_proxies: [127.0.0.0/8]}\nroutes: [{path: /**}]\n";

TEST_F(Forwarding, NobodyNamesAnotherUrlOrMethodForARequestThatIsLookedUp) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.target); });
  for (const bool trusted : {false, true}) {
    daemon.reset();
    start(trusted ? kTrusting : "routes: [{path: /**}]\n");
    for (const std::string name :
         {"X-Original-URL", "X_Original_URL", "X.Rewrite.URL", "X-HTTP-Method-Override", "X-Method-Override"}) {
      get("/get-" + name, {{name, "/admin"}});
      EXPECT_FALSE(origin.last("/get-" + name).has(name)) << name;
      ask("POST", "/post-" + name, {{name, "MERGE"}}, "x");
      const bool goes_on = trusted || name.find("Method") != std::string::npos;
      EXPECT_EQ(origin.last("/post-" + name).has(name), goes_on) << name << ": nobody else gets this answer";
    }
  }
}

TEST_F(Forwarding, AFieldOfThisKindThatTheRouteKeysOnIsKeyedAndForwarded) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Original-URL")); });
  start("routes: [{path: /**, key: {headers: [X-Original-URL]}}]\n");
  EXPECT_EQ(get("/a", {{"X-Original-URL", "/b"}}).body, "/b");
  EXPECT_EQ(get("/a").body, "");
}

TEST_F(Forwarding, WhatATrustedPeerSaysOfThePlaceIsInTheKey) {
  for (const auto* name : {"X-Forwarded-Host", "X_Forwarded_Prefix", "X-Forwarded-Port", "X-Forwarded-Scheme",
                           "X-Forwarded-Prefix", "X-Host", "X-Forwarded-Ssl"}) {
    origin.otherwise([&](const Received& r) { return Reply::fresh(r.get(name)); });
    daemon.reset();
    start(kTrusting);
    EXPECT_EQ(get("/a", {{name, "one"}}).body, "one") << name;
    EXPECT_EQ(get("/a", {{name, "two"}}).body, "two") << name;
    EXPECT_EQ(get("/a", {{name, "one"}}).x_cache(), "HIT") << name;
    EXPECT_EQ(get("/a").x_cache(), "MISS") << name;
  }
}

TEST_F(Forwarding, OfForwardedOnlyTheHostIsInTheKey) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Forwarded")); });
  start(kTrusting);
  EXPECT_THAT(get("/a", {{"Forwarded", "for=9.9.9.9;host=one.test"}}).body, StartsWith("for=9.9.9.9;host=one.test"));
  EXPECT_EQ(get("/a", {{"Forwarded", "for=8.8.8.8;by=x;host=one.test"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"Forwarded", "for=9.9.9.9;host=two.test"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Forwarded", "for=9.9.9.9"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Forwarding, SeveralSchemesNeverMixUnderOneKey) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Forwarded-Proto")); });
  start(kTrusting);
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "https, http"}}).body, "https");
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "https"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "http"}}).body, "http");
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Proto", "https"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/b", {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}).body, "https");
}

TEST_F(Forwarding, AClientsAddressIsWhatTheProxySees) {
  start();
  get("/a", {{"X-Real-IP", "6.6.6.6"},
             {"True-Client-IP", "6.6.6.6"},
             {"X-Client-IP", "6.6.6.6"},
             {"CF-Connecting-IP", "6.6.6.6"},
             {"X-Forwarded-Server", "evil"}});
  for (const auto* name : {"X-Real-IP", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP", "X-Forwarded-Server"})
    EXPECT_FALSE(origin.last("/a").has(name)) << name;
  daemon.reset();
  start(kTrusting);
  get("/b", {{"X-Real-IP", "9.9.9.9"}, {"X-Forwarded-Server", "lb"}});
  EXPECT_EQ(origin.last("/b").get("X-Real-IP"), "9.9.9.9");
  EXPECT_FALSE(origin.last("/b").has("X-Forwarded-Server"));
}

TEST_F(Forwarding, AnotherSpellingOfAFieldThatDecidesGoesNoFurther) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Tenant")); });
  start("routes: [{path: /**, key: {headers: [X-Tenant]}, request_headers: {remove: [X-Secret]}}]\n");
  for (const auto* name :
       {"X.Tenant", "X~Tenant", "X_Tenant", "X'Tenant", "X_Secret", "X.Secret", "Accept_Language", "Forebay_Debug"}) {
    get(std::string("/") + name, {{name, "evil"}});
    EXPECT_FALSE(origin.last(std::string("/") + name).has(name)) << name;
  }
}

TEST_F(Forwarding, RequestTrailersObeyWhatFieldsObey) {
  start("routes: [{path: /**, request_headers: {remove: [X-Secret], set: {X-Api-Client: gateway}}}]\n");
  auto c = connect();
  c.send(
      "POST /a HTTP/1.1\r\nHost: shop.test\r\nConnection: X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"
      "X-Sum: 7\r\nX-Secret: 1\r\nX_Secret: 1\r\nX-Api-Client: evil\r\nForebay-Debug: 1\r\nX-Real-IP: 6.6.6.6\r\n"
      "X-Hop: 1\r\nAuthorization: evil\r\n\r\n");
  EXPECT_EQ(c.read("POST").status, 200);
  const auto trailers = origin.last("/a").trailers;
  EXPECT_EQ(trailers.get("X-Sum"), "7");
  for (const auto* name :
       {"X-Secret", "X_Secret", "X-Api-Client", "Forebay-Debug", "X-Real-IP", "X-Hop", "Authorization"})
    EXPECT_FALSE(trailers.has(name)) << name;
}

TEST_F(Forwarding, MaxForwardsOfOptionsIsCountedDownAndAnsweredAtZero) {
  start("routes: [{path: /**, methods: [GET, OPTIONS]}]\n");
  const auto options = [&](const std::string& lines) {
    return send_raw("OPTIONS /a HTTP/1.1\r\nHost: shop.test\r\n" + lines + "\r\n");
  };
  const auto zero = options("Max-Forwards: 0\r\n");
  EXPECT_EQ(zero.status, 200);
  EXPECT_THAT(zero.get("Allow"), HasSubstr("OPTIONS"));
  EXPECT_EQ(zero.get("Content-Length"), "0");
  EXPECT_EQ(origin.count("/a"), 0u);
  EXPECT_EQ(options("Max-Forwards: 2\r\nMax-Forwards: 0\r\n").status, 200);
  EXPECT_EQ(origin.count("/a"), 0u);
  options("Max-Forwards: 3\r\n");
  EXPECT_EQ(origin.last("/a").get("Max-Forwards"), "2");
  EXPECT_EQ(send_raw("TRACE /a HTTP/1.1\r\nHost: shop.test\r\nMax-Forwards: 0\r\n\r\n").status, 405);
}

TEST_F(Forwarding, AnAnswerThatMaxForwardsChoseIsForNoOther) {
  origin.otherwise([](const Received& r) { return Reply::fresh("at " + r.get("Max-Forwards")); });
  start("routes: [{path: /**, methods: [GET, OPTIONS]}]\n");
  const auto options = [&](const std::string& lines) {
    return send_raw("OPTIONS /a HTTP/1.1\r\nHost: shop.test\r\n" + lines + "\r\n").body;
  };
  EXPECT_EQ(options("Max-Forwards: 1\r\n"), "at 0");
  EXPECT_EQ(options(""), "at ");
}

TEST_F(Forwarding, TheConnectionEndsBehindAConnect) {
  start();
  auto c = connect();
  c.send(
      "CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\nGET /inside HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  const auto refused = c.read("CONNECT");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.get("Connection"), "close");
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(origin.count("/inside"), 0u);
}

TEST_F(Forwarding, OnlyIfCachedForwardsNothing) {
  start(
      "routes: [{path: /off, cache: false}, {path: /bypass, bypass: {headers: [X-B]}}, {path: /post, methods: [POST], "
      "key: "
      "{body: [/a]}}, {path: /auth, authorization: bypass}, {path: /get}]\n");
  const std::pair<const char*, FieldLines> cases[] = {
      {"/off", {}}, {"/bypass", {{"X-B", "1"}}}, {"/auth", {{"Authorization", "x"}}}, {"/elsewhere", {}}, {"/get", {}}};
  for (auto [path, fields] : cases) {
    fields.emplace_back("Cache-Control", "only-if-cached");
    EXPECT_EQ(get(path, fields).status, 504) << path;
  }
  const FieldLines json{{"Content-Type", "application/json"}, {"Cache-Control", "only-if-cached"}};
  EXPECT_EQ(ask("POST", "/post", json, "no json").status, 504);
  EXPECT_EQ(ask("POST", "/off", {{"Cache-Control", "only-if-cached"}}, "x").status, 504);
  EXPECT_EQ(origin.count(), 0u);
}

TEST_F(Forwarding, TheNameOfThisCacheIsTheNameInVia) {
  start("diagnostics: {name: edge-1}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a").get("Via"), "1.1 edge-1");
  EXPECT_EQ(origin.last("/a").get("Via"), "1.1 edge-1");
}

}  // namespace
}  // namespace forebay::test
