#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/forebay_test.hpp"
#include "support/h2_transport.hpp"
#include "support/tls_layer.hpp"

namespace forebay::test {

/// A successor by hand: connects, and says what the test says.
class Successor {
 public:
  explicit Successor(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::connect(socket_.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  void say(const std::string& text) {
    EXPECT_EQ(::send(socket_.fd(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Without the descriptors. Empty at the end.
  std::string hear() {
    pollfd one{socket_.fd(), POLLIN, 0};
    const auto limit = static_cast<int>(std::chrono::duration_cast<milliseconds>(kPatience).count());
    EXPECT_EQ(::poll(&one, 1, limit), 1) << "nothing comes";
    char room[8192];
    const auto n = ::recv(socket_.fd(), room, sizeof room, MSG_DONTWAIT);
    return n > 0 ? std::string(room, static_cast<std::size_t>(n)) : std::string();
  }
  /// As far as having all sockets.
  void greet() {
    say("forebay-handover 1 hello\nprogram=test\n");
    for (std::string heard = "-"; !heard.empty();) {
      heard = hear();
      if (heard.starts_with("forebay-handover 1 end\n")) return;
    }
    ADD_FAILURE() << "no sockets";
  }

 private:
  Socket socket_;
};

/// Clients that ask all the time.
class Load {
 public:
  using Connect = std::function<Client()>;
  ~Load() { stop(); }
  /// `http2`: a stream that is begun after the connection's GOAWAY is not handled (RFC 9113 section 6.8), and is asked
  /// for again.
  void add(const char* name, Connect connect, bool keeps, bool http2 = false) {
    const auto kept = std::make_shared<std::unique_ptr<Client>>();
    repeat(name, [connect = std::move(connect), keeps, http2, kept](const std::string& path) {
      auto& client = *kept;
      const bool used = client != nullptr;
      if (!used) client = std::make_unique<Client>(connect());
      auto a = client->get(path);
      if (http2 && used && a.status == 0) {
        client = std::make_unique<Client>(connect());
        a = client->get(path);
      }
      if (!keeps || a.status == 0 || a.get("Connection") == "close") client.reset();
      return a.status == 200 && a.body == path;
    });
  }
  /// `once` asks for a path, and says whether that was answered; it throws where nobody listens.
  void repeat(const char* name, std::function<bool(const std::string& path)> once) {
    auto& c = *clients_.emplace_back(std::make_unique<Kind>());
    c.name = name;
    c.thread = std::thread([this, &c, once = std::move(once)] {
      for (int i = 0; !stop_; ++i) {
        try {
          if (!once('/' + std::to_string(i % 40))) ++c.failed;
        } catch (const std::exception&) {
          ++c.refused;
        }
        ++c.done;
      }
    });
  }
  /// Each has asked some more.
  bool goes_on(int more = 20) const {
    std::vector<int> before;
    for (const auto& c : clients_) before.push_back(c->done);
    const auto until = Clock::now() + kPatience;
    for (std::size_t i = 0; i < clients_.size(); ++i)
      while (clients_[i]->done < before[i] + more) {
        if (Clock::now() > until) return false;
        std::this_thread::sleep_for(milliseconds{2});
      }
    return true;
  }
  void stop() {
    stop_ = true;
    for (auto& c : clients_)
      if (c->thread.joinable()) c->thread.join();
  }
  void expect_all_answered() const {
    for (const auto& c : clients_) {
      EXPECT_EQ(c->failed, 0) << c->name << ", of " << c->done;
      EXPECT_EQ(c->refused, 0) << c->name << ", of " << c->done;
    }
  }

 private:
  struct Kind {
    const char* name = "";
    std::atomic<int> done{0}, failed{0}, refused{0};
    std::thread thread;
  };
  std::vector<std::unique_ptr<Kind>> clients_;
  std::atomic<bool> stop_{false};
};

/// Old and new processes at the same addresses.
class Handover : public ForebayTest {
 protected:
  Handover() {
    const auto& who = own_identity();
    write_file(dir_.file("crt"), who.cert_pem);
    write_secret(dir_.file("key"), who.key_pem);
    origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  }
  void SetUp() override {
    if (over_tls()) GTEST_SKIP() << "its listeners are its own, with TLS and without";
  }
  static std::uint16_t free_port() {
    std::uint16_t port = 0;
    const auto taken = Socket::listen(port);
    return port;
  }
  std::string control() const { return dir_.file("control"); }
  std::string file() const { return dir_.file("web"); }
  static std::string quoted(std::uint16_t port) { return "'127.0.0.1:" + std::to_string(port) + "'"; }
  /// Plain, TLS and Unix listeners at fixed places.
  std::string config(int threads = 2, const std::string& more = {}) const {
    return settings(threads) + "listen: [{address: " + quoted(plain_) + ", name: plain}, {address: " + quoted(tls_) +
           ", name: tls, tls: {cert: " + dir_.file("crt") + ", key: " + dir_.file("key") +
           "}}, {address: 'unix:" + file() + "', name: file}" + more + "]\n" + kRest;
  }
  std::string settings(int threads = 2) const {
    return "server: {threads: " + std::to_string(threads) + ", handover: " + control() +
           "}\nadmin: {listen: " + quoted(admin_) + "}\nshutdown: {drain: 10m}\n";
  }
  std::unique_ptr<Daemon> another(const std::string& yaml) const { return std::make_unique<Daemon>(with_origin(yaml)); }
  std::string why_not(const std::string& yaml) const {
    try {
      another(yaml);
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "it starts";
  }
  /// The next process serves in place of `daemon`, which ends.
  void replace(const std::string& yaml) {
    auto next = another(yaml);
    EXPECT_EQ(daemon->wait_exit().value_or(-1), 0) << daemon->log();
    EXPECT_THAT(daemon->log(), HasSubstr("replaced by process " + std::to_string(next->pid())));
    EXPECT_THAT(next->log(), HasSubstr("process " + std::to_string(daemon->pid()) + " (version "));
    daemon = std::move(next);
  }
  Client to_plain() const { return Client(Socket::connect(plain_)); }
  Socket over_tls_to(const std::string& alpn = {}) const {
    auto s = Socket::connect(tls_);
    TlsOptions options;
    options.alpn = alpn;
    s.start_tls(options);
    return s;
  }
  static Client by_http2(Socket socket) {
    auto [end, transport] = H2Transport::open(std::move(socket));
    return Client(std::move(end), std::move(transport));
  }
  static bool refuses(const std::function<Socket()>& connect) {
    try {
      connect();
    } catch (const std::system_error&) {
      return true;
    }
    return false;
  }
  int ready() const { return Client(Socket::connect(admin_)).get("/readyz", {{"Host", "127.0.0.1"}}).status; }

  static constexpr const char* kRest = "routes: [{path: /**}]\n";
  TempDir dir_;
  const std::uint16_t plain_ = free_port(), tls_ = free_port(), admin_ = free_port();
};

}  // namespace forebay::test
