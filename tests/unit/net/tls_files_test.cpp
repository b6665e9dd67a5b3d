// What is found about the files of a listener's TLS.
#include "forebay/net/tls_server.hpp"

#include <filesystem>

#include "unit/net/tls_fixture.hpp"

namespace forebay::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TlsFilesTest : public TlsTest {
 protected:
  /// The one finding about these settings; an error unless its code is a warning's.
  TlsFinding only() {
    const auto server = make();
    EXPECT_EQ(findings.size(), 1U);
    if (findings.empty()) return {};
    const bool error = findings[0].severity == config::Severity::Error;
    EXPECT_EQ(error, findings[0].code < 2000);
    EXPECT_EQ(server == nullptr, error);
    return findings[0];
  }
  void use(const Identity& of) { settings.certificates = {write("used", of)}; }
};

TEST_F(TlsFilesTest, GoodOnesGiveNoFinding) {
  EXPECT_TRUE(make());
  EXPECT_THAT(findings, IsEmpty());
}

TEST_F(TlsFilesTest, WhatCannotBeReadIsAnErrorOfItsKey) {
  settings.certificates[0].cert = folder.path("none");
  auto found = only();
  EXPECT_EQ(found.code, 1020);
  EXPECT_EQ(found.key, "cert");
  EXPECT_THAT(found.message, HasSubstr("No such file"));
  settings.certificates[0] = files;
  settings.certificates[0].key = folder.path("");
  found = only();
  EXPECT_EQ(found.code, 1020);
  EXPECT_EQ(found.key, "key");
  EXPECT_THAT(found.message, HasSubstr("no regular file"));
  settings.certificates[0].key = folder.write("empty", "");
  EXPECT_EQ(only().code, 1020);
  settings.certificates[0] = files;
  settings.client_ca = folder.path("none");
  found = only();
  EXPECT_EQ(found.code, 1020);
  EXPECT_EQ(found.key, "client_ca");
}

TEST_F(TlsFilesTest, APathThatIsRelativeIsShownWhole) {
  settings.certificates[0].cert = "no/such.crt";
  EXPECT_THAT(only().message, HasSubstr(std::filesystem::current_path().string() + "/no/such.crt"));
}

TEST_F(TlsFilesTest, AFileForClientsWithoutACaIsWarnedOf) {
  settings.client_ca = folder.write("leaf", identity.cert_pem);
  const auto found = only();
  EXPECT_EQ(found.code, 2073);
  EXPECT_EQ(found.key, "client_ca");
}

TEST_F(TlsFilesTest, AllErrorsAreFoundAtOnce) {
  settings.certificates = {{folder.path("a"), folder.path("b"), ""}, {folder.path("c"), files.key, ""}};
  EXPECT_FALSE(make());
  EXPECT_THAT(codes(), ElementsAre(1020, 1020, 1020));
  EXPECT_EQ(findings[2].certificate, 1U);
}

TEST_F(TlsFilesTest, WhatIsNoPemIsAnError) {
  settings.certificates[0].cert = folder.write("text", "hello");
  EXPECT_EQ(only().code, 1021);
  settings.certificates[0] = {files.cert, folder.write("text", "hello"), ""};
  EXPECT_EQ(only().code, 1021);
  settings.certificates[0] = {folder.write("both", identity.cert_pem + "-----BEGIN CERTIFICATE-----\ngarbage\n"),
                              files.key, ""};
  EXPECT_EQ(only().code, 1021);
  settings.certificates[0] = files;
  settings.client_ca = folder.write("text", "hello");
  EXPECT_EQ(only().code, 1021);
  settings.client_ca.clear();
  settings.certificates[0].ocsp = folder.write("text", "hello");
  EXPECT_EQ(only().code, 1021);
}

TEST_F(TlsFilesTest, AnEncipheredKeyIsRefusedWithAdvice) {
  settings.certificates[0].key = folder.write("enciphered", forebay::test::enciphered_key(identity));
  const auto found = only();
  EXPECT_EQ(found.code, 1021);
  EXPECT_THAT(found.message, HasSubstr("encrypted"));
  EXPECT_THAT(found.hint, HasSubstr("openssl pkey"));
}

TEST_F(TlsFilesTest, AKeyOfAnotherCertificateIsAnError) {
  settings.certificates[0].key = folder.write("other", make_identity({}).key_pem);
  auto found = only();
  EXPECT_EQ(found.code, 1022);
  EXPECT_EQ(found.key, "key");
  settings.certificates[0].key = folder.write("other", make_identity({.key = KeyKind::Rsa}).key_pem);
  found = only();
  EXPECT_EQ(found.code, 1022);
  EXPECT_THAT(found.hint, HasSubstr("the key is RSA, the certificate's ECDSA"));
}

TEST_F(TlsFilesTest, ACertificateThatIsTooWeakIsAnError) {
  use(make_identity({.names = {"a.test"}, .key = KeyKind::ShortRsa}));
  const auto found = only();
  EXPECT_EQ(found.code, 1023);
  EXPECT_THAT(found.message, HasSubstr("too small"));
}

TEST_F(TlsFilesTest, DatesAreWarningsAndPreventNothing) {
  const auto now = std::time_t{1704067200};  // of the manual clock
  using forebay::test::kDay;
  const auto about = [&](std::time_t from, std::time_t until) {
    use(make_identity({.names = {"a.test"}, .from = from, .until = until}));
    return make() ? (findings.empty() ? std::string() : findings[0].message) : "refused";
  };
  EXPECT_THAT(about(now - 100 * kDay, now - kDay), HasSubstr("has expired: it was valid until 2023-12-31 00:00 UTC"));
  EXPECT_THAT(about(now + kDay, now + 9 * kDay), HasSubstr("is not valid before 2024-01-02"));
  EXPECT_THAT(about(now - 80 * kDay, now + 10 * kDay), HasSubstr("expires soon"));
  EXPECT_EQ(about(now - 60 * kDay, now + 30 * kDay), "");
  EXPECT_EQ(about(now - kDay, now + 6 * kDay), "") << "a certificate for a week";
  EXPECT_THAT(about(now - 6 * kDay, now + kDay), HasSubstr("expires soon"));
}

TEST_F(TlsFilesTest, ACertificateWithoutNamesIsAWarning) {
  use(make_identity({}));
  EXPECT_EQ(only().code, 2052);
}

TEST_F(TlsFilesTest, AChainOutOfOrderIsAWarning) {
  const auto root = make_identity({.common_name = "root", .is_ca = true});
  const auto middle = make_identity({.common_name = "middle", .issuer = &root, .is_ca = true});
  auto leaf = make_identity({.names = {"a.test"}, .issuer = &middle});
  const auto alone = leaf.cert_pem;
  leaf.cert_pem = alone + middle.cert_pem + root.cert_pem;
  use(leaf);
  EXPECT_TRUE(make());
  EXPECT_THAT(findings, IsEmpty());
  leaf.cert_pem = alone + root.cert_pem + middle.cert_pem;
  use(leaf);
  const auto found = only();
  EXPECT_EQ(found.code, 2052);
  EXPECT_THAT(found.message, HasSubstr("certificate 2 has not signed certificate 1"));
}

TEST_F(TlsFilesTest, AKeyThatEverybodyCanReadIsAWarning) {
  settings.certificates[0].key = folder.write("open", identity.key_pem, 0644);
  const auto found = only();
  EXPECT_EQ(found.code, 2053);
  EXPECT_EQ(found.key, "key");
  settings.certificates[0].key = folder.write("group", identity.key_pem, 0640);
  EXPECT_TRUE(make());
  EXPECT_THAT(findings, IsEmpty());
}

TEST_F(TlsFilesTest, AnOcspResponseHasToBeAboutTheCertificate) {
  const auto ca = make_identity({.common_name = "ca", .is_ca = true});
  const auto own = make_identity({.names = {"a.test"}, .issuer = &ca});
  use(own);
  const auto with = [&](const std::string& der) {
    settings.certificates[0].ocsp = folder.write("ocsp", der);
    return only();
  };
  EXPECT_EQ(with(forebay::test::ocsp_response(identity, ca)).code, 1022);
  auto found = with(forebay::test::ocsp_response(own, ca, forebay::test::kLongAgo + 60));
  EXPECT_EQ(found.code, 2051);
  EXPECT_THAT(found.message, HasSubstr("has expired"));
  found = with(forebay::test::ocsp_response(own, ca, forebay::test::kFarAway, V_OCSP_CERTSTATUS_REVOKED));
  EXPECT_EQ(found.code, 2051);
  EXPECT_THAT(found.message, HasSubstr("not stapled"));
}

}  // namespace
}  // namespace forebay::net::test
