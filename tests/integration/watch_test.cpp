// `run --watch` reloads when a file of the configuration changes, whatever way it is written.
#include <filesystem>
#include <fstream>

#include "support/command.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

namespace fs = std::filesystem;

class Watch : public ForebayTest {
 protected:
  void start_watching(const std::string& yaml) {
    daemon = std::make_unique<Daemon>(with_origin(yaml), forebay_binary(), Daemon::Inherited{},
                                      std::vector<std::string>{"--watch"});
  }
  std::string edited(const std::string& from, const std::string& to) const {
    auto text = read_file(daemon->config_path());
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << text;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
  }
  bool reloads(double count, const char* outcome = "applied") {
    return metric_reaches("forebay_config_reloads_total", {{"outcome", outcome}}, count);
  }
};

TEST_F(Watch, AFileThatIsRenamedOverTheConfigurationIsApplied) {
  start_watching("routes: [{path: /**, respond: 201}]\n");
  EXPECT_EQ(get("/").status, 201);
  // What editors leave beside it changes nothing.
  write_file(daemon->config_path() + "~", "backup");
  write_file(daemon->dir().file(".forebay.yaml.swp"), "swap");
  write_file(daemon->config_path(), edited("respond: 201", "respond: 202"));
  ASSERT_TRUE(reloads(1));
  EXPECT_EQ(get("/").status, 202);
  write_file(daemon->config_path(), edited("respond: 202", "respond: 203"));
  ASSERT_TRUE(reloads(2));
  EXPECT_EQ(get("/").status, 203);
  EXPECT_EQ(metric("forebay_config_reloads_total", {{"outcome", "applied"}}), 2);
}

TEST_F(Watch, AFileThatIsWrittenInPlaceIsApplied) {
  start_watching("routes: [{path: /**, respond: 201}]\n");
  const auto text = edited("respond: 201", "respond: 202");
  std::ofstream(daemon->config_path(), std::ios::trunc) << text;
  ASSERT_TRUE(eventually([&] { return get("/").status == 202; }));
}

TEST_F(Watch, ASymbolicLinkOnTheWayToTheFileMayChange) {
  start_watching("routes: [{path: /**, respond: 201}]\n");
  // As Kubernetes mounts a ConfigMap.
  const auto& dir = daemon->dir();
  for (const auto* status : {"201", "202"}) {
    fs::create_directory(dir.file(status));
    write_file(dir.file(status) + "/forebay.yaml", edited("respond: 201", std::string("respond: ") + status));
  }
  fs::create_directory_symlink("201", dir.file("..data"));
  fs::create_symlink("..data/forebay.yaml", dir.file("link"));
  fs::rename(dir.file("link"), daemon->config_path());
  ASSERT_TRUE(reloads(1));
  fs::create_directory_symlink("202", dir.file("..data_tmp"));
  fs::rename(dir.file("..data_tmp"), dir.file("..data"));
  ASSERT_TRUE(reloads(2));
  EXPECT_EQ(get("/").status, 202);
}

TEST_F(Watch, ABadFileIsReportedAndItsCorrectionApplied) {
  start_watching("routes: [{path: /**, respond: 201}]\n");
  const auto good = read_file(daemon->config_path());
  write_file(daemon->config_path(), edited("respond", "responds"));
  ASSERT_TRUE(reloads(1, "rejected"));
  EXPECT_EQ(get("/").status, 201);
  EXPECT_THAT(daemon->log(), HasSubstr("FB1001"));
  fs::remove(daemon->config_path());
  ASSERT_TRUE(reloads(2, "rejected"));
  EXPECT_EQ(get("/").status, 201);
  write_file(daemon->config_path(), good);
  ASSERT_TRUE(reloads(1));
  EXPECT_TRUE(metric_becomes("forebay_config_last_reload_successful", {}, 1));
}

TEST_F(Watch, IncludedFilesAndFilesOfRoutesAreLookedAtToo) {
  const TempDir dir;
  fs::create_directory(dir.file("routes.d"));
  write_file(dir.file("text"), "one");
  start_watching("include: " + dir.file("routes.d") + "/*.yaml\nroutes: [{path: /file, respond: {file: " +
                 dir.file("text") + "}}, {path: /**, respond: 201}]\n");
  EXPECT_EQ(get("/file").body, "one");
  write_file(dir.file("text"), "two");
  ASSERT_TRUE(reloads(1));
  EXPECT_EQ(get("/file").body, "two");
  // A mistake in an included file, corrected there.
  write_file(dir.file("routes.d/a.yaml"), "- {path: /a, responds: 202}\n");
  ASSERT_TRUE(reloads(1, "rejected"));
  write_file(dir.file("routes.d/a.yaml"), "- {path: /a, respond: 202}\n");
  ASSERT_TRUE(reloads(2));
  EXPECT_EQ(get("/a").status, 202);
  fs::remove(dir.file("routes.d/a.yaml"));
  ASSERT_TRUE(reloads(3));
  EXPECT_EQ(get("/a").status, 201);
}

TEST_F(Watch, ARenewedCertificateIsTaken) {
  const TempDir dir;
  const auto write = [&](const Identity& who) {
    write_file(dir.file("crt"), who.cert_pem);
    write_secret(dir.file("key"), who.key_pem);
  };
  write(make_identity({.names = {"shop.test"}, .common_name = "first"}));
  start_watching("listen: [\"127.0.0.1:0\", {address: \"127.0.0.1:0\", name: tls, tls: {cert: " + dir.file("crt") +
                 ", key: " + dir.file("key") + "}}]\nroutes: [{path: /**}]\n");
  write(make_identity({.names = {"shop.test"}, .common_name = "second"}));
  // Between the two files they do not fit each other, which may be seen.
  ASSERT_TRUE(reloads(1));
  EXPECT_TRUE(metric_becomes("forebay_config_last_reload_successful", {}, 1));
}

TEST_F(Watch, WithoutAFileItIsAUsageError) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run", "--watch", "--origin", "http://127.0.0.1:1"}, {"--watch", "-c", "-"}}) {
    const auto run = run_forebay(words, {}, "origin: http://127.0.0.1:1\n");
    EXPECT_EQ(run.exit, 2);
    EXPECT_THAT(run.err, HasSubstr("--watch needs a configuration file"));
  }
}

}  // namespace
}  // namespace forebay::test
