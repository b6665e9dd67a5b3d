#include "http_client.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "forebay/http/forwarding.hpp"
#include "forebay/http/h1_parser.hpp"

namespace forebay::app {
namespace {

constexpr http::HeadLimits kHeadLimits{16 * 1024, 256 * 1024, 1000};
constexpr int kMostInterim = 16;
constexpr int kSocketKind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

struct Socket {
  int fd = -1;
  explicit Socket(int f) : fd(f) {}
  Socket(const Socket&) = delete;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};
using SocketPtr = std::unique_ptr<Socket>;

/// Nothing wrong, `Timeout` at the deadline, `Closed` when the socket has failed.
Result<void> wait_for(int fd, short what, SteadyClock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return Errc::Timeout;
    pollfd p{fd, what, 0};
    const int n = ::poll(&p, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return Errc::Closed;
  }
}

/// A connection, or why there is none.
struct Connected {
  SocketPtr socket;
  Errc error = Errc::Closed;
  std::string why;
};

std::string word_of(int error) { return std::generic_category().message(error); }

Connected connect_within(int family, const sockaddr* to, socklen_t length, const std::string& name,
                         SteadyClock::time_point deadline) {
  auto socket = std::make_unique<Socket>(::socket(family, kSocketKind, 0));
  if (socket->fd < 0) return {nullptr, Errc::Closed, name + ": " + word_of(errno)};
  if (::connect(socket->fd, to, length) == 0) return {std::move(socket), Errc::Closed, {}};
  if (errno != EINPROGRESS) return {nullptr, Errc::Closed, name + ": " + word_of(errno)};
  if (const auto ready = wait_for(socket->fd, POLLOUT, deadline); !ready)
    return {nullptr, ready.error(), name + ": no connection in time"};
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return {nullptr, Errc::Closed, name + ": " + word_of(error)};
  return {std::move(socket), Errc::Closed, {}};
}

Connected connect_unix(const std::string& path, SteadyClock::time_point deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {nullptr, Errc::Closed, path + ": " + word_of(ENAMETOOLONG)};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return connect_within(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, path, deadline);
}

/// `127.0.0.1:3000`, `[::1]:3000`
std::string address_text(const addrinfo& to, const std::string& port) {
  char host[NI_MAXHOST] = {};
  if (::getnameinfo(to.ai_addr, to.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return port;
  return (to.ai_family == AF_INET6 ? '[' + std::string(host) + ']' : std::string(host)) + ':' + port;
}

/// Tries each address that `host` resolves to.
Connected connect_host(const std::string& host, const std::string& port, SteadyClock::time_point deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    return {nullptr, Errc::Closed, host + ": " + ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  Connected all;
  for (const auto* a = found; a != nullptr; a = a->ai_next) {
    auto one = connect_within(a->ai_family, a->ai_addr, a->ai_addrlen, address_text(*a, port), deadline);
    if (one.socket) return one;
    all.error = one.error;
    all.why += (all.why.empty() ? "" : "; ") + one.why;
  }
  return all;
}

Connected connect_tcp(const Endpoint& endpoint, SteadyClock::time_point deadline) {
  if (!http::is_localhost(endpoint.host)) return connect_host(endpoint.host, endpoint.port, deadline);
  auto four = connect_host("127.0.0.1", endpoint.port, deadline);
  if (four.socket) return four;
  auto six = connect_host("::1", endpoint.port, deadline);
  if (!six.socket) six.why = four.why + "; " + six.why;
  return six;
}

bool send_all(int fd, std::string_view bytes, SteadyClock::time_point deadline) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd, POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// Appends what has come; `Closed` at the end of the connection.
Result<void> receive(int fd, std::string& into, SteadyClock::time_point deadline) {
  char buffer[16384];
  while (true) {
    if (const auto ready = wait_for(fd, POLLIN, deadline); !ready) return ready.error();
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return Errc::Closed;
    into.append(buffer, static_cast<std::size_t>(n));
    return {};
  }
}

/// Takes the head of the final response from the connection; interim ones (RFC 9110 section 15.2) are passed over.
Result<void> read_head(int fd, http::ResponseParser& parser, http::Method method, std::string& bytes,
                       SteadyClock::time_point deadline) {
  int interim = 0;
  parser.answer_to(method);
  while (true) {
    const auto parsed = parser.parse(bytes);
    if (parsed && (parser.view().status >= 200 || parser.view().status == 101)) return {};
    if (parsed) {
      if (++interim > kMostInterim) return Errc::TooMany;
      bytes.erase(0, parser.head_size());
      parser.reset();
      parser.answer_to(method);
      continue;
    }
    if (parsed.error() != Errc::Incomplete) return parsed.error();
    if (const auto more = receive(fd, bytes, deadline); !more) return more.error();
  }
}

std::string_view why_no_head(Errc e) {
  switch (e) {
    case Errc::Closed:
      return "the connection ended without an answer";
    case Errc::Timeout:
      return "no answer came in time";
    default:
      return "what answers is not HTTP";
  }
}

void read_body(int fd, const http::ResponseParser& parser, std::string& bytes, std::size_t most,
               SteadyClock::time_point deadline, HttpAnswer& answer) {
  http::BodyDecoder decoder;
  decoder.start(parser.framing(), parser.content_length(), kHeadLimits);
  while (!decoder.done()) {
    const auto step = decoder.step(bytes);
    if (!step) return;
    const bool moved = step->consumed > 0;
    const auto room = most - answer.body.size();
    answer.body.append(step->data.substr(0, room));
    if (step->data.size() > room) return;
    bytes.erase(0, step->consumed);
    if (moved || decoder.done()) continue;
    const auto more = receive(fd, bytes, deadline);
    if (more) continue;
    answer.whole = more.error() == Errc::Closed && decoder.finish_at_eof();
    return;
  }
  answer.whole = true;
}

}  // namespace

Asked ask(const Endpoint& endpoint, std::string_view method, std::string_view message, std::size_t most,
          SteadyClock::time_point deadline) {
  auto connected = endpoint.socket.empty() ? connect_tcp(endpoint, deadline) : connect_unix(endpoint.socket, deadline);
  if (!connected.socket) return {std::nullopt, connected.error, std::move(connected.why)};
  const int fd = connected.socket->fd;
  // A refusal may come, and the connection end, before all has been sent: what was answered counts.
  send_all(fd, message, deadline);
  std::string bytes;
  http::ResponseParser parser(kHeadLimits);
  const auto head = read_head(fd, parser, http::method_of(method), bytes, deadline);
  if (!head) return {std::nullopt, head.error(), std::string(why_no_head(head.error()))};
  HttpAnswer answer;
  answer.status = parser.view().status;
  answer.fields = http::Fields(parser.view().fields);
  bytes.erase(0, parser.head_size());
  read_body(fd, parser, bytes, most, deadline, answer);
  return {std::move(answer), {}, {}};
}

}  // namespace forebay::app
