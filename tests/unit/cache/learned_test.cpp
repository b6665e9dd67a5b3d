#include "forebay/cache/learned.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace forebay::cache {
namespace {

std::string hash_of(int i) { return sha256_hex(std::to_string(i)); }
PersistedQueries::Document document(std::uint64_t n) { return {{n, n}, {n, 0}, n % 2 == 0}; }

TEST(PersistedQueries, KnowWhatWasLearned) {
  PersistedQueries queries;
  EXPECT_FALSE(queries.find(hash_of(1)).has_value());
  queries.learn(hash_of(1), document(7));
  const auto found = queries.find(hash_of(1));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->normal, (Digest{7, 7}));
  EXPECT_EQ(found->only_name, (Digest{7, 0}));
  EXPECT_FALSE(found->reads_only);
  EXPECT_FALSE(queries.find(hash_of(2)).has_value());
}

TEST(PersistedQueries, TakeNothingButSha256InLowerCase) {
  PersistedQueries queries;
  for (const auto& hash : {std::string(), std::string("abc"), std::string(63, 'a'), std::string(65, 'a'),
                           std::string(64, 'A'), std::string(63, 'a') + "g"}) {
    queries.learn(hash, document(1));
    EXPECT_FALSE(queries.find(hash).has_value()) << hash;
  }
  EXPECT_FALSE(queries.find(std::string(64, '0')).has_value()) << "an empty slot is no document";
  queries.learn(std::string(64, '0'), document(1));
  EXPECT_TRUE(queries.find(std::string(64, '0')).has_value());
}

TEST(PersistedQueries, ForgetTheOldOnesAndNeverTakeOneForAnother) {
  PersistedQueries queries(256);
  for (int i = 0; i < 5000; ++i) queries.learn(hash_of(i), document(static_cast<std::uint64_t>(i)));
  int known = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto found = queries.find(hash_of(i));
    if (!found) continue;
    ++known;
    EXPECT_EQ(found->normal.hi, static_cast<std::uint64_t>(i));
  }
  EXPECT_LE(known, 256);
  EXPECT_GT(known, 128);
  EXPECT_TRUE(queries.find(hash_of(4999)).has_value()) << "the latest one";
}

TEST(PersistedQueries, KeepThatManyWithoutLosingMost) {
  PersistedQueries queries(16384);
  for (int i = 0; i < 4096; ++i) queries.learn(hash_of(i), document(1));
  int known = 0;
  for (int i = 0; i < 4096; ++i) known += queries.find(hash_of(i)).has_value();
  EXPECT_GT(known, 4050);
}

rules::NoVarySearch rule(std::vector<std::string> names) {
  return {false, rules::NoVarySearch::Ignored::Listed, std::move(names)};
}

TEST(SearchRules, AreThoseOfTheLatestResponse) {
  SearchRules rules;
  const Digest a{1, 2}, b{3, 4};
  EXPECT_EQ(rules.find(a), nullptr);
  EXPECT_TRUE(rules.learn(a, rule({"x"})));
  ASSERT_NE(rules.find(a), nullptr);
  EXPECT_EQ(*rules.find(a), rule({"x"}));
  EXPECT_EQ(rules.find(b), nullptr);
  const auto kept = rules.find(a);
  EXPECT_TRUE(rules.learn(a, rule({"x"})));
  EXPECT_EQ(rules.find(a), kept) << "the same rule again makes no new one";
  EXPECT_TRUE(rules.learn(a, rule({"y"})));
  EXPECT_EQ(*rules.find(a), rule({"y"}));
  EXPECT_EQ(*kept, rule({"x"})) << "who reads it still has it";
  rules.forget(a);
  EXPECT_EQ(rules.find(a), nullptr);
  rules.forget(b);
}

TEST(SearchRules, OfExcessiveLengthAreNotKept) {
  SearchRules rules;
  const Digest base{1, 1};
  EXPECT_TRUE(rules.learn(base, rule({"x"})));
  EXPECT_FALSE(rules.learn(base, rule({std::string(5000, 'x')})));
  EXPECT_EQ(rules.find(base), nullptr) << "nor the one before";
}

TEST(SearchRules, AreBounded) {
  SearchRules rules(64);
  for (std::uint64_t i = 0; i < 1000; ++i) rules.learn({i, i}, rule({std::to_string(i)}));
  std::size_t known = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto found = rules.find({i, i});
    if (!found) continue;
    ++known;
    EXPECT_EQ(found->names.front(), std::to_string(i));
  }
  EXPECT_LE(known, 64u);
  EXPECT_GT(known, 32u);
}

TEST(Learned, IsSharedByThreads) {
  PersistedQueries queries(64);
  SearchRules rules(64);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto n = static_cast<std::uint64_t>((i + t) % 100);
        queries.learn(hash_of(static_cast<int>(n)), document(n));
        if (const auto found = queries.find(hash_of(static_cast<int>(n)))) {
          EXPECT_EQ(found->normal.hi, n);
        }
        rules.learn({n, n}, rule({std::to_string(n)}));
        if (const auto found = rules.find({n, n})) {
          EXPECT_EQ(found->names.front(), std::to_string(n));
        }
        if (i % 7 == 0) rules.forget({n, n});
      }
    });
  for (auto& t : threads) t.join();
}

}  // namespace
}  // namespace forebay::cache
