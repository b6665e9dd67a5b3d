// The least that a TLS server can do: one thread with epoll, one recv and one send per request, a fixed answer of 1
// KiB, no check of what is asked but for HTTP/1.0, whose connections it closes. What a server takes beyond it is its
// own. Usage: forebay_floor CERT KEY, prints its port.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Connection {
  int socket;
  std::unique_ptr<SSL, Free> ssl;
  BIO* in;
  BIO* out;
  bool closing = false;

  explicit Connection(SSL_CTX* context, int s)
      : socket(s), ssl(SSL_new(context)), in(BIO_new(BIO_s_mem())), out(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_accept_state(ssl.get());
  }
  ~Connection() { ::close(socket); }

  // False: it is over.
  bool on_readable(std::string_view answer) {
    std::array<char, 16384> bytes;
    const auto n = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (n <= 0) return false;
    BIO_write(in, bytes.data(), static_cast<int>(n));
    while (true) {
      std::array<char, 16384> text;
      const int got = SSL_read(ssl.get(), text.data(), static_cast<int>(text.size()));
      if (got <= 0) {
        closing |= SSL_get_error(ssl.get(), got) != SSL_ERROR_WANT_READ;
        break;
      }
      const std::string_view request(text.data(), static_cast<std::size_t>(got));
      for (auto at = request.find("\r\n\r\n"); at != request.npos; at = request.find("\r\n\r\n", at + 4))
        SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
      if (request.find(" HTTP/1.0\r\n") != request.npos) {  // `openssl s_time` waits for the end
        SSL_shutdown(ssl.get());
        closing = true;
      }
    }
    ERR_clear_error();
    char* ready = nullptr;
    const auto size = BIO_get_mem_data(out, &ready);
    if (size > 0) {
      if (::send(socket, ready, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) return false;
      BIO_reset(out);
    }
    return !closing;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), argv[1]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), argv[2], SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    return 1;
  }
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener, 4096) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    fail("listen");
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);

  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1024\r\n\r\n" +
      std::string(1024, 'x');
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::unordered_map<int, std::unique_ptr<Connection>> connections;
  std::array<epoll_event, 64> ready;
  while (true) {
    const int n = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int socket = ready[static_cast<std::size_t>(i)].data.fd;
      if (socket != listener) {
        const auto found = connections.find(socket);
        if (!found->second->on_readable(answer)) connections.erase(found);
        continue;
      }
      const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) continue;
      const int on = 1;
      ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      event.data.fd = accepted;
      ::epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event);
      connections.emplace(accepted, std::make_unique<Connection>(context.get(), accepted));
    }
  }
}
