#include "forebay/net/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "forebay/net/worker.hpp"
#include "support/dns_server.hpp"

namespace forebay::net {
namespace {

using namespace std::chrono_literals;
using How = test::DnsServer::How;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Stands still but for what the test adds.
class MovedClock final : public Clock {
 public:
  Now now() const override { return now_; }
  void advance(Duration d) { now_.mono += d; }

 private:
  Now now_ = SystemClock().now();
};

std::vector<std::string> texts(const std::vector<boost::asio::ip::address>& addresses) {
  std::vector<std::string> out;
  for (const auto& address : addresses) out.push_back(address.to_string());
  return out;
}

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "forebay-resolver-XXXXXX";
    folder = ::mkdtemp(pattern.data());
    settings.servers = {{boost::asio::ip::make_address("127.0.0.1"), server.port()}};
    settings.resolv_conf = folder / "resolv.conf";
    write("resolv.conf", "search below.test\n");
    write("hosts", "");
    ::setenv("CARES_HOSTS", (folder / "hosts").c_str(), 1);
    worker.resolver().use(settings);
  }
  ~ResolverTest() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& text) {
    const auto fresh = folder / (name + ".new");
    std::ofstream(fresh) << text;
    std::filesystem::rename(fresh, folder / name);
  }
  struct Heard {
    std::optional<Resolved> part, all;
    Resolver::LookupPtr lookup;
  };
  std::unique_ptr<Heard> ask(const std::string& name) {
    auto heard = std::make_unique<Heard>();
    heard->lookup = worker.resolver().ask(name, [to = heard.get()](const Resolved& r) {
      EXPECT_FALSE(to->all) << "nothing follows the last call";
      (r.complete ? to->all : to->part) = r;
    });
    EXPECT_FALSE(heard->all) << "never from within the call";
    return heard;
  }
  /// Runs the worker; its clock moves by a millisecond at a time, if that.
  void run_until(const std::function<bool()>& done, Duration step = 0ms) {
    const auto limit = std::chrono::steady_clock::now() + 120s;
    while (!done()) {
      worker.io().run_one_for(2ms);
      clock.advance(step);
      worker.fire_deadlines();
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "nothing came of it";
    }
  }
  Resolved resolved(const std::string& name, Duration step = 0ms) {
    const auto heard = ask(name);
    run_until([&] { return heard->all.has_value(); }, step);
    return heard->all.value_or(Resolved{});
  }

  std::filesystem::path folder;
  test::DnsServer server;
  Resolver::Settings settings;
  MovedClock clock;
  Worker worker{0, clock};
};

TEST_F(ResolverTest, BothFamiliesComeInTheOrderOfTheAnswer) {
  server.set("app.test", {.v4 = {"10.0.0.9", "10.0.0.1"}, .v6 = {"fd00::2", "fd00::1"}, .ttl = 7});
  const auto found = resolved("app.test");
  EXPECT_EQ(found.result, Resolution::Found);
  EXPECT_THAT(texts(found.v4), ElementsAre("10.0.0.9", "10.0.0.1"));
  EXPECT_THAT(texts(found.v6), ElementsAre("fd00::2", "fd00::1"));
  EXPECT_EQ(found.ttl, 7s);
  EXPECT_EQ(server.asked("app.test"), 1U);
}

TEST_F(ResolverTest, TheSmallestTtlOfAliasesAndAddressesCounts) {
  server.set("www.test", {.alias = "cdn.test", .alias_ttl = 3});
  server.set("cdn.test", {.alias = "edge.test", .alias_ttl = 600});
  server.set("edge.test", {.v4 = {"10.0.0.1"}, .ttl = 60});
  EXPECT_EQ(resolved("www.test").ttl, 3s);
  EXPECT_EQ(resolved("cdn.test").ttl, 60s);
}

TEST_F(ResolverTest, TtlsAreReadAsRfc2181Says) {
  for (const auto& [ttl, means] : {std::pair<std::uint32_t, Duration>{0, 0s},
                                   {0x7fffffff, std::chrono::seconds{0x7fffffff}},
                                   {0x80000000, 0s},
                                   {0xffffffff, 0s}}) {
    server.set("app.test", {.v4 = {"10.0.0.1"}, .ttl = ttl});
    EXPECT_EQ(resolved("app.test").ttl, means) << ttl;
  }
}

TEST_F(ResolverTest, FailuresAreToldApart) {
  server.set("empty.test", {});
  server.set("loop.test", {.alias = "loop2.test"});
  server.set("loop2.test", {.alias = "loop.test"});
  server.set("failing.test", {.how = How::ServerFailed});
  EXPECT_EQ(resolved("none.test").result, Resolution::NoName);
  EXPECT_EQ(resolved("empty.test").result, Resolution::NoAddress);
  EXPECT_EQ(resolved("loop.test").result, Resolution::NoAddress);
  EXPECT_EQ(resolved("failing.test").result, Resolution::ServerFailed);
  EXPECT_EQ(resolved(std::string(70, 'x') + ".test").result, Resolution::NoName) << "too long a label";
}

TEST_F(ResolverTest, SilenceEndsWithTheLongestLookUp) {
  server.set("silent.test", {.how = How::Silent});
  const auto heard = ask("silent.test");
  run_until([&] { return server.asked("silent.test") > 0; });
  clock.advance(Resolver::kLongest - 1ms);
  worker.fire_deadlines();
  EXPECT_FALSE(heard->all);
  clock.advance(5ms);
  worker.fire_deadlines();
  ASSERT_TRUE(heard->all);
  EXPECT_EQ(heard->all->result, Resolution::NoAnswer);
}

TEST_F(ResolverTest, WhatIsNoAnswerToTheQuestionIsNotTakenForOne) {
  for (const auto how : {How::Garbage, How::WrongId}) {
    server.set("odd.test", {.v4 = {"10.6.6.6"}, .how = how});
    const auto odd = resolved("odd.test", 20ms);
    EXPECT_NE(odd.result, Resolution::Found);
    EXPECT_THAT(odd.v4, IsEmpty());
  }
}

TEST_F(ResolverTest, ATruncatedAnswerIsFetchedByTcp) {
  server.set("long.test", {.v4 = {"10.0.0.1"}, .how = How::Truncated});
  EXPECT_THAT(texts(resolved("long.test").v4), ElementsAre("10.0.0.1"));
  EXPECT_GE(server.by_tcp(), 1U);
}

TEST_F(ResolverTest, VeryManyAddressesAreCut) {
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("10.0.0." + std::to_string(i));
  server.set("many.test", {.v4 = many});
  EXPECT_THAT(resolved("many.test").v4, SizeIs(Resolver::kMostAddresses));
}

TEST_F(ResolverTest, AServerThatCannotBeReachedHasFailed) {
  std::uint16_t closed = 0;
  {
    const test::DnsServer gone;
    closed = gone.port();
  }
  settings.servers = {{boost::asio::ip::make_address("127.0.0.1"), closed}};
  worker.resolver().use(settings);
  // One of the two questions may learn of it only when c-ares tries again, or not at all.
  EXPECT_THAT(resolved("app.test", 1ms).result, AnyOf(Resolution::ServerFailed, Resolution::NoAnswer));
}

TEST_F(ResolverTest, Ipv4WaitsForIpv6ForAMoment) {
  server.set("half.test", {.v4 = {"10.0.0.1"}, .v6 = {"fd00::1"}, .how6 = How::Silent});
  const auto heard = ask("half.test");
  run_until([&] { return heard->part.has_value(); }, 1ms);
  EXPECT_THAT(texts(heard->part->v4), ElementsAre("10.0.0.1"));
  EXPECT_THAT(heard->part->v6, IsEmpty());
  EXPECT_FALSE(heard->all);
  clock.advance(Resolver::kLongest);
  worker.fire_deadlines();
  ASSERT_TRUE(heard->all);
  EXPECT_EQ(heard->all->result, Resolution::Found) << "one family is enough";
}

TEST_F(ResolverTest, TheHostsFileComesFirstWithAllItsLines) {
  write("hosts", "10.1.1.1 other.test\n10.1.2.3 box.test alias.test\nfd00::9 box.test\n10.1.2.4 BOX.test\n");
  server.set("box.test", {.v4 = {"10.9.9.9"}});
  const auto found = resolved("box.test");
  EXPECT_THAT(texts(found.v4), ElementsAre("10.1.2.3", "10.1.2.4"));
  EXPECT_THAT(texts(found.v6), ElementsAre("fd00::9"));
  EXPECT_EQ(found.ttl, Duration::max());
  EXPECT_EQ(server.asked("box.test"), 0U);
  write("hosts", "");
  EXPECT_THAT(texts(resolved("box.test").v4), ElementsAre("10.9.9.9")) << "a change of the file counts";
}

TEST_F(ResolverTest, AChangedResolvConfCountsFromTheNextLookUpOn) {
  server.set("app.below.test", {.v4 = {"10.0.0.1"}});
  server.set("app.elsewhere.test", {.v4 = {"10.0.0.2"}});
  EXPECT_THAT(texts(resolved("app").v4), ElementsAre("10.0.0.1"));
  server.set("slow.test", {.v4 = {"10.0.0.3"}, .how = How::Silent});
  const auto begun_before = ask("slow.test");
  write("resolv.conf", "search elsewhere.test\n");
  EXPECT_THAT(texts(resolved("app").v4), ElementsAre("10.0.0.2"));
  std::filesystem::remove(folder / "resolv.conf");
  EXPECT_EQ(resolved("app").result, Resolution::NoName);
  clock.advance(Resolver::kLongest);
  worker.fire_deadlines();
  EXPECT_TRUE(begun_before->all) << "it ends as it began";
}

TEST_F(ResolverTest, ServicesHaveTargetsWithATtl) {
  server.set("_http._tcp.shop.test", {.ttl = 9, .targets = {{10, 5, 8080, "a.shop.test"}, {20, 0, 81, "b.shop.test"}}});
  server.set("_none._tcp.shop.test", {.ttl = 9, .targets = {{0, 0, 0, ""}}});
  server.set("_empty._tcp.shop.test", {});
  const auto ask_targets = [&](const std::string& name) {
    std::optional<ResolvedTargets> got;
    const auto lookup = worker.resolver().ask_targets(name, [&](const ResolvedTargets& r) { got = r; });
    EXPECT_FALSE(got);
    run_until([&] { return got.has_value(); });
    return got.value_or(ResolvedTargets{});
  };
  const auto found = ask_targets("_http._tcp.shop.test");
  EXPECT_EQ(found.result, Resolution::Found);
  EXPECT_EQ(found.answer.ttl, 9s);
  EXPECT_THAT(found.answer.targets,
              ElementsAre(SrvTarget{10, 5, 8080, "a.shop.test"}, SrvTarget{20, 0, 81, "b.shop.test"}));
  EXPECT_EQ(ask_targets("_none._tcp.shop.test").result, Resolution::NoAddress) << "it is not offered";
  EXPECT_EQ(ask_targets("_empty._tcp.shop.test").result, Resolution::NoAddress);
  EXPECT_EQ(ask_targets("_other._tcp.shop.test").result, Resolution::NoName);
}

TEST_F(ResolverTest, ADroppedLookUpIsNotHeardOfAgain) {
  server.set("app.test", {.v4 = {"10.0.0.1"}});
  for (int turns = 0; turns < 6; ++turns) {
    auto dropped = ask("app.test");
    for (int i = 0; i < turns; ++i) worker.io().run_one_for(2ms);
    const bool told = dropped->all.has_value();
    dropped->lookup.reset();
    EXPECT_THAT(texts(resolved("app.test").v4), ElementsAre("10.0.0.1"));
    EXPECT_EQ(dropped->all.has_value(), told);
  }
}

TEST_F(ResolverTest, ManyLookUpsAtATimeAllEnd) {
  std::vector<std::unique_ptr<Heard>> all;
  for (int i = 0; i < 100; ++i) {
    const auto name = "n" + std::to_string(i) + ".test";
    server.set(name, {.v4 = {"10.0.0." + std::to_string(i)}});
    all.push_back(ask(name));
  }
  for (int i = 0; i < 100; ++i) {
    run_until([&] { return all[static_cast<std::size_t>(i)]->all.has_value(); });
    EXPECT_THAT(texts(all[static_cast<std::size_t>(i)]->all->v4), ElementsAre("10.0.0." + std::to_string(i)));
  }
}

TEST(Resolver, MayEndWithItsWorkerWhileItIsAsked) {
  test::DnsServer server;
  server.set("silent.test", {.how = How::Silent});
  const MovedClock clock;
  Worker worker(0, clock);
  worker.resolver().use({.servers = {{boost::asio::ip::make_address("127.0.0.1"), server.port()}}});
  int told = 0;
  auto lookup = worker.resolver().ask("silent.test", [&](const Resolved&) { ++told; });
  worker.io().run_one_for(2ms);
  lookup.reset();
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace forebay::net
