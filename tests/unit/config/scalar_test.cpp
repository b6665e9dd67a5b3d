#include "config/scalar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/address.hpp"
#include "config/report.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::config {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, IsAnExactNumberOfNanoseconds) {
  const std::pair<const char*, Duration> cases[] = {{"0", 0ns},
                                                    {"0s", 0ns},
                                                    {"250ms", 250ms},
                                                    {"10s", 10s},
                                                    {"1m30s", 90s},
                                                    {"1.5h", 90min},
                                                    {"7d", 168h},
                                                    {"2w", 336h},
                                                    {"1us", 1us},
                                                    {"3ns", 3ns},
                                                    {"1h1m1s1ms", 3661001ms},
                                                    {"0.5s", 500ms},
                                                    {"0.1us", 100ns},
                                                    {"0.0000000000000000000000001h", 0ns},
                                                    {"365d", 8760h},
                                                    {"106751d", 106751 * 24h}};
  for (const auto& [text, value] : cases) EXPECT_EQ(parse_duration(text).value, value) << text;
}

TEST(DurationText, ThatIsWrongNamesItsFault) {
  const std::tuple<const char*, int, const char*> cases[] = {
      {"60", 1003, "write \"60s\""},
      {"1.5", 1003, "write \"1.5s\""},
      {"5min", 1003, "write \"5m\""},
      {"2 hours", 1003, "write \"2h\""},
      {"10 s", 1003, "write \"10s\""},
      {"5S", 1003, "write \"5s\""},
      {"5x", 1003, "units are ns, us, ms, s, m, h, d and w"},
      {"1m30", 1003, "units are ns, us, ms, s, m, h, d and w"},
      {"-5s", 1004, "a duration is 0 or more"},
      {"15251w", 1004, "at most 15250w"},
      {"99999999999999999999999999999999w", 1004, "at most 15250w"},
      {"", 1002, "such as \"30s\""},
      {"abc", 1002, "write it like 250ms, 10s or 1m30s"},
      {"30s1m", 1002, "write it like 1m30s"},
      {"1s1s", 1002, "write it like 1m30s"},
      {".5s", 1002, "write it like 250ms, 10s or 1m30s"},
      {"1..5s", 1003, "units are ns, us, ms, s, m, h, d and w"}};
  for (const auto& [text, code, hint] : cases) {
    const auto parsed = parse_duration(text);
    EXPECT_FALSE(parsed.value) << text;
    EXPECT_EQ(parsed.fault.code, code) << text;
    EXPECT_EQ(parsed.fault.hint, hint) << text;
  }
}

TEST(SizeText, KnowsPowersOfTwoAndOfTen) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},           {"512B", 512},         {"64KiB", 65536},
      {"64Ki", 65536},    {"10MB", 10'000'000},  {"1.5GiB", 1610612736},
      {"64Mi", 67108864}, {"2Gi", 2147483648},   {"1TiB", 1ull << 40},
      {"3KB", 3000},      {"1GB", 1'000'000'000}};
  for (const auto& [text, value] : cases) EXPECT_EQ(parse_size(text).value, value) << text;
}

TEST(SizeText, WithoutAClearUnitIsRefused) {
  const std::pair<const char*, int> cases[] = {{"64", 1003},  {"1.5", 1003},         {"10k", 1003},   {"10m", 1003},
                                               {"10G", 1003}, {"10kb", 1003},        {"1 KiB", 1003}, {"3X", 1003},
                                               {"-1B", 1004}, {"99999999TiB", 1004}, {"KiB", 1002},   {"", 1002}};
  for (const auto& [text, code] : cases) {
    EXPECT_FALSE(parse_size(text).value) << text;
    EXPECT_EQ(parse_size(text).fault.code, code) << text;
  }
  EXPECT_EQ(parse_size("10k").fault.hint, "write \"10KiB\" (2^n) or \"10KB\" (10^n)");
}

TEST(RatioText, IsPercentOrFraction) {
  EXPECT_EQ(parse_ratio("25%").value, 0.25);
  EXPECT_EQ(parse_ratio("0.25").value, 0.25);
  EXPECT_EQ(parse_ratio("0").value, 0.0);
  EXPECT_EQ(parse_ratio("1").value, 1.0);
  EXPECT_EQ(parse_ratio("200%").value, 2.0);
  for (const auto* text : {"25", "-1%", "x", "%", "", "0.2.3", "1e3", "nan", "inf"})
    EXPECT_FALSE(parse_ratio(text).value) << text;
  EXPECT_EQ(parse_ratio("25").fault.hint, "write \"25%\"");
}

TEST(IntegerText, DoesNotBeginWithZero) {
  EXPECT_EQ(parse_integer("0").value, 0);
  EXPECT_EQ(parse_integer("-7").value, -7);
  for (const auto* text : {"010", "00", "0x10", "1.0", "1_000", "", "-", "+5", " 5", "99999999999999999999"})
    EXPECT_FALSE(parse_integer(text).value) << text;
  EXPECT_EQ(parse_integer("010").fault.hint, "write \"10\"");
}

TEST(StatusText, IsOneStatusOrAClass) {
  EXPECT_TRUE(parse_status("404").value->matches(404));
  EXPECT_FALSE(parse_status("404").value->matches(405));
  EXPECT_TRUE(parse_status("4xx").value->matches(400) && parse_status("4xx").value->matches(499));
  EXPECT_FALSE(parse_status("4xx").value->matches(500));
  for (const auto* text : {"40", "4040", "4x", "xxx", "100", "1xx", "600", "6xx", "4XX", ""})
    EXPECT_FALSE(parse_status(text).value) << text;
}

TEST(StatusText, IsARangeOfStatuses) {
  const auto is = [](std::string_view text, int from, int to) {
    const auto status = parse_status(text).value;
    return status && status->from == from && status->to == to;
  };
  EXPECT_TRUE(is("401-403", 401, 403));
  EXPECT_TRUE(is("200-599", 200, 599));
  EXPECT_TRUE(is("500-500", 500, 500));
  EXPECT_TRUE(is("2xx-3xx", 200, 399));
  EXPECT_TRUE(is("2xx-299", 200, 299));
  for (const auto* text : {"200-", "-200", "-", "200-299-300", "200 - 299", "200 204", "2xx-", "20a-299", "200;204",
                           "200,204", "100-200", "500-600", "1xx-2xx", "+20", "099"})
    EXPECT_FALSE(parse_status(text).value) << text;
  const auto backwards = parse_status("299-200").fault;
  EXPECT_EQ(backwards.code, 1004);
  EXPECT_EQ(backwards.hint, "write 200-299");
  EXPECT_EQ(parse_status("100-200").fault.message, "\"100\" is no final status");
  EXPECT_EQ(parse_status("200-x").fault.message, "\"200-x\" is not a range of statuses");
}

TEST(StatusText, IsWrittenAsItIsRead) {
  for (const auto* text : {"200", "5xx", "500-504", "200-399", "401-499"})
    EXPECT_EQ(format_status(*parse_status(text).value), text);
  EXPECT_EQ(format_status(*parse_status("400-499").value), "4xx");
}

TEST(FormattedValues, ReadBackAsTheyWere) {
  for (const Duration d : {Duration{0}, Duration{1}, Duration{90s}, Duration{365 * 24h}, Duration{2500us},
                           Duration{1h + 1ns}, Duration::max()})
    EXPECT_EQ(parse_duration(format_duration(d)).value, d) << format_duration(d);
  for (const std::uint64_t n : {0ull, 1ull, 1000ull, 1024ull, 65537ull, 1ull << 40, (1ull << 30) + 512})
    EXPECT_EQ(parse_size(format_size(n)).value, n) << format_size(n);
  for (const double r : {0.0, 0.05, 0.1, 0.25, 1.0 / 3, 0.07, 0.29, 1.0, 0.001})
    EXPECT_EQ(parse_ratio(format_ratio(r)).value, r) << format_ratio(r);
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(2500us), "2.5ms");
  EXPECT_EQ(format_duration(1s + 1ns), "1s1ns");
  EXPECT_EQ(format_duration(59s + 999ms), "59.999s");
  EXPECT_EQ(format_duration(365 * 24h), "365d");
  EXPECT_EQ(format_size(64 * 1024), "64KiB");
  EXPECT_EQ(format_ratio(0.05), "5%");
}

TEST(AddressText, NamesItsKind) {
  const std::tuple<const char*, Address::Kind, const char*, int> cases[] = {
      {":8080", Address::Kind::Tcp, "", 8080},
      {"127.0.0.1:0", Address::Kind::Tcp, "127.0.0.1", 0},
      {"[::1]:65535", Address::Kind::Tcp, "::1", 65535},
      {"unix:/run/a.sock", Address::Kind::Unix, "/run/a.sock", 0},
      {"fd:web", Address::Kind::Fd, "web", 0}};
  for (const auto& [text, kind, host, port] : cases) {
    const auto address = parse_address(text).value;
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->kind, kind);
    EXPECT_EQ(address->host, host);
    EXPECT_EQ(address->port, port);
    EXPECT_EQ(address->text, text);
  }
  for (const auto* text : {"", "8080", ":", ":x", ":65536", "localhost:80", "*:80", "1.2.3:80", "1.2.3.4", "[::1]",
                           "[::1", "[::1]8080", "::1:80", "[1.2.3.4]:80", "unix:a", "unix:", "fd:", "fd:a b"})
    EXPECT_FALSE(parse_address(text).value) << text;
}

TEST(OriginUrl, HasHostAndPortAndNothingElse) {
  const std::tuple<const char*, const char*, int, const char*> cases[] = {
      {"http://a", "a", 80, "a"},
      {"http://A.example:8080", "a.example", 8080, "a.example:8080"},
      {"HTTP://a:80/", "a", 80, "a"},
      {"http://[::1]:3000", "::1", 3000, "[::1]:3000"},
      {"http://10.0.0.1", "10.0.0.1", 80, "10.0.0.1"}};
  for (const auto& [text, host, port, authority] : cases) {
    const auto url = parse_origin_url(text).value;
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->host, host);
    EXPECT_EQ(url->port, port);
    EXPECT_EQ(url->authority, authority);
    EXPECT_EQ(url->text, text);
  }
  for (const auto* text :
       {"", "a", "a:80", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:b", "http://a/b",
        "http://a?b", "http://u@a", "http://[::1", "http://1.2.3", "http://a b", "ftp://a", "unix:/a", "http://a..b"})
    EXPECT_FALSE(parse_origin_url(text).value) << text;
  EXPECT_TRUE(parse_origin_url("HTTPS://a").value->is_https());
  EXPECT_FALSE(parse_origin_url("http://a").value->is_https());
}

TEST(Addresses, CollideWhenTheyWantTheSameSocket) {
  const auto at = [](const char* text) { return *parse_address(text).value; };
  EXPECT_TRUE(collide(at(":80"), at("127.0.0.1:80")));
  EXPECT_TRUE(collide(at("0.0.0.0:80"), at("10.0.0.1:80")));
  EXPECT_TRUE(collide(at("[::1]:80"), at("[0:0::1]:80")));
  EXPECT_FALSE(collide(at("127.0.0.1:80"), at("127.0.0.2:80")));
  EXPECT_FALSE(collide(at(":0"), at(":0")));
  EXPECT_FALSE(collide(at(":80"), at(":81")));
  EXPECT_TRUE(collide(at("unix:/a"), at("unix:/a")));
  EXPECT_FALSE(collide(at("unix:/a"), at("fd:a")));
}

TEST(Networks, AreWrittenAsTheyAreRead) {
  for (const auto* text : {"10.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0"})
    EXPECT_EQ(http::cidr_text(*http::parse_cidr(text)), text);
  EXPECT_EQ(http::cidr_text(*http::parse_cidr("fd00::/8")), "fd00::/8");
}

TEST(DurationText, IsReadWithUnitsAndNothingElse) {
  EXPECT_EQ(read_duration("250ms"), std::chrono::milliseconds{250});
  EXPECT_EQ(read_duration("1m30s"), std::chrono::seconds{90});
  EXPECT_EQ(read_duration("1.5h"), std::chrono::minutes{90});
  EXPECT_EQ(read_duration("0"), Duration{0});
  for (const auto* bad : {"", "5", "-1s", "1x", "s", "1e3s", "1s "}) EXPECT_EQ(read_duration(bad), std::nullopt) << bad;
}

TEST(QuotedText, ShowsNoControlBytesAndEndsSomewhere) {
  EXPECT_EQ(in_quotes("a\nb\x7f\xff"), "\"a\\x0ab\\x7f\\xff\"");
  EXPECT_EQ(in_quotes("grün"), "\"grün\"");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), '"' + std::string(60, 'x') + "...\"");
}

}  // namespace
}  // namespace forebay::config
