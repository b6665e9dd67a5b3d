#include "forebay/content/aws_credentials.hpp"

#include <gtest/gtest.h>

namespace forebay::content {
namespace {

TEST(AwsCredentials, OfAContainerAreReadWithTheirExpiration) {
  const auto found = read_container_credentials(
      R"({"RoleArn":"arn:aws:iam::1:role/r","AccessKeyId":"ASIA1","SecretAccessKey":"se/cr+et","Token":"to==",)"
      R"("Expiration":"2024-01-01T00:10:00Z"})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIA1");
  EXPECT_EQ(found->secret_access_key, "se/cr+et");
  EXPECT_EQ(found->session_token, "to==");
  EXPECT_EQ(found->expires, WallTime{std::chrono::seconds{1704067200 + 600}});
}

TEST(AwsCredentials, OfAContainerWithoutExpirationDoNotExpire) {
  const auto found = read_container_credentials(R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":null})");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->expires);
  EXPECT_EQ(found->session_token, "");
}

TEST(AwsCredentials, WhatIsNoneIsRefused) {
  for (const auto* text :
       {"", "{", "[]", "null", "{}", R"({"code":"AccessDenied","message":"no"})", R"({"AccessKeyId":"A"})",
        R"({"AccessKeyId":"A","SecretAccessKey":""})", R"({"AccessKeyId":1,"SecretAccessKey":"s"})",
        R"({"AccessKeyId":"A\r\nX: y","SecretAccessKey":"s"})", R"({"AccessKeyId":"A","SecretAccessKey":"s s"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"a b"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":1704067200})"})
    EXPECT_FALSE(read_container_credentials(text)) << text;
  EXPECT_FALSE(read_container_credentials(std::string(100000, '['))) << "too many levels";
}

TEST(AwsCredentials, TimesAreReadWithOffsetsAndPartsOfASecond) {
  const WallTime expected{std::chrono::seconds{1704067200}};
  for (const auto* text : {"2024-01-01T00:00:00Z", "2024-01-01t00:00:00.999z", "2024-01-01T01:30:00+01:30",
                           "2023-12-31T19:00:00-05:00", "2024-01-01 00:00:00Z"})
    EXPECT_EQ(read_timestamp(text), expected) << text;
  for (const auto* text :
       {"", "2024-01-01", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx", "9999-01-01T00:00:00Z", "2024-01-01T00:00:00+1:00",
        "20240101T000000Z", "2024-01-01T00:00:00+25:00"})
    EXPECT_FALSE(read_timestamp(text)) << text;
}

constexpr std::string_view kShared =
    "# made by hand\r\n"
    "[default]\n"
    "aws_access_key_id = AKIA1\n"
    "aws_secret_access_key=one/two+three==\n"
    "\n"
    "; the other\n"
    "[ other ]\n"
    "  AWS_ACCESS_KEY_ID=AKIA2\r\n"
    "aws_secret_access_key = second\n"
    "aws_session_token = token\n"
    "region = eu-central-1\n"
    "[half]\n"
    "aws_access_key_id = AKIA3\n";

TEST(AwsCredentials, OfASharedFileAreThoseOfTheProfile) {
  const auto first = read_shared_credentials(kShared, "default");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->access_key_id, "AKIA1");
  EXPECT_EQ(first->secret_access_key, "one/two+three==");
  EXPECT_EQ(first->session_token, "");
  const auto other = read_shared_credentials(kShared, "other");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->access_key_id, "AKIA2");
  EXPECT_EQ(other->secret_access_key, "second");
  EXPECT_EQ(other->session_token, "token");
}

TEST(AwsCredentials, OfASharedFileAreNoneWhereTheProfileOrAKeyIsMissing) {
  EXPECT_FALSE(read_shared_credentials(kShared, "half"));
  EXPECT_FALSE(read_shared_credentials(kShared, "none"));
  EXPECT_FALSE(read_shared_credentials("", "default"));
  EXPECT_FALSE(read_shared_credentials("aws_access_key_id = A\naws_secret_access_key = b\n", "default"));
  EXPECT_FALSE(read_shared_credentials("[default\naws_access_key_id = A\naws_secret_access_key = b\n", "default"));
}

}  // namespace
}  // namespace forebay::content
