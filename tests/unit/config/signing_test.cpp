// What `sign` of an origin finds in its url and in the environment.
#include "config/signing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "support.hpp"

namespace forebay::config::test {
namespace {

using ::testing::HasSubstr;
using Environment = std::map<std::string, std::string>;

Surroundings machine_with(Environment environment) {
  auto s = machine();
  s.variable = [environment = std::move(environment)](const std::string& name) -> std::optional<std::string> {
    const auto it = environment.find(name);
    return it == environment.end() ? std::nullopt : std::optional(it->second);
  };
  return s;
}

Signing::Found container(Environment environment) {
  return container_of(machine_with(std::move(environment)).variable);
}

/// The origin `a` of a configuration.
Origin origin_of(const std::string& text, Environment environment = {}) {
  const auto result = load_text("origin: a\norigins: { a: " + text + " }\n", {}, machine_with(std::move(environment)));
  EXPECT_TRUE(result.ok()) << to_text(result.diagnostics);
  return result.ok() ? result.config->origins.at("a") : Origin();
}

const Environment kKeys{{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "s/1"}, {"AWS_SESSION_TOKEN", "t"}};

TEST(Signing, OfAUrlOfAwsNeedsNothingElse) {
  const struct {
    std::string host, service, region;
  } cases[] = {
      {"abc.lambda-url.eu-central-1.on.aws", "lambda", "eu-central-1"},
      {"abc.execute-api.us-east-1.amazonaws.com", "execute-api", "us-east-1"},
      {"bucket.s3.eu-west-1.amazonaws.com", "s3", "eu-west-1"},
      {"s3.eu-west-1.amazonaws.com", "s3", "eu-west-1"},
      {"bucket.with.dots.s3.dualstack.eu-west-1.amazonaws.com", "s3", "eu-west-1"},
      {"bucket.s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"},
      {"dynamodb.ap-southeast-2.amazonaws.com", "dynamodb", "ap-southeast-2"},
      {"search-x.eu-central-1.es.amazonaws.com", "es", "eu-central-1"},
      {"x.appsync-api.eu-central-1.amazonaws.com", "appsync", "eu-central-1"},
      {"bucket.s3.amazonaws.com", "s3", ""},
      {"s3.example.com", "", ""},
      {"lambda-url.on.aws", "lambda", ""},
      {"amazonaws.com", "", ""},
      {"localhost", "", ""},
  };
  for (const auto& c : cases) {
    const auto place = aws_place_of(c.host);
    EXPECT_EQ(place.service, c.service) << c.host;
    EXPECT_EQ(place.region, c.region) << c.host;
  }
  const auto origin = origin_of(R"({ url: "http://abc.lambda-url.eu-central-1.on.aws", sign: aws_sigv4 })", kKeys);
  EXPECT_EQ(origin.sign.service, "lambda");
  EXPECT_EQ(origin.sign.region, "eu-central-1");
  EXPECT_EQ(origin.sign.found.keys.secret_access_key, "s/1");
  EXPECT_EQ(origin.sign.found.keys.session_token, "t");
  EXPECT_EQ(origin.host_header, "origin") << "the Host is signed";
  EXPECT_TRUE(origin.sign.signs_content());
}

TEST(Signing, WhatIsWrittenGoesBeforeTheUrlAndTheEnvironment) {
  auto environment = kKeys;
  environment["AWS_REGION"] = "eu-north-1";
  environment["AWS_DEFAULT_REGION"] = "us-west-2";
  const auto origin = origin_of(
      R"({ url: "http://localhost:1", host_header: a.example, sign: { type: aws_sigv4, service: s3,
           access_key_id: A, secret_access_key: b } })",
      environment);
  EXPECT_EQ(origin.sign.region, "eu-north-1");
  EXPECT_EQ(origin.sign.found.keys, (http::AwsCredentials{"A", "b", "", {}}));
  EXPECT_EQ(origin.host_header, "a.example");
  EXPECT_FALSE(origin.sign.signs_content());
  environment.erase("AWS_REGION");
  EXPECT_EQ(
      origin_of(R"({ url: "http://localhost:1", sign: { type: aws_sigv4, service: s3 } })", environment).sign.region,
      "us-west-2");
}

TEST(Signing, KeysAreReadAnewFromTheirFiles) {
  const auto folder = std::filesystem::temp_directory_path() / ("forebay-signing-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
  };
  const auto id = write("id", "AKIA1\n"), secret = write("secret", "one\n"), token = write("token", "t\r\n");
  const auto text =
      "{ url: \"http://localhost:1\", sign: { type: aws_sigv4, region: r, service: s3, access_key_id_file: " + id +
      ", secret_access_key_file: " + secret + ", session_token_file: " + token + " } }";
  EXPECT_EQ(origin_of(text).sign.found.keys, (http::AwsCredentials{"AKIA1", "one", "t", {}}));
  write("secret", "two");
  EXPECT_EQ(origin_of(text).sign.found.keys, (http::AwsCredentials{"AKIA1", "two", "t", {}}));
  const auto shared = write("shared",
                            "[default]\naws_access_key_id = D\naws_secret_access_key = d\n"
                            "[shop]\naws_access_key_id = S\naws_secret_access_key = s\n");
  const std::string of_file = "{ url: \"http://localhost:1\", sign: { type: aws_sigv4, region: r, service: s3 } }";
  EXPECT_EQ(origin_of(of_file, {{"AWS_SHARED_CREDENTIALS_FILE", shared}}).sign.found.keys.access_key_id, "D");
  EXPECT_EQ(origin_of(of_file, {{"AWS_SHARED_CREDENTIALS_FILE", shared}, {"AWS_PROFILE", "shop"}})
                .sign.found.keys.access_key_id,
            "S");
  std::filesystem::remove_all(folder);
}

TEST(Signing, OfAContainerAsksTheAddressOfAws) {
  const auto found = container({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1?a=b"},
                                {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t"}});
  EXPECT_EQ(found.missing, "");
  EXPECT_EQ(found.endpoint.host, "169.254.170.2");
  EXPECT_EQ(found.endpoint.port, 80);
  EXPECT_EQ(found.path, "/v2/credentials/1?a=b");
  EXPECT_EQ(found.token, "t");
}

TEST(Signing, OfAContainerAreAskedForOnTheMachineOrAtAwsAlone) {
  const auto at = [](const std::string& url) { return container({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}); };
  for (const auto* url : {"http://localhost:1/x", "http://127.0.0.2:1/x", "http://[::1]:1/x", "http://169.254.170.2/x",
                          "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"})
    EXPECT_EQ(at(url).missing, "") << url;
  EXPECT_THAT(at("https://credentials.example/x").missing, HasSubstr("not in this version"));
  for (const auto* url :
       {"http://example.com/x", "http://169.254.169.254/x", "http://169.254.170.3/x", "http://localhost.example/x",
        "http://127.0.0.1.example/x", "http://user@127.0.0.1/x", "http://10.0.0.1/x", "ftp://127.0.0.1/x", "/x", "",
        "http://", "http://127.0.0.1:99999/x", "http://127.0.0.1/a b", "http://127.0.0.1?x", "http://127.0.0.1/x#y"})
    EXPECT_NE(at(url).missing, "") << url;
  EXPECT_THAT(at("http://example.com/secret-path").missing, HasSubstr("must not be asked by http"));
  EXPECT_NE(container({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/x"}}).missing, "");
  EXPECT_NE(container({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.example/x"}}).missing, "");
}

TEST(Signing, OfAContainerReadsItsTokenFromAFileEachTime) {
  const auto found = container({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token"}});
  EXPECT_EQ(found.token, "");
  EXPECT_EQ(found.token_file, "/var/run/token");
  EXPECT_NE(container({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x"},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t\r\nX: y"}})
                .missing,
            "");
}

TEST(Signing, ShowsNoSecretWhenItIsPrinted) {
  const auto result = load_text(
      "origin: a\norigins: { a: { url: \"http://localhost:1\", headers: { X-One: \"${HIDDEN}\" }, sign: { type: "
      "aws_sigv4, region: r, service: s3, access_key_id: AKIA1, secret_access_key: \"${HIDDEN}\", session_token: "
      "\"${HIDDEN}\" } } }\n",
      {}, machine_with({{"HIDDEN", "hunter2"}}));
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  const auto printed = print(*result.config);
  EXPECT_EQ(printed.find("hunter2"), std::string::npos) << printed;
  EXPECT_NE(printed.find("AKIA1"), std::string::npos);
}

TEST(Signing, OfAShortFormTakesFurtherKeysByFlag) {
  const auto result =
      load_text("origin: a\norigins: { a: { url: \"http://s3.eu-west-1.amazonaws.com\", sign: aws_sigv4 } }\n",
                {{"origins.a.sign.region", "eu-west-2"}}, machine_with(kKeys));
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  EXPECT_EQ(result.config->origins.at("a").sign.region, "eu-west-2");
  EXPECT_TRUE(result.config->origins.at("a").sign.on());
}

}  // namespace
}  // namespace forebay::config::test
