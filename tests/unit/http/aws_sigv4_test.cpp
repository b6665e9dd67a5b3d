#include "forebay/http/aws_sigv4.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

namespace forebay::http {
namespace {

const AwsCredentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", {}};

struct Case {
  std::string name, service, region, method, target, payload, token, time, canonical, authorization;
  std::vector<std::string> fields;
};

/// The table that botocore has signed (tests/aws/sigv4_table.py).
std::vector<Case> table() {
  std::vector<Case> cases;
  std::ifstream in(FOREBAY_SOURCE_DIR "/tests/aws/sigv4_table.txt");
  for (std::string line; std::getline(in, line);) {
    const auto bar = line.find('|');
    if (bar == std::string::npos) continue;
    const auto key = line.substr(0, bar), value = line.substr(bar + 1);
    if (key == "case") cases.emplace_back();
    if (cases.empty()) continue;
    auto& c = cases.back();
    if (key == "case") c.name = value;
    if (key == "service") c.service = value;
    if (key == "region") c.region = value;
    if (key == "method") c.method = value;
    if (key == "target") c.target = value;
    if (key == "payload") c.payload = value;
    if (key == "token") c.token = value;
    if (key == "time") c.time = value;
    if (key == "field") c.fields.push_back(value);
    if (key == "canonical") c.canonical.append(c.canonical.empty() ? "" : "\n").append(value);
    if (key == "authorization") c.authorization = value;
  }
  return cases;
}

WallTime time_of(const std::string& text) {
  const auto number = [&](std::size_t at, std::size_t n) { return std::stoi(text.substr(at, n)); };
  const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(number(4, 2))},
                                         std::chrono::day{static_cast<unsigned>(number(6, 2))}};
  return std::chrono::sys_days{date} + std::chrono::hours{number(9, 2)} + std::chrono::minutes{number(11, 2)} +
         std::chrono::seconds{number(13, 2)};
}

Fields fields_of(const Case& c) {
  Fields fields;
  for (const auto& line : c.fields) {
    const auto colon = line.find(':');
    fields.add(line.substr(0, colon), trim(std::string_view(line).substr(colon + 1)));
  }
  return fields;
}

TEST(AwsSigV4, SignsEachRequestOfTheTableAsBotocoreDoes) {
  const auto cases = table();
  ASSERT_GE(cases.size(), 90u);
  for (const auto& c : cases) {
    AwsSigV4 signer(c.region, c.service);
    auto fields = fields_of(c);
    auto credentials = kExample;
    credentials.session_token = c.token;
    const auto target = aws_target(c.target);
    const AwsSigV4::Request request{c.method, target, c.payload};
    signer.sign(request, fields, credentials, time_of(c.time));
    EXPECT_EQ(signer.canonical_request(request, fields), c.canonical) << c.name;
    EXPECT_EQ(fields.view().value(FieldId::Authorization), c.authorization) << c.name;
    EXPECT_EQ(fields.view().value("X-Amz-Date"), c.time) << c.name;
    EXPECT_EQ(fields.view().value("X-Amz-Content-Sha256"), c.payload) << c.name;
    EXPECT_EQ(fields.view().value("X-Amz-Security-Token").value_or(""), c.token) << c.name;
  }
}

TEST(AwsSigV4, TheTargetOfASignatureIsSpeltTheSameWhenItIsSpeltAgain) {
  for (const auto& c : table()) {
    const auto target = aws_target(c.target);
    EXPECT_EQ(aws_target(target), target) << c.name;
    EXPECT_EQ(target.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%/?&="),
              std::string::npos)
        << target;
  }
}

TEST(AwsSigV4, TheTargetKeepsTheOrderOfItsParametersAndAMissingEqualsSign) {
  EXPECT_EQ(aws_target("/a?b=2&a&c=&b=1"), "/a?b=2&a&c=&b=1");
  EXPECT_EQ(aws_target("/a?x=1+2&&y=%2b"), "/a?x=1%202&y=%2B");
  EXPECT_EQ(aws_target("/a"), "/a");
  EXPECT_EQ(aws_target("/a?"), "/a?");
  EXPECT_EQ(aws_target(""), "");
  EXPECT_EQ(aws_target("*"), "*");
}

TEST(AwsSigV4, AnEmptyPathIsTheRoot) {
  EXPECT_EQ(aws_canonical_path("", "lambda"), "/");
  EXPECT_EQ(aws_canonical_path("?a", "s3"), "/");
}

TEST(AwsSigV4, FieldsOfAnEarlierSignatureAreReplaced) {
  AwsSigV4 signer("us-east-1", "s3");
  Fields fields;
  fields.add("Host", "a");
  const AwsSigV4::Request request{"GET", "/", kUnsignedPayload};
  auto temporary = kExample;
  temporary.session_token = "token";
  signer.sign(request, fields, temporary, time_of("20240131T235959Z"));
  signer.sign(request, fields, kExample, time_of("20240131T235959Z"));
  Fields once;
  once.add("Host", "a");
  signer.sign(request, once, kExample, time_of("20240131T235959Z"));
  EXPECT_EQ(fields.view().size(), once.view().size());
  EXPECT_EQ(fields.view().value(FieldId::Authorization), once.view().value(FieldId::Authorization));
}

TEST(AwsSigV4, AnotherSecretAndAnotherDayGetAnotherKey) {
  const auto signature = [](AwsSigV4& signer, const AwsCredentials& credentials, const char* time) {
    Fields fields;
    fields.add("Host", "a");
    signer.sign({"GET", "/", kUnsignedPayload}, fields, credentials, time_of(time));
    return std::string(*fields.view().value(FieldId::Authorization));
  };
  auto other = kExample;
  other.secret_access_key = "another";
  AwsSigV4 one("us-east-1", "s3");
  for (const auto& [credentials, time] :
       {std::pair{kExample, "20240131T235959Z"}, std::pair{other, "20240131T235959Z"},
        std::pair{other, "20240201T000000Z"}, std::pair{kExample, "20240131T235959Z"}}) {
    AwsSigV4 fresh("us-east-1", "s3");
    EXPECT_EQ(signature(one, credentials, time), signature(fresh, credentials, time)) << "what is kept is not used";
  }
}

TEST(AwsSigV4, FieldsOfAwsAreKnownInAnyCase) {
  const auto is = [](std::string_view name) { return is_aws_field({name, "", field_id(name)}); };
  EXPECT_TRUE(is("authorization"));
  EXPECT_TRUE(is("X-AMZ-Copy-Source"));
  EXPECT_TRUE(is("x-amz-acl"));
  EXPECT_FALSE(is("X-Amzn-Trace-Id"));
  EXPECT_FALSE(is("X-Amz"));
  EXPECT_FALSE(is("Proxy-Authorization"));
}

}  // namespace
}  // namespace forebay::http
