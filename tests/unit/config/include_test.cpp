// `include`: files of routes, and where their mistakes are reported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support.hpp"

namespace forebay::config::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Include : public testing::Test {
 protected:
  Include() {
    std::string name = (fs::temp_directory_path() / "forebay-include-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    fs::create_directory(folder_ / "routes.d");
  }
  ~Include() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  LoadResult load(const std::string& text, const Overrides& overrides = {}) const {
    LoadRequest request;
    request.file = write("forebay.yaml", text);
    request.overrides = overrides;
    return load_file(request, machine());
  }
  static std::vector<std::string> paths(const LoadResult& result) {
    std::vector<std::string> out;
    if (result.config)
      for (const auto& route : result.config->routes) out.push_back(route.path.text());
    return out;
  }
  /// Each diagnostic as `FILE:LINE FBCODE`, the file without its folder.
  std::vector<std::string> said(const LoadResult& result) const {
    std::vector<std::string> out;
    for (const auto& d : result.diagnostics)
      out.push_back(fs::path(d.file).lexically_relative(folder_).string() + ':' + std::to_string(d.line) + " FB" +
                    std::to_string(d.code));
    return out;
  }

  fs::path folder_;
};

const std::string kMain = "origin: http://localhost:3000\ninclude: routes.d/*.yaml\n";

TEST_F(Include, RoutesOfFilesGoBeforeTheOwnInTheOrderOfTheirNames) {
  write("routes.d/b.yaml", "- path: /b\n  ttl: 7s\n");
  write("routes.d/a.yaml", "routes:\n  - path: /a1\n  - path: /a2\n");
  write("routes.d/empty.yaml", "# nothing yet\n");
  write("routes.d/.hidden.yaml", "- path: /hidden\n");
  write("routes.d/other.txt", "- path: /other\n");
  const auto result = load(kMain + "routes: [{ path: /** }]\n");
  EXPECT_THAT(result.diagnostics, IsEmpty()) << to_text(result.diagnostics);
  EXPECT_THAT(paths(result), ElementsAre("/a1", "/a2", "/b", "/**"));
  const auto& route = result.config->routes[2];
  EXPECT_EQ(route.file, (folder_ / "routes.d/b.yaml").string());
  EXPECT_EQ(route.line, 1);
  EXPECT_EQ(route.provenance.at("ttl.default").line, 2);
  EXPECT_EQ(result.config->routes[3].file, (folder_ / "forebay.yaml").string());
  EXPECT_EQ(result.config->routes[3].line, 3);
  EXPECT_EQ(result.places[2].file, route.file);
  EXPECT_EQ(result.places[2].source_line, "- path: /b");
}

TEST_F(Include, ListsFilesAndPatternsAndReadsEachOnce) {
  write("routes.d/a.yaml", "- path: /a\n");
  write("routes.d/b.yaml", "- path: /b\n");
  const auto absolute = write("elsewhere.yaml", "- path: /else\n");
  const auto result =
      load("origin: http://localhost:3000\ninclude: [routes.d/b.yaml, \"" + absolute + "\", routes.d/*.yaml]\n");
  EXPECT_THAT(result.diagnostics, IsEmpty()) << to_text(result.diagnostics);
  EXPECT_THAT(paths(result), ElementsAre("/b", "/else", "/a"));
}

TEST_F(Include, WhereNoFileMatchesTheConfigurationIsAsWithoutIt) {
  const auto result = load(kMain);
  EXPECT_THAT(said(result), ElementsAre("forebay.yaml:2 FB2072"));
  EXPECT_THAT(paths(result), ElementsAre("/**"));
}

TEST_F(Include, PoliciesOfFilesAreForAll) {
  write("routes.d/a.yaml", "policies: { brief: { ttl: 5s } }\nroutes: [{ path: /a, policy: brief }]\n");
  const auto result = load(kMain + "policies: { own: { ttl: 9s } }\nroutes: [{ path: /**, policy: brief }]\n");
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  for (const auto& route : result.config->routes) EXPECT_EQ(route.policy.ttl.fallback, std::chrono::seconds{5});
}

TEST_F(Include, MistakesHaveTheFileAndLineWhereTheyStand) {
  write("routes.d/a.yaml", "# a\n- path: /a\n  tttl: 5s\n- path: /b\n  ttl: soon\n");
  write("routes.d/b.yaml", "routes:\n  - path: /c\n    cache: true\n    cache: false\n");
  write("routes.d/c.yaml", "- path: /d\n   ttl: 5s\n");
  const auto result = load(kMain + "colour: red\nroutes: [{ path: /** }]\n");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(said(result), ElementsAre("forebay.yaml:3 FB1001", "routes.d/a.yaml:3 FB1001", "routes.d/a.yaml:5 FB1002",
                                        "routes.d/b.yaml:4 FB1005", "routes.d/c.yaml:2 FB1006"))
      << to_text(result.diagnostics);
  EXPECT_EQ(result.diagnostics[1].source_line, "  tttl: **");
  EXPECT_EQ(result.diagnostics[3].hint, "first on line 3 of " + (folder_ / "routes.d/b.yaml").string());
}

TEST_F(Include, WarningsNameTheOtherFile) {
  write("routes.d/a.yaml", "\n- path: /**\n");
  const auto result = load(kMain + "routes: [{ path: /x }]\n");
  ASSERT_EQ(result.diagnostics.size(), 1u) << to_text(result.diagnostics);
  EXPECT_EQ(result.diagnostics[0].code, 2001);
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("on line 2 of " + (folder_ / "routes.d/a.yaml").string()));
}

TEST_F(Include, SecretsOfFilesAreNotShown) {
  write("routes.d/a.yaml", "- path: /a\n  client_refresh: { tokn: 0123456789abcdef }\n");
  write("routes.d/b.yaml", "- path: /a\n  api_key: hunter2\n  - : [\n");
  const auto text = to_text(load(kMain).diagnostics);
  EXPECT_THAT(text, testing::Not(HasSubstr("0123456789abcdef")));
  EXPECT_THAT(text, testing::Not(HasSubstr("hunter2")));
}

TEST_F(Include, AFileHasRoutesAndPoliciesAlone) {
  write("routes.d/a.yaml", "include: b.yaml\n");
  write("routes.d/b.yaml", "server: { threads: 1 }\n");
  write("routes.d/c.yaml", "just a text\n");
  write("routes.d/d.yaml", "routes: { path: /a }\n");
  const auto result = load(kMain);
  EXPECT_THAT(said(result), ElementsAre("routes.d/a.yaml:1 FB1033", "routes.d/b.yaml:1 FB1033",
                                        "routes.d/c.yaml:1 FB1033", "routes.d/d.yaml:1 FB1002"))
      << to_text(result.diagnostics);
}

TEST_F(Include, AMissingFileIsAMistakeAndSoIsTheConfigurationItself) {
  EXPECT_THAT(said(load("origin: http://localhost:3000\ninclude: [missing.yaml, forebay.yaml, routes.d]\n")),
              ElementsAre("forebay.yaml:2 FB1033", "forebay.yaml:2 FB1033", "forebay.yaml:2 FB1033"));
}

TEST_F(Include, ALinkIsTheFileThatItLeadsTo) {
  write("elsewhere.yaml", "- path: /else\n");
  write("routes.d/b.yaml", "- path: /b\n");
  fs::create_symlink("../elsewhere.yaml", folder_ / "routes.d/a.yaml");
  fs::create_symlink("b.yaml", folder_ / "routes.d/c.yaml");
  fs::create_symlink("../forebay.yaml", folder_ / "routes.d/d.yaml");
  const auto result = load(kMain);
  EXPECT_THAT(result.diagnostics, IsEmpty()) << to_text(result.diagnostics);
  EXPECT_THAT(paths(result), ElementsAre("/else", "/b")) << "each once, and the configuration itself not again";
}

TEST_F(Include, AFileThatAPatternMatchesMustBeReadable) {
  fs::create_symlink("nowhere", folder_ / "routes.d/a.yaml");
  fs::create_symlink("c.yaml", folder_ / "routes.d/b.yaml");
  fs::create_symlink("b.yaml", folder_ / "routes.d/c.yaml");
  fs::create_symlink("/proc/self/mem", folder_ / "routes.d/d.yaml");
  fs::create_symlink("/dev/null", folder_ / "routes.d/e.yaml");
  const auto result = load(kMain);
  EXPECT_THAT(said(result), ElementsAre("forebay.yaml:2 FB1033", "forebay.yaml:2 FB1033", "forebay.yaml:2 FB1033",
                                        "forebay.yaml:2 FB1033", "forebay.yaml:2 FB1033"))
      << to_text(result.diagnostics);
  const auto text = to_text(result.diagnostics);
  for (const auto* why : {"No such file", "symbolic links", "cannot be read to its end", "no regular file"})
    EXPECT_THAT(text, HasSubstr(why));
}

// Else a reload would take its routes away, and nobody would know.
TEST_F(Include, AFolderThatCannotBeReadIsNoEmptyOne) {
  fs::remove(folder_ / "routes.d");
  fs::create_directory_symlink("routes.d", folder_ / "routes.d");
  const auto result = load(kMain);
  EXPECT_THAT(said(result), ElementsAre("forebay.yaml:2 FB1033")) << to_text(result.diagnostics);
  EXPECT_THAT(to_text(result.diagnostics), HasSubstr((folder_ / "routes.d").string() + "\" cannot be read"));
}

// A slip in the pattern would take all routes away.
TEST_F(Include, AFolderOfAPatternThatIsNotThereIsAMistake) {
  write("routes.d/a.yaml", "- path: /a\n");
  for (const auto* pattern : {"routs.d/*.yaml", "routs.d/*/b.yaml", "routes.d/new/*.yaml", "routes.d/a.yaml/*.yaml"}) {
    const auto result = load("origin: http://localhost:3000\ninclude: " + std::string(pattern) + "\n");
    EXPECT_THAT(said(result), ElementsAre("forebay.yaml:2 FB1033")) << pattern << to_text(result.diagnostics);
  }
}

TEST_F(Include, APatternThatMatchesNoFileIsWarnedOf) {
  write("routes.d/a.yaml", "- path: /a\n");
  for (const auto* pattern : {"routes.d/*.yml", "*/*/b.yaml", "r[x].yaml"}) {
    const auto result = load("origin: http://localhost:3000\ninclude: [\"" + std::string(pattern) + "\"]\n");
    EXPECT_TRUE(result.ok());
    EXPECT_THAT(said(result), ElementsAre("forebay.yaml:2 FB2072")) << pattern << to_text(result.diagnostics);
  }
}

TEST_F(Include, AFolderMayHaveWildcardsInItsName) {
  fs::create_directories(folder_ / "a*b" / "routes.d");
  write("a*b/routes.d/a.yaml", "- path: /a\n");
  LoadRequest request;
  request.file = write("a*b/forebay.yaml", kMain);
  const auto result = load_file(request, machine());
  EXPECT_THAT(paths(result), ElementsAre("/a")) << to_text(result.diagnostics);
  EXPECT_EQ(result.included, 1u);
}

TEST_F(Include, ANameIsTakenOnceOverAllFiles) {
  write("routes.d/a.yaml", "policies: { one: { ttl: 5s } }\nroutes: [{ name: a, path: /a }]\n");
  const auto result = load(kMain + "policies: { one: { ttl: 9s } }\nroutes: [{ name: a, path: /b }, { path: /** }]\n");
  EXPECT_THAT(said(result), ElementsAre("forebay.yaml:4 FB1010", "routes.d/a.yaml:1 FB1010"))
      << to_text(result.diagnostics);
}

TEST_F(Include, FlagsReachIncludedRoutesAndIncludeItself) {
  write("routes.d/a.yaml", "- { name: a, path: /a }\n");
  const auto result = load("origin: http://localhost:3000\n", {{"include", "routes.d/*.yaml"}, {"routes.a.ttl", "5s"}});
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  EXPECT_EQ(result.config->routes.at(0).policy.ttl.fallback, std::chrono::seconds{5});
}

TEST_F(Include, ThePrintedConfigurationHasAllRoutes) {
  write("routes.d/a.yaml", "- { path: /a, ttl: 5s }\n- { path: /r, redirect: { to: /a } }\n");
  const auto result = load(kMain + "routes: [{ path: /** }]\n");
  ASSERT_TRUE(result.ok());
  const auto once = print(*result.config);
  const auto again = load_text(once);
  ASSERT_TRUE(again.ok()) << to_text(again.diagnostics);
  EXPECT_THAT(again.diagnostics, IsEmpty()) << to_text(again.diagnostics);
  EXPECT_EQ(again.config->routes.size(), 3u);
  EXPECT_EQ(print(*again.config), once);
}

TEST_F(Include, ASmallFileTakesLittleMemory) {
  for (int i = 0; i < 60; ++i) write("routes.d/" + std::to_string(i) + ".yaml", "- path: /" + std::to_string(i) + "\n");
  const auto most_kib = [] {
    ::rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
  };
  const auto before = most_kib();
  EXPECT_EQ(paths(load(kMain)).size(), 60U);
  EXPECT_LT(most_kib() - before, 256 * 1024);
}

TEST_F(Include, TooManyFilesAreRefused) {
  for (int i = 0; i < 1001; ++i) write("routes.d/" + std::to_string(i) + ".yaml", "");
  EXPECT_THAT(said(load(kMain)), ElementsAre("forebay.yaml:2 FB1033"));
}

}  // namespace
}  // namespace forebay::config::test
