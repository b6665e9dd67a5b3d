// The admin listener as a Unix socket, and with TLS; commands that ask it there.
#include <sys/stat.h>
#include <unistd.h>

#include "admin_api.hpp"
#include "support/certificates.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class AdminSocket : public AdminApiTest {
 protected:
  std::string path(const std::string& name) const { return dir_.file(name); }
  mode_t mode_of(const std::string& name) const {
    struct stat file {};
    return ::stat(path(name).c_str(), &file) == 0 ? file.st_mode & 0777 : 0;
  }
  void write(const std::string& name, const Identity& identity) {
    write_file(path(name + ".crt"), identity.cert_pem);
    write_file(path(name + ".key"), identity.key_pem);
  }
  std::string tls(const std::string& name) const {
    return "tls: {cert: '" + path(name + ".crt") + "', key: '" + path(name + ".key") + "'}";
  }

 private:
  TempDir dir_;
};

TEST_F(AdminSocket, AUnixSocketIsForTheOwnUserUnlessItsModeSaysMore) {
  start("admin: {listen: 'unix:" + path("a.sock") + "'}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(mode_of("a.sock"), 0600u);
  const auto level = run_forebay({"log-level", "--admin", "unix:" + path("a.sock")});
  EXPECT_EQ(level.exit, 0) << level.err;
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", "unix:" + path("a.sock")}).exit, 0);
  if (::geteuid() != 0) {
    ASSERT_EQ(::chmod(path("a.sock").c_str(), 0), 0);
    const auto denied = run_forebay({"reload", "--admin", "unix:" + path("a.sock")});
    EXPECT_EQ(denied.exit, 4);
    EXPECT_THAT(denied.err, HasSubstr("permission denied; run this as the owner of the socket or in its group\n"));
  }
  start("admin: {listen: 'unix:" + path("b.sock") + "', mode: \"0660\"}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(mode_of("b.sock"), 0660u);
}

TEST_F(AdminSocket, CommandsSpeakTlsWhereTheFileSaysSo) {
  write("one", make_identity({.names = {"admin.test"}}));
  start("admin: {listen: 127.0.0.1:0, " + tls("one") + "}\nroutes: [{path: /**}]\n");
  const auto at = "https://" + address();
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", at}).exit, 0);
  EXPECT_EQ(run_forebay({"log-level", "--admin", at}).out, "info (configured: info)\n");
  write_file(path("f.yaml"), "origin: http://localhost:1\nadmin: {listen: '" + address() + "', " + tls("one") + "}\n");
  const auto found = run_forebay({"log-level", "-c", path("f.yaml")});
  EXPECT_EQ(found.exit, 0) << found.err;
  const auto plain = run_forebay({"log-level", "--admin", address(), "--timeout", "20s"});
  EXPECT_EQ(plain.exit, 4) << plain.out;
  EXPECT_EQ(plain.err, "forebay: " + address() + ": it speaks TLS; write --admin https://" + address() + '\n');
}

TEST_F(AdminSocket, AReloadReadsTheCertificateAgain) {
  write("one", make_identity({.names = {"admin.test"}}));
  start("admin: {listen: 127.0.0.1:0, " + tls("one") + "}\nroutes: [{path: /**}]\n");
  const auto at = "https://" + address();
  write_file(path("one.crt"), "nonsense");
  const auto refused = run_forebay({"reload", "--admin", at});
  EXPECT_EQ(refused.exit, 3) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("one.crt\" has no certificate in PEM"));
  write("one", make_identity({.names = {"other.test"}}));
  EXPECT_EQ(run_forebay({"reload", "--admin", at}).exit, 0);
  edit(", " + tls("one"), "");
  EXPECT_EQ(run_forebay({"reload", "--admin", at}).exit, 0) << "TLS goes without a restart";
  EXPECT_EQ(run_forebay({"log-level", "--admin", address()}).exit, 0);
}

}  // namespace
}  // namespace forebay::test
