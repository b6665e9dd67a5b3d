// What a listener's TLS offers: versions, ciphers, protocols, certificates by name, tickets, clients' certificates.
#include "forebay/net/tls_server.hpp"

#include "forebay/base/base64.hpp"
#include "unit/net/tls_fixture.hpp"

namespace forebay::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TlsServerTest : public TlsTest {};

// --- versions and ciphers

struct Offer {
  const char* what;
  int from, until;
  const char* ciphers;  // of TLS 1.2 and older
  const char* ciphers13;
  TlsHandshake result;
};
void PrintTo(const Offer& offer, std::ostream* out) { *out << offer.what; }

class TlsOffers : public TlsTest, public testing::WithParamInterface<Offer> {};

TEST_P(TlsOffers, AreTakenOrRefused) {
  const auto& offer = GetParam();
  static const auto kRsa = make_identity({.names = {"shop.test"}, .key = KeyKind::Rsa});
  settings.certificates = {write("rsa", kRsa), files};
  SSL_CTX_set_security_level(client.context(), 0);
  client.versions(offer.from, offer.until);
  if (*offer.ciphers) {
    ASSERT_EQ(SSL_CTX_set_cipher_list(client.context(), (std::string(offer.ciphers) + ":@SECLEVEL=0").c_str()), 1);
  }
  if (*offer.ciphers13) {
    ASSERT_EQ(SSL_CTX_set_ciphersuites(client.context(), offer.ciphers13), 1);
  }
  const bool taken = offer.result == TlsHandshake::Full;
  EXPECT_EQ(handshake(make()), taken);
  EXPECT_EQ(outcome(), offer.result) << session->why();
  EXPECT_EQ(client.error != 0, !taken);
}

constexpr int k10 = TLS1_VERSION, k11 = TLS1_1_VERSION, k12 = TLS1_2_VERSION, k13 = TLS1_3_VERSION;
constexpr auto kTaken = TlsHandshake::Full;
constexpr auto kNoVersion = TlsHandshake::Version;
constexpr auto kNoCipher = TlsHandshake::Cipher;
INSTANTIATE_TEST_SUITE_P(
    Table, TlsOffers,
    testing::Values(Offer{"TLS 1.0", k10, k10, "", "", kNoVersion}, Offer{"TLS 1.1", k11, k11, "", "", kNoVersion},
                    Offer{"TLS 1.0 and 1.1", k10, k11, "", "", kNoVersion},
                    Offer{"TLS 1.0 to 1.3", k10, k13, "", "", kTaken}, Offer{"TLS 1.2", k12, k12, "", "", kTaken},
                    Offer{"TLS 1.3", k13, k13, "", "", kTaken},
                    Offer{"AES 128 GCM, ECDSA", k12, k12, "ECDHE-ECDSA-AES128-GCM-SHA256", "", kTaken},
                    Offer{"AES 128 GCM, RSA", k12, k12, "ECDHE-RSA-AES128-GCM-SHA256", "", kTaken},
                    Offer{"AES 256 GCM, ECDSA", k12, k12, "ECDHE-ECDSA-AES256-GCM-SHA384", "", kTaken},
                    Offer{"AES 256 GCM, RSA", k12, k12, "ECDHE-RSA-AES256-GCM-SHA384", "", kTaken},
                    Offer{"ChaCha20, ECDSA", k12, k12, "ECDHE-ECDSA-CHACHA20-POLY1305", "", kTaken},
                    Offer{"ChaCha20, RSA", k12, k12, "ECDHE-RSA-CHACHA20-POLY1305", "", kTaken},
                    Offer{"TLS 1.3 AES 128", k13, k13, "", "TLS_AES_128_GCM_SHA256", kTaken},
                    Offer{"TLS 1.3 AES 256", k13, k13, "", "TLS_AES_256_GCM_SHA384", kTaken},
                    Offer{"TLS 1.3 ChaCha20", k13, k13, "", "TLS_CHACHA20_POLY1305_SHA256", kTaken},
                    Offer{"TLS 1.3 AES 128 CCM", k13, k13, "", "TLS_AES_128_CCM_SHA256", kNoCipher},
                    Offer{"TLS 1.3 AES 128 CCM 8", k13, k13, "", "TLS_AES_128_CCM_8_SHA256", kNoCipher},
                    Offer{"CBC, ECDSA", k12, k12, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384", "", kNoCipher},
                    Offer{"CBC, RSA", k12, k12, "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384", "", kNoCipher},
                    Offer{"CBC with SHA-1", k12, k12, "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA", "", kNoCipher},
                    Offer{"without forward secrecy", k12, k12, "AES128-GCM-SHA256:AES256-GCM-SHA384", "", kNoCipher},
                    Offer{"without forward secrecy, CBC", k12, k12, "AES128-SHA:AES256-SHA256", "", kNoCipher},
                    Offer{"finite-field Diffie-Hellman", k12, k12,
                          "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384", "", kNoCipher},
                    Offer{"anonymous", k12, k12, "aNULL", "", kNoCipher},
                    Offer{"without cipher", k12, k12, "eNULL", "", kNoCipher},
                    Offer{"CCM", k12, k12, "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES128-CCM8", "", kNoCipher},
                    Offer{"Camellia", k12, k12, "ECDHE-RSA-CAMELLIA128-SHA256", "", kNoCipher},
                    Offer{"ARIA", k12, k12, "ECDHE-ARIA128-GCM-SHA256", "", kNoCipher}));

// Ciphers that this OpenSSL does not have any more, or only for others; by their numbers in a hello of our own.
struct Hello {
  const char* what;
  unsigned char major, minor;
  std::vector<unsigned> ciphers;
  bool taken;
};
void PrintTo(const Hello& hello, std::ostream* out) { *out << hello.what; }

class TlsHellos : public TlsTest, public testing::WithParamInterface<Hello> {
 protected:
  static std::string hello(const Hello& of) {
    const auto number = [](std::string& out, std::size_t n) {
      out += static_cast<char>(n >> 8);
      out += static_cast<char>(n & 255);
    };
    std::string ciphers;
    for (const auto cipher : of.ciphers) number(ciphers, cipher);
    std::string body{static_cast<char>(of.major), static_cast<char>(of.minor)};
    body += std::string(32, 'r');
    body += '\0';
    number(body, ciphers.size());
    body += ciphers + std::string("\1\0", 2);
    // signature_algorithms, supported_groups, ec_point_formats
    const std::string extensions(
        "\0\x0d\0\x08\0\x06\x04\x03\x08\x04\x04\x01\0\x0a\0\x06\0\x04\0\x1d\0\x17\0\x0b\0\x02\1\0", 28);
    number(body, extensions.size());
    body += extensions;
    std::string message("\1\0", 2);
    number(message, body.size());
    message += body;
    std::string record{'\x16', '\3', '\1'};
    number(record, message.size());
    return record + message;
  }
};

TEST_P(TlsHellos, AreAnsweredOrRefused) {
  connect(make());
  const auto sent = hello(GetParam());
  ASSERT_EQ(::send(wire, sent.data(), sent.size(), MSG_NOSIGNAL), static_cast<ssize_t>(sent.size()));
  poll();
  unsigned char first = 0;
  ASSERT_EQ(::recv(wire, &first, 1, MSG_DONTWAIT), 1) << "an alert, or a hello";
  if (GetParam().taken) {
    EXPECT_EQ(first, 0x16);
    EXPECT_FALSE(shaken);
  } else {
    EXPECT_EQ(first, 0x15);
    EXPECT_EQ(shaken, Io::Failed);
    EXPECT_TRUE(outcome() == TlsHandshake::Cipher || outcome() == TlsHandshake::Version) << to_string(outcome());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, TlsHellos,
    testing::Values(Hello{"a good one", 3, 3, {0xc02b}, true}, Hello{"SSL 3.0", 3, 0, {0xc02b, 0xc02f}, false},
                    Hello{"TLS 1.0", 3, 1, {0xc02b, 0xc009}, false}, Hello{"TLS 1.1", 3, 2, {0xc02b, 0xc009}, false},
                    Hello{"RC4", 3, 3, {0x0004, 0x0005, 0xc007, 0xc011}, false},
                    Hello{"3DES", 3, 3, {0x000a, 0x0016, 0xc008, 0xc012}, false},
                    Hello{"DES", 3, 3, {0x0009, 0x0015}, false},
                    Hello{"export", 3, 3, {0x0003, 0x0006, 0x0008, 0x0014, 0x0062, 0x0064}, false},
                    Hello{"null", 3, 3, {0x0001, 0x0002, 0x003b, 0xc006, 0xc010}, false},
                    Hello{"PSK", 3, 3, {0x00a8, 0x008c, 0xccac, 0xd001}, false},
                    Hello{"IDEA and SEED", 3, 3, {0x0007, 0x0096}, false},
                    Hello{"CBC alone", 3, 3, {0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc027}, false},
                    Hello{"a fallback that was not needed", 3, 2, {0x5600, 0xc009}, false}));

TEST_F(TlsServerTest, MinVersionRefusesWhatIsOlder) {
  settings.min_version = config::TlsVersion::Tls13;
  client.versions(k12, k12);
  EXPECT_FALSE(handshake(make()));
  EXPECT_EQ(outcome(), TlsHandshake::Version);
  client.versions(k12, k13);
  EXPECT_TRUE(handshake(make()));
}

TEST_F(TlsServerTest, TheClientsPreferenceOfCiphersHolds) {
  for (const char* first : {"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}) {
    SSL_CTX_set_ciphersuites(client.context(), (std::string(first) + ":TLS_AES_256_GCM_SHA384").c_str());
    ASSERT_TRUE(handshake(make()));
    EXPECT_EQ(session->describe_peer()->cipher, first);
  }
}

TEST_F(TlsServerTest, GroupsAreThoseOfMozilla) {
  for (const auto& [group, taken] : std::vector<std::pair<const char*, bool>>{{"X25519", true},
                                                                              {"P-256", true},
                                                                              {"P-384", true},
                                                                              {"P-521", false},
                                                                              {"X448", false},
                                                                              {"ffdhe2048", false}}) {
    ASSERT_EQ(SSL_CTX_set1_groups_list(client.context(), group), 1);
    client.versions(k13, k13);
    EXPECT_EQ(handshake(make()), taken) << group;
  }
}

TEST_F(TlsServerTest, EarlyDataIsNotTaken) {
  client.versions(k13, k13);
  const auto server = make();
  ASSERT_TRUE(handshake(server));
  ASSERT_TRUE(client.session);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(client.session.get()), 0U);
}

TEST_F(TlsServerTest, CompressionIsOff) {
  client.versions(k12, k12);
  SSL_CTX_clear_options(client.context(), SSL_OP_NO_COMPRESSION);
  ASSERT_TRUE(handshake(make()));
  EXPECT_EQ(SSL_get_current_compression(client.ssl.get()), nullptr);
}

// --- ALPN

TEST_F(TlsServerTest, AlpnChoosesByOurPreference) {
  const std::string both("\x08http/1.1\x02h2");
  http2 = true;
  ASSERT_TRUE(handshake(make(), "", both));
  EXPECT_EQ(session->protocol(), "h2");
  http2 = false;
  ASSERT_TRUE(handshake(make(), "", both));
  EXPECT_EQ(session->protocol(), "http/1.1");
  ASSERT_TRUE(handshake(make(), "", "\x08http/1.0"));
  EXPECT_EQ(session->protocol(), "http/1.0");
  ASSERT_TRUE(handshake(make()));
  EXPECT_EQ(session->protocol(), "") << "a client without ALPN speaks HTTP/1.1";
}

TEST_F(TlsServerTest, UnknownProtocolsAreRefusedByAnAlert) {
  EXPECT_FALSE(handshake(make(), "", "\x06spdy/3\x02h2"));
  EXPECT_EQ(outcome(), TlsHandshake::Alpn);
  EXPECT_EQ(client.error, SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL);
}

// --- certificates by name

class TlsNames : public TlsTest {
 protected:
  TlsNames() {
    const auto add = [&](const std::string& cn, const std::vector<std::string>& names, KeyKind key = KeyKind::Ecdsa) {
      settings.certificates.push_back(write(cn, make_identity({.names = names, .common_name = cn, .key = key})));
    };
    settings.certificates.clear();
    add("main", {"shop.test", "www.shop.test"});
    add("main-rsa", {"shop.test"}, KeyKind::Rsa);
    add("wild", {"*.shop.test", "Other.Test"});
    add("exact", {"api.shop.test"});
  }
  std::string certificate_for(const std::string& name) {
    if (!server_) server_ = make();
    EXPECT_TRUE(handshake(server_, name)) << name;
    return client.issuer_or_name();
  }
  void only(const char* ciphers) {
    client.versions(TLS1_2_VERSION, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client.context(), ciphers);
  }
  std::shared_ptr<const TlsServer> server_;
};

TEST_F(TlsNames, AreFoundExactlyFirstAndThenByWildcard) {
  EXPECT_EQ(certificate_for("shop.test"), "main");
  EXPECT_EQ(certificate_for("www.shop.test"), "main");
  EXPECT_EQ(certificate_for("api.shop.test"), "exact");
  EXPECT_EQ(certificate_for("any.shop.test"), "wild");
  EXPECT_EQ(certificate_for("ANY.Shop.Test"), "wild");
  EXPECT_EQ(certificate_for("other.test"), "wild");
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(TlsNames, UnknownOnesGetTheFirstCertificate) {
  EXPECT_EQ(certificate_for("a.b.shop.test"), "main") << "a wildcard stands for one label";
  EXPECT_EQ(certificate_for("elsewhere.test"), "main");
  EXPECT_EQ(certificate_for(""), "main");
  EXPECT_EQ(session->describe_peer()->server_name, "");
}

TEST_F(TlsNames, OneNameMayHaveCertificatesOfSeveralTypes) {
  only("ECDHE-RSA-AES128-GCM-SHA256");
  EXPECT_EQ(certificate_for("shop.test"), "main-rsa");
  EXPECT_EQ(certificate_for(""), "main-rsa");
  only("ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(certificate_for("shop.test"), "main");
}

TEST_F(TlsNames, AreKnownAfterTheHandshake) {
  certificate_for("API.shop.test");
  EXPECT_EQ(session->describe_peer()->server_name, "api.shop.test");
}

TEST_F(TlsNames, ACertificateThatNoNameLeadsToIsReported) {
  settings.certificates.push_back(write("late", make_identity({.names = {"shop.test"}, .common_name = "late"})));
  ASSERT_TRUE(make());
  ASSERT_THAT(codes(), ElementsAre(2052));
  EXPECT_EQ(findings[0].certificate, 4U);
  EXPECT_EQ(findings[0].key, "cert");
}

TEST_F(TlsNames, TheFirstExpiryIsThatOfAnyOfThem) {
  const auto soon = std::time_t{1900000000};
  settings.certificates.push_back(write("soon", make_identity({.names = {"soon.test"}, .until = soon})));
  EXPECT_EQ(make()->first_expiry(), WallTime{std::chrono::seconds{soon}});
}

// --- sessions

class TlsResumption : public TlsTest, public testing::WithParamInterface<int> {
 protected:
  TlsResumption() { client.versions(GetParam(), GetParam()); }
  /// A full handshake, whose session the next connection offers.
  void begin(const std::shared_ptr<const TlsServer>& server) {
    client.resume.reset();
    ASSERT_TRUE(handshake(server));
    ASSERT_EQ(outcome(), TlsHandshake::Full);
    ASSERT_TRUE(client.session);
    client.resume = client.session;
  }
  TlsHandshake again(const std::shared_ptr<const TlsServer>& server) {
    EXPECT_TRUE(handshake(server)) << session->why();
    EXPECT_EQ(session->describe_peer()->resumed, outcome() == TlsHandshake::Resumed);
    return outcome();
  }
};

TEST_P(TlsResumption, WorksAcrossReloads) {
  begin(make());
  const auto other = write("renewed", make_identity({.names = {"shop.test"}}));
  settings.certificates = {other};
  EXPECT_EQ(again(make()), TlsHandshake::Resumed);
}

TEST_P(TlsResumption, WorksUntilTheKeyIsTooOld) {
  settings.session_timeout = std::chrono::hours{3};
  tickets->keep_for(settings.session_timeout);
  const auto server = make();
  begin(server);
  clock.advance(std::chrono::hours{2});
  EXPECT_EQ(again(server), TlsHandshake::Resumed);
  EXPECT_EQ(tickets->size(), 2U) << "tickets of later sessions have a key of their own";
  clock.advance(std::chrono::hours{3});
  EXPECT_EQ(again(server), TlsHandshake::Full);
}

TEST_P(TlsResumption, IsOffWithoutTickets) {
  settings.session_tickets = false;
  const auto server = make();
  ASSERT_TRUE(handshake(server));
  if (client.session) {
    client.resume = client.session;
    EXPECT_EQ(again(server), TlsHandshake::Full);
  }
  EXPECT_EQ(tickets->size(), 0U);
}

TEST_P(TlsResumption, DoesNotCrossListeners) {
  begin(make());
  listener = "other";
  EXPECT_FALSE(handshake(make()) && outcome() == TlsHandshake::Resumed);
}

TEST_P(TlsResumption, DoesNotReplaceAClientsCertificate) {
  begin(make());
  const auto ca = make_identity({.common_name = "ca", .is_ca = true});
  settings.client_ca = folder.write("ca", ca.cert_pem);
  EXPECT_FALSE(handshake(make()));
  EXPECT_NE(outcome(), TlsHandshake::Resumed);
}

TEST_P(TlsResumption, KeepsTheClientsCertificateUntilItExpires) {
  const auto ca = make_identity({.common_name = "ca", .is_ca = true});
  // By the clock of the machine it is valid; by ours it will expire.
  const auto who = make_identity({.common_name = "who", .until = 2000000000, .issuer = &ca});
  settings.client_ca = folder.write("ca", ca.cert_pem);
  settings.session_timeout = std::chrono::hours{24 * 7};
  tickets->keep_for(std::chrono::hours{24 * 365 * 20});
  client.identity(who);
  const auto server = make();
  begin(server);
  EXPECT_EQ(again(server), TlsHandshake::Resumed);
  const auto peer = session->describe_peer();
  EXPECT_EQ(peer->client_verify, "ok");
  ASSERT_TRUE(peer->client);
  EXPECT_EQ(peer->client->subject, "CN=who,O=Forebay tests");
  clock.advance(std::chrono::hours{24 * 365 * 15});
  EXPECT_EQ(again(server), TlsHandshake::Full);
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsResumption, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& p) { return p.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

// --- certificates of clients

class TlsClients : public TlsTest {
 protected:
  TlsClients() { settings.client_ca = folder.write("ca", ca.cert_pem); }
  const Identity ca = make_identity({.common_name = "ca", .is_ca = true});
  const Identity who = make_identity({.common_name = "who", .issuer = &ca});
  const Identity stranger = make_identity({.common_name = "stranger"});
  const Identity late = make_identity({.common_name = "late", .until = forebay::test::kLongAgo + 1, .issuer = &ca});
};

TEST_F(TlsClients, AreRequiredByDefault) {
  EXPECT_FALSE(handshake(make()));
  EXPECT_EQ(outcome(), TlsHandshake::PeerCertificate);
  client.identity(stranger);
  EXPECT_FALSE(handshake(make()));
  EXPECT_EQ(outcome(), TlsHandshake::PeerCertificate);
  client.identity(late);
  EXPECT_FALSE(handshake(make()));
  EXPECT_EQ(outcome(), TlsHandshake::PeerCertificate);
  client.identity(who);
  EXPECT_TRUE(handshake(make()));
}

TEST_F(TlsClients, AreRefusedWithTheReason) {
  const auto reason = [&](const Identity& of) {
    client.identity(of);
    EXPECT_FALSE(handshake(make()));
    return std::string(session->why());
  };
  EXPECT_EQ(reason(late), "certificate has expired");
  EXPECT_THAT(reason(stranger), testing::HasSubstr("self-signed certificate"));
}

TEST_F(TlsClients, AnIntermediateCaAloneLetsInWhomItHasSigned) {
  const auto middle = make_identity({.common_name = "middle", .issuer = &ca, .is_ca = true});
  const auto below = make_identity({.common_name = "below", .issuer = &middle});
  settings.client_ca = folder.write("middle", middle.cert_pem);
  client.identity(below);
  EXPECT_TRUE(handshake(make()));
  EXPECT_THAT(codes(), IsEmpty());
  client.identity(who);
  EXPECT_FALSE(handshake(make())) << "the root above it is not trusted";
}

TEST_F(TlsClients, OnRequestTheVerdictIsToldAndNobodyIsRefused) {
  settings.client_auth = config::ListenerTls::ClientAuth::Request;
  settings.client_cert_header = true;
  ASSERT_TRUE(handshake(make()));
  auto peer = session->describe_peer();
  EXPECT_EQ(peer->client_verify, "none");
  EXPECT_FALSE(peer->client);
  for (const auto* unfit : {&stranger, &late}) {
    client.identity(*unfit);
    ASSERT_TRUE(handshake(make()));
    peer = session->describe_peer();
    EXPECT_NE(peer->client_verify, "ok");
    EXPECT_NE(peer->client_verify, "none");
    ASSERT_TRUE(peer->client);
    EXPECT_EQ(peer->client->field, "") << "what is not verified is not told";
  }
  EXPECT_EQ(peer->client_verify, "certificate has expired");
  client.identity(who);
  ASSERT_TRUE(handshake(make()));
  EXPECT_EQ(session->describe_peer()->client_verify, "ok");
}

TEST_F(TlsClients, AreDescribedAsTheLogAndOriginsWantIt) {
  const auto middle = make_identity({.common_name = "middle", .issuer = &ca, .is_ca = true});
  const auto below = make_identity({.common_name = "below", .issuer = &middle});
  client.identity(below);
  SSL_CTX_add1_chain_cert(client.context(), middle.certificate.get());
  settings.client_cert_header = true;
  ASSERT_TRUE(handshake(make()));
  const auto peer = session->describe_peer();
  ASSERT_TRUE(peer->client);
  EXPECT_EQ(peer->client->subject, "CN=below,O=Forebay tests");
  EXPECT_THAT(peer->client->fingerprint, testing::MatchesRegex("[0-9a-f]{64}"));
  EXPECT_THAT(peer->client->field, testing::MatchesRegex(":[A-Za-z0-9+/]+=*:"));
  EXPECT_THAT(peer->client->chain_field, testing::MatchesRegex(":[A-Za-z0-9+/]+=*:"));
  EXPECT_NE(peer->client->chain_field, peer->client->field);
  settings.client_cert_header = false;
  ASSERT_TRUE(handshake(make()));
  EXPECT_EQ(session->describe_peer()->client->field, "");
}

/// As a Byte Sequence of structured fields.
std::string field_of(const Identity& who) {
  std::string der(8192, '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  der.resize(static_cast<std::size_t>(i2d_X509(who.certificate.get(), &at)));
  return ':' + to_base64(der) + ':';
}

TEST_F(TlsClients, TheChainIsWhatVerifiedTheCertificateAndNothingElse) {
  const auto middle = make_identity({.common_name = "middle", .issuer = &ca, .is_ca = true});
  const auto lower = make_identity({.common_name = "lower", .issuer = &middle, .is_ca = true});
  const auto below = make_identity({.common_name = "below", .issuer = &lower});
  const auto foreign = make_identity({.common_name = "foreign", .is_ca = true});
  settings.client_cert_header = true;
  client.identity(below);
  for (const auto* sent : {&foreign, &lower, &ca, &middle})
    SSL_CTX_add1_chain_cert(client.context(), sent->certificate.get());
  ASSERT_TRUE(handshake(make()));
  auto peer = session->describe_peer();
  EXPECT_EQ(peer->client->field, field_of(below));
  EXPECT_EQ(peer->client->chain_field, field_of(lower) + ", " + field_of(middle)) << "from the client to the CA";
  // The CA itself has signed the certificate: there is nothing between them, whatever was sent.
  client.identity(who);
  ASSERT_TRUE(handshake(make()));
  EXPECT_EQ(session->describe_peer()->client->chain_field, "");
  // An intermediate that only client_ca has.
  SSL_CTX_clear_chain_certs(client.context());
  settings.client_ca = folder.write("both", ca.cert_pem + middle.cert_pem + lower.cert_pem);
  client.identity(below);
  ASSERT_TRUE(handshake(make()));
  peer = session->describe_peer();
  EXPECT_EQ(peer->client_verify, "ok");
  EXPECT_EQ(peer->client->chain_field, "") << "there it is a trust anchor itself";
}

TEST_F(TlsClients, MayNotSendCertificatesWithoutEnd) {
  client.identity(who);
  std::size_t size = 0;
  for (int i = 0; size < 16 * 1024; ++i) {
    const auto more = make_identity({.common_name = "foreign " + std::to_string(i), .is_ca = true});
    SSL_CTX_add1_chain_cert(client.context(), more.certificate.get());
    size += static_cast<std::size_t>(i2d_X509(more.certificate.get(), nullptr));
  }
  EXPECT_FALSE(handshake(make()));
}

// --- OCSP

TEST_F(TlsServerTest, AnOcspResponseIsStapledWhileItIsValid) {
  const auto ca = make_identity({.common_name = "ca", .is_ca = true});
  const auto own = make_identity({.names = {"shop.test"}, .issuer = &ca});
  const auto der = forebay::test::ocsp_response(own, ca, 1704067200 + 3600);  // an hour after the clock's start
  settings.certificates = {write("own", own)};
  settings.certificates[0].ocsp = folder.write("ocsp", der);
  const auto server = make();
  ASSERT_TRUE(server);
  EXPECT_THAT(codes(), IsEmpty());
  const auto stapled = [&] {
    SSL_CTX_set_tlsext_status_type(client.context(), TLSEXT_STATUSTYPE_ocsp);
    EXPECT_TRUE(handshake(server));
    const unsigned char* got = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(client.ssl.get(), &got);
    return size > 0 ? std::string(reinterpret_cast<const char*>(got), static_cast<std::size_t>(size)) : std::string();
  };
  EXPECT_EQ(stapled(), der);
  clock.advance(std::chrono::hours{2});
  EXPECT_EQ(stapled(), "");
}

}  // namespace
}  // namespace forebay::net::test
