#include "forebay/net/stream.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/socket_base.hpp>
#include <cerrno>

#include "forebay/base/guarded.hpp"

namespace forebay::net {

namespace {

IoResult result_of(ssize_t sent, std::size_t asked) noexcept {
  if (sent < 0) {
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return {Io::Blocked};
    return {Io::Failed, 0, Direction::Write, error};
  }
  const auto bytes = static_cast<std::size_t>(sent);
  // A short write means that the socket is full: asking again would only cost a call.
  return {bytes < asked ? Io::Blocked : Io::Done, bytes};
}

int domain_of(int socket) noexcept {
  int domain = AF_UNSPEC;
  socklen_t size = sizeof domain;
  (void)::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain;
}

}  // namespace

ParkedStream::ParkedStream(int descriptor, std::unique_ptr<TlsSession> tls) noexcept
    : descriptor_(descriptor), tls_(std::move(tls)) {}

ParkedStream::ParkedStream(ParkedStream&& o) noexcept
    : descriptor_(std::exchange(o.descriptor_, -1)), tls_(std::move(o.tls_)) {}

ParkedStream& ParkedStream::operator=(ParkedStream&& o) noexcept {
  std::swap(descriptor_, o.descriptor_);
  std::swap(tls_, o.tls_);
  return *this;
}

ParkedStream::~ParkedStream() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

IoResult PlainStream::read_some(std::span<char> room) noexcept {
  ssize_t got = 0;
  do {
    got = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) return {Io::Done, static_cast<std::size_t>(got)};
  if (got == 0) return {Io::End};
  return {errno == EAGAIN || errno == EWOULDBLOCK ? Io::Blocked : Io::Failed, 0, Direction::Read};
}

// The system calls themselves: Asio's synchronous writes do the same after some detours.
IoResult PlainStream::write_some(std::string_view bytes) noexcept {
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return result_of(sent, bytes.size());
}

IoResult PlainStream::write_some(std::span<const std::string_view> parts) noexcept {
  std::array<iovec, 64> vectors;
  const std::size_t count = std::min(parts.size(), vectors.size());
  std::size_t asked = 0;
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    asked += parts[i].size();
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return result_of(sent, asked);
}

Peek PlainStream::peek() noexcept {
  char byte = 0;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return Peek::Bytes;
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Peek::Nothing : Peek::End;
}

void PlainStream::shutdown_send() noexcept {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

Io PlainStream::failure_of(const boost::system::error_code& error) noexcept {
  if (error == boost::asio::error::eof) return Io::End;
  return error == boost::asio::error::operation_aborted ? Io::Cancelled : Io::Failed;
}

bool Stream::adopt(ParkedStream parked) noexcept {
  boost::system::error_code error;
  const int domain = domain_of(parked.descriptor_);
  guarded(
      [&] {
        plain_.socket_.assign({domain, domain == AF_UNIX ? 0 : IPPROTO_TCP}, parked.descriptor_, error);
      },
      [&] { error = boost::asio::error::no_memory; });
  if (error) return false;
  parked.descriptor_ = -1;
  tls_ = std::move(parked.tls_);
  return true;
}

void Stream::no_delay() noexcept {
  // A Unix socket refuses it.
  const int on = 1;
  (void)::setsockopt(native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void Stream::keep_alive() noexcept {
  // Less than the 350 s after which some load balancers forget a silent connection.
  constexpr int kIdle = 300, kInterval = 30, kProbes = 4;
  const auto set = [this](int level, int option, int value) {
    (void)::setsockopt(native_handle(), level, option, &value, sizeof value);
  };
  if (domain_of(native_handle()) == AF_UNIX) return;
  set(IPPROTO_TCP, TCP_KEEPIDLE, kIdle);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kInterval);
  set(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

int Stream::take_error() noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

std::size_t Stream::unsent() noexcept {
  int bytes = 0;
  return ::ioctl(native_handle(), SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Stream::cancel() noexcept {
  cancelled_ = true;
  boost::system::error_code ignored;
  plain_.socket_.cancel(ignored);
}

void Stream::close() noexcept {
  if (tls_ && is_open()) tls_->say_end(plain_);
  boost::system::error_code ignored;
  plain_.socket_.close(ignored);
}

void Stream::reset() noexcept {
  boost::system::error_code ignored;
  plain_.socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  plain_.socket_.close(ignored);
}

ParkedStream Stream::park() noexcept {
  boost::system::error_code error;
  const int descriptor = plain_.socket_.release(error);
  if (!error) return ParkedStream(descriptor, std::move(tls_));
  close();
  return {};
}

}  // namespace forebay::net
