// A text is checked without the environment and the files of the machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support.hpp"

namespace forebay::config::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// Fails when a variable is asked for.
TextVerdict check(const std::string& text) {
  auto surroundings = machine();
  surroundings.variable = [](const std::string& name) -> std::optional<std::string> {
    ADD_FAILURE() << name;
    return "secret";
  };
  return check_text(text, surroundings);
}

std::vector<std::string> unseen(const TextVerdict& verdict) {
  std::vector<std::string> out;
  for (const auto& d : verdict.diagnostics)
    if (d.code == 2090) out.push_back(d.message);
  return out;
}

std::string others(const TextVerdict& verdict) {
  auto rest = verdict.diagnostics;
  std::erase_if(rest, [](const Diagnostic& d) { return d.code == 2090; });
  return to_text(rest);
}

TEST(CheckText, SaysWhatACheckOfTheFileSays) {
  std::vector<std::string> files{FOREBAY_SOURCE_DIR "/config/forebay.yaml"};
  for (const auto* folder : {"/config/examples", "/tests/contract/bad_configs"})
    for (const auto& entry : fs::directory_iterator(std::string(FOREBAY_SOURCE_DIR) + folder))
      if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  std::size_t compared = 0;
  for (const auto& file : files) {
    const auto text = content_of(file);
    const auto verdict = check(text);
    EXPECT_FALSE(verdict.given_up);
    if (!unseen(verdict).empty()) continue;
    ++compared;
    auto loaded = load_text(text).diagnostics;
    for (auto& d : loaded) d.file.clear();
    EXPECT_EQ(to_json(verdict.diagnostics), to_json(loaded)) << file;
    EXPECT_EQ(verdict.ok,
              std::none_of(loaded.begin(), loaded.end(), [](const auto& d) { return d.severity == Severity::Error; }))
        << file;
  }
  EXPECT_GT(compared, 200u);
}

TEST(CheckText, LooksAtNoVariable) {
  const auto verdict = check(
      "origin: ${ORIGIN}\nadmin: { listen: ':9000', token: '${TOKEN}', read_token: '${READ}' }\n"
      "cache: { memory: '${SIZE:-64MiB}' }\nroutes: [{ path: /**, ttl: '${TTL}' }, { path: /a }]\n");
  EXPECT_TRUE(verdict.ok);
  EXPECT_EQ(others(verdict), "");
  EXPECT_THAT(unseen(verdict), AllOf(testing::SizeIs(5), Contains(HasSubstr("\"ORIGIN\"")),
                                     Contains(HasSubstr("\"TOKEN\"")), Contains(HasSubstr("\"SIZE\""))));
  EXPECT_EQ(unseen(verdict)[0], "the variable \"ORIGIN\" is not looked at by this check");
  EXPECT_EQ(verdict.diagnostics[0].line, 1);
}

TEST(CheckText, ChecksTheDefaultOfAVariableAndTheRestOfTheText) {
  const auto verdict = check("origin: http://localhost:1\ncache: { memory: '${SIZE:-a lot}' }\nrouts: []\n");
  EXPECT_FALSE(verdict.ok);
  EXPECT_THAT(others(verdict), AllOf(HasSubstr("a lot"), HasSubstr("did you mean \"routes\"")));
}

TEST(CheckText, ReportsWhatIsNoVariable) {
  const auto verdict = check("origin: http://localhost:1\nadmin: { token: '${TO KEN}' }\n");
  EXPECT_FALSE(verdict.ok);
  EXPECT_THAT(others(verdict), HasSubstr("FB1007"));
}

TEST(CheckText, ReadsNoFile) {
  const auto folder = fs::path(testing::TempDir()) / "check_text";
  fs::create_directories(folder);
  const auto file = (folder / "secret.yaml").string();
  std::ofstream(file) << "hunter2: [";
  const auto verdict = check("origin: http://localhost:1\ninclude: [" + file + ", " + folder.string() +
                             "/*.yaml]\nlisten: [{ address: ':8443', tls: { cert: " + file + ", key: " + file +
                             " } }]\norigins:\n  web: { url: http://localhost:2, headers: { X-A: { file: " + file +
                             " } } }\nadmin: { token_file: " + file +
                             " }\nroutes:\n  - { path: /a, policy: elsewhere, origin: web }\n"
                             "  - { path: /b, respond: { file: " +
                             file + " } }\n");
  EXPECT_TRUE(verdict.ok);
  EXPECT_EQ(others(verdict), "");
  EXPECT_THAT(unseen(verdict), testing::SizeIs(7));
  EXPECT_EQ(to_json(verdict.diagnostics).find("hunter2"), std::string::npos);
  // Whether it is there cannot be told either.
  auto missing = check("origin: http://localhost:1\nadmin: { token_file: /no/such/file }\n");
  auto there = check("origin: http://localhost:1\nadmin: { token_file: /etc/passwd }\n");
  EXPECT_EQ(missing.diagnostics.size(), there.diagnostics.size());
  EXPECT_TRUE(missing.ok && there.ok);
}

TEST(CheckText, LooksForNoCredentials) {
  const auto verdict = check(
      "origins: { a: { url: 'http://localhost:1', sign: { type: aws_sigv4, service: s3 } } }\n"
      "origin: a\n");
  EXPECT_TRUE(verdict.ok);
  EXPECT_EQ(others(verdict), "");
  EXPECT_THAT(unseen(verdict), Contains(HasSubstr("AWS_REGION")));
  EXPECT_THAT(unseen(verdict), Contains(HasSubstr("credentials")));
}

TEST(CheckText, StillFindsEqualTokensAndPoliciesThatAreNowhere) {
  EXPECT_THAT(others(check("origin: http://localhost:1\nadmin: { token: '${A}', read_token: '${A}' }\n")),
              HasSubstr("are the same"));
  EXPECT_THAT(others(check("origin: http://localhost:1\nroutes: [{ path: /, policy: elsewhere }]\n")),
              HasSubstr("no policy"));
}

TEST(CheckText, HasABoundForItsTreeAndForItsTime) {
  std::string many = "x-a: [";
  for (int i = 0; i < 101'000; ++i) many += "a,";
  EXPECT_THAT(others(check(many + "]")), HasSubstr("more than 100000 keys and values"));
  EXPECT_THAT(others(check(std::string(100'000, '['))), HasSubstr("more than 1000 brackets are open"));
  auto surroundings = machine();
  int asked = 0;
  surroundings.give_up = [&] { return ++asked > 5; };
  const auto verdict = check_text("origin: http://localhost:1\nroutes: [{ path: /** }]\n", surroundings);
  EXPECT_TRUE(verdict.given_up);
  EXPECT_FALSE(verdict.ok);
  EXPECT_THAT(verdict.diagnostics, IsEmpty());
}

}  // namespace
}  // namespace forebay::config::test
