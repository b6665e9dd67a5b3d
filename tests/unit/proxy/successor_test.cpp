#include "forebay/proxy/successor.hpp"

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

class SuccessorTest : public ::testing::Test {
 protected:
  bool purge() {
    return successor.purge([this] { ++done; });
  }
  void open() {
    successor.open([this] { ++asked; });
  }
  Successor successor;
  int asked = 0, done = 0;
};

TEST_F(SuccessorTest, WritesShareTheNextPurge) {
  open();
  EXPECT_FALSE(successor.take());
  EXPECT_TRUE(purge());
  EXPECT_TRUE(purge());
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(successor.take());
  EXPECT_TRUE(purge()) << "too late for the one that is on its way";
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(successor.take()) << "one at a time";
  successor.settle();
  EXPECT_EQ(done, 2);
  EXPECT_TRUE(successor.take());
  successor.settle();
  EXPECT_EQ(done, 3);
  EXPECT_FALSE(successor.take());
  EXPECT_TRUE(purge());
  EXPECT_EQ(asked, 2);
}

TEST_F(SuccessorTest, NobodyWaitsForOneThatIsGone) {
  EXPECT_FALSE(purge()) << "there is none";
  open();
  purge();
  EXPECT_TRUE(successor.take());
  purge();
  EXPECT_EQ(done, 0);
  successor.close();
  EXPECT_EQ(done, 2);
  EXPECT_FALSE(purge());
  EXPECT_FALSE(successor.take());
  open();
  EXPECT_TRUE(purge());
  EXPECT_TRUE(successor.take());
  successor.settle();
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace forebay::proxy
