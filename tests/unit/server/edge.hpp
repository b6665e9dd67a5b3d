#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "forebay/http/h1_parser.hpp"
#include "forebay/server/exchange.hpp"
#include "forebay/server/listener.hpp"

namespace forebay::server::test {

/// How long a test waits for what must happen; far more than a slow and busy machine needs.
inline constexpr std::chrono::seconds kPatience{120};

struct FakeNotes final : Notes {
  int resets = 0;
  void reset() override { ++resets; }
};

/// Answers as the test's script says; remembers how everything ended.
class FakeHandler final : public Handler {
 public:
  std::function<void(const ExchangePtr&)> script;
  config::Server server;  // to be changed on the worker's thread
  std::atomic<bool> drains{false};
  std::atomic<bool> away{false};
  std::function<bool()> pins_too_much = [] { return false; };  // to be changed on the worker's thread
  std::atomic<int> notes_made{0}, started{0};

  void start(const ExchangePtr& exchange) override {
    ++started;
    script(exchange);
  }
  void finished(Exchange& exchange) override {
    const std::lock_guard lock(mutex_);
    tallies_.push_back(exchange.tally());
    changed_.notify_all();
  }
  std::unique_ptr<Notes> make_notes() override {
    ++notes_made;
    return std::make_unique<FakeNotes>();
  }
  RefusalNote note_refusal(http::FieldsView fields) override {
    const std::lock_guard lock(mutex_);
    const auto own = fields.value("X-Request-Id");
    const auto id = own ? std::string(*own) : "id-" + std::to_string(refusals_.size() + 1);
    return {id, "X-Request-Id"};
  }
  void refused(const RefusedMessage& message, const Peer&) override {
    const std::lock_guard lock(mutex_);
    refusals_.emplace_back(message.reason, message.status);
    messages_.push_back({std::string(message.code), std::string(message.detail), std::string(message.head.method_text),
                         std::string(message.head.target), std::string(message.request_id), message.bytes_out});
    changed_.notify_all();
  }
  RefusalNote content_failed(Exchange&, std::string_view, std::string_view) override {
    return {"id-of-content", "X-Request-Id"};
  }
  const config::Server& settings() const override { return server; }
  bool draining() const override { return drains; }
  bool sends_away() const override { return away; }
  bool overpinned() const override { return pins_too_much(); }

  /// The tallies, once there are so many.
  std::vector<Tally> tallies(std::size_t n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return tallies_.size() >= n; }));
    return tallies_;
  }
  std::size_t finished_so_far() {
    const std::lock_guard lock(mutex_);
    return tallies_.size();
  }
  /// What was told of the last message that was refused.
  struct Refused {
    std::string code, detail, method, target, id;
    std::uint64_t bytes_out = 0;
  };
  Refused last_refused() {
    const std::lock_guard lock(mutex_);
    return messages_.empty() ? Refused{} : messages_.back();
  }
  std::vector<std::pair<Refusal, int>> refusals(std::size_t n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return refusals_.size() >= n; }));
    return refusals_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Tally> tallies_;
  std::vector<std::pair<Refusal, int>> refusals_;
  std::vector<Refused> messages_;
};

struct Reply {
  int status = 0;
  http::Response head;
  std::string body;
  std::string trailer;  ///< First trailer field's value.
  bool whole = false;   ///< Complete by its own framing.
  std::string field(std::string_view name) const { return std::string(head.fields.view().value(name).value_or("")); }
  bool has(std::string_view name) const { return head.fields.view().find(name) != nullptr; }
};

/// A client that blocks, up to a safety limit.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
    connect_to(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  Client(Client&& o) noexcept
      : fd_(std::exchange(o.fd_, -1)), buffer_(std::move(o.buffer_)), ended_(o.ended_), reset_(o.reset_) {}
  ~Client() { close(); }

  /// What the peer no longer takes is dropped; false then.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// Sends without waiting; how much went.
  std::size_t try_send(std::string_view text) {
    const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void small_send_buffer() {
    const int size = 64 * 1024;
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  void small_receive_buffer() {
    const int size = 128 * 1024;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }

  /// More bytes into the buffer; false at the end.
  bool fill() {
    char chunk[16384];
    const auto n = ::recv(fd_, chunk, sizeof chunk, 0);
    if (n > 0) {
      buffer_.append(chunk, static_cast<std::size_t>(n));
      return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      ADD_FAILURE() << "nothing came; so far: " << buffer_.substr(0, 500);
    ended_ = true;
    reset_ = n < 0 && errno == ECONNRESET;
    return false;
  }
  /// Exactly these many bytes from the front.
  std::string take(std::size_t n) {
    while (buffer_.size() < n && fill()) {
    }
    std::string out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }
  std::string until(std::string_view mark) {
    while (buffer_.find(mark) == std::string::npos && fill()) {
    }
    const auto at = buffer_.find(mark);
    return take(at == std::string::npos ? buffer_.size() : at + mark.size());
  }
  std::string rest() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }
  bool was_reset() const { return reset_; }
  /// Whether the server closes without sending any more.
  bool closed_silently() { return rest().empty() && !reset_; }

  /// One response; interim ones count.
  Reply reply(http::Method to = http::Method::Get) {
    Reply r;
    http::ResponseParser parser{http::HeadLimits{}};
    parser.reset();
    parser.answer_to(to);
    for (;;) {
      const auto parsed = parser.parse(buffer_);
      if (parsed) break;
      if (parsed.error() != Errc::Incomplete) {
        ADD_FAILURE() << "bad response: " << buffer_.substr(0, 300);
        return r;
      }
      if (!fill()) return r;
    }
    r.status = parser.view().status;
    r.head = http::Response(parser.view());
    const auto framing = parser.framing();
    const auto length = parser.content_length();
    buffer_.erase(0, parser.head_size());
    http::BodyDecoder decoder;
    decoder.start(framing, length, http::HeadLimits{});
    while (!decoder.done()) {
      const auto step = decoder.step(buffer_);
      if (!step) {
        ADD_FAILURE() << "bad content";
        return r;
      }
      r.body += step->data;
      const std::size_t used = step->consumed;
      buffer_.erase(0, used);
      if (used == 0 && !fill()) {
        r.whole = !reset_ && decoder.finish_at_eof();
        return r;
      }
    }
    r.whole = true;
    if (!decoder.trailers().view().empty()) r.trailer = decoder.trailers().view()[0].value;
    return r;
  }
  Reply get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return reply();
  }

 private:
  void connect_to(const sockaddr* to, socklen_t size) {
    const timeval limit{kPatience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(fd_, to, size), 0) << std::strerror(errno);
  }

  int fd_;
  std::string buffer_;
  bool ended_ = false, reset_ = false;
};

/// Keeps bytes for a cursor.
inline Slice slice_of(std::string_view bytes) { return Chunk::copy_of(bytes)->slice(); }
inline http::BodyCursor body_of(std::string_view bytes) {
  const auto chunk = Chunk::copy_of(bytes);
  return http::BodyCursor(Owner(chunk), chunk->bytes());
}
inline void answer_text(Exchange& exchange, std::string_view text, int status = 200) {
  const http::Field type{"Content-Type", "text/plain", http::FieldId::ContentType};
  AnswerHead head;
  head.status = status;
  head.fields = http::FieldsView({&type, 1});
  head.length = text.size();
  exchange.answer(head, body_of(text));
}

/// A listener on a free port of loopback, its worker with a clock that is moved by hand, a handler with a script.
class EdgeTest : public testing::Test {
 protected:
  EdgeTest() {
    handler.script = [](const ExchangePtr& exchange) { answer_text(*exchange, exchange->request().target); };
  }
  void SetUp() override { open(); }
  void TearDown() override {
    listener.reset();
    worker.stop();
    if (thread.joinable()) thread.join();
    kept.clear();
  }
  void open(std::shared_ptr<ConnectionLimits> limits = nullptr) {
    config::Listener config;
    config.address.host = "127.0.0.1";
    config.address.text = "127.0.0.1:0";
    config.name = "main";
    listener = std::make_unique<Listener>(config, std::vector<Listener::Part>{{&worker, &handler}}, std::move(limits));
    listener->start();
    if (!thread.joinable()) thread = std::thread([this] { worker.run(); });
    while (!worker.running()) std::this_thread::yield();
  }
  Client connect() { return Client(listener->port()); }
  /// On the worker's thread, now.
  void on_worker(std::function<void()> f) { worker.call(std::move(f)); }
  void pass(Duration d) {
    on_worker([&] {
      clock.advance(d);
      worker.fire_deadlines();
    });
  }
  /// Waits until a condition of the worker's thread holds.
  void until(const std::function<bool()>& condition) {
    for (const auto limit = std::chrono::steady_clock::now() + kPatience; std::chrono::steady_clock::now() < limit;) {
      bool holds = false;
      on_worker([&] { holds = condition(); });
      if (holds) return;
      std::this_thread::yield();
    }
    FAIL() << "never came true";
  }
  /// A script that keeps each exchange for the test to answer.
  void keep_exchanges() {
    handler.script = [this](const ExchangePtr& exchange) { kept.push_back(exchange); };
  }
  void until_kept(std::size_t n) {
    until([&] { return kept.size() >= n; });
  }

  ManualClock clock;
  net::Worker worker{0, clock};
  FakeHandler handler;
  std::deque<ExchangePtr> kept;  // the worker's thread only
  std::unique_ptr<Listener> listener;
  std::thread thread;
};

}  // namespace forebay::server::test
