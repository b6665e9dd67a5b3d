#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "support/certificates.hpp"
#include "support/socket.hpp"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace forebay::test {

using TlsSession = std::shared_ptr<ssl_session_st>;

/// What a client offers.
struct TlsOptions {
  std::string server_name = "shop.test";
  std::string alpn{};  ///< Names behind their lengths; empty: none.
  int min_version = 0, max_version = 0;
  const Identity* identity = nullptr;  ///< Its own certificate.
  const Identity* trusts = nullptr;    ///< Checks the server's certificate against this one; null: takes any.
  TlsSession resume{};
};

/// The client's side of TLS on a socket. Not for several threads at once.
class TlsLayer {
 public:
  ~TlsLayer();
  static std::unique_ptr<TlsLayer> connect(int fd, const TlsOptions& options);

  Socket::Got receive(std::string& into, Clock::duration limit, std::size_t max);
  bool send(std::string_view bytes, Clock::duration limit);
  void say_end();  ///< close_notify.

  bool resumed() const;
  std::string version() const, cipher() const, protocol() const;
  /// The common name of the server's certificate.
  std::string server() const;
  /// The last session that the server has given.
  TlsSession session() const { return session_; }
  /// Whether the server has said that its last byte was the last.
  bool ended() const { return ended_; }

 private:
  TlsLayer() = default;
  bool wait(int result, Clock::time_point until) const;

  int fd_ = -1;
  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<ssl_st> ssl_;
  TlsSession session_;
  bool ended_ = false;
};

/// Whether connections to this port are TLS.
bool is_tls(std::uint16_t port);

}  // namespace forebay::test
