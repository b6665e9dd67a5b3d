// `include` in the running daemon: a reload reads the files again, and a mistake in one changes nothing.
#include <csignal>
#include <filesystem>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class IncludeFiles : public ForebayTest {
 protected:
  IncludeFiles() {
    origin.otherwise([](const Received&) { return Reply().body("x"); });
  }
  std::string file(std::string_view name) const { return files.file(name); }
  std::string yaml() const { return "include: " + files.path() + "/*.yaml\nroutes: [{path: /**}]\n"; }

  TempDir files;
};

TEST_F(IncludeFiles, AReloadReadsThemAgain) {
  write_file(file("a.yaml"), "- { path: /a, respond: { body: one } }\n");
  start(yaml());
  EXPECT_EQ(get("/a").body, "one");
  EXPECT_EQ(get("/b").body, "x");
  write_file(file("a.yaml"), "- { path: /a, respond: { body: two } }\n");
  write_file(file("b.yaml"), "- { path: /b, respond: { body: new } }\n");
  daemon->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return get("/a").body == "two" && get("/b").body == "new"; }));
}

TEST_F(IncludeFiles, TheLogTellsHowManyThereAre) {
  write_file(file("a.yaml"), "- { path: /a, respond: { body: one } }\n");
  start(yaml());
  EXPECT_THAT(daemon->log(), HasSubstr(" included=1 "));
  std::filesystem::remove(file("a.yaml"));
  daemon->signal(SIGHUP);
  const auto logged = [&](std::string_view what) {
    return eventually([&] { return daemon->log().find(what) != std::string::npos; });
  };
  EXPECT_TRUE(logged("matches no file"));
  write_file(file("a.yaml"), "");
  write_file(file("b.yaml"), "");
  daemon->signal(SIGHUP);
  EXPECT_TRUE(logged(" and 2 included files applied"));
}

TEST_F(IncludeFiles, AMistakeInOneRejectsTheReloadAndIsNamed) {
  write_file(file("a.yaml"), "- { path: /a, respond: { body: one } }\n");
  start(yaml());
  write_file(file("a.yaml"), "- path: /a\n  respond: { body: two }\n- pathh: /b\n");
  daemon->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return daemon->log().find(file("a.yaml") + ":3:") != std::string::npos; }))
      << daemon->log();
  EXPECT_EQ(get("/a").body, "one");
}

TEST_F(IncludeFiles, AFileThatCannotBeReadRejectsTheReloadWhateverTheReason) {
  write_file(file("a.yaml"), "- { path: /a, respond: { body: one } }\n");
  start(yaml());
  std::filesystem::create_symlink("nowhere.yaml", file("dangling.yaml"));
  daemon->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    return daemon->log().find(file("dangling.yaml") + "\" cannot be read") != std::string::npos;
  })) << daemon->log();
  EXPECT_EQ(get("/a").body, "one");
  std::filesystem::remove(file("dangling.yaml"));
  write_file(file("b.yaml"), "- { path: /b, respond: { body: new } }\n");
  daemon->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return get("/b").body == "new"; })) << "the next one is as if nothing had been";
}

// As Kubernetes mounts a ConfigMap: a new version is another folder, and one link is replaced.
TEST_F(IncludeFiles, AReloadFollowsALinkThatNamesAnotherFolderNow) {
  for (const auto* version : {"one", "two"}) {
    std::filesystem::create_directory(file(version));
    write_file(file(version) + "/a.yaml", std::string("- { path: /a, respond: { body: ") + version + " } }\n");
  }
  std::filesystem::create_directory_symlink("one", file("..current"));
  std::filesystem::create_symlink("..current/a.yaml", file("a.yaml"));
  start(yaml());
  EXPECT_EQ(get("/a").body, "one");
  std::filesystem::create_directory_symlink("two", file("..next"));
  std::filesystem::rename(file("..next"), file("..current"));
  daemon->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return get("/a").body == "two"; }));
}

}  // namespace
}  // namespace forebay::test
