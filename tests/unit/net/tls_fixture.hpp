#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forebay/net/tls_server.hpp"
#include "support/certificates.hpp"

namespace forebay::net::test {

using forebay::test::CertificateOf;
using forebay::test::Identity;
using forebay::test::KeyKind;
using forebay::test::make_identity;

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "forebay-tls-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const auto path = path_ + '/' + name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string path(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

/// A client by OpenSSL, whose records go through memory to the stream's other end.
class TlsClient {
 public:
  TlsClient() : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* of, SSL_SESSION* made) {
      auto* self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)));
      self->session.reset(made, SSL_SESSION_free);
      return 1;
    });
  }
  SSL_CTX* context() { return context_.get(); }
  void versions(int from, int to) {
    SSL_CTX_set_min_proto_version(context(), from);
    SSL_CTX_set_max_proto_version(context(), to);
  }
  void identity(const Identity& who) {
    SSL_CTX_use_certificate(context(), who.certificate.get());
    SSL_CTX_use_PrivateKey(context(), who.key.get());
  }

  /// A connection by this end of a pair of sockets; takes the descriptor.
  void connect(int fd, const std::string& name = "", const std::string& alpn = "") {
    if (ssl)
      SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // else its session is not used again
    ssl.reset(SSL_new(context()), SSL_free);
    BIO* const socket = BIO_new_socket(fd, BIO_CLOSE);
    SSL_set_bio(ssl.get(), socket, socket);
    SSL_set_connect_state(ssl.get());
    if (!name.empty()) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
    if (!alpn.empty())
      SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
    if (resume) SSL_set_session(ssl.get(), resume.get());
  }
  /// A step of the handshake; whether it is over, well or not.
  bool step() {
    const int n = SSL_do_handshake(ssl.get());
    if (n == 1) return true;
    const int why = SSL_get_error(ssl.get(), n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
    error = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    return true;
  }
  /// What has come, deciphered.
  std::string take() {
    std::string all;
    char piece[20000];
    for (;;) {
      const int n = SSL_read(ssl.get(), piece, sizeof piece);
      if (n > 0) {
        all.append(piece, static_cast<std::size_t>(n));
        continue;
      }
      last = SSL_get_error(ssl.get(), n);
      ERR_clear_error();
      return all;
    }
  }
  bool send(std::string_view text) {
    const int n = SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
    ERR_clear_error();
    return n == static_cast<int>(text.size());
  }
  std::string issuer_or_name() const {  // of the server's certificate: its common name
    const std::unique_ptr<X509, decltype(&X509_free)> cert(SSL_get1_peer_certificate(ssl.get()), X509_free);
    if (!cert) return {};
    char text[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert.get()), NID_commonName, text, sizeof text);
    return text;
  }

  std::shared_ptr<SSL> ssl;
  std::shared_ptr<SSL_SESSION> session;  // the last that the server has given
  std::shared_ptr<SSL_SESSION> resume;   // for the next connection
  int error = 0;                         // of a handshake that failed
  int last = 0;                          // why `take` has ended

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

/// A server's stream and a client over a pair of sockets.
class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::signal(SIGPIPE, SIG_IGN);  // the client's OpenSSL writes without MSG_NOSIGNAL
    files = {folder.write("cert", identity.cert_pem), folder.write("key", identity.key_pem), ""};
    settings.certificates = {files};
  }

  std::shared_ptr<const TlsServer> make() {
    findings.clear();
    return TlsServer::make(settings, {listener, http2, tickets, &clock}, findings);
  }
  /// Writes the files of a certificate.
  config::ListenerTls::Certificate write(const std::string& name, const Identity& of) {
    return {folder.write(name + ".crt", of.cert_pem), folder.write(name + ".key", of.key_pem), ""};
  }
  std::vector<int> codes() const {
    std::vector<int> all;
    for (const auto& f : findings) all.push_back(f.code);
    return all;
  }

  /// Connects the client to a server; the handshake has not begun.
  void connect(const std::shared_ptr<const TlsServer>& server, const std::string& name = "",
               const std::string& alpn = "") {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    wire = ends[1];
    stream.emplace(io);
    ASSERT_TRUE(stream->adopt(ParkedStream(ends[0])));
    auto made = server->session();
    session = made.get();
    stream->secure(std::move(made));
    shaken.reset();
    stream->handshake([this](Io state) { shaken = state; });
    client.error = 0;
    client.connect(ends[1], name, alpn);
  }
  void poll() {
    io.restart();
    io.poll();
  }
  /// Shakes hands; whether the server says that it is done.
  bool shake() {
    bool over = false;
    for (int i = 0; i < 100 && !(over && shaken); ++i) {
      over = over || client.step();
      poll();
    }
    if (!client.error) client.take();  // tickets
    return shaken == Io::Done;
  }
  bool handshake(const std::shared_ptr<const TlsServer>& server, const std::string& name = "",
                 const std::string& alpn = "") {
    connect(server, name, alpn);
    return shake();
  }
  /// One read of the server.
  std::string read() {
    result.reset();
    stream->read(room, [this](const IoResult& r) { result = r; });
    poll();
    return {room, result ? result->bytes : 0};
  }
  TlsHandshake outcome() const { return session->result(); }

  ManualClock clock;
  Folder folder;
  const Identity identity = make_identity({.names = {"shop.test"}, .common_name = "first"});
  config::ListenerTls::Certificate files;
  config::ListenerTls settings;
  std::string listener = "main";
  bool http2 = false;
  std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>(clock);
  std::vector<TlsFinding> findings;

  boost::asio::io_context io{1};
  std::optional<Stream> stream;
  TlsServerSession* session = nullptr;  // the stream's
  TlsClient client;
  int wire = -1;  // the client's descriptor
  std::optional<Io> shaken;
  std::optional<IoResult> result;
  char room[32768];
};

}  // namespace forebay::net::test
