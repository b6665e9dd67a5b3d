#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "support/h2_frames.hpp"
#include "support/socket.hpp"
#include "support/tls_layer.hpp"

namespace forebay::test {

/// A client of HTTP/2 by prior knowledge that sends frames and waits for what comes back.
class H2Client {
 public:
  explicit H2Client(std::uint16_t port, const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {})
      : socket_(Socket::connect(port)), scheme_(is_tls(port) ? "https" : "http") {
    send(h2::kPreface + h2::settings(settings) + h2::settings_ack());
  }
  /// On a connection by TLS.
  explicit H2Client(Socket socket) : socket_(std::move(socket)), scheme_("https") {
    send(h2::kPreface + h2::settings({}) + h2::settings_ack());
  }
  /// False when the peer has gone.
  bool send(std::string_view bytes) { return socket_.send(bytes); }
  /// Sends a request without content; its stream.
  std::uint32_t get(std::string_view path, const h2::Lines& more = {}) { return request("GET", path, more, true); }
  std::uint32_t request(std::string_view method, std::string_view path, const h2::Lines& more, bool ends) {
    const std::uint32_t id = next_;
    next_ += 2;
    auto lines = h2::request(path, more, method);
    for (auto& [name, value] : lines)
      if (name == ":scheme") value = scheme_;
    send(h2::headers(id, lines, ends));
    return id;
  }
  /// Reads until the condition holds; false when the connection ends or the limit passes before.
  bool until(const std::function<bool()>& condition, Clock::duration limit = kPatience) {
    const auto end = Clock::now() + limit;
    while (!condition()) {
      if (Clock::now() >= end || !read(end - Clock::now())) return condition();
    }
    return true;
  }
  /// The answer on a stream, once it is complete or reset.
  h2::Stream& answer(std::uint32_t id) {
    until([&] { return in.on(id).ended || in.on(id).reset; });
    return in.on(id);
  }
  bool closed() {
    while (read(kPatience)) {
    }
    return ended_;
  }
  Socket& socket() { return socket_; }

  h2::Incoming in;
  /// Whether credit is given back for content as it comes.
  bool gives_credit = true;

 private:
  bool read(Clock::duration limit) {
    std::string bytes;
    const auto got = socket_.receive(bytes, limit);
    if (got != Socket::Got::Data) {
      ended_ = got != Socket::Got::Timeout;
      return false;
    }
    in.feed(bytes);
    std::string reply;
    for (const auto& f : in.frames) {
      if (f.type == h2::kPing && (f.flags & h2::kAck) == 0) reply += h2::ping(f.payload, h2::kAck);
      if (f.type != h2::kData || f.payload.empty() || !gives_credit) continue;
      reply += h2::window_update(0, static_cast<std::uint32_t>(f.payload.size()));
      if ((f.flags & h2::kEndStream) == 0)
        reply += h2::window_update(f.stream, static_cast<std::uint32_t>(f.payload.size()));
    }
    in.frames.clear();
    send(reply);
    return true;
  }

  Socket socket_;
  std::string scheme_;
  std::uint32_t next_ = 1;
  bool ended_ = false;
};

}  // namespace forebay::test
