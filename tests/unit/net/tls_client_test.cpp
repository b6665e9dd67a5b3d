#include "forebay/net/tls_client.hpp"

#include "unit/net/tls_fixture.hpp"

namespace forebay::net::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A server by OpenSSL, on one end of a pair of sockets.
class OpensslServer {
 public:
  explicit OpensslServer(const Identity& who) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_use_certificate(context(), who.certificate.get());
    SSL_CTX_use_PrivateKey(context(), who.key.get());
    SSL_CTX_set_session_id_context(context(), reinterpret_cast<const unsigned char*>("test"), 4);
  }
  SSL_CTX* context() { return context_.get(); }
  void versions(int from, int to) {
    SSL_CTX_set_min_proto_version(context(), from);
    SSL_CTX_set_max_proto_version(context(), to);
  }
  void require_certificate(const Identity& issuer) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context()), issuer.certificate.get());
    SSL_CTX_set_verify(context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  void accept(int fd) {
    ssl.reset(SSL_new(context()), SSL_free);
    BIO* const socket = BIO_new_socket(fd, BIO_CLOSE);
    SSL_set_bio(ssl.get(), socket, socket);
    SSL_set_accept_state(ssl.get());
  }
  /// A step of the handshake; whether it is over, well or not.
  bool step() {
    const int n = SSL_do_handshake(ssl.get());
    if (n == 1) return true;
    const int why = SSL_get_error(ssl.get(), n);
    ERR_clear_error();
    return why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
  }
  std::string take() {
    char piece[20000];
    const int n = SSL_read(ssl.get(), piece, sizeof piece);
    ERR_clear_error();
    return n > 0 ? std::string(piece, static_cast<std::size_t>(n)) : std::string();
  }
  void send(std::string_view text) {
    SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
    ERR_clear_error();
  }
  std::string server_name() const {
    const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
  }
  std::shared_ptr<SSL> ssl;

 private:
  std::shared_ptr<SSL_CTX> context_;
};

class TlsClientTest : public TlsTest {
 protected:
  TlsClientTest() {
    trust(identity);
    of("shop.test");
  }
  void of(const std::string& host) {
    origin.url.scheme = "https";
    origin.url.host = host;
  }
  /// Whoever this is, or has signed, is trusted.
  void trust(const Identity& who, const std::string& more = "") {
    origin.tls.ca = folder.write("ca.pem", who.cert_pem + more);
  }
  std::shared_ptr<const net::TlsClient> client_of() {
    findings.clear();
    return net::TlsClient::make(origin, clock, findings);
  }
  /// Our stream's end is `mine`; the result is the other one.
  int connect(const std::shared_ptr<const net::TlsClient>& with) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    mine.emplace(io);
    EXPECT_TRUE(mine->adopt(ParkedStream(ends[0])));
    auto made = with->session();
    ours = made.get();
    mine->secure(std::move(made));
    met.reset();
    mine->handshake([this](Io state) { met = state; });
    poll();
    return ends[1];
  }
  /// Whether we say that the handshake is done.
  bool meet(const std::shared_ptr<const net::TlsClient>& with, OpensslServer& server) {
    server.accept(connect(with));
    bool over = false;
    for (int i = 0; i < 100 && !(over && met); ++i) {
      over = over || server.step();
      poll();
    }
    return met == Io::Done;
  }
  bool meet(OpensslServer& server) {
    kept = client_of();
    return kept && meet(kept, server);
  }
  std::string problem() const { return ours->failed() ? ours->problem() : std::string(); }
  /// One read of ours.
  std::string hear() {
    heard.reset();
    mine->read(room, [this](const IoResult& r) { heard = r; });
    poll();
    return {room, heard ? heard->bytes : 0};
  }

  config::Origin origin;
  std::shared_ptr<const net::TlsClient> kept;
  std::optional<Stream> mine;
  TlsClientSession* ours = nullptr;  // the stream's
  std::optional<Io> met;
  std::optional<IoResult> heard;
};

class ClientVersions : public TlsClientTest, public testing::WithParamInterface<int> {};

TEST_P(ClientVersions, ContentGoesBothWays) {
  OpensslServer server(identity);
  server.versions(GetParam(), GetParam());
  ASSERT_TRUE(meet(server)) << problem();
  EXPECT_EQ(ours->result(), TlsHandshake::Full);
  EXPECT_EQ(mine->write_some("ping").bytes, 4U);
  EXPECT_EQ(server.take(), "ping");
  server.send("pong");
  EXPECT_EQ(hear(), "pong");
  EXPECT_EQ(server.server_name(), "shop.test");
}

TEST_P(ClientVersions, SessionsAreResumed) {
  OpensslServer server(identity);
  server.versions(GetParam(), GetParam());
  const auto with = client_of();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(meet(with, server)) << problem();
    EXPECT_EQ(ours->result(), i == 0 ? TlsHandshake::Full : TlsHandshake::Resumed);
    server.send("x");
    EXPECT_EQ(hear(), "x");
    mine->close();
  }
  EXPECT_GT(with->resumable(), 0U);
  EXPECT_LE(with->resumable(), 32U);
}

TEST_P(ClientVersions, AnotherClientOfTheSameOriginResumesNothing) {
  OpensslServer server(identity);
  server.versions(GetParam(), GetParam());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(meet(server)) << problem();
    EXPECT_EQ(ours->result(), TlsHandshake::Full);
    server.send("x");
    hear();
    mine->close();
  }
}

TEST_P(ClientVersions, AnEndWithoutCloseNotifyIsAFailure) {
  for (const bool notifies : {true, false}) {
    OpensslServer server(identity);
    server.versions(GetParam(), GetParam());
    ASSERT_TRUE(meet(server)) << problem();
    server.send("half");
    EXPECT_EQ(hear(), "half");
    if (notifies) SSL_shutdown(server.ssl.get());
    server.ssl.reset();
    hear();
    EXPECT_EQ(heard->state, notifies ? Io::End : Io::Failed);
    EXPECT_EQ(mine->peek(), Peek::End);
  }
}

TEST_P(ClientVersions, AnEndWithinARecordIsAFailure) {
  OpensslServer server(identity);
  server.versions(GetParam(), GetParam());
  const int wire_of_server = connect(kept = client_of());
  server.accept(::dup(wire_of_server));
  for (int i = 0; i < 100 && !met; ++i) {
    server.step();
    poll();
  }
  ASSERT_EQ(met, Io::Done) << problem();
  const char begun[] = "\x17\x03\x03\x00\x40 part of a record";
  ASSERT_GT(::send(wire_of_server, begun, sizeof begun, 0), 0);
  ::close(wire_of_server);
  server.ssl.reset();
  hear();
  EXPECT_EQ(heard->state, Io::Failed);
}

TEST_P(ClientVersions, ACertificateOfOursIsShownWhereItIsAskedFor) {
  const auto me = make_identity({.names = {"forebay.test"}, .common_name = "me"});
  origin.tls.cert = folder.write("me.crt", me.cert_pem);
  origin.tls.key = folder.write("me.key", me.key_pem);
  OpensslServer server(identity);
  server.versions(GetParam(), GetParam());
  server.require_certificate(me);
  ASSERT_TRUE(meet(server)) << problem();
  EXPECT_THAT(findings, IsEmpty());
  EXPECT_NE(SSL_get0_peer_certificate(server.ssl.get()), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Both, ClientVersions, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test) { return test.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_F(TlsClientTest, TheNameHasToBeInTheSubjectAltName) {
  const std::pair<std::vector<std::string>, std::vector<std::string>> cases[] = {
      {{"shop.test"}, {"shop.test", "SHOP.test", "shop.test."}},
      {{"*.shop.test"}, {"a.shop.test"}},
      {{"IP:127.0.0.1"}, {"127.0.0.1"}},
      {{"IP:::1"}, {"::1"}},
      {{"a.test", "b.test"}, {"b.test"}}};
  for (const auto& [names, hosts] : cases) {
    const auto who = make_identity({.names = names, .common_name = "x"});
    trust(who);
    for (const auto& host : hosts) {
      of(host);
      OpensslServer server(who);
      EXPECT_TRUE(meet(server)) << host << ": " << problem();
    }
  }
}

TEST_F(TlsClientTest, AnotherNameIsRefused) {
  const std::pair<std::vector<std::string>, std::vector<std::string>> cases[] = {
      {{"shop.test"}, {"other.test", "a.shop.test", "127.0.0.1"}},
      {{"*.shop.test"}, {"shop.test", "a.b.shop.test"}},
      {{"w*.shop.test"}, {"www.shop.test"}},
      {{"IP:127.0.0.1"}, {"127.0.0.2", "localhost"}},
      {{"127.0.0.1"}, {"127.0.0.1"}},
      {{}, {"shop.test"}}};
  for (const auto& [names, hosts] : cases) {
    const auto who = make_identity({.names = names, .common_name = "shop.test"});
    trust(who);
    for (const auto& host : hosts) {
      of(host);
      OpensslServer server(who);
      EXPECT_FALSE(meet(server)) << host;
      EXPECT_EQ(ours->result(), TlsHandshake::PeerCertificate);
      EXPECT_EQ(problem(), "its certificate is not for \"" + host + '"');
    }
  }
}

TEST_F(TlsClientTest, AnIpAddressIsNoServerName) {
  const auto who = make_identity({.names = {"IP:127.0.0.1"}});
  trust(who);
  of("127.0.0.1");
  OpensslServer server(who);
  ASSERT_TRUE(meet(server)) << problem();
  EXPECT_EQ(server.server_name(), "");
}

TEST_F(TlsClientTest, SniTakesThePlaceOfTheHost) {
  of("10.0.0.1");
  origin.tls.sni = "shop.test";
  OpensslServer server(identity);
  ASSERT_TRUE(meet(server)) << problem();
  EXPECT_EQ(server.server_name(), "shop.test");
  origin.tls.sni = "other.test";
  EXPECT_FALSE(meet(server));
}

TEST_F(TlsClientTest, TellsWhatIsWrongWithACertificate) {
  const auto ca = make_identity({.common_name = "ca", .is_ca = true});
  const auto other = make_identity({.common_name = "other ca", .is_ca = true});
  const auto signed_by = [](const Identity& issuer, std::time_t from = forebay::test::kLongAgo,
                            std::time_t until = forebay::test::kFarAway) {
    return make_identity({.names = {"shop.test"}, .from = from, .until = until, .issuer = &issuer});
  };
  const std::time_t now = std::time(nullptr), day = 24 * 60 * 60;
  const auto good = signed_by(ca), revoked = signed_by(ca);
  const auto none = forebay::test::revocation_list(ca, revoked);
  const std::tuple<Identity, std::string, std::string> cases[] = {
      {good, "", ""},
      {good, none, ""},
      {signed_by(ca, now - 2 * day, now - day), "", "its certificate has expired"},
      {signed_by(ca, now + day, now + 2 * day), "", "its certificate is not valid yet"},
      {identity, "", "its certificate is self-signed, and not a trusted one"},
      {signed_by(other), "", "the issuer of its certificate is not trusted"},
      {revoked, none, "its certificate has been revoked"}};
  for (const auto& [who, list, wrong] : cases) {
    trust(ca, list);
    OpensslServer server(who);
    EXPECT_EQ(meet(server), wrong.empty());
    EXPECT_EQ(problem(), wrong);
    if (!wrong.empty()) {
      EXPECT_EQ(ours->result(), TlsHandshake::PeerCertificate);
    }
  }
}

TEST_F(TlsClientTest, AnIntermediateCertificateMayBeTrusted) {
  const auto root = make_identity({.common_name = "root", .is_ca = true});
  const auto middle = make_identity({.common_name = "middle", .issuer = &root, .is_ca = true});
  const auto leaf = make_identity({.names = {"shop.test"}, .issuer = &middle});
  trust(middle);
  OpensslServer server(leaf);
  EXPECT_TRUE(meet(server)) << problem();
}

TEST_F(TlsClientTest, WithoutVerifyAnyCertificateWillDo) {
  origin.tls.verify = false;
  origin.tls.ca.clear();
  of("other.test");
  OpensslServer server(make_identity({.common_name = "x", .until = forebay::test::kLongAgo + 1}));
  EXPECT_TRUE(meet(server)) << problem();
}

TEST_F(TlsClientTest, OldVersionsAreRefused) {
  OpensslServer server(identity);
  SSL_CTX_set_security_level(server.context(), 0);
  SSL_CTX_set_cipher_list(server.context(), "ALL:@SECLEVEL=0");
  server.versions(TLS1_VERSION, TLS1_1_VERSION);
  EXPECT_FALSE(meet(server));
  EXPECT_EQ(ours->result(), TlsHandshake::Version);
  EXPECT_EQ(problem(), "it has no version of TLS in common with us");
  origin.tls.min_version = config::TlsVersion::Tls13;
  server.versions(TLS1_2_VERSION, TLS1_2_VERSION);
  EXPECT_FALSE(meet(server));
  EXPECT_EQ(ours->result(), TlsHandshake::Version);
}

TEST_F(TlsClientTest, AnAlertIsTold) {
  const auto me = make_identity({.common_name = "me"});
  OpensslServer server(identity);
  server.versions(TLS1_2_VERSION, TLS1_2_VERSION);
  server.require_certificate(me);
  EXPECT_FALSE(meet(server));
  EXPECT_EQ(ours->result(), TlsHandshake::Alert);
  EXPECT_EQ(problem(), "it refuses with the alert \"handshake failure\"");
}

TEST_F(TlsClientTest, WithTls13AServerRefusesOurCertificateBehindTheHandshake) {
  const auto me = make_identity({.common_name = "me"});
  OpensslServer server(identity);
  server.require_certificate(me);
  ASSERT_TRUE(meet(server)) << problem();
  EXPECT_FALSE(ours->failed());
  hear();
  EXPECT_EQ(heard->state, Io::Failed);
  EXPECT_TRUE(ours->failed());
  EXPECT_THAT(problem(), HasSubstr("certificate required"));
}

TEST_F(TlsClientTest, WhatIsNoTlsIsTold) {
  const std::pair<std::string, TlsHandshake> cases[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", TlsHandshake::PlainHttp},
                                                        {"\x01\x02\x03\x04\x05\x06\x07", TlsHandshake::Malformed},
                                                        {"", TlsHandshake::Closed}};
  for (const auto& [bytes, result_of] : cases) {
    const int other = connect(kept = client_of());
    char hello[2048];
    ASSERT_GT(::recv(other, hello, sizeof hello, 0), 0);
    EXPECT_EQ(hello[0], 0x16);
    ASSERT_EQ(::send(other, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    ::shutdown(other, SHUT_WR);
    for (int i = 0; i < 10 && !met; ++i) poll();
    EXPECT_EQ(met, Io::Failed);
    EXPECT_EQ(ours->result(), result_of) << problem();
    ::close(other);
  }
}

TEST_F(TlsClientTest, HttpIsTheOneProtocolThatIsOffered) {
  OpensslServer server(identity);
  static std::string offered;
  SSL_CTX_set_alpn_select_cb(
      server.context(),
      [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned n, void*) {
        offered.assign(reinterpret_cast<const char*>(in), n);
        *out = in + 1;
        *size = in[0];
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  ASSERT_TRUE(meet(server)) << problem();
  EXPECT_EQ(offered, "\x08http/1.1");
  EXPECT_EQ(ours->protocol(), "http/1.1");
}

TEST_F(TlsClientTest, KeysAreUpdated) {
  OpensslServer server(identity);
  ASSERT_TRUE(meet(server)) << problem();
  ASSERT_EQ(SSL_key_update(server.ssl.get(), SSL_KEY_UPDATE_REQUESTED), 1);
  server.send("one");
  EXPECT_EQ(hear(), "one");
  mine->write_some("two");
  EXPECT_EQ(server.take(), "two");
}

TEST_F(TlsClientTest, ARenegotiationIsRefused) {
  OpensslServer server(identity);
  server.versions(TLS1_2_VERSION, TLS1_2_VERSION);
  ASSERT_TRUE(meet(server)) << problem();
  SSL_renegotiate(server.ssl.get());
  server.step();
  server.step();
  hear();
  poll();
  char piece[100];
  SSL_read(server.ssl.get(), piece, sizeof piece);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
  ERR_clear_error();
}

TEST_F(TlsClientTest, SessionsBeyondABoundAreForgotten) {
  OpensslServer server(identity);
  SSL_CTX_set_num_tickets(server.context(), 50);
  ASSERT_TRUE(meet(server)) << problem();
  server.send("x");
  hear();
  EXPECT_EQ(kept->resumable(), 32U);
}

TEST_F(TlsClientTest, ASessionEndsWithItsTimeAndWithTheCertificate) {
  OpensslServer server(identity);
  const auto with = client_of();
  ASSERT_TRUE(meet(with, server)) << problem();
  server.send("x");
  hear();
  EXPECT_GT(with->resumable(), 0U);
  clock.advance(std::chrono::hours{24 * 365 * 10});  // it begins with 2024, and OpenSSL knows the system's time alone
  ASSERT_TRUE(meet(with, server)) << problem();
  EXPECT_EQ(ours->result(), TlsHandshake::Full);
}

TEST_F(TlsClientTest, SpeaksWithOurOwnServer) {
  const auto server = make();
  const auto with = client_of();
  for (int i = 0; i < 2; ++i) {
    const int other = connect(with);
    stream.emplace(io);
    ASSERT_TRUE(stream->adopt(ParkedStream(other)));
    auto made = server->session();
    session = made.get();
    stream->secure(std::move(made));
    shaken.reset();
    stream->handshake([this](Io state) { shaken = state; });
    for (int n = 0; n < 10; ++n) poll();
    ASSERT_EQ(met, Io::Done) << problem();
    ASSERT_EQ(shaken, Io::Done);
    EXPECT_EQ(session->result(), i == 0 ? TlsHandshake::Full : TlsHandshake::Resumed);
    mine->write_some("ping");
    EXPECT_EQ(read(), "ping");
    stream->write_some("pong");
    EXPECT_EQ(hear(), "pong");
    stream->close();
    hear();
    EXPECT_EQ(heard->state, Io::End);
    mine->close();
  }
}

TEST_F(TlsClientTest, AParkedStreamKeepsItsSession) {
  OpensslServer server(identity);
  ASSERT_TRUE(meet(server)) << problem();
  auto parked = mine->park();
  ASSERT_TRUE(static_cast<bool>(parked));
  boost::asio::io_context elsewhere{1};
  Stream adopted(elsewhere);
  ASSERT_TRUE(adopted.adopt(std::move(parked)));
  EXPECT_EQ(adopted.peek(), Peek::Nothing) << "tickets are no content";
  adopted.write_some("ping");
  EXPECT_EQ(server.take(), "ping");
}

// --- files ---

TEST_F(TlsClientTest, FilesThatAreNotFitAreErrorsOfTheirKeys) {
  const auto expect = [&](const std::string& key, int code) {
    EXPECT_EQ(client_of(), nullptr);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].key, key) << findings[0].message;
    EXPECT_EQ(findings[0].code, code) << findings[0].message;
  };
  origin.tls.ca = folder.path("missing");
  expect("ca", 1020);
  origin.tls.ca = folder.write("text", "no certificate");
  expect("ca", 1021);
  origin.tls.ca = folder.write("damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  expect("ca", 1021);
  std::filesystem::create_directory(folder.path("empty"));
  origin.tls.ca = folder.path("empty");
  expect("ca", 1021);
  trust(identity);
  const auto me = make_identity({.common_name = "me"});
  origin.tls.cert = folder.write("me.crt", me.cert_pem);
  origin.tls.key = folder.path("missing");
  expect("key", 1020);
  origin.tls.key = folder.write("other.key", identity.key_pem);
  expect("key", 1022);
}

TEST_F(TlsClientTest, AnExpiredCertificateOfOursIsAWarning) {
  const auto me = make_identity({.common_name = "me", .until = forebay::test::kLongAgo + 24 * 60 * 60});
  origin.tls.cert = folder.write("me.crt", me.cert_pem);
  origin.tls.key = folder.write("me.key", me.key_pem);
  EXPECT_NE(client_of(), nullptr);
  EXPECT_EQ(codes(), std::vector{2051});
  EXPECT_THAT(findings[0].hint, HasSubstr("the origin refuses it"));
}

TEST_F(TlsClientTest, ADirectoryIsSearchedByHashes) {
  std::filesystem::create_directory(folder.path("dir"));
  char name[32];
  std::snprintf(name, sizeof name, "dir/%08lx.0",
                X509_NAME_hash_ex(X509_get_subject_name(identity.certificate.get()), nullptr, nullptr, nullptr));
  folder.write(name, identity.cert_pem);
  origin.tls.ca = folder.path("dir");
  OpensslServer server(identity);
  EXPECT_TRUE(meet(server)) << problem();
}

}  // namespace
}  // namespace forebay::net::test
