#include "forebay/http/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>

#include "forebay/http/forwarding.hpp"

namespace forebay::http {
namespace {

using namespace std::string_literals;
using Source = ProxyHeader::Source;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string two(std::size_t n) { return {static_cast<char>(n >> 8 & 0xFF), static_cast<char>(n & 0xFF)}; }
std::string binary(unsigned char command, unsigned char family, const std::string& rest) {
  return kSignature + static_cast<char>(command) + static_cast<char>(family) + two(rest.size()) + rest;
}
std::string addition(unsigned char type, const std::string& value) {
  return static_cast<char>(type) + two(value.size()) + value;
}
const std::string kIpv4 = "\xC0\x00\x02\x4D\x0A\x00\x00\x01\x30\x39\x01\xBB"s;  // 192.0.2.77:12345 to 10.0.0.1:443

Errc fault(std::string_view bytes) {
  const auto read = read_proxy_header(bytes);
  EXPECT_FALSE(read) << bytes;
  return read ? Errc::Cancelled : read.error();
}
void expect_client(std::string_view bytes, const std::string& ip, std::uint16_t port) {
  const auto read = read_proxy_header(bytes);
  ASSERT_TRUE(read) << bytes;
  EXPECT_EQ(read->source, Source::Ip);
  EXPECT_EQ(ip_text(read->ip), ip);
  EXPECT_EQ(read->port, port);
}

TEST(ProxyHeader, AsALineNamesTheClient) {
  const std::string line = "PROXY TCP4 192.0.2.77 10.0.0.1 12345 443\r\n";
  expect_client(line, "192.0.2.77", 12345);
  expect_client(line + "GET / HTTP/1.1\r\n", "192.0.2.77", 12345);
  EXPECT_EQ(read_proxy_header(line + "GET / HTTP/1.1\r\n")->size, line.size());
  expect_client("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", "2001:db8::1", 0);
}

TEST(ProxyHeader, AsALineMayHideTheClient) {
  for (const std::string line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f ffff:f...f 65535 65535\r\n"}) {
    const auto read = read_proxy_header(line + "x");
    ASSERT_TRUE(read) << line;
    EXPECT_EQ(read->source, Source::Unknown);
    EXPECT_EQ(read->size, line.size());
  }
}

TEST(ProxyHeader, AsALineIsOfOneForm) {
  for (const auto* line : {
           "PROXY TCP4 192.0.2.77 10.0.0.1 12345 443\n\r\n",   // a bare LF
           "PROXY TCP4 192.0.2.77 10.0.0.1 12345 443 \r\n",    // a blank too many
           "PROXY  TCP4 192.0.2.77 10.0.0.1 12345 443\r\n",    //
           "PROXY TCP4 192.0.2.77 10.0.0.1 12345\r\n",         // a port too few
           "PROXY TCP4 192.0.2.77 10.0.0.1 12345 443 80\r\n",  // too many
           "PROXY TCP4 192.0.2.77 10.0.0.1 012345 443\r\n",    // six digits
           "PROXY TCP4 192.0.2.77 10.0.0.1 0123 443\r\n",      // a leading zero
           "PROXY TCP4 192.0.2.77 10.0.0.1 65536 443\r\n",     // no such port
           "PROXY TCP4 192.0.2.77 10.0.0.1 -1 443\r\n",        //
           "PROXY TCP4 192.0.2.77 10.0.0.1 12345 x\r\n",       //
           "PROXY TCP4 192.0.2.777 10.0.0.1 12345 443\r\n",    // no such address
           "PROXY TCP4 192.0.2 10.0.0.1 12345 443\r\n",        //
           "PROXY TCP4 ::1 10.0.0.1 12345 443\r\n",            // of the other family
           "PROXY TCP4 192.0.2.77 ::1 12345 443\r\n",          //
           "PROXY TCP6 192.0.2.77 10.0.0.1 12345 443\r\n",     //
           "PROXY TCP5 192.0.2.77 10.0.0.1 12345 443\r\n",     //
           "PROXY UDP4 192.0.2.77 10.0.0.1 12345 443\r\n",     //
           "PROXY UNKNOWNS\r\n",                               //
           "PROXY \r\n",                                       //
           "proxy TCP4 192.0.2.77 10.0.0.1 12345 443\r\n",     //
           "GET / HTTP/1.1\r\n",
           "\x16\x03\x01",
           "\r\n\r\n\r\n",
           "x",  // something else
       })
    EXPECT_EQ(fault(line), Errc::Malformed) << line;
}

TEST(ProxyHeader, AsALineHasAtMost107Bytes) {
  const auto of_length = [](std::size_t n) { return "PROXY UNKNOWN " + std::string(n - 16, 'x') + "\r\n"; };
  EXPECT_TRUE(read_proxy_header(of_length(107)));
  EXPECT_EQ(fault(of_length(108)), Errc::Malformed);
  EXPECT_EQ(fault("PROXY UNKNOWN " + std::string(90, 'x')), Errc::Incomplete);
  EXPECT_EQ(fault("PROXY UNKNOWN " + std::string(93, 'x')), Errc::Malformed) << "no end in sight";
}

TEST(ProxyHeader, InBinaryNamesTheClient) {
  const auto v4 = binary(0x21, 0x11, kIpv4);
  expect_client(v4 + "GET", "192.0.2.77", 12345);
  EXPECT_EQ(read_proxy_header(v4 + "GET")->size, v4.size());
  const auto v6 = binary(
      0x21, 0x21, "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01" + std::string(16, '\0') + "\x00\x50\x00\x51"s);
  expect_client(v6, "2001:db8::1", 80);
  const auto mapped = binary(
      0x21, 0x21, std::string(10, '\0') + "\xFF\xFF\xC0\x00\x02\x01"s + std::string(16, '\0') + "\x00\x50\x00\x51"s);
  expect_client(mapped, "192.0.2.1", 80);
}

TEST(ProxyHeader, InBinaryMayComeFromTheBalancerOrHideTheClient) {
  const auto source = [](const std::string& bytes) { return read_proxy_header(bytes).value().source; };
  EXPECT_EQ(source(binary(0x20, 0x00, "")), Source::Balancer);
  EXPECT_EQ(source(binary(0x20, 0x11, kIpv4)), Source::Balancer) << "the addresses of LOCAL are ignored";
  EXPECT_EQ(source(binary(0x20, 0x7F, "junk")), Source::Balancer);
  EXPECT_EQ(source(binary(0x21, 0x00, "junk")), Source::Unknown);
  EXPECT_EQ(source(binary(0x21, 0x31, std::string(216, '\0'))), Source::Unknown) << "a Unix socket of the balancer";
}

TEST(ProxyHeader, InBinaryIsOfOneForm) {
  EXPECT_EQ(fault(binary(0x11, 0x11, kIpv4)), Errc::Malformed) << "version 1";
  EXPECT_EQ(fault(binary(0x31, 0x11, kIpv4)), Errc::Malformed) << "version 3";
  EXPECT_EQ(fault(kSignature + '\x31'), Errc::Malformed) << "told without waiting for more";
  EXPECT_EQ(fault(binary(0x22, 0x11, kIpv4)), Errc::Malformed) << "no such command";
  EXPECT_EQ(fault(binary(0x21, 0x12, kIpv4)), Errc::Malformed) << "datagrams";
  EXPECT_EQ(fault(binary(0x21, 0x41, kIpv4)), Errc::Malformed) << "no such family";
  EXPECT_EQ(fault(binary(0x21, 0x11, kIpv4.substr(1))), Errc::Malformed) << "too short for its addresses";
  EXPECT_EQ(fault(binary(0x21, 0x21, std::string(35, '\0'))), Errc::Malformed);
  EXPECT_EQ(fault(binary(0x21, 0x31, std::string(215, '\0'))), Errc::Malformed);
}

TEST(ProxyHeader, SkipsAdditionsThatFillItExactly) {
  const auto with = [](const std::string& more) { return binary(0x21, 0x11, kIpv4 + more); };
  expect_client(with(addition(0x02, "shop.example") + addition(0x04, "") + addition(0xEA, "vpce-1")), "192.0.2.77",
                12345);
  EXPECT_EQ(fault(with("\x02")), Errc::Malformed);
  EXPECT_EQ(fault(with("\x02\x00"s)), Errc::Malformed);
  EXPECT_EQ(fault(with("\x02\x00\x05shop"s)), Errc::Malformed);
}

TEST(ProxyHeader, TellsWhetherTheClientSpeaksTls) {
  const auto tls = [](const std::string& value) {
    return read_proxy_header(binary(0x21, 0x11, kIpv4 + addition(0x20, value)));
  };
  EXPECT_TRUE(tls("\x01\0\0\0\0"s)->tls);
  EXPECT_TRUE(tls("\x07\0\0\0\0"s + addition(0x21, "TLSv1.3"))->tls);
  EXPECT_FALSE(tls("\x00\0\0\0\0"s)->tls);
  EXPECT_FALSE(read_proxy_header(binary(0x21, 0x11, kIpv4))->tls);
  EXPECT_FALSE(tls("\x01\0\0\0"s)) << "too short";
}

// The sum was made by another implementation.
TEST(ProxyHeader, IsRefusedWithAWrongChecksum) {
  const std::string sum = "\x92\x60\x54\xAD"s;
  const auto whole = binary(0x21, 0x11, "\x7F\x00\x00\x01\x7F\x00\x00\x01\xC3\x50\x1F\x90"s + addition(0x03, sum));
  expect_client(whole, "127.0.0.1", 50000);
  constexpr std::size_t kType = 16 + 12;  // without it there is no checksum
  for (std::size_t i = 16; i < whole.size(); ++i) {
    if (i == kType) continue;
    auto other = whole;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(read_proxy_header(other)) << i;
  }
  EXPECT_EQ(fault(binary(0x21, 0x11, kIpv4 + addition(0x03, sum.substr(1)))), Errc::Malformed);
}

TEST(ProxyHeader, IsIncompleteUntilItsLastByte) {
  const std::string all[] = {"PROXY TCP4 192.0.2.77 10.0.0.1 12345 443\r\n", "PROXY UNKNOWN\r\n",
                             binary(0x21, 0x11, kIpv4 + addition(0x02, "a")), binary(0x20, 0, "")};
  for (const auto& header : all)
    for (std::size_t n = 0; n < header.size(); ++n)
      EXPECT_EQ(fault(std::string_view(header).substr(0, n)), Errc::Incomplete) << n << " of " << header;
}

TEST(ProxyHeader, HasABoundInBinaryToo) {
  const auto of_length = [](std::size_t n) {
    return binary(0x21, 0x11, kIpv4 + addition(0x04, std::string(n - 16 - 12 - 3, '\0')));
  };
  EXPECT_TRUE(read_proxy_header(of_length(kMostProxyHeader)));
  EXPECT_EQ(fault(of_length(kMostProxyHeader + 1)), Errc::TooLarge);
  EXPECT_EQ(fault(of_length(kMostProxyHeader + 1).substr(0, 16)), Errc::TooLarge) << "told by its length alone";
}

}  // namespace
}  // namespace forebay::http
