#include "forebay/net/tls_tickets.hpp"

#include <gtest/gtest.h>

namespace forebay::net {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(TicketKeys, AreNewEachHourAndOldOnesOpenTicketsForTheLifeOfASession) {
  ManualClock clock;
  TicketKeys keys(clock);
  keys.keep_for(hours{2});
  const auto first = keys.newest();
  ASSERT_TRUE(first);
  clock.advance(minutes{59});
  EXPECT_EQ(keys.newest()->name, first->name);
  EXPECT_TRUE(keys.find(first->name)->newest);
  clock.advance(minutes{1});
  EXPECT_FALSE(keys.find(first->name)->newest) << "a ticket of it is replaced";
  const auto second = keys.newest();
  EXPECT_NE(second->name, first->name);
  EXPECT_NE(second->cipher, first->cipher);
  EXPECT_NE(second->mac, first->mac);
  clock.advance(hours{2});
  ASSERT_TRUE(keys.find(first->name));
  EXPECT_EQ(keys.find(first->name)->key.cipher, first->cipher);
  clock.advance(std::chrono::seconds{1});
  EXPECT_FALSE(keys.find(first->name));
  EXPECT_TRUE(keys.find(second->name));
}

TEST(TicketKeys, AreForgottenWithoutBeingAskedFor) {
  ManualClock clock;
  TicketKeys keys(clock);
  keys.keep_for(hours{2});
  EXPECT_EQ(keys.size(), 0U);
  keys.newest();
  clock.advance(hours{1});
  keys.newest();
  EXPECT_EQ(keys.size(), 2U);
  keys.keep_for(minutes{10});
  clock.advance(minutes{11});
  keys.rotate();
  EXPECT_EQ(keys.size(), 1U);
  clock.advance(hours{2});
  keys.rotate();
  EXPECT_EQ(keys.size(), 0U);
}

TEST(TicketKeys, AreNotFoundByOtherNames) {
  ManualClock clock;
  TicketKeys keys(clock);
  auto name = keys.newest()->name;
  name[3] ^= 1;
  EXPECT_FALSE(keys.find(name));
  EXPECT_FALSE(keys.find(std::span(name).first(8)));
}

}  // namespace
}  // namespace forebay::net
