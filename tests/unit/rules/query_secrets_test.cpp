#include "forebay/rules/query_secrets.hpp"

#include <gtest/gtest.h>

#include <string>

namespace forebay::rules {
namespace {

std::int64_t until(std::string_view query) {
  const auto end = signed_until(query);
  return end ? std::chrono::floor<Seconds>(end->time_since_epoch()).count() : -1;
}

TEST(QuerySecrets, AreKnownUnderTheNamesThatReadersFind) {
  for (const auto* name :
       {"X-Amz-Signature", "x-goog-signature", "Signature", "sig", "SIG", "access_token", "access%5Ftoken", "api_key",
        "apikey", "api-key", "token", "token[]", "_token", "user[token]", "X-Amz-Security-Token", "t%6Fken"})
    EXPECT_TRUE(names_secret(name)) << name;
  for (const auto* name :
       {"", "q", "tokens", "page_token_size", "signed", "utm_source", "X-Amz-Date", "key", "expires"})
    EXPECT_FALSE(names_secret(name)) << name;
}

TEST(SignedUrl, EndsWhenItsQuerySays) {
  struct Row {
    const char* query;
    std::int64_t until;
  };
  constexpr std::int64_t kNoon = 1764417600;  // 2025-11-29T12:00:00Z
  const Row rows[] = {
      {"X-Amz-Date=20251129T120000Z&X-Amz-Expires=300&X-Amz-Signature=x", kNoon + 300},
      {"x-amz-expires=300&a=b&X-AMZ-DATE=20251129T120000Z", kNoon + 300},
      {"X-Amz-Date=20251129T120000Z&X-Amz-Expires=300&X-Amz-Expires=60", kNoon + 60},
      {"X-Goog-Date=20251129T120000Z&X-Goog-Expires=900&X-Goog-Signature=x", kNoon + 900},
      {"Expires=1764417600&Signature=x&Key-Pair-Id=K", kNoon},
      {"AWSAccessKeyId=A&Expires=1764417600&Signature=x", kNoon},
      {"AWSAccessKeyId=A&Expires=1764417600", kNoon},
      {"expires=1764417600&signature=x", kNoon},
      {"Expires=1764417600000&Signature=x", kNoon},
      {"Expires=%31764417600&Si%67nature=x", kNoon},
      {"Expires=1764417600&Signature=x&Expires=1764417000", kNoon - 600},
      {"sv=2024-11-04&se=2025-11-29T12%3A00%3A00Z&sr=b&sig=x", kNoon},
      {"se=2025-11-29T12:00:00.1234567Z&sig=x", kNoon},
      {"se=2025-11-29T12:00Z&sig=x", kNoon},
      {"se=2025-11-29&sig=x", kNoon - 12 * 3600},
      {"se=2025-11-29T12:00:00Z&ske=2025-11-29T11:00:00Z&sig=x", kNoon - 3600},
      // {"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1764417600}}}]}
      {"Policy=eyJTdGF0ZW1lbnQiOlt7IkNvbmRpdGlvbiI6eyJEYXRlTGVzc1RoYW4iOnsiQVdTOkVwb2NoVGltZSI6MTc2NDQxNzYwMH19fV19"
       "&Signature=x&Key-Pair-Id=K",
       kNoon},
  };
  for (const auto& row : rows) EXPECT_EQ(until(row.query), row.until) << row.query;
}

TEST(SignedUrl, ThatStatesNoEndHasNone) {
  for (const auto* query : {"", "a=b", "Expires=1764417600", "se=2025-11-29", "Signature=x", "sig=x",
                            "X-Amz-Date=20251129T120000Z", "policy=x", "Policy=x&Signature=y"})
    EXPECT_EQ(signed_until(query), std::nullopt) << query;
}

TEST(SignedUrl, ThatCannotBeReadHasEnded) {
  for (const auto* query :
       {"Expires=soon&Signature=x", "Expires=&Signature=x", "Expires=-5&Signature=x", "Expires&Signature=x",
        "X-Amz-Expires=300", "X-Amz-Date=yesterday&X-Amz-Expires=300", "X-Amz-Date=20251129T120000Z&X-Amz-Expires=x",
        "X-Amz-Date=20251329T120000Z&X-Amz-Expires=300", "X-Amz-Date=20251129T120000&X-Amz-Expires=300",
        "X-Amz-Date=20251129T250000Z&X-Amz-Expires=300", "se=2025-11-29T12:00:00%2B05:00&sig=x", "se=x&sig=x",
        "se=&sig=x", "Policy=x&Signature=y&Key-Pair-Id=K", "Expires=1764417600&Signature=x&Expires=x"})
    EXPECT_EQ(signed_until(query), WallTime::min()) << query;
  EXPECT_GT(*signed_until("Expires=99999999999999999999999999&Signature=x"), WallTime{}) << "far away, and no overflow";
}

}  // namespace
}  // namespace forebay::rules
