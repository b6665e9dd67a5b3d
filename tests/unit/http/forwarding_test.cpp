#include "forebay/http/forwarding.hpp"

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

Fields fields(std::initializer_list<std::pair<const char*, const char*>> lines) {
  Fields f;
  for (const auto& [name, value] : lines) f.add(name, value);
  return f;
}

std::string value(const Fields& f, std::string_view name) {
  return std::string(f.view().value(name).value_or("(none)"));
}

TEST(Ip, AddressesAreReadStrictly) {
  for (const char* good :
       {"1.2.3.4", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::8:800:200c:417a", "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "ABCD:EF01::"}) {
    EXPECT_TRUE(parse_ip(good)) << good;
  }
  for (const char* bad : {"",
                          "1",
                          "1.2.3",
                          "1.2.3.4.5",
                          "256.1.1.1",
                          "01.2.3.4",
                          "1.2.3.04",
                          "1.2.3.4 ",
                          " 1.2.3.4",
                          "1..2.3",
                          "a.b.c.d",
                          "1.2.3.-4",
                          ":",
                          ":::",
                          "1:",
                          ":1",
                          "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9",
                          "1::2::3",
                          "12345::",
                          "g::",
                          "1:2:3:4:5:6:7:8::",
                          "::1.2.3",
                          "1.2.3.4::",
                          "1:2:3:4:5:6:7:1.2.3.4",
                          "::1%eth0",
                          "[::1]",
                          "1:2:3:4::5:6:7:8"}) {
    EXPECT_FALSE(parse_ip(bad)) << bad;
  }
  EXPECT_EQ(parse_ip("::ffff:1.2.3.4"), parse_ip("1.2.3.4"));
  EXPECT_EQ(parse_ip("1:0:0:0:0:0:0:8"), parse_ip("1::8"));
}

TEST(Cidr, ContainsByPrefix) {
  struct Row {
    const char* net;
    const char* ip;
    bool inside;
  };
  const Row rows[] = {{"10.0.0.0/8", "10.255.1.2", true},
                      {"10.0.0.0/8", "11.0.0.0", false},
                      {"10.0.0.0/9", "10.128.0.0", false},
                      {"10.0.0.0/9", "10.127.255.255", true},
                      {"0.0.0.0/0", "1.2.3.4", true},
                      {"0.0.0.0/0", "::1", false},
                      {"::/0", "1.2.3.4", true},
                      {"192.168.1.1", "192.168.1.1", true},
                      {"192.168.1.1", "192.168.1.2", false},
                      {"2001:db8::/32", "2001:db8:1::", true},
                      {"2001:db8::/33", "2001:db8:8000::", false},
                      {"::1/128", "::1", true}};
  for (const Row& r : rows) {
    const auto net = parse_cidr(r.net);
    ASSERT_TRUE(net) << r.net;
    EXPECT_EQ(contains(*net, *parse_ip(r.ip)), r.inside) << r.net << " " << r.ip;
    EXPECT_EQ(contains_any({*net}, *parse_ip(r.ip)), r.inside);
  }
  for (const char* bad : {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/a", "10.0.0/8", "/8", "10.0.0.0/-1",
                          "x/8", "10.0.0.0/0008"}) {
    EXPECT_FALSE(parse_cidr(bad)) << bad;
  }
}

TEST(ClientAddress, IsTheFirstFromTheRightThatIsNotTrusted) {
  const std::vector<Cidr> trusted{*parse_cidr("10.0.0.0/8"), *parse_cidr("::1")};
  struct Row {
    const char* peer;
    const char* forwarded;
    const char* client;
  };
  const Row rows[] = {{"1.2.3.4", "9.9.9.9", "1.2.3.4"},
                      {"10.0.0.1", "9.9.9.9", "9.9.9.9"},
                      {"10.0.0.1", "8.8.8.8, 9.9.9.9", "9.9.9.9"},
                      {"10.0.0.1", "8.8.8.8, 9.9.9.9, 10.0.0.2", "9.9.9.9"},
                      {"10.0.0.1", "10.0.0.3 ,10.0.0.2", "10.0.0.3"},
                      {"10.0.0.1", "9.9.9.9, unknown, 10.0.0.2", "10.0.0.2"},
                      {"10.0.0.1", "junk", "10.0.0.1"},
                      {"10.0.0.1", "", "10.0.0.1"},
                      {"10.0.0.1", "9.9.9.9:1234", "9.9.9.9"},
                      {"::1", "[2001:db8::1]:99", "2001:db8::1"},
                      {"::1", "2001:db8::1,,", "2001:db8::1"},
                      {"", "9.9.9.9", ""}};
  const auto client = [&](std::string_view peer, const Fields& sent) {
    const auto ip = parse_ip(peer);
    return client_address(peer, ip && contains_any(trusted, *ip), sent.view(), trusted);
  };
  for (const Row& r : rows)
    EXPECT_EQ(client(r.peer, fields({{"X-Forwarded-For", r.forwarded}})), r.client) << r.forwarded;
  EXPECT_EQ(client("10.0.0.1", fields({{"X-Forwarded-For", "8.8.8.8"}, {"X-Forwarded-For", "10.0.0.9"}})), "8.8.8.8");
  EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
}

TEST(ClientAddress, OfATrustedUnixSocketIsTheOneThatItNames) {
  const std::vector<Cidr> trusted{*parse_cidr("10.0.0.0/8")};
  const auto sent = fields({{"X-Forwarded-For", "8.8.8.8, 10.0.0.2"}});
  EXPECT_EQ(client_address("", true, sent.view(), trusted), "8.8.8.8");
  EXPECT_EQ(client_address("", false, sent.view(), trusted), "");
}

TEST(ProvenClient, IsNoneWhereAMemberThatIsNoAddressComesFirst) {
  const std::vector<Cidr> trusted{*parse_cidr("10.0.0.0/8"), *parse_cidr("127.0.0.0/8")};
  const auto client = [&](const Fields& sent) {
    const auto ip = proven_client(sent.view(), trusted);
    return ip ? ip_text(*ip) : std::string("none");
  };
  const auto of = [&](const char* line) { return client(fields({{"X-Forwarded-For", line}})); };
  EXPECT_EQ(of("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(of("10.0.0.5, 203.0.113.9, 10.0.0.1"), "203.0.113.9");
  EXPECT_EQ(of("10.0.0.5, 10.0.0.1"), "10.0.0.5");
  for (const auto* line : {"", "unknown", "127.0.0.1, unknown", "10.0.0.5, x, 10.0.0.5", "127.0.0.1, unix:, 10.0.0.1"})
    EXPECT_EQ(of(line), "none") << line;
  EXPECT_EQ(client({}), "none");
  EXPECT_EQ(client(fields({{"X-Forwarded-For", "127.0.0.1, unknown"}, {"X-Forwarded-For", "10.0.0.9"}})), "none");
}

TEST(Networks, OfALogLineAreASmallPartOfTheNet) {
  const auto text = [](const char* address) { return cidr_text(network_of(*parse_ip(address))); };
  EXPECT_EQ(text("192.0.2.77"), "192.0.2.0/24");
  EXPECT_EQ(text("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(text("::1"), "::/64");
}

TEST(Forwarding, WhatAStrangerClaimsIsReplaced) {
  Fields f = fields({{"X-Forwarded-For", "6.6.6.6"},
                     {"X-Forwarded-Host", "evil"},
                     {"X-Forwarded-Proto", "https"},
                     {"X-Forwarded-Port", "1"},
                     {"Forwarded", "for=6.6.6.6"},
                     {"Accept", "*/*"}});
  for (const auto mode : {ForwardedMode::Auto, ForwardedMode::Append, ForwardedMode::Set}) {
    Fields g = f;
    set_forwarding_fields(g, {"1.2.3.4", "shop.example:8080", "http", false, mode});
    EXPECT_EQ(value(g, "X-Forwarded-For"), "1.2.3.4");
    EXPECT_EQ(value(g, "X-Forwarded-Host"), "shop.example:8080");
    EXPECT_EQ(value(g, "X-Forwarded-Proto"), "http");
    EXPECT_EQ(value(g, "X-Forwarded-Port"), "8080");
    EXPECT_EQ(value(g, "Forwarded"), "for=1.2.3.4;host=\"shop.example:8080\";proto=http");
    EXPECT_EQ(value(g, "Accept"), "*/*");
  }
}

TEST(Forwarding, ATrustedPeerIsBelievedAndAddedTo) {
  Fields f = fields({{"X-Forwarded-For", "9.9.9.9"},
                     {"X-Forwarded-Host", "shop.example"},
                     {"X-Forwarded-Proto", "https"},
                     {"Forwarded", "for=9.9.9.9"}});
  Fields g = f;
  set_forwarding_fields(g, {"2001:db8::1", "inner", "http", true, ForwardedMode::Auto});
  EXPECT_EQ(value(g, "X-Forwarded-For"), "9.9.9.9, 2001:db8::1");
  EXPECT_EQ(value(g, "X-Forwarded-Host"), "shop.example");
  EXPECT_EQ(value(g, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(value(g, "Forwarded"), "for=9.9.9.9, for=\"[2001:db8::1]\";host=inner;proto=http");
  set_forwarding_fields(f, {"10.0.0.1", "inner", "https", true, ForwardedMode::Set});
  EXPECT_EQ(value(f, "X-Forwarded-For"), "10.0.0.1");
  EXPECT_EQ(value(f, "X-Forwarded-Host"), "inner");
  EXPECT_EQ(value(f, "X-Forwarded-Port"), "443");
}

// It would name the proxy as the client, and contradict what the proxy says.
TEST(Forwarding, ForwardedIsNotBegunWhereATrustedPeerSentOtherFieldsAlone) {
  for (const auto* name : {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}) {
    Fields f = fields({{name, name == std::string_view("X-Forwarded-Proto") ? "https" : "9.9.9.9"}});
    Fields begun = f;
    set_forwarding_fields(f, {"10.0.0.1", "inner", "http", true, ForwardedMode::Auto});
    EXPECT_EQ(value(f, "Forwarded"), "(none)") << name;
    set_forwarding_fields(begun, {"10.0.0.1", "inner", "http", true, ForwardedMode::Set});
    EXPECT_EQ(value(begun, "Forwarded"), "for=10.0.0.1;host=inner;proto=http") << name;
  }
  Fields none;
  set_forwarding_fields(none, {"10.0.0.1", "inner", "http", true, ForwardedMode::Auto});
  EXPECT_EQ(value(none, "Forwarded"), "for=10.0.0.1;host=inner;proto=http");
}

TEST(Forwarding, OffRemovesAllAndAUnixPeerIsUnknown) {
  Fields f = fields({{"X-Forwarded-For", "9.9.9.9"}, {"Forwarded", "for=9.9.9.9"}, {"X-Forwarded-Port", "1"}});
  set_forwarding_fields(f, {"1.2.3.4", "h", "http", true, ForwardedMode::Off});
  EXPECT_TRUE(f.view().empty());
  set_forwarding_fields(f, {"", "[::1]", "http", false, ForwardedMode::Auto});
  EXPECT_EQ(value(f, "X-Forwarded-For"), "(none)");
  EXPECT_EQ(value(f, "X-Forwarded-Port"), "80");
  EXPECT_EQ(value(f, "Forwarded"), "for=unknown;host=\"[::1]\";proto=http");
}

TEST(Forwarding, ViaGrowsToTheRight) {
  Fields f = fields({{"Via", "1.0 a"}, {"Via", "1.1 b"}});
  add_via(f, Version::Http11, "forebay");
  EXPECT_EQ(value(f, "Via"), "1.0 a, 1.1 b, 1.1 forebay");
  EXPECT_EQ(f.view().count(FieldId::Via), 1u);
  Fields g;
  add_via(g, Version::Http10, "forebay");
  EXPECT_EQ(value(g, "Via"), "1.0 forebay");
}

TEST(HopByHop, ConnectionNamesFieldsOnAllLinesAndInAnyCase) {
  const Fields f = fields({{"Connection", "close, X-Hop"}, {"connection", "keep-alive, x-other, \"X-Quoted\""}});
  const ConnectionNames names(f.view());
  for (const char* named : {"X-Hop", "x-hop", "X-OTHER", "close", "Keep-Alive", "X-Quoted"})
    EXPECT_TRUE(names.has(named)) << named;
  for (const char* other : {"X-Stays", "X-Ho", "X-Hops", "Connection", ""}) EXPECT_FALSE(names.has(other)) << other;
}

TEST(CdnLoop, CountsItsOwnNameAndKnowsItsOwnId) {
  struct Row {
    const char* value;
    bool own;
    std::size_t members;
  };
  const Row rows[] = {{"forebay;id=ab12", true, 1},
                      {"forebay; id=\"ab12\"", true, 1},
                      {"Forebay;x=1;ID=ab12", true, 1},
                      {"forebay;id=other", false, 1},
                      {"forebay", false, 1},
                      {"other;id=ab12", false, 0},
                      {"forebay, other, forebay;id=x, forebay ; id=ab12", true, 3},
                      {"forebayx;id=ab12", false, 0},
                      {"", false, 0},
                      {"other;x=\"a, forebay;id=ab12\"", false, 0}};
  for (const Row& r : rows) {
    const auto verdict = read_cdn_loop(fields({{"CDN-Loop", r.value}}), "forebay", "ab12");
    EXPECT_EQ(verdict.own, r.own) << r.value;
    EXPECT_EQ(verdict.members, r.members) << r.value;
  }
  EXPECT_EQ(read_cdn_loop(fields({{"CDN-Loop", "forebay"}, {"cdn-loop", "forebay"}}), "forebay", "x").members, 2u);
}

TEST(Claims, AreFoundUnderEveryNameThatAReaderTakesForTheirs) {
  const std::pair<const char*, Claim> rows[] = {
      {"X-Original-URL", Claim::Target},
      {"x_original_url", Claim::Target},
      {"X.Rewrite.Url", Claim::Target},
      {"X-HTTP-Method-Override", Claim::Method},
      {"X-Forwarded-Method", Claim::Method},
      {"X-Forwarded-Host", Claim::Place},
      {"X_Forwarded_Host", Claim::Never},
      {"X_Forwarded_Prefix", Claim::Place},
      {"X-Forwarded-Port", Claim::Place},
      {"X-Forwarded-Prefix", Claim::Place},
      {"X-Forwarded-Whatever", Claim::Place},
      {"Forwarded", Claim::Place},
      {"X-Forwarded", Claim::Place},
      {"X-Host", Claim::Place},
      {"X-Real-IP", Claim::Address},
      {"X~Real~IP", Claim::Address},
      {"True-Client-IP", Claim::Address},
      {"X_Forwarded_For", Claim::Never},
      {"X-Forwarded-Server", Claim::Never},
      {"X_Forwarded_Proto", Claim::Never},
      {"Proxy", Claim::Never},
      {"X-Forwarded-For", Claim::None},
      {"X-Forwarded-Proto", Claim::None},
      {"Host", Claim::None},
      {"X-Tenant", Claim::None},
      {"X-Forwardedness", Claim::None},
  };
  for (const auto& [name, claim] : rows) EXPECT_EQ(claim_of({name, "", field_id(name)}), claim) << name;
}

TEST(Claims, OfForwardedAreHostsAndOtherSchemes) {
  const std::pair<const char*, const char*> rows[] = {
      {"for=1.2.3.4", ""},
      {"for=1.2.3.4;by=x;proto=http", ""},
      {"for=1.2.3.4;Host=a.test", "host=a.test"},
      {"for=\"[::1]\"; host=\"a.test:80\" , for=x;host=b", "host=a.test:80,host=b"},
      {"proto=https;host=a", "proto=https,host=a"},
      {"host", "host"},
      {"host=\"a", "host=\"a"},
      {"host=\"a\\b\"", "host=\"a\\b\""},
      {"host=\"a;b\"", "host=\"a;b\""},
      {"", ""},
  };
  for (const auto& [line, place] : rows) {
    std::string out;
    append_forwarded_place(line, "http", out);
    EXPECT_EQ(out, place) << line;
  }
}

TEST(Claims, OfASchemeAreItsFirst) {
  EXPECT_EQ(forwarded_scheme(fields({{"X-Forwarded-Proto", "https, http"}})), "https");
  EXPECT_EQ(forwarded_scheme(fields({{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Proto", "https"}})), "http");
  EXPECT_EQ(forwarded_scheme(fields({{"Accept", "x"}})), "");
  EXPECT_EQ(known_scheme("HTTPS"), "https");
  EXPECT_EQ(known_scheme("on"), "");
}

}  // namespace
}  // namespace forebay::http
