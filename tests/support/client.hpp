#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/wire.hpp"

namespace forebay::test {

/// What a client got for one request.
struct Answer {
  int status = 0;       ///< 0: no head came.
  std::string version;  ///< "HTTP/1.1"
  FieldLines fields;
  std::string head;  ///< Bytes of the head.
  std::string body;
  FieldLines trailers;
  enum class Framing { None, Length, Chunked, UntilClose } framing = Framing::None;
  Ending end = Ending::Timeout;
  std::string complaint;  ///< Why it is malformed.
  std::vector<Answer> interim;

  bool complete() const { return end == Ending::Complete; }
  std::string get(std::string_view name) const { return fields.get(name); }
  bool has(std::string_view name) const { return fields.has(name); }
  std::string x_cache() const { return get("X-Cache"); }
  std::string cache_status() const { return get("Cache-Status"); }
  /// Age as a number; -1 without one.
  long age() const;
  /// Parameter of the last member of Cache-Status: its value, "" for a bare one, "-" when absent.
  std::string cache_param(std::string_view name) const;
  /// The key that `diagnostics: {cache_status: key}` shows, its quoting undone; "-" when there is none. Over TLS its
  /// scheme is shown as http, so that tests of keys need not tell.
  std::string key() const;
  /// `ttl` of Cache-Status; 0 when there is none.
  long ttl() const;
};
/// For messages of failing tests.
std::ostream& operator<<(std::ostream& out, const Answer& a);

/// A client of raw bytes. Reads answers with a strict parser of its own.
class Client {
 public:
  explicit Client(std::uint16_t port) : Client(Socket::connect(port)) {}
  explicit Client(Socket socket) : socket_(std::make_unique<Socket>(std::move(socket))), wire_(*socket_) {}
  /// What keeps the other end going lives as long as the client.
  Client(Socket socket, std::shared_ptr<void> other_end) : Client(std::move(socket)) {
    other_end_ = std::move(other_end);
  }
  Client(Client&&) = default;

  /// False when the peer has gone.
  bool send(std::string_view bytes) { return socket_->send(bytes); }
  /// Writes a whole request; Host and Content-Length are added when missing (a body with "Transfer-Encoding" is sent as
  /// given).
  bool request(std::string_view method, std::string_view target, const FieldLines& fields = {},
               std::string_view body = {});
  /// The next final answer, with the interim ones before it. `method` decides whether there is content.
  Answer read(std::string_view method = "GET", Clock::duration limit = kPatience);
  /// The next message, interim ones included.
  Answer read_message(std::string_view method = "GET", Clock::duration limit = kPatience);
  Answer read_head(Clock::duration limit = kPatience);
  /// The content that belongs to a head that read_head gave.
  void read_content(Answer& a, std::string_view method = "GET", Clock::duration limit = kPatience);
  /// At least `n` bytes of content after read_head (raw, framing not undone); fewer when the connection ended.
  std::string read_raw(std::size_t n, Clock::duration limit = kPatience);

  Answer ask(std::string_view method, std::string_view target, const FieldLines& fields = {},
             std::string_view body = {}) {
    request(method, target, fields, body);
    return read(method);
  }
  Answer get(std::string_view target, const FieldLines& fields = {}) { return ask("GET", target, fields); }

  /// Whether the peer ends the connection within the limit without sending more.
  bool closed(Clock::duration limit = kPatience);
  /// Whether nothing at all comes and the connection stays open for so long.
  bool quiet(Clock::duration during);
  /// Bytes that came and belong to no answer.
  const std::string& pending() const { return wire_.pending(); }
  const std::string& received() const { return wire_.received(); }
  Socket& socket() { return *socket_; }

 private:
  std::shared_ptr<void> other_end_;
  std::unique_ptr<Socket> socket_;  // the wire points to it, over moves
  Wire wire_;
};

}  // namespace forebay::test
