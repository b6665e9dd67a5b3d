#include "server/handover_message.hpp"

#include <gmock/gmock.h>

namespace forebay::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = HandoverMessage::Kind;
using AddressKind = config::Address::Kind;

HandoverMessage read(const std::string& text) {
  std::string fault;
  const auto message = parse_handover_message(text, fault);
  EXPECT_TRUE(message.has_value()) << text << fault;
  return message.value_or(HandoverMessage());
}

std::string fault_of(const std::string& text) {
  std::string fault;
  EXPECT_FALSE(parse_handover_message(text, fault).has_value()) << text;
  return fault;
}

TEST(HandoverMessage, EachKindIsReadAsItWasWritten) {
  for (const auto kind : {Kind::Hello, Kind::Sockets, Kind::Control, Kind::End, Kind::Ready, Kind::Replaced,
                          Kind::Refused, Kind::Purge, Kind::Purged}) {
    HandoverMessage message;
    message.kind = kind;
    EXPECT_EQ(read(to_text(message)).kind, kind);
  }
  HandoverMessage purge;
  purge.kind = Kind::Purge;
  EXPECT_EQ(to_text(purge), "forebay-handover 1 purge\n");
  HandoverMessage hello;
  hello.text = "1.2.3 = a=b";
  EXPECT_EQ(to_text(hello), "forebay-handover 1 hello\nprogram=1.2.3 = a=b\n");
  EXPECT_EQ(read(to_text(hello)).text, "1.2.3 = a=b");
  HandoverMessage refused;
  refused.kind = Kind::Refused;
  refused.text = "another process is taking over";
  EXPECT_EQ(read(to_text(refused)).text, refused.text);
}

TEST(HandoverMessage, AddressesOfEachKindArriveWhole) {
  const config::Address all[] = {{AddressKind::Tcp, "", 8080, ":8080", true},
                                 {AddressKind::Tcp, "::1", 65535, "[::1]:65535"},
                                 {AddressKind::Unix, "/run/a=b c\xc3\xa4.sock", 0, "unix:/run/a=b c\xc3\xa4.sock"},
                                 {AddressKind::Fd, "web", 0, "fd:web"}};
  for (const auto& address : all) {
    HandoverMessage message;
    message.kind = Kind::Sockets;
    message.listener = HandoverMessage::kMostListeners - 1;
    message.address = address;
    const auto got = read(to_text(message));
    EXPECT_EQ(got.address, address);
    EXPECT_EQ(got.listener, HandoverMessage::kMostListeners - 1);
  }
}

TEST(HandoverMessage, TheListOfWhatWasTakenIsAscending) {
  EXPECT_THAT(read("forebay-handover 1 ready\ntaken=0,7,1023\n").taken, ElementsAre(0U, 7U, 1023U));
  EXPECT_THAT(read("forebay-handover 1 ready\ntaken=\n").taken, ElementsAre());
  for (const auto* list : {"1,1", "2,1", "1024", "-1", "x", "1,,2", ",", "99999999999999999999"})
    EXPECT_THAT(fault_of(std::string("forebay-handover 1 ready\ntaken=") + list + "\n"), HasSubstr("list")) << list;
}

TEST(HandoverMessage, WhatALaterVersionAddsIsIgnoredAndItsOwnFormIsNamed) {
  EXPECT_EQ(read("forebay-handover 1 hello\ncolour=blue\nprogram=9\n").text, "9");
  EXPECT_EQ(fault_of("forebay-handover 2 hello\nprogram=9\n"),
            "it speaks version 2 of the handover, this program version 1");
  EXPECT_THAT(fault_of("forebay-handover 1 dance\n"), HasSubstr("unknown kind"));
}

TEST(HandoverMessage, WhatIsNoMessageIsRefused) {
  for (const std::string text : {"", "\n", "GET / HTTP/1.1\r\n\r\n", "forebay-handover 1 hello", "forebay-handover\n"})
    fault_of(text);
  EXPECT_THAT(fault_of("forebay-handover 1 hello\nprogram=a\tb\n"), HasSubstr("no message"));
  EXPECT_THAT(fault_of(std::string("forebay-handover 1 hello\nprogram=a\0b\n", 37)), HasSubstr("no message"));
  EXPECT_THAT(fault_of("forebay-handover 1 hello\nprogram\n"), HasSubstr("without a value"));
  EXPECT_THAT(fault_of("forebay-handover 1 hello\nprogram=1\nprogram=2\n"), HasSubstr("too many"));
  std::string many = "forebay-handover 1 hello\n";
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=\n";
  EXPECT_THAT(fault_of(many), HasSubstr("too many"));
  EXPECT_THAT(fault_of("forebay-handover 1 hello\nprogram=" + std::string(8192, 'x') + "\n"), HasSubstr("no message"));
  const std::string sockets = "forebay-handover 1 sockets\nlistener=0\nkind=unix\nhost=/s\nport=0\nv6_only=0\n";
  EXPECT_EQ(read(sockets).address.host, "/s");
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{{"listener=0", "listener=1024"},
                                                                  {"kind=unix", "kind=udp"},
                                                                  {"host=/s\n", ""},
                                                                  {"port=0", "port=65536"},
                                                                  {"v6_only=0", "v6_only=2"},
                                                                  {"listener=0\n", ""}}) {
    auto changed = sockets;
    changed.replace(changed.find(from), std::string(from).size(), to);
    EXPECT_THAT(fault_of(changed), HasSubstr("address")) << to;
  }
}

}  // namespace
}  // namespace forebay::server
