#include "support/h2_transport.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "support/h2_frames.hpp"
#include "support/wire.hpp"

namespace forebay::test {

bool over_http2() {
  const char* transport = std::getenv("FOREBAY_TEST_TRANSPORT");
  return transport != nullptr && std::string_view(transport) == "h2";
}

namespace {

constexpr std::size_t kFrame = 16384;
constexpr std::uint32_t kWindow = 1 << 20;
// So much is read ahead of a test that does not read.
constexpr std::size_t kAhead = 64 * 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// One request as its text says it.
struct Request {
  std::string method;
  h2::Lines lines;
  bool chunked = false, has_body = false, closes = false;
  std::size_t length = 0;
};

/// Reads requests from the text of a test. What is not a request in HTTP/1.1 cannot be translated.
class RequestText {
 public:
  std::string bytes;

  /// The head at the front, taken out; nothing while it is not whole.
  std::optional<Request> head() {
    while (bytes.starts_with("\r\n")) bytes.erase(0, 2);
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string_view text = std::string_view(bytes).substr(0, end + 2);
    Request request;
    const auto line = take_line(text);
    const auto first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || line.substr(last) != " HTTP/1.1") {
      bad = true;
      return std::nullopt;
    }
    request.method = std::string(line.substr(0, first));
    std::string target(line.substr(first + 1, last - first - 1)), authority, scheme = "http";
    if (const auto slashes = target.find("://"); slashes != std::string::npos && target.front() != '/') {
      const auto path = target.find_first_of("/?", slashes + 3);
      scheme = target.substr(0, slashes);
      authority = target.substr(slashes + 3, path == std::string::npos ? path : path - slashes - 3);
      target = path == std::string::npos ? "/" : target.substr(path);
      if (target.front() == '?') target.insert(0, "/");
    }
    h2::Lines fields;
    while (!text.empty()) read_field(take_line(text), request, fields, authority);
    request.has_body = request.chunked || request.length != 0;
    request.lines = {{":method", request.method}};
    if (request.method != "CONNECT") request.lines.emplace_back(":scheme", scheme);
    if (request.method != "CONNECT") request.lines.emplace_back(":path", target);
    if (request.method == "CONNECT") authority = target;
    if (!authority.empty()) request.lines.emplace_back(":authority", authority);
    request.lines.insert(request.lines.end(), fields.begin(), fields.end());
    bytes.erase(0, end + 4);
    return request;
  }
  bool bad = false;

 private:
  static std::string_view take_line(std::string_view& text) {
    const auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    return line;
  }
  static void read_field(std::string_view line, Request& request, h2::Lines& fields, std::string& authority) {
    const auto colon = line.find(':');
    const auto name = lower(line.substr(0, colon));
    auto value = line.substr(std::min(line.size(), colon + 1));
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    if (name == "host") {
      if (authority.empty()) authority = value;
    } else if (name == "connection") {
      request.closes |= lower(value).find("close") != std::string::npos;
    } else if (name == "transfer-encoding") {
      request.chunked = true;
    } else if (name == "te") {
      if (lower(value).find("trailers") != std::string::npos) fields.emplace_back("te", "trailers");
    } else if (name != "keep-alive" && name != "proxy-connection" && name != "upgrade") {
      if (name == "content-length") request.length = std::strtoull(std::string(value).c_str(), nullptr, 10);
      fields.emplace_back(name, std::string(value));
    }
  }
};

/// Content of a request, its framing undone.
class BodyText {
 public:
  void start(const Request& request) {
    chunked_ = request.chunked;
    left_ = request.chunked ? 0 : request.length;
    state_ = !request.has_body ? State::Done : request.chunked ? State::Size : State::Data;
    trailers.clear();
  }
  bool done() const { return state_ == State::Done; }
  /// Moves content from the front of `in` to `out`. False while more has to come.
  bool step(std::string& in, std::string& out) {
    if (state_ == State::Data) {
      const auto n = std::min(left_, in.size());
      out.append(in, 0, n);
      in.erase(0, n);
      left_ -= n;
      if (left_ != 0) return false;
      state_ = chunked_ ? State::DataEnd : State::Done;
      return true;
    }
    const auto end = in.find("\r\n");
    if (end == std::string::npos) return false;
    const std::string line = in.substr(0, end);
    in.erase(0, end + 2);
    if (state_ == State::Size) {
      left_ = std::strtoull(line.c_str(), nullptr, 16);
      state_ = left_ == 0 ? State::Trailers : State::Data;
    } else if (state_ == State::DataEnd) {
      state_ = State::Size;
    } else if (line.empty()) {
      state_ = State::Done;
    } else {
      const auto colon = line.find(':');
      auto value = line.substr(std::min(line.size(), colon + 1));
      value.erase(0, value.find_first_not_of(" \t"));
      trailers.emplace_back(lower(line.substr(0, colon)), value);
    }
    return true;
  }
  h2::Lines trailers;

 private:
  enum class State { Size, Data, DataEnd, Trailers, Done };
  State state_ = State::Done;
  bool chunked_ = false;
  std::size_t left_ = 0;
};

class Translator final : public H2Transport {
 public:
  Translator(Socket app, Socket daemon)
      : app_(std::move(app)), daemon_(std::move(daemon)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Translator() override {
    const std::uint64_t one = 1;
    (void)!::write(stop_, &one, sizeof one);
    thread_.join();
    ::close(stop_);
  }

 private:
  /// A request that has been sent, until its answer has been told.
  struct Exchange {
    std::uint32_t id;
    std::string method;
    bool closes;
    std::size_t told_interim = 0, told_body = 0;
    bool told_head = false, chunked = false;
  };

  void run() {
    to_daemon_ = h2::kPreface + h2::settings({{2, 0}, {4, kWindow}}) + h2::window_update(0, kWindow);
    while (!over_) {
      pollfd fds[3] = {{app_.fd(), 0, 0}, {daemon_.fd(), 0, 0}, {stop_, POLLIN, 0}};
      if (!app_.open() || !daemon_.open()) break;
      if (!app_ended_ && text_.bytes.size() < kAhead && content_.size() < kAhead) fds[0].events |= POLLIN;
      if (!to_app_.empty()) fds[0].events |= POLLOUT;
      if (!daemon_ended_ && to_app_.size() < kAhead) fds[1].events |= POLLIN;
      if (!to_daemon_.empty()) fds[1].events |= POLLOUT;
      if (fds[0].events == 0 && app_ended_) fds[0].fd = -1;
      if (fds[1].events == 0 && daemon_ended_) fds[1].fd = -1;
      if (::poll(fds, 3, -1) < 0 && errno != EINTR) break;
      if (fds[2].revents != 0) {
        read_app();  // a reset is passed on
        break;
      }
      if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_app();
      if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_daemon();
      step();
    }
    if (reset_app_) {
      app_.reset();
    } else {
      app_.close();
    }
    reset_daemon_ ? daemon_.reset() : daemon_.close();
  }

  static ssize_t receive(Socket& socket, std::string& into) {
    char piece[65536];
    const auto n = ::recv(socket.fd(), piece, sizeof piece, MSG_DONTWAIT);
    if (n > 0) into.append(piece, static_cast<std::size_t>(n));
    return n;
  }
  static bool send(Socket& socket, std::string& from) {
    while (!from.empty()) {
      const auto n = ::send(socket.fd(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      from.erase(0, static_cast<std::size_t>(n));
    }
    return true;
  }

  void read_app() {
    const auto n = receive(app_, text_.bytes);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
    app_ended_ = true;
    if (n < 0) over_ = reset_daemon_ = true;
  }
  void read_daemon() {
    std::string bytes;
    const auto n = receive(daemon_, bytes);
    if (n > 0) in_.feed(bytes);
    if (n > 0) return;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    daemon_ended_ = true;
    reset_app_ |= n < 0;
  }

  void step() {
    acknowledge();
    while (take_request()) {
    }
    send_content();
    tell_answers();
    if (told_end_) to_daemon_.clear();
    if (!send(daemon_, to_daemon_)) daemon_ended_ = true;
    if (!send(app_, to_app_)) over_ = reset_daemon_ = true;  // the test has left
    grant_credit();
    if (told_end_) to_daemon_.clear();
    if (!send(daemon_, to_daemon_)) daemon_ended_ = true;
    if (text_.bad) over_ = true;
    if (daemon_ended_ && to_app_.empty()) over_ = true;
    if (closes_ && to_app_.empty()) over_ = true;
    if (app_ended_ && to_daemon_.empty() && content_.empty() && !std::exchange(told_end_, true))
      daemon_.finish_sending();
  }

  void acknowledge() {
    for (; settings_seen_ < in_.frames.size(); ++settings_seen_) {
      const auto& f = in_.frames[settings_seen_];
      if (f.type == h2::kSettings && (f.flags & h2::kAck) == 0) to_daemon_ += h2::settings_ack();
      if (f.type == h2::kPing && (f.flags & h2::kAck) == 0) to_daemon_ += h2::ping(f.payload, h2::kAck);
    }
    in_.frames.clear();
    settings_seen_ = 0;
  }

  // The next request, once the content of the one before is complete.
  bool take_request() {
    while (!body_.done() && body_.step(text_.bytes, content_)) {
    }
    if (!body_.done() || !content_.empty() || closes_) return false;
    if (sending_ != 0) return false;
    auto request = text_.head();
    if (!request) return false;
    const std::uint32_t id = next_;
    next_ += 2;
    auto block = h2::hpack(request->lines);
    const bool ends = !request->has_body;
    std::uint8_t type = h2::kHeaders;
    do {
      const auto piece = block.substr(0, kFrame);
      block.erase(0, piece.size());
      const auto last = block.empty() ? h2::kEndHeaders : 0;
      const auto end = type == h2::kHeaders && ends ? h2::kEndStream : 0;
      to_daemon_ += h2::frame(type, static_cast<std::uint8_t>(last | end), id, piece);
      type = h2::kContinuation;
    } while (!block.empty());
    exchanges_.push_back({id, request->method, request->closes});
    body_.start(*request);
    sending_ = ends ? 0 : id;
    answered_ = false;
    sent_ = 0;
    return true;
  }

  void send_content() {
    if (sending_ == 0) return;
    const auto& stream = in_.on(sending_);
    const auto window = [&](std::uint64_t credit, std::uint64_t first, std::uint64_t used) {
      return static_cast<std::size_t>(first + credit - used);
    };
    const std::uint64_t initial = in_.settings.contains(4) ? in_.settings[4] : 65535;
    while (!body_.done() && body_.step(text_.bytes, content_)) {
    }
    const bool unwanted = stream.reset || answered_;
    if (unwanted) content_.clear();
    while (!content_.empty()) {
      const auto most = std::min(
          {kFrame, content_.size(), window(stream.credit, initial, sent_), window(in_.credit, 65535, all_sent_)});
      if (most == 0) return;
      const bool ends = body_.done() && most == content_.size() && body_.trailers.empty();
      to_daemon_ += h2::data(sending_, std::string_view(content_).substr(0, most), ends);
      content_.erase(0, most);
      sent_ += most;
      all_sent_ += most;
      if (ends) {
        sending_ = 0;
        return;
      }
    }
    if (!body_.done()) return;
    if (!unwanted)
      to_daemon_ += body_.trailers.empty() ? h2::data(sending_, "", true) : h2::headers(sending_, body_.trailers, true);
    sending_ = 0;
  }

  // In the order of the requests, as HTTP/1.1 has it.
  void tell_answers() {
    while (!exchanges_.empty()) {
      Exchange& next = exchanges_.front();
      h2::Stream& stream = in_.on(next.id);
      for (; next.told_interim < stream.interim.size(); ++next.told_interim)
        tell_head(stream.interim[next.told_interim], "");
      if (stream.status != 0 && !std::exchange(next.told_head, true)) {
        const bool bodiless = next.method == "HEAD" || stream.status == 204 || stream.status == 304;
        next.chunked = !bodiless && stream.field("content-length") == 0;
        next.closes |= !in_.goaways.empty();
        tell_head(stream, std::string(next.chunked ? "Transfer-Encoding: chunked\r\n" : "") +
                              (next.closes ? "Connection: close\r\n" : ""));
      }
      if (next.told_head && !stream.body.empty()) {
        untold_ += stream.body.size();
        told_on_ = next.id;
        if (next.chunked) to_app_ += chunk_size(stream.body.size());
        to_app_ += stream.body;
        if (next.chunked) to_app_ += "\r\n";
        stream.body.clear();
      }
      if (!stream.ended) {
        if (stream.reset) {
          (void)send(app_, to_app_);
          over_ = reset_app_ = true;
        }
        return;
      }
      if (next.chunked) {
        to_app_ += "0\r\n";
        for (const auto& [name, value] : stream.trailers) to_app_ += name + ": " + value + "\r\n";
        to_app_ += "\r\n";
      }
      closes_ |= next.closes;
      answered_ |= next.id == sending_;
      in_.streams.erase(next.id);
      exchanges_.pop_front();
    }
  }
  static std::string chunk_size(std::size_t size) {
    char text[32];
    std::snprintf(text, sizeof text, "%zx\r\n", size);
    return text;
  }
  void tell_head(const h2::Message& message, const std::string& more) {
    to_app_ += "HTTP/1.1 " + std::to_string(message.status) + " -\r\n";
    for (const auto& [name, value] : message.fields)
      if (name != ":status") to_app_ += name + ": " + value + "\r\n";
    to_app_ += more + "\r\n";
  }
  // The daemon may send more as the test reads.
  void grant_credit() {
    if (untold_ == 0 || to_app_.size() >= kAhead) return;
    to_daemon_ += h2::window_update(0, static_cast<std::uint32_t>(untold_));
    if (!exchanges_.empty() && exchanges_.front().id == told_on_)
      to_daemon_ += h2::window_update(told_on_, static_cast<std::uint32_t>(untold_));
    untold_ = 0;
  }

  Socket app_, daemon_;
  int stop_;
  std::string to_app_, to_daemon_, content_;
  RequestText text_;
  BodyText body_;
  h2::Incoming in_;
  std::size_t settings_seen_ = 0;
  std::deque<Exchange> exchanges_;
  std::uint32_t next_ = 1, sending_ = 0, told_on_ = 0;
  std::uint64_t sent_ = 0, all_sent_ = 0;
  std::size_t untold_ = 0;
  bool answered_ = false;  // what is being sent: the rest of its content is not wanted
  bool app_ended_ = false, daemon_ended_ = false, told_end_ = false, closes_ = false;
  bool over_ = false, reset_app_ = false, reset_daemon_ = false;
  std::thread thread_;
};

}  // namespace

std::pair<Socket, std::shared_ptr<H2Transport>> H2Transport::open(Socket daemon) {
  std::uint16_t port = 0;
  auto listening = Socket::listen(port);
  auto test = Socket::connect(port);
  Socket app(::accept4(listening.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  return {std::move(test), std::make_shared<Translator>(std::move(app), std::move(daemon))};
}

}  // namespace forebay::test
