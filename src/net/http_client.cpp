#include "forebay/net/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <utility>

#include "forebay/base/text.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/net/stream.hpp"

namespace forebay::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr http::HeadLimits kHeadLimits{16 * 1024, 256 * 1024, 1000};
constexpr int kMostInterim = 16;

std::string text_of(const tcp::endpoint& to) {
  std::string ip = to.address().to_string();
  if (to.address().is_v6()) ip = '[' + ip + ']';
  append_number(ip += ':', to.port());
  return ip;
}

/// A connection that is used by one thread, which waits until `deadline` at most.
class Connection {
 public:
  Connection(std::shared_ptr<const TlsClient> tls, SteadyClock::time_point deadline)
      : tls_(std::move(tls)), stream_(io_), deadline_(deadline) {}

  bool open(const Endpoint& to) {
    if (!to.socket.empty()) return open_unix(to.socket);
    if (!http::is_localhost(to.host)) return open_host(to.host, to.port);
    return open_host("127.0.0.1", to.port) || open_host("::1", to.port);
  }
  /// Of `open`: what came of the last address, and a sentence about each.
  Errc error() const noexcept { return error_; }
  const std::string& why() const noexcept { return why_; }
  int system() const noexcept { return system_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = wait<IoResult>([&](auto done) { stream_->write({&bytes, 1}, std::move(done)); });
      if (!sent || sent->bytes == 0) return;
      bytes.remove_prefix(sent->bytes);
    }
  }
  /// Appends what has come; `Closed` at the end of the connection.
  Result<void> receive(std::string& into) {
    char buffer[16384];
    const auto got = wait<IoResult>([&](auto done) { stream_->read(buffer, std::move(done)); });
    if (!got) return Errc::Timeout;
    cut_ = got->state == Io::Failed;
    if (got->state != Io::Done) return Errc::Closed;
    into.append(buffer, got->bytes);
    return {};
  }
  /// From now on it waits until then.
  void wait_until(SteadyClock::time_point deadline) noexcept { deadline_ = deadline; }
  /// Whether the end came by a failure: something may be missing before it.
  bool cut() const noexcept { return cut_; }

 private:
  /// Starts an operation and waits for its end; nothing at the deadline.
  template <class T, class Start>
  std::optional<T> wait(Start&& start) {
    std::optional<T> result;
    start([&result](const T& got) { result = got; });
    io_.restart();
    io_.run_until(deadline_);
    if (result) return result;
    stream_->close();
    io_.run();
    return std::nullopt;
  }

  bool refused(Errc error, const std::string& what, const std::string& why, int system = 0) {
    error_ = error;
    system_ = system;
    why_ += (why_.empty() ? "" : "; ") + what + ": " + why;
    return false;
  }
  bool open_at(const PlainStream::Protocol::endpoint& to, const std::string& name) {
    stream_.emplace(io_);
    const auto error = wait<error_code>([&](auto done) { stream_->connect(to, std::move(done)); });
    if (!error) return refused(Errc::Timeout, name, "no connection in time");
    if (*error) return refused(Errc::Closed, name, error->message(), error->value());
    return !tls_ || secure(name);
  }
  bool secure(const std::string& name) {
    auto session = tls_->session();
    const auto& tls = *session;
    stream_->secure(std::move(session));
    const auto state = wait<Io>([&](auto done) { stream_->handshake(std::move(done)); });
    if (!state) return refused(Errc::Timeout, name, "no TLS handshake in time");
    if (*state == Io::Done) return true;
    return refused(Errc::Closed, name, "TLS: " + (tls.failed() ? tls.problem() : "it reset the connection"));
  }
  bool open_unix(const std::string& path) try {
    return open_at(asio::local::stream_protocol::endpoint(path), path);
  } catch (const boost::system::system_error& e) {  // The path is too long.
    return refused(Errc::Closed, path, e.code().message());
  }
  /// Tries each address that `host` resolves to.
  bool open_host(const std::string& host, const std::string& port) {
    error_code error;
    const auto found = tcp::resolver(io_).resolve(host, port, error);
    if (error) return refused(Errc::Closed, host, error.message());
    for (const auto& entry : found)
      if (open_at(entry.endpoint(), text_of(entry.endpoint()))) return true;
    return false;
  }

  const std::shared_ptr<const TlsClient> tls_;
  asio::io_context io_;
  std::optional<Stream> stream_;
  SteadyClock::time_point deadline_;
  bool cut_ = false;
  Errc error_ = Errc::Closed;
  std::string why_;
  int system_ = 0;
};

/// Takes the head of the final response from the connection; interim ones (RFC 9110 section 15.2) are passed over.
Result<void> read_head(Connection& connection, http::ResponseParser& parser, http::Method method, std::string& bytes) {
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
    if (const auto more = connection.receive(bytes); !more) return more.error();
  }
}

std::string_view why_no_head(Errc e) {
  switch (e) {
    case Errc::Closed: return "the connection ended without an answer";
    case Errc::Timeout: return "no answer came in time";
    default: return "what answers is not HTTP";
  }
}

void read_body(Connection& connection, const http::ResponseParser& parser, std::string& bytes, std::size_t most,
               HttpAnswer& answer) {
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
    const auto more = connection.receive(bytes);
    if (more) continue;
    answer.whole = more.error() == Errc::Closed && !connection.cut() && decoder.finish_at_eof();
    return;
  }
  answer.whole = true;
}

/// Gives the content to `piece` as it comes.
void follow_body(Connection& connection, const http::ResponseParser& parser, std::string& bytes,
                 SteadyClock::duration silence, const std::function<bool(std::string_view)>& piece,
                 HttpAnswer& answer) {
  http::BodyDecoder decoder;
  decoder.start(parser.framing(), parser.content_length(), kHeadLimits);
  while (!decoder.done()) {
    const auto step = decoder.step(bytes);
    if (!step) return;
    const bool moved = step->consumed > 0;
    if (!step->data.empty() && !piece(step->data)) return;
    bytes.erase(0, step->consumed);
    if (moved || decoder.done()) continue;
    connection.wait_until(SteadyClock::now() + silence);
    const auto more = connection.receive(bytes);
    if (more) continue;
    answer.whole = more.error() == Errc::Closed && !connection.cut() && decoder.finish_at_eof();
    return;
  }
  answer.whole = true;
}

/// Asks, and reads the answer by `read(connection, parser, bytes, answer)`.
template <class Read>
Asked exchange(const Endpoint& endpoint, std::string_view method, std::string_view message,
               SteadyClock::time_point deadline, Read&& read) {
  Connection connection(endpoint.tls, deadline);
  if (!connection.open(endpoint)) return {std::nullopt, connection.error(), connection.why(), connection.system()};
  // A refusal may come, and the connection end, before all has been sent: what was answered counts.
  connection.send(message);
  std::string bytes;
  http::ResponseParser parser(kHeadLimits);
  const auto head = read_head(connection, parser, http::method_of(method), bytes);
  if (!head) return {std::nullopt, head.error(), std::string(why_no_head(head.error())), 0};
  HttpAnswer answer;
  answer.status = parser.view().status;
  answer.fields = http::Fields(parser.view().fields);
  bytes.erase(0, parser.head_size());
  read(connection, parser, bytes, answer);
  return {std::move(answer), {}, {}, 0};
}

}  // namespace

Asked follow(const Endpoint& endpoint, std::string_view method, std::string_view message, std::size_t most,
             SteadyClock::time_point deadline, SteadyClock::duration silence,
             const std::function<bool(std::string_view)>& piece) {
  return exchange(
      endpoint, method, message, deadline,
      [&](Connection& connection, const http::ResponseParser& parser, std::string& bytes, HttpAnswer& answer) {
        if (answer.status == 200)
          follow_body(connection, parser, bytes, silence, piece, answer);
        else
          read_body(connection, parser, bytes, most, answer);
      });
}

Asked ask(const Endpoint& endpoint, std::string_view method, std::string_view message, std::size_t most,
          SteadyClock::time_point deadline) {
  return exchange(endpoint, method, message, deadline,
                  [most](Connection& connection, const http::ResponseParser& parser, std::string& bytes,
                         HttpAnswer& answer) { read_body(connection, parser, bytes, most, answer); });
}

}  // namespace forebay::net
