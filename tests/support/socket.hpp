#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace forebay::test {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// How long a test waits for what must happen before it calls it missing. Nobody waits so long but a test that fails,
/// so it is far more than a slow and busy machine needs.
inline constexpr seconds kPatience{120};

class TlsLayer;
struct TlsOptions;

/// Whether the tests speak TLS with the listeners that the fixture makes (FOREBAY_TEST_TRANSPORT=tls).
bool over_tls();
/// From now on connections to this port are TLS; or plain again.
void speak_tls(std::uint16_t port, bool tls);

/// A blocking socket whose every wait has a limit. Loopback and Unix sockets only.
class Socket {
 public:
  Socket();
  explicit Socket(int fd);
  Socket(Socket&& o) noexcept;
  Socket& operator=(Socket&& o) noexcept;
  ~Socket();

  /// Throws std::system_error when nobody listens.
  static Socket connect(std::uint16_t port);
  /// The same from another address of 127.0.0.0/8 ("127.0.0.2"): another peer.
  static Socket connect_from(const std::string& address, std::uint16_t port);
  /// To another address of this machine: "127.0.0.2", "::1".
  static Socket connect_to(const std::string& address, std::uint16_t port);
  static Socket connect_unix(const std::string& path);
  /// Shakes hands as a client. Throws std::runtime_error with OpenSSL's words when that fails.
  void start_tls(const TlsOptions& options);
  /// Null without TLS.
  TlsLayer* tls() const noexcept { return tls_.get(); }
  /// Listens on a free port of 127.0.0.1.
  static Socket listen(std::uint16_t& port);

  enum class Got { Data, End, Reset, Timeout };
  /// Appends what has come, at most `max` bytes.
  Got receive(std::string& into, Clock::duration limit = kPatience, std::size_t max = 65536);
  /// False when the peer has gone or does not read for so long.
  bool send(std::string_view bytes, Clock::duration limit = kPatience);

  void finish_sending();  ///< FIN; still reads.
  void close();           ///< FIN.
  void reset();           ///< RST.
  void shut();            ///< Ends both directions and wakes whoever waits on this socket; keeps the descriptor.

  std::uint16_t local_port() const;
  void receive_buffer(int bytes);  ///< A small one makes a slow reader.
  int fd() const noexcept { return fd_; }
  bool open() const noexcept { return fd_ >= 0; }

 private:
  static Socket connect_plain(const std::string& address, std::uint16_t port);

  int fd_ = -1;
  std::unique_ptr<TlsLayer> tls_;
};

}  // namespace forebay::test
