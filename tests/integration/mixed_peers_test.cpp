// Trusted and other peers on one worker, which reads request after request into the same memory: what a trusted peer
// claims is in the key of its own request, and of no other.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class MixedPeers : public ForebayTest {
 protected:
  /// 127.0.0.2 is trusted, 127.0.0.1 is not. The origin tells what it got; under `/held` when the gate is open.
  void start_with(const std::string& routes) {
    origin.otherwise([this](const Received& r) {
      auto reply = Reply::fresh("[" + r.get("X-Forwarded-Host") + "] " + host_of(r.get("Forwarded")))
                       .field("Content-Location", r.target)
                       .field("No-Vary-Search", "params=(\"utm\")");
      return r.path.starts_with("/held") ? reply.after(hold_) : reply;
    });
    start("server: {threads: 1, trusted_proxies: [127.0.0.2/32]}\nroutes: [" + routes + "]\n");
  }
  static std::string host_of(const std::string& forwarded) {
    const auto at = forwarded.find("host=");
    return at == std::string::npos ? "" : forwarded.substr(at + 5, forwarded.find_first_of(";,", at) - at - 5);
  }
  Client trusted() { return Client(Socket::connect_from("127.0.0.2", daemon->port())); }
  Client other() { return connect(); }
  /// Leaves what it was read as in the worker's memory.
  static void read_between(Client c) {
    EXPECT_EQ(c.get("/between", {{"X-Forwarded-Host", "between.test"}, {"Forwarded", "host=between.test"}}).status,
              200);
  }
  GatePtr hold_ = gate();
};

struct Claim {
  const char* name;
  const char* value;
};
const Claim kClaims[] = {{"X-Forwarded-Host", "evil.test"}, {"Forwarded", "for=1.2.3.4;host=evil.test"}};

TEST_F(MixedPeers, GetTheirOwnAnswersUnderOneUrl) {
  start_with("{path: /**}");
  int n = 0;
  for (const auto& claim : kClaims) {
    const auto path = "/a" + std::to_string(n++);
    const FieldLines evil{{claim.name, claim.value}};
    EXPECT_THAT(trusted().get(path, evil).body, HasSubstr("evil.test"));
    const auto plain = other().get(path, evil);
    EXPECT_EQ(plain.x_cache(), "MISS") << "the claim of who is not trusted is in no key";
    EXPECT_THAT(plain.body, Not(HasSubstr("evil.test")));
    EXPECT_EQ(other().get(path).x_cache(), "HIT");
    const auto again = trusted().get(path, evil);
    EXPECT_EQ(again.x_cache(), "HIT");
    EXPECT_THAT(again.body, HasSubstr("evil.test"));
    EXPECT_THAT(trusted().get(path).body, Not(HasSubstr("evil.test"))) << "a trusted peer that claims nothing";
  }
}

// A rule for the query makes the key anew when the head comes.
TEST_F(MixedPeers, AKeyThatIsMadeAnewForARuleIsOfItsOwnRequest) {
  start_with("{path: /**, no_vary_search: respect}");
  auto first = trusted();
  first.request("GET", "/held?utm=1", {{"X-Forwarded-Host", "evil.test"}});
  EXPECT_TRUE(origin.wait_for("/held", 1));
  read_between(other());
  auto second = other();
  second.request("GET", "/held?utm=1", {{"X-Forwarded-Host", "evil.test"}});
  EXPECT_TRUE(origin.wait_for("/held", 2)) << "it does not wait for the other's answer";
  read_between(trusted());
  hold_->open();
  EXPECT_THAT(first.read().body, HasSubstr("[evil.test]"));
  EXPECT_THAT(second.read().body, Not(HasSubstr("evil.test")));
  const auto plain = other().get("/held?utm=2");
  EXPECT_EQ(plain.x_cache(), "HIT");
  EXPECT_THAT(plain.body, Not(HasSubstr("evil.test")));
  const auto claimed = trusted().get("/held?utm=3", {{"X-Forwarded-Host", "evil.test"}});
  EXPECT_EQ(claimed.x_cache(), "HIT");
  EXPECT_THAT(claimed.body, HasSubstr("[evil.test]"));
}

// The key is made when the content is whole: other requests have been read since the head was.
TEST_F(MixedPeers, AKeyThatWaitsForContentIsOfItsOwnRequest) {
  start_with("{path: /**, methods: [GET, POST]}");
  const auto head = [](const char* claim) {
    return std::string("POST /late HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\nX-Forwarded-Host: ") + claim +
           "\r\n\r\nhalf";
  };
  for (const bool first_is_trusted : {true, false}) {
    auto one = first_is_trusted ? trusted() : other();
    auto two = first_is_trusted ? other() : trusted();
    one.send(head("evil.test"));
    two.send(head("evil.test"));
    EXPECT_TRUE(metric_reaches("forebay_requests_in_flight", {}, 2)) << "both heads have been read";
    read_between(first_is_trusted ? other() : trusted());
    one.send("half");
    const auto a = one.read("POST");
    read_between(first_is_trusted ? trusted() : other());
    two.send("half");
    const auto b = two.read("POST");
    const auto& claimed = first_is_trusted ? a : b;
    const auto& plain = first_is_trusted ? b : a;
    EXPECT_THAT(claimed.body, HasSubstr("[evil.test]"));
    EXPECT_THAT(plain.body, Not(HasSubstr("evil.test")));
    const auto at_once = [](Client c) {
      return c.ask("POST", "/late", {{"X-Forwarded-Host", "evil.test"}}, "halfhalf");
    };
    EXPECT_THAT(at_once(trusted()).body, HasSubstr("[evil.test]")) << "the key of content that comes with its head";
    EXPECT_THAT(at_once(other()).body, Not(HasSubstr("evil.test")));
    EXPECT_EQ(a.x_cache(), first_is_trusted ? "MISS" : "HIT");
    EXPECT_EQ(b.x_cache(), first_is_trusted ? "MISS" : "HIT") << "under its own key";
  }
  EXPECT_EQ(origin.count("/late"), 2u);
}

// The answer to a POST may stand for that of a GET, and is stored under the GET's key when the head comes.
TEST_F(MixedPeers, APostThatAnswersAGetIsStoredWithItsOwnClaims) {
  start_with("{path: /**}");
  auto first = trusted();
  first.request("POST", "/held", {{"X-Forwarded-Host", "evil.test"}}, "body");
  EXPECT_TRUE(origin.wait_for("/held", 1));
  read_between(other());
  hold_->open();
  EXPECT_THAT(first.read("POST").body, HasSubstr("[evil.test]"));
  const auto claimed = trusted().get("/held", {{"X-Forwarded-Host", "evil.test"}});
  EXPECT_EQ(claimed.x_cache(), "HIT") << "it was stored";
  EXPECT_THAT(claimed.body, HasSubstr("[evil.test]"));
  const auto plain = other().get("/held");
  EXPECT_EQ(plain.x_cache(), "MISS");
  EXPECT_THAT(plain.body, Not(HasSubstr("evil.test")));
}

TEST_F(MixedPeers, WaitForNobodyWithOtherClaims) {
  start_with("{path: /**}");
  std::vector<Client> all;
  all.push_back(trusted());
  all.back().request("GET", "/held", {{"X-Forwarded-Host", "evil.test"}});
  EXPECT_TRUE(origin.wait_for("/held", 1));
  all.push_back(other());
  all.back().request("GET", "/held", {{"X-Forwarded-Host", "evil.test"}});
  EXPECT_TRUE(origin.wait_for("/held", 2));
  all.push_back(trusted());
  all.back().request("GET", "/held", {{"X-Forwarded-Host", "evil.test"}});
  all.push_back(other());
  all.back().request("GET", "/held");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2));
  hold_->open();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto a = all[i].read();
    EXPECT_EQ(a.body.starts_with("[evil.test]"), i % 2 == 0) << i << ' ' << a.body;
  }
  EXPECT_EQ(origin.count("/held"), 2u);
}

}  // namespace
}  // namespace forebay::test
