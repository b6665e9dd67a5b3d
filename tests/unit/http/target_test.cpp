#include "forebay/http/target.hpp"

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

TEST(Target, ThePathIsPutInOneNormalForm) {
  struct Row {
    const char* raw;
    const char* path;
  };
  const Row rows[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/..", "/"},
      {"/../..", "/"},
      {"/../a", "/a"},
      {"/a/../../../b", "/b"},
      {"/.", "/"},
      {"/./", "/"},
      {"/...", "/..."},
      {"/..a", "/..a"},
      {"/a./b..", "/a./b.."},
      {"/.hidden", "/.hidden"},
      {"//", "//"},
      {"//a//b", "//a//b"},
      {"/a//../b", "/a/b"},
      {"//..", "/"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/.%2e/b", "/b"},
      {"/%2e/a", "/a"},
      {"/%61%5F%7e-%2D", "/a_~--"},
      {"/a%2fb%2Fc", "/a%2Fb%2Fc"},
      {"/a%2f..%2fb", "/a%2F..%2Fb"},
      {"/%c3%a9", "/%C3%A9"},
      {"/%2561", "/%2561"},
      {"/a;v=1/b", "/a;v=1/b"},
      {"/a|b[1]{x}\"<>^`\\", "/a|b[1]{x}\"<>^`\\"},
      {"/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="},
      {"/%20%3F%23", "/%20%3F%23"},
  };
  for (const Row& r : rows) {
    Target t;
    ASSERT_TRUE(t.read(Method::Get, r.raw)) << r.raw;
    EXPECT_EQ(t.path(), r.path) << r.raw;
    EXPECT_EQ(t.query(), std::nullopt);
    EXPECT_EQ(t.scheme(), "");
    EXPECT_EQ(t.authority(), "");
    const std::string once(t.path());
    Target again;
    ASSERT_TRUE(again.read(Method::Get, once)) << once;
    EXPECT_EQ(again.path(), once) << r.raw;
  }
}

TEST(Target, MovesWithACopyOfTheRawTarget) {
  for (const std::string raw : {"http://h:8/a/b?q=1", "/a/../b?q", "/%61", "/", "*", "http://h"}) {
    auto sent = std::make_unique<std::string>(raw);
    Target t, whole;
    ASSERT_TRUE(t.read(Method::Options, *sent)) << raw;
    ASSERT_TRUE(whole.read(Method::Options, raw)) << raw;
    const std::string copy(*sent);
    t.rebase(*sent, copy);
    sent->assign(sent->size(), '!');
    sent.reset();
    EXPECT_EQ(t.path(), whole.path());
    EXPECT_EQ(t.query(), whole.query());
    EXPECT_EQ(t.authority(), whole.authority());
  }
}

TEST(Target, TheQueryIsPassedOnAsSent) {
  struct Row {
    const char* raw;
    const char* path;
    const char* query;
  };
  const Row rows[] = {{"/?", "/", ""},
                      {"/a?b=%61/../c", "/a", "b=%61/../c"},
                      {"/a?x?y", "/a", "x?y"},
                      {"/a/..?q=100%", "/", "q=100%"},
                      {"/a?q=%zz", "/a", "q=%zz"},
                      {"/%61?%2f", "/a", "%2f"},
                      {"/a?a=[1]|{}", "/a", "a=[1]|{}"}};
  for (const Row& r : rows) {
    Target t;
    ASSERT_TRUE(t.read(Method::Get, r.raw)) << r.raw;
    EXPECT_EQ(t.path(), r.path) << r.raw;
    EXPECT_EQ(t.query(), r.query) << r.raw;
  }
}

TEST(Target, HostileBytesAreRefused) {
  for (const std::string_view raw : {
           std::string_view(""),         std::string_view("a"),
           std::string_view("?a"),       std::string_view("example.com:443"),
           std::string_view("/a b"),     std::string_view("/a\tb"),
           std::string_view("/a\nb"),    std::string_view("/a\0b", 4),
           std::string_view("/a\x7f"),   std::string_view("/\xC3\xA9"),
           std::string_view("/a#f"),     std::string_view("/a?b#f"),
           std::string_view("/#"),       std::string_view("/%00"),
           std::string_view("/a?b=%00"), std::string_view("/%"),
           std::string_view("/%2"),      std::string_view("/%zz"),
           std::string_view("/%2g"),     std::string_view("/a?b\x80"),
           std::string_view("/a?b c"),   std::string_view("*"),
           std::string_view("*a"),       std::string_view("/%u0041"),
       }) {
    Target t;
    EXPECT_FALSE(t.read(Method::Get, raw)) << raw;
  }
}

TEST(Target, AnAbsoluteFormBringsItsAuthority) {
  struct Row {
    const char* raw;
    const char* scheme;
    const char* authority;
    const char* path;
  };
  const Row rows[] = {{"http://example.com/a", "http", "example.com", "/a"},
                      {"HTTPS://Example.com:8443/a/../b", "https", "Example.com:8443", "/b"},
                      {"http://example.com", "http", "example.com", "/"},
                      {"http://[::1]:80/x", "http", "[::1]:80", "/x"}};
  for (const Row& r : rows) {
    Target t;
    ASSERT_TRUE(t.read(Method::Get, r.raw)) << r.raw;
    EXPECT_EQ(t.scheme(), r.scheme);
    EXPECT_EQ(t.authority(), r.authority);
    EXPECT_EQ(t.path(), r.path);
  }
  Target t;
  ASSERT_TRUE(t.read(Method::Get, "http://example.com?q=1"));
  EXPECT_EQ(t.path(), "/");
  EXPECT_EQ(t.query(), "q=1");
  for (const char* bad : {"ftp://example.com/", "http:///a", "http://u@example.com/", "http://u:p@example.com/",
                          "http://exa mple.com/", "http://example.com:99999/", "http://[::1/", "http:/a", "://a/",
                          "http://a\\b/", "http://a#/", "javascript:alert(1)"}) {
    EXPECT_FALSE(t.read(Method::Get, bad)) << bad;
  }
}

TEST(Target, AStarIsForOptionsOnly) {
  Target t;
  ASSERT_TRUE(t.read(Method::Options, "*"));
  EXPECT_EQ(t.path(), "*");
  EXPECT_FALSE(t.read(Method::Get, "*"));
  // RFC 9112 section 3.2.4.
  ASSERT_TRUE(t.read(Method::Options, "http://example.com"));
  EXPECT_EQ(t.path(), "*");
  ASSERT_TRUE(t.read(Method::Options, "http://example.com/"));
  EXPECT_EQ(t.path(), "/");
  ASSERT_TRUE(t.read(Method::Options, "/a"));
  EXPECT_EQ(t.path(), "/a");
}

TEST(Target, IsReadAnewEachTime) {
  Target t;
  ASSERT_TRUE(t.read(Method::Get, "http://a/%61?q"));
  ASSERT_TRUE(t.read(Method::Get, "/b"));
  EXPECT_EQ(t.path(), "/b");
  EXPECT_EQ(t.query(), std::nullopt);
  EXPECT_EQ(t.authority(), "");
}

TEST(Host, IsCheckedAndPutInNormalForm) {
  struct Row {
    const char* host;
    const char* scheme;
    const char* normal;
  };
  const Row rows[] = {{"example.com", "http", "example.com"},
                      {"EXAMPLE.Com", "http", "example.com"},
                      {"example.com:80", "http", "example.com"},
                      {"example.com:80", "https", "example.com:80"},
                      {"example.com:443", "https", "example.com"},
                      {"example.com:443", "http", "example.com:443"},
                      {"example.com:", "http", "example.com"},
                      {"example.com:0080", "http", "example.com"},
                      {"example.com:8080", "http", "example.com:8080"},
                      {"example.com:0", "http", "example.com:0"},
                      {"example.com:65535", "http", "example.com:65535"},
                      {"example.com.", "http", "example.com."},
                      {"127.0.0.1:80", "http", "127.0.0.1"},
                      {"[::1]", "http", "[::1]"},
                      {"[2001:DB8::1]:443", "https", "[2001:db8::1]"},
                      {"[::ffff:1.2.3.4]:81", "http", "[::ffff:1.2.3.4]:81"},
                      {"[v1.fe:X]", "http", "[v1.fe:x]"},
                      {"a_b-c~.x", "http", "a_b-c~.x"},
                      {"ex%61mple%2Fx%3a", "http", "example%2Fx%3A"},
                      {"a!$&'()*+;=b", "http", "a!$&'()*+;=b"}};
  for (const Row& r : rows) {
    std::string out = ">";
    ASSERT_TRUE(append_normal_host(r.host, r.scheme, out)) << r.host;
    EXPECT_EQ(out, std::string(">") + r.normal) << r.host;
    EXPECT_TRUE(is_valid_host(r.host));
    std::string again;
    ASSERT_TRUE(append_normal_host(std::string_view(out).substr(1), r.scheme, again)) << out;
    EXPECT_EQ(again, r.normal);
  }
}

TEST(Host, WhatIsNoHostIsRefused) {
  for (const std::string_view host : {
           std::string_view(""),
           std::string_view(":80"),
           std::string_view("[::1"),
           std::string_view("::1"),
           std::string_view("[]"),
           std::string_view("[:]"),
           std::string_view("[1.2.3.4]"),
           std::string_view("[::1]x"),
           std::string_view("[::1]:x"),
           std::string_view("[::1%25eth0]"),
           std::string_view("[::g]"),
           std::string_view("[1:2:3:4:5:6:7:8:9]"),
           std::string_view("a:b"),
           std::string_view("a:80:80"),
           std::string_view("a:65536"),
           std::string_view("a:-1"),
           std::string_view("a:+80"),
           std::string_view("a:80a"),
           std::string_view("a:99999999999999999999"),
           std::string_view("a b"),
           std::string_view("a/b"),
           std::string_view("a?b"),
           std::string_view("a#b"),
           std::string_view("a@b"),
           std::string_view("u:p@b"),
           std::string_view("a,b"
                            " c"),
           std::string_view("a\\b"),
           std::string_view("a\"b"),
           std::string_view("a<b>"),
           std::string_view("a|b"),
           std::string_view("a^b"),
           std::string_view("a{b}"),
           std::string_view("a\tb"),
           std::string_view("a\0b", 3),
           std::string_view("\xC3\xA9"),
           std::string_view("a%zz"),
           std::string_view("a%"),
           std::string_view("a%00"),
           std::string_view("[v.x]"),
           std::string_view("[v1]"),
           std::string_view("[v1.]"),
       }) {
    std::string out = "same";
    EXPECT_FALSE(append_normal_host(host, "http", out)) << host;
    EXPECT_EQ(out, "same");
    EXPECT_FALSE(is_valid_host(host)) << host;
  }
}

TEST(SameOrigin, ReferencesAreResolvedAgainstTheRequest) {
  struct Row {
    const char* reference;
    const char* base;
    const char* target;  // nullptr: another origin
  };
  const Row rows[] = {{"/b", "/a/x", "/b"},
                      {"b", "/a/x", "/a/b"},
                      {"./b", "/a/x", "/a/b"},
                      {"../b", "/a/x", "/b"},
                      {"../../b", "/a/x", "/b"},
                      {"?q=1", "/a/x", "/a/x?q=1"},
                      {"", "/a/x?y", "/a/x?y"},
                      {"#f", "/a/x", "/a/x"},
                      {"b#f", "/a/x?old", "/a/b"},
                      {"b/c?d#e", "/", "/b/c?d"},
                      {"a:b", "/x", nullptr},
                      {"./a:b", "/x", "/a:b"},
                      {"/a:b", "/x", "/a:b"},
                      {"http://shop.example/b", "/a", "/b"},
                      {"HTTP://SHOP.example:80/b", "/a", "/b"},
                      {"http://shop.example", "/a", "/"},
                      {"http://shop.example?q", "/a", "/?q"},
                      {"//shop.example/b/../c", "/a", "/c"},
                      {"https://shop.example/b", "/a", nullptr},
                      {"http://shop.example:81/b", "/a", nullptr},
                      {"http://other.example/b", "/a", nullptr},
                      {"http://u@shop.example/b", "/a", nullptr},
                      {"//other.example/b", "/a", nullptr},
                      {"http:b", "/a", nullptr},
                      {"mailto:a@b", "/a", nullptr},
                      {"/\xC3\xA9", "/a", nullptr},
                      {"/a b", "/a", nullptr},
                      {"/%zz", "/a", nullptr}};
  for (const Row& r : rows) {
    const auto target = same_origin_target(r.reference, "http", "shop.example", r.base);
    if (r.target) {
      EXPECT_EQ(target, r.target) << r.reference;
    } else {
      EXPECT_EQ(target, std::nullopt) << r.reference;
    }
  }
}

TEST(Query, IsSplitAtAmpersands) {
  std::string out;
  for_each_query_pair("a=1&&b&c=&=d&e=f=g", [&out](const QueryPair& p) {
    out.append(p.name).append(p.value ? "=" : "").append(p.value.value_or("")).append("|");
  });
  EXPECT_EQ(out, "a=1|b|c=|=d|e=f=g|");
}

}  // namespace
}  // namespace forebay::http
