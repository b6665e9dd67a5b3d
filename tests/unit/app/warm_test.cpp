#include "app/warm.hpp"

#include <gmock/gmock.h>

#include "app/command_line.hpp"

namespace forebay::app {
namespace {

using ::testing::HasSubstr;

WarmUrl url(std::string_view text) {
  std::string fault;
  const auto read = warm_url(text, fault);
  EXPECT_TRUE(read) << fault;
  return read.value_or(WarmUrl{});
}

std::vector<std::string> texts(std::string_view file) {
  std::string fault;
  const auto read = warm_urls(file, fault);
  EXPECT_TRUE(read) << fault;
  std::vector<std::string> all;
  for (const auto& one : read.value_or(std::vector<WarmUrl>{})) all.push_back(one.text);
  return all;
}

std::string fault_of(std::string_view file) {
  std::string fault;
  EXPECT_FALSE(warm_urls(file, fault));
  return fault;
}

net::Asked answered(int status, const char* cache_status) {
  net::HttpAnswer answer;
  answer.status = status;
  answer.whole = true;
  if (cache_status != nullptr) answer.fields.add(std::string_view("Cache-Status"), cache_status);
  return {std::move(answer), {}, {}};
}

TEST(Warm, AUrlIsSplitIntoHostAndTarget) {
  const auto plain = url("http://shop.test/a%20b?x=1&y");
  EXPECT_EQ(plain.scheme, "http");
  EXPECT_EQ(plain.host, "shop.test");
  EXPECT_EQ(plain.target, "/a%20b?x=1&y");
  const auto port = url("https://shop.test:8443");
  EXPECT_EQ(port.scheme, "https");
  EXPECT_EQ(port.host, "shop.test:8443");
  EXPECT_EQ(port.target, "/");
  std::string fault;
  for (const char* wrong :
       {"", "/a", "shop.test/a", "ftp://a/b", "http://", "http://a b/", "http://a/\x1b[2J", "http://a/#x"}) {
    EXPECT_FALSE(warm_url(wrong, fault)) << wrong;
    EXPECT_EQ(fault.find('\x1b'), std::string::npos) << "it is shown on terminals";
  }
}

TEST(Warm, AFileHasAUrlOnEachLine) {
  EXPECT_THAT(texts("http://a/1\n\n# a comment\r\n  http://a/2 \r\nhttp://a/3"),
              ::testing::ElementsAre("http://a/1", "http://a/2", "http://a/3"));
  EXPECT_TRUE(texts("").empty());
  EXPECT_TRUE(texts("\n\n").empty());
  EXPECT_THAT(fault_of("http://a/1\nnonsense\n"), HasSubstr("line 2: \"nonsense\" is not a URL"));
}

TEST(Warm, ASitemapIsAFileOfUrlsToo) {
  EXPECT_THAT(texts("<?xml version=\"1.0\"?>\n<urlset>\n<url><loc>http://a/1?x=1&amp;y=2</loc></url>\n"
                    "<url><loc>\n http://a/2</loc><lastmod>2026-01-01</lastmod></url></urlset>"),
              ::testing::ElementsAre("http://a/1?x=1&y=2", "http://a/2"));
  EXPECT_THAT(fault_of("<sitemapindex><sitemap><loc>http://a/s.xml</loc></sitemap></sitemapindex>"),
              HasSubstr("index of sitemaps"));
  EXPECT_THAT(fault_of("<urlset>\n<url><loc>a</loc></url></urlset>"), HasSubstr("line 2"));
}

TEST(Warm, WhatBecameOfARequestIsReadFromTheLastMemberOfCacheStatus) {
  const auto of = [](int status, const char* field) { return judge_warmed(answered(status, field)); };
  EXPECT_EQ(of(200, "forebay; fwd=uri-miss; stored; ttl=60").warmed, Warmed::Stored);
  EXPECT_EQ(of(200, "inner; fwd=uri-miss, forebay; fwd=uri-miss; collapsed; ttl=60").warmed, Warmed::Stored);
  EXPECT_EQ(of(200, "forebay; fwd=stale; fwd-status=304; ttl=60").warmed, Warmed::Stored);
  EXPECT_EQ(of(200, "inner; fwd=uri-miss; stored, forebay; hit; ttl=9").warmed, Warmed::Fresh);
  const auto passed = of(200, "inner; hit; ttl=5, forebay; fwd=uri-miss; detail=private");
  EXPECT_EQ(passed.warmed, Warmed::NotStored);
  EXPECT_EQ(passed.why, "private");
  EXPECT_EQ(of(200, nullptr).warmed, Warmed::Unknown);
  EXPECT_EQ(of(200, "not a field,,;").warmed, Warmed::Unknown);
  EXPECT_EQ(of(404, "forebay; fwd=uri-miss; stored; ttl=10").warmed, Warmed::Failed);
  EXPECT_EQ(of(503, nullptr).why, "status 503");
  auto cut = answered(200, "forebay; fwd=uri-miss; stored; ttl=60");
  cut.answer->whole = false;
  EXPECT_EQ(judge_warmed(cut).warmed, Warmed::Failed);
  EXPECT_EQ(judge_warmed({std::nullopt, Errc::Timeout, "no answer came in time"}).why, "no answer came in time");
}

TEST(Warm, ItsFlagsAreChecked) {
  const auto command = parse_command_line({"warm", "http://a/1", "http://a/2", "--concurrency", "8", "--rate", "50",
                                           "-H", "Accept-Encoding: gzip", "--to", "127.0.0.1:80", "--timeout", "5s"});
  const auto* flags = command.flags<WarmFlags>();
  ASSERT_NE(flags, nullptr);
  EXPECT_THAT(flags->urls, ::testing::ElementsAre("http://a/1", "http://a/2"));
  EXPECT_EQ(flags->concurrency, 8u);
  EXPECT_EQ(flags->rate, 50u);
  EXPECT_EQ(flags->timeout, std::chrono::seconds{5});
  for (const std::vector<std::string>& words : {std::vector<std::string>{"warm"},
                                                {"warm", "--concurrency", "0", "http://a/"},
                                                {"warm", "--concurrency", "257", "http://a/"},
                                                {"warm", "--rate", "fast", "http://a/"},
                                                {"warm", "--method", "POST", "http://a/"},
                                                {"warm", "-H", "Connection: keep-alive", "http://a/"},
                                                {"warm", "-H", "none", "http://a/"},
                                                {"warm", "--timeout", "0", "http://a/"},
                                                {"warm", "--to", ":1", "--admin", ":2", "http://a/"},
                                                {"warm", "--flie", "x"}}) {
    const auto wrong = parse_command_line(words);
    const auto* said = wrong.flags<Said>();
    ASSERT_NE(said, nullptr) << words.back();
    EXPECT_EQ(said->code, ExitCode::Usage);
  }
}

}  // namespace
}  // namespace forebay::app
