// TLS with clients: certificates, reloads, sessions, certificates of clients, and HTTP over it.
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <thread>

#include "support/command.hpp"
#include "support/forebay_test.hpp"
#include "support/json.hpp"
#include "support/tls_layer.hpp"

namespace forebay::test {
namespace {

class Tls : public ForebayTest {
 protected:
  /// Writes a certificate with its key; `cert: ..., key: ...` for a configuration.
  std::string write(const std::string& name, const Identity& of) {
    write_file(dir.file(name + ".crt"), of.cert_pem);
    write_secret(dir.file(name + ".key"), of.key_pem);
    return "cert: " + dir.file(name + ".crt") + ", key: " + dir.file(name + ".key");
  }
  /// A listener with these settings of TLS, named `web`.
  std::string config(const std::string& tls, const std::string& more = "routes: [{path: /**}]\n") {
    return "listen: [{address: \"127.0.0.1:0\", name: web, tls: {" + tls + "}}]\n" + more;
  }
  void start_tls(const std::string& tls, const std::string& more = "routes: [{path: /**}]\n") {
    start(config(tls, more));
  }
  Client connect(const TlsOptions& options = {}) {
    auto socket = Socket::connect(daemon->port());
    socket.start_tls(options);
    return Client(std::move(socket));
  }
  Answer get(const std::string& target, const FieldLines& fields = {}, const TlsOptions& options = {}) {
    auto c = connect(options);
    return c.ask("GET", target, fields);
  }
  /// The common name of the certificate that a client gets.
  std::string server_for(const std::string& name) {
    TlsOptions options;
    options.server_name = name;
    auto c = connect(options);
    return c.socket().tls()->server();
  }
  bool reload(const std::string& yaml, const char* outcome = "applied") {
    const auto before = metric("forebay_config_reloads_total", {{"outcome", outcome}});
    daemon->reload(with_origin(yaml));
    return metric_reaches("forebay_config_reloads_total", {{"outcome", outcome}}, before + 1);
  }
  bool handshakes(const char* result, double n) {
    return metric_reaches("forebay_tls_handshakes_total", {{"listener", "web"}, {"result", result}}, n);
  }
  std::string refusal(const TlsOptions& options) {
    try {
      auto c = connect(options);
      // With TLS 1.3 a server's refusal of the client's certificate comes behind the handshake.
      c.request("GET", "/");
      const auto a = c.read();
      return a.status == 0 ? "refused" : "";
    } catch (const std::runtime_error& e) {
      return e.what();
    }
  }

  const TempDir dir;
  const Identity own = make_identity({.names = {"shop.test", "*.shop.test"}, .common_name = "own"});
};

TEST_F(Tls, RequestsAreThoseOfTheSchemeHttps) {
  origin.on("/a", Reply::fresh("a"));
  start_tls(write("own", own));
  auto c = connect();
  EXPECT_EQ(c.ask("GET", "/a").body, "a");
  const auto hit = c.ask("GET", "/a");
  EXPECT_EQ(hit.x_cache(), "HIT");
  const auto seen = origin.last("/a");
  EXPECT_EQ(seen.get("X-Forwarded-Proto"), "https");
  EXPECT_THAT(seen.get("Forwarded"), HasSubstr("proto=https"));
  auto line = access_line("/a");
  EXPECT_EQ(line["scheme"], "https");
  EXPECT_EQ(line["tls.version"], "TLSv1.3");
  EXPECT_THAT(line["tls.cipher"], StartsWith("TLS_AES_"));
  EXPECT_EQ(line["tls.server_name"], "shop.test");
  EXPECT_EQ(line["tls.resumed"], "false");
  EXPECT_FALSE(line.contains("tls.client.verify"));
}

TEST_F(Tls, PlainAndTlsListenersStandBesideEachOtherAndHaveKeysOfTheirOwn) {
  origin.on("/a", Reply::fresh("a"));
  start("listen: [{address: \"127.0.0.1:0\", name: web, tls: {" + write("own", own) +
        "}}, {address: \"127.0.0.1:0\", name: plain}]\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a").x_cache(), "MISS");
  Client plain(daemon->port("plain"));
  EXPECT_EQ(plain.ask("GET", "/a").x_cache(), "MISS") << "the scheme is a part of the key";
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(origin.last("/a").get("X-Forwarded-Proto"), "http");
}

TEST_F(Tls, LargeBodiesGoBothWays) {
  const auto large = pattern(3 * 1024 * 1024);
  origin.on("/download", Reply::fresh(large));
  origin.on("/upload", Reply(200).body("done"));
  start_tls(write("own", own));
  auto c = connect();
  EXPECT_EQ(c.ask("GET", "/download").body.size(), large.size());
  EXPECT_TRUE(c.ask("GET", "/download").body == large);
  EXPECT_EQ(c.ask("POST", "/upload", {}, large).body, "done");
  EXPECT_TRUE(origin.last("/upload").body == large);
}

TEST_F(Tls, PipelinedRequestsOfOneRecordAreAnsweredInOrder) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  start_tls(write("own", own));
  auto c = connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  ASSERT_TRUE(c.send(all));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(c.read().body, "/" + std::to_string(i));
}

TEST_F(Tls, VersionsBelowTheSettingAreRefused) {
  start_tls(write("own", own) + ", min_version: 1.3");
  TlsOptions old;
  old.max_version = TLS1_2_VERSION;
  EXPECT_THAT(refusal(old), HasSubstr("protocol version"));
  EXPECT_TRUE(handshakes("version", 1));
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"listener", "web"}, {"reason", "tls"}}, 1));
  auto c = connect();
  EXPECT_EQ(c.socket().tls()->version(), "TLSv1.3");
}

TEST_F(Tls, AlpnChoosesHttp11AndRefusesWhatIsNotSpoken) {
  start_tls(write("own", own));
  TlsOptions options;
  options.alpn = "\x08http/1.1";
  EXPECT_EQ(connect(options).socket().tls()->protocol(), "http/1.1");
  options.alpn = "\x04smtp";
  EXPECT_THAT(refusal(options), HasSubstr("no application protocol"));
  EXPECT_TRUE(handshakes("alpn", 1));
}

TEST_F(Tls, ACertificateIsChosenByTheServerName) {
  const auto other = make_identity({.names = {"other.test"}, .common_name = "other"});
  start_tls("certs: [{" + write("own", own) + "}, {" + write("other", other) + "}]");
  EXPECT_EQ(server_for("shop.test"), "own");
  EXPECT_EQ(server_for("www.shop.test"), "own");
  EXPECT_EQ(server_for("other.test"), "other");
  EXPECT_EQ(server_for("unknown.test"), "own");
  EXPECT_EQ(server_for(""), "own");
}

TEST_F(Tls, AChainIsSentWhole) {
  const auto root = make_identity({.common_name = "root", .is_ca = true});
  const auto middle = make_identity({.common_name = "middle", .issuer = &root, .is_ca = true});
  auto leaf = make_identity({.names = {"shop.test"}, .common_name = "leaf", .issuer = &middle});
  leaf.cert_pem += middle.cert_pem;
  start_tls(write("leaf", leaf));
  TlsOptions options;
  options.trusts = &root;
  EXPECT_EQ(connect(options).socket().tls()->server(), "leaf");
}

// --- reload

TEST_F(Tls, AReloadGivesNewConnectionsTheNewCertificateAndKeepsTheOld) {
  origin.on("/a", Reply::fresh("a"));
  const auto files = write("own", own);
  start_tls(files);
  auto old = connect();
  EXPECT_EQ(old.ask("GET", "/a").body, "a");
  const auto expiry = metric("forebay_tls_certificate_expiry_timestamp_seconds", {{"listener", "web"}});
  EXPECT_EQ(expiry, static_cast<double>(kFarAway));
  write("own", make_identity({.names = {"shop.test"}, .common_name = "renewed", .until = kFarAway - 1000}));
  ASSERT_TRUE(reload(config(files)));
  EXPECT_EQ(server_for("shop.test"), "renewed");
  EXPECT_EQ(old.socket().tls()->server(), "own");
  EXPECT_EQ(old.ask("GET", "/a").x_cache(), "HIT") << "an open connection lives on";
  EXPECT_TRUE(
      metric_becomes("forebay_tls_certificate_expiry_timestamp_seconds", {{"listener", "web"}}, kFarAway - 1000.0));
}

TEST_F(Tls, AKeyThatDoesNotFitIsAnErrorOfTheReloadAndTheOldPairStays) {
  const auto files = write("own", own);
  start_tls(files);
  write_file(dir.file("own.crt"), make_identity({.names = {"shop.test"}, .common_name = "half"}).cert_pem);
  ASSERT_TRUE(reload(config(files), "rejected"));
  EXPECT_TRUE(metric_becomes("forebay_config_last_reload_successful", {}, 0));
  EXPECT_EQ(server_for("shop.test"), "own");
  EXPECT_THAT(daemon->log(), HasSubstr("FB1022"));
  EXPECT_THAT(daemon->log(), HasSubstr("the current configuration stays in force"));
  std::filesystem::remove(dir.file("own.crt"));
  ASSERT_TRUE(reload(config(files), "rejected"));
  EXPECT_EQ(server_for("shop.test"), "own");
  EXPECT_THAT(daemon->log(), HasSubstr("FB1020"));
}

TEST_F(Tls, OneBadListenerKeepsTheCertificatesOfAll) {
  const auto first = write("own", own);
  const auto second = write("second", make_identity({.names = {"shop.test"}, .common_name = "second"}));
  const auto both = "listen: [{address: \"127.0.0.1:0\", name: web, tls: {" + first +
                    "}}, {address: \"127.0.0.1:0\", name: two, tls: {" + second + "}}]\nroutes: [{path: /**}]\n";
  start(both);
  write("own", make_identity({.names = {"shop.test"}, .common_name = "renewed"}));
  write_file(dir.file("second.key"), "garbage");
  ASSERT_TRUE(reload(both, "rejected"));
  EXPECT_EQ(server_for("shop.test"), "own");
}

TEST_F(Tls, AListenerKeepsItsSocketWhenItsTlsChanges) {
  origin.on("/a", Reply::fresh("a"));
  const auto files = write("own", own);
  start_tls(files);
  auto old = connect();
  EXPECT_EQ(old.ask("GET", "/a").status, 200);
  // Port 0 would be another one if it were bound again.
  ASSERT_TRUE(reload("listen: [{address: \"127.0.0.1:0\", name: web}]\nroutes: [{path: /**}]\n"));
  Client plain(Socket::connect(daemon->port()));
  EXPECT_EQ(plain.ask("GET", "/a").status, 200);
  EXPECT_EQ(old.ask("GET", "/a").status, 200) << "what was TLS stays TLS";
  ASSERT_TRUE(reload(config(files)));
  EXPECT_EQ(get("/a").status, 200);
  EXPECT_EQ(plain.ask("GET", "/a").status, 200);
}

TEST_F(Tls, ReloadsUnderLoadDropNoConnection) {
  origin.on("/a", Reply::fresh("a"));
  const auto files = write("own", own);
  start_tls(files, "server: {threads: 4}\nroutes: [{path: /**}]\n");
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, asked{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&, i] {
      std::optional<Client> kept(connect());
      while (!stop) {
        if (i % 2 == 0) kept.emplace(connect());
        failed += kept->ask("GET", "/a").status != 200;
        ++asked;
      }
    });
  for (int i = 0; i < 5; ++i) {
    write("own", make_identity({.names = {"shop.test"}, .common_name = "number " + std::to_string(i)}));
    EXPECT_TRUE(reload(config(files, "server: {threads: 4}\nroutes: [{path: /**}]\n")));
  }
  EXPECT_TRUE(eventually([&] { return asked > 100; }));
  stop = true;
  clients.clear();
  EXPECT_EQ(failed, 0);
}

// --- sessions

TEST_F(Tls, SessionsAreResumedOnAnyWorkerAndAfterAReload) {
  const auto files = write("own", own);
  start_tls(files, "server: {threads: 4}\nroutes: [{path: /**}]\n");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsOptions options;
    options.min_version = options.max_version = version;
    const auto next = [&] {
      auto c = connect(options);
      c.ask("GET", "/");  // with TLS 1.3 the tickets come behind the handshake
      // A session of TLS 1.2 is used again, and one of TLS 1.3 once.
      if (auto fresh = c.socket().tls()->session()) options.resume = std::move(fresh);
      return c.socket().tls()->resumed();
    };
    EXPECT_FALSE(next());
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(next()) << i;
    write("own", make_identity({.names = {"shop.test"}}));
    ASSERT_TRUE(reload(config(files, "server: {threads: 4}\nroutes: [{path: /**}]\n")));
    EXPECT_TRUE(next());
  }
  EXPECT_TRUE(handshakes("full", 2));
  EXPECT_TRUE(handshakes("resumed", 26));
  EXPECT_EQ(access_line("/", [](auto& l) { return l.at("tls.resumed") == "true"; })["status"], "500");
}

TEST_F(Tls, SessionsOfOneListenerAreNotResumedOnAnother) {
  const auto files = write("own", own);
  start("listen: [{address: \"127.0.0.1:0\", name: web, tls: {" + files +
        "}}, {address: \"127.0.0.1:0\", name: two, tls: {" + files + "}}]\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.ask("GET", "/");
  TlsOptions options;
  options.resume = c.socket().tls()->session();
  ASSERT_TRUE(options.resume);
  auto socket = Socket::connect(daemon->port("two"));
  socket.start_tls(options);
  EXPECT_FALSE(socket.tls()->resumed());
}

// --- certificates of clients

class TlsClients : public Tls {
 protected:
  TlsClients() { write_file(dir.file("ca"), ca.cert_pem); }
  std::string asking(const std::string& more) { return write("own", own) + ", client_ca: " + dir.file("ca") + more; }
  TlsOptions as(const Identity& who) {
    TlsOptions options;
    options.identity = &who;
    return options;
  }
  const Identity ca = make_identity({.common_name = "ca", .is_ca = true});
  const Identity alice = make_identity({.common_name = "alice", .issuer = &ca});
  const Identity bob = make_identity({.common_name = "bob", .issuer = &ca});
  const Identity stranger = make_identity({.common_name = "stranger"});
};

TEST_F(TlsClients, AreRefusedWithoutAValidCertificate) {
  origin.on("/a", Reply::fresh("a"));
  start_tls(asking(""));
  EXPECT_NE(refusal({}), "");
  EXPECT_NE(refusal(as(stranger)), "");
  EXPECT_TRUE(handshakes("client_certificate", 2));
  EXPECT_EQ(get("/a", {}, as(alice)).status, 200);
  auto line = access_line("/a");
  EXPECT_EQ(line["tls.client.subject"], "CN=alice,O=Forebay tests");
  EXPECT_EQ(line["tls.client.verify"], "ok");
  EXPECT_THAT(line["tls.client.fingerprint"], SizeIs(64));
  EXPECT_FALSE(origin.last("/a").has("Client-Cert")) << "nobody has asked for it";
}

TEST_F(TlsClients, OnRequestNobodyIsRefusedAndTheLogTells) {
  origin.otherwise([](const Received&) { return Reply::with("no-store"); });
  start_tls(asking(", client_auth: request, client_cert_header: true"));
  EXPECT_EQ(get("/none").status, 200);
  EXPECT_EQ(access_line("/none")["tls.client.verify"], "none");
  EXPECT_EQ(get("/stranger", {}, as(stranger)).status, 200);
  EXPECT_NE(access_line("/stranger")["tls.client.verify"], "ok");
  EXPECT_FALSE(origin.last("/stranger").has("Client-Cert"));
  EXPECT_EQ(get("/alice", {}, as(alice)).status, 200);
  EXPECT_EQ(access_line("/alice")["tls.client.verify"], "ok");
  EXPECT_TRUE(origin.last("/alice").has("Client-Cert"));
}

TEST_F(TlsClients, CertificatesGoToTheOriginAsRfc9440HasIt) {
  origin.otherwise([](const Received&) { return Reply::with("no-store"); });
  start_tls(asking(", client_cert_header: true"));
  get("/alice", {{"Client-Cert", ":forged:"}, {"Client_Cert", ":forged:"}, {"client-cert-chain", ":forged:"}},
      as(alice));
  const auto seen = origin.last("/alice");
  EXPECT_EQ(seen.fields.count("Client-Cert"), 1u);
  EXPECT_THAT(seen.get("Client-Cert"), MatchesRegex(":[A-Za-z0-9+/]+=*:"));
  EXPECT_FALSE(seen.has("Client_Cert"));
  EXPECT_FALSE(seen.has("Client-Cert-Chain")) << "alice's certificate was sent alone";
  get("/bob", {}, as(bob));
  EXPECT_NE(origin.last("/bob").get("Client-Cert"), seen.get("Client-Cert"));
}

TEST_F(TlsClients, FieldsOfThatNameAreRemovedOnEveryListener) {
  origin.otherwise([](const Received&) { return Reply::with("no-store"); });
  start("listen: 127.0.0.1:0\nroutes: [{path: /**}]\n");
  Client c(Socket::connect(daemon->port()));
  c.ask("GET", "/a", {{"Client-Cert", ":forged:"}, {"CLIENT_CERT", ":forged:"}, {"Client-Cert-Chain", ":x:"}});
  const auto head = origin.last("/a").head;
  EXPECT_THAT(head, Not(HasSubstr("forged")));
  EXPECT_THAT(head, Not(HasSubstr("Chain")));
  c.send(
      "POST /b HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\nTrailer: Client-Cert\r\n\r\n"
      "1\r\nx\r\n0\r\nClient-Cert: :forged:\r\nX-Other: kept\r\n\r\n");
  c.read();
  EXPECT_FALSE(origin.last("/b").trailers.has("Client-Cert"));
}

TEST_F(TlsClients, ACertificateIsACredential) {
  origin.on("/configured", [](const Received& r) { return Reply().body(r.get("Client-Cert")); });
  origin.on("/keyed", [](const Received& r) { return Reply().body(r.get("Client-Cert")); });
  origin.on("/vary", [](const Received& r) { return Reply::fresh(r.get("Client-Cert")).field("Vary", "Client-Cert"); });
  start_tls(asking(", client_auth: request, client_cert_header: true"),
            "routes:\n  - {path: /configured, ttl: 60s}\n  - {path: /keyed, ttl: 60s, key: {headers: [Client-Cert]}}\n"
            "  - {path: /vary}\n");
  const auto of = [&](const std::string& path, const TlsOptions& options, const FieldLines& fields = {}) {
    get(path, fields, options);
    return get(path, fields, options);
  };
  const auto first = of("/configured", as(alice));
  EXPECT_NE(first.x_cache(), "HIT") << "a lifetime of ours does not share what may be alice's";
  EXPECT_NE(of("/configured", as(bob)).body, first.body);
  for (const std::string path : {"/keyed", "/vary"}) {
    const auto hers = of(path, as(alice));
    EXPECT_EQ(hers.x_cache(), "HIT") << path;
    const auto his = of(path, as(bob));
    EXPECT_EQ(his.x_cache(), "HIT") << path;
    EXPECT_NE(hers.body, his.body) << path;
    EXPECT_EQ(of(path, {}, {{"Client-Cert", hers.body}}).body, "") << path << ": a forged field is nobody's";
  }
}

// --- what goes wrong

TEST_F(Tls, HttpWithoutTlsIsToldSo) {
  start_tls(write("own", own));
  Client c(Socket::connect(daemon->port()));
  c.request("GET", "/a");
  const auto a = c.read();
  EXPECT_TRUE(is_problem(a, 400)) << a;
  EXPECT_THAT(a.body, HasSubstr("urn:forebay:error:plain_http"));
  EXPECT_THAT(a.body, HasSubstr("This port speaks TLS"));
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(handshakes("plain_http", 1));
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "bad_request"}}, 1));
  // An upload is read, so that its client sees the answer.
  Client u(Socket::connect(daemon->port()));
  u.request("POST", "/a", {}, std::string(300000, 'x'));
  EXPECT_EQ(u.read().status, 400);
}

TEST_F(Tls, AHandshakeHasADeadline) {
  start_tls(write("own", own), "server: {timeouts: {header: 200ms}}\nroutes: [{path: /**}]\n");
  Client silent(Socket::connect(daemon->port()));
  EXPECT_TRUE(silent.closed());
  Client slow(Socket::connect(daemon->port()));
  slow.send(std::string("\x16\x03\x01\x02", 4));
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(handshakes("timeout", 2));
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"listener", "web"}, {"reason", "timeout"}}, 2));
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {{"listener", "web"}}, 2));
}

TEST_F(Tls, AnIdleConnectionEndsByCloseNotify) {
  start_tls(write("own", own), "server: {timeouts: {idle: 100ms}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.ask("GET", "/a");
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(c.socket().tls()->ended());
}

TEST_F(Tls, BytesOfARecordDoNotKeepAnIdleConnection) {
  start_tls(write("own", own), "server: {timeouts: {idle: 100ms, header: 100ms}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.ask("GET", "/a");
  std::atomic<bool> stop{false};
  const int fd = c.socket().fd();
  std::jthread drip([&] {
    // The head of a record of 16 KiB, and then a byte now and then.
    ::send(fd, "\x17\x03\x03\x40\x00", 5, MSG_NOSIGNAL);
    while (!stop) {
      ::send(fd, "x", 1, MSG_NOSIGNAL);
      std::this_thread::sleep_for(milliseconds{5});
    }
  });
  EXPECT_TRUE(eventually([&] { return metric("forebay_connections", {{"listener", "web"}}) == 0; }));
  stop = true;
}

TEST_F(Tls, TheEndOfAnAnswerIsTold) {
  origin.on("/a", Reply::fresh("whole"));
  start_tls(write("own", own));
  auto c = connect();
  EXPECT_EQ(c.ask("GET", "/a", {{"Connection", "close"}}).body, "whole");
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(c.socket().tls()->ended()) << "close_notify";
  auto old = connect();
  old.send("GET /a HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  EXPECT_EQ(old.read().body, "whole");
  EXPECT_TRUE(old.closed());
  EXPECT_TRUE(old.socket().tls()->ended());
}

TEST_F(Tls, AnAnswerThatIsCutDoesNotLookWhole) {
  origin.on("/cut", Reply::with("no-store", pattern(100000)).until_close().cut(5000, End::Rst));
  start_tls(write("own", own));
  auto c = connect();
  c.send("GET /cut HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  const auto a = c.read();
  EXPECT_NE(a.end, Ending::Complete);
  EXPECT_FALSE(c.socket().tls()->ended());
}

TEST_F(Tls, ContentThatIsCutNeverReachesTheOriginWhole) {
  origin.on("/up", Reply(200).body("done"));
  start_tls(write("own", own));
  for (const bool notify : {true, false}) {
    auto c = connect();
    c.send("POST /up HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000\r\n\r\n" + std::string(500, 'x'));
    if (notify)
      c.socket().finish_sending();
    else
      ::shutdown(c.socket().fd(), SHUT_WR);
    const auto a = c.read();
    EXPECT_EQ(a.status, 400) << notify;
  }
  for (const auto& r : origin.requests("/up")) EXPECT_FALSE(r.complete);
}

TEST_F(Tls, TooManyConnectionsAreToldSo) {
  start_tls(write("own", own), "server: {max_connections: 1}\nroutes: [{path: /**}]\n");
  auto first = connect();
  first.ask("GET", "/");
  auto second = connect();
  const auto a = second.read();
  EXPECT_EQ(a.status, 503);
  EXPECT_TRUE(second.closed());
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"listener", "web"}, {"reason", "limit"}}, 1));
}

TEST_F(Tls, FailedHandshakesAreLoggedSeldomAndNeverAsErrors) {
  start_tls(write("own", own));
  TlsOptions options;
  options.alpn = "\x04smtp";
  for (int i = 0; i < 50; ++i) refusal(options);
  EXPECT_TRUE(handshakes("alpn", 50));
  EXPECT_EQ(metric("forebay_log_messages_total", {{"level", "error"}}), 0);
  const auto log = daemon->log();
  std::size_t lines = 0;
  for (auto at = log.find("TLS handshake"); at != std::string::npos; at = log.find("TLS handshake", at + 1)) ++lines;
  EXPECT_GE(lines, 1u);
  EXPECT_LE(lines, 25u) << "a line in ten seconds on each worker";
  EXPECT_THAT(log, HasSubstr("TLS handshake on listener web failed (alpn): no application protocol; client 127.0.0.1"));
}

TEST_F(Tls, ADrainEndsIdleConnectionsAndThoseThatShakeHands) {
  start_tls(write("own", own));
  auto idle = connect();
  idle.ask("GET", "/");
  Client silent(Socket::connect(daemon->port()));
  EXPECT_TRUE(metric_reaches("forebay_connections", {{"listener", "web"}}, 2));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit(), 0);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(idle.socket().tls()->ended());
}

// --- check

TEST_F(Tls, CheckReportsFilesWithTheirPlaces) {
  const auto file = dir.file("forebay.yaml");
  const auto expired = make_identity({.names = {"shop.test"}, .until = kLongAgo + 1});
  write("expired", expired);
  write("other", make_identity({}));
  write_file(
      file, "origin: http://localhost:3000\nlisten:\n  - address: \":8443\"\n    tls:\n      certs:\n        - cert: " +
                dir.file("expired.crt") + "\n          key: " + dir.file("expired.key") +
                "\n        - cert: " + dir.file("expired.crt") + "\n          key: " + dir.file("other.key") + "\n");
  const auto bad = run_forebay({"check", "-c", file});
  EXPECT_EQ(bad.exit, 3) << bad.out;
  EXPECT_THAT(bad.out, HasSubstr("forebay.yaml:6:17: warning FB2051: "));
  EXPECT_THAT(bad.out, HasSubstr("forebay.yaml:9:16: error FB1022: the key in"));
  write_file(file, "origin: http://localhost:3000\nlisten: [{address: \":8443\", tls: {cert: " +
                       dir.file("expired.crt") + ", key: " + dir.file("expired.key") + "}}]\n");
  const auto good = run_forebay({"check", "-c", file});
  EXPECT_EQ(good.exit, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr("has expired"));
  EXPECT_EQ(run_forebay({"check", "--strict", "-c", file}).exit, 3);
}

TEST_F(Tls, AStartWithAKeyThatDoesNotFitIsRefusedAndWithAnExpiredCertificateNot) {
  write("own", own);
  write_file(dir.file("own.key"), make_identity({}).key_pem);
  const auto file = dir.file("forebay.yaml");
  write_file(file, "origin: http://localhost:3000\nlisten: [{address: \"127.0.0.1:0\", tls: {cert: " +
                       dir.file("own.crt") + ", key: " + dir.file("own.key") + "}}]\n");
  const auto refused = run_forebay({"run", "-c", file});
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.err, HasSubstr("FB1022"));
  start_tls(write("old", make_identity({.names = {"shop.test"}, .common_name = "old", .until = kLongAgo + 1})));
  EXPECT_EQ(server_for("shop.test"), "old");
  EXPECT_THAT(daemon->log(), HasSubstr("FB2051"));
}

}  // namespace
}  // namespace forebay::test
