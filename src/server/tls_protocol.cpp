#include "server/tls_protocol.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <string>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"
#include "forebay/net/tls_server.hpp"
#include "server/edge_error.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {
namespace {

using net::TlsHandshake;

// Between two lines of the log about failed handshakes of a listener, on each worker.
constexpr Duration kLogEvery = std::chrono::seconds{10};
// A client that shakes hands while the listener drains may send one request.
constexpr Duration kDrainGrace = std::chrono::seconds{1};

/// A connection that shakes hands. It holds its place among the connections, and has a deadline.
class TlsConnection final : public Connection,
                            public boost::intrusive_ref_counter<TlsConnection, boost::thread_unsafe_counter> {
 public:
  using Ptr = boost::intrusive_ptr<TlsConnection>;

  TlsConnection(std::shared_ptr<WorkerListener> listener, const TlsProtocol& protocol, Accepted accepted)
      : listener_(std::move(listener)),
        protocol_(protocol),
        accepted_(std::move(accepted)),
        deadline_([this] { late(); }) {
    intrusive_ptr_add_ref(this);  // until `leave`
    listener_->connections.push_back(*this);
    listener_->numbers->open.fetch_add(1, std::memory_order_relaxed);
    if (refusing_) ++listener_->refusing;
  }

  void begin() {
    or_close([this] {
      auto session = listener_->tls->session(std::move(accepted_.early));
      session_ = session.get();
      accepted_.stream.secure(std::move(session));
      due_ = now() + listener_->handler.settings().timeouts.header;
      if (listener_->drains()) due_ = std::min(due_, now() + kDrainGrace);
      watch();
      accepted_.stream.handshake([self = Ptr(this)](net::Io state) { self->ended(state); });
    });
  }
  void drain() override {
    if (closed_) return;
    due_ = std::min(due_, now() + kDrainGrace);
    watch();
  }
  void abort() override { close(); }
  Timestamp silent_since() const override { return refusing_ ? Timestamp::max() : began_; }

 private:
  Timestamp now() const noexcept { return listener_->worker.now().mono; }
  void watch() { listener_->worker.deadlines().arm(deadline_, due_); }
  template <class Step>
  void or_close(Step&& step) {
    const Ptr self(this);
    guarded(std::forward<Step>(step), [this] { close(); });
  }

  void ended(net::Io state) {
    if (closed_) return;
    listener_->worker.tick();
    or_close([&] {
      if (state == net::Io::Done) return succeed();
      if (session_->failed())
        fail(session_->result(), session_->why());
      else
        fail(TlsHandshake::Closed, "the connection is broken");
    });
  }

  void succeed() {
    count(session_->result());
    std::shared_ptr<const net::TlsPeer> agreed = session_->describe_peer();
    auto peer = std::make_shared<Peer>(*accepted_.peer);
    peer->scheme = "https";
    peer->tls = std::move(agreed);
    accepted_.peer = std::move(peer);
    auto& next = protocol_.next(session_->protocol());
    hand_over([&next](const auto& listener, Accepted accepted) { next.open(listener, std::move(accepted)); });
  }

  void fail(TlsHandshake result, std::string_view why) {
    count(result);
    if (result == TlsHandshake::PlainHttp) {
      accepted_.stream.secure(nullptr);
      return hand_over([this](const auto& listener, Accepted accepted) {
        protocol_.h1().refuse(listener, std::move(accepted), kPlainHttp);
      });
    }
    tell(result, why);
    close();
  }

  void late() {
    if (closed_) return;
    or_close([this] { fail(TlsHandshake::Timeout, "it takes longer than server.timeouts.header"); });
  }

  void count(TlsHandshake result) const noexcept {
    auto& numbers = *listener_->numbers;
    numbers.handshakes[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
    switch (result) {
      case TlsHandshake::Full:
      case TlsHandshake::Resumed:
      case TlsHandshake::Closed:            // such as the probe of a balancer
      case TlsHandshake::PlainHttp: break;  // counted as malformed when it is answered
      case TlsHandshake::Timeout: numbers.rejected_timeout.fetch_add(1, std::memory_order_relaxed); break;
      default: numbers.rejected_tls.fetch_add(1, std::memory_order_relaxed); break;
    }
  }

  /// Strangers cause these lines, so they are few.
  void tell(TlsHandshake result, std::string_view why) const {
    const auto level = result == TlsHandshake::Closed ? log::Level::Debug : log::Level::Info;
    if (!log::enabled(level)) return;
    auto& listener = *listener_;
    if (now() < listener.quiet_until && !log::enabled(log::Level::Debug)) {
      ++listener.not_logged;
      return;
    }
    std::string line = "TLS handshake on listener " + listener.numbers->name + " failed (" +
                       std::string(to_string(result)) + "): " + std::string(why);
    if (!accepted_.peer->address.empty()) line += "; client " + accepted_.peer->address;
    if (listener.not_logged != 0) line += "; " + std::to_string(listener.not_logged) + " more since the last message";
    listener.not_logged = 0;
    listener.quiet_until = now() + kLogEvery;
    log::write(level, line);
  }

  /// The connection belongs to another from now on.
  template <class To>
  void hand_over(To&& to) {
    const auto listener = listener_;
    Accepted accepted = std::move(accepted_);
    end();
    guarded([&] { to(listener, std::move(accepted)); },
            [&] { listener->open.fetch_sub(1, std::memory_order_relaxed); });
  }
  void close() {
    if (closed_) return;
    accepted_.stream.close();
    accepted_.place = ConnectionLimits::Place();
    listener_->open.fetch_sub(1, std::memory_order_relaxed);
    end();
  }
  void end() {
    closed_ = true;
    deadline_.disarm();
    unlink();
    listener_->numbers->open.fetch_sub(1, std::memory_order_relaxed);
    if (refusing_) --listener_->refusing;
    intrusive_ptr_release(this);
  }

  std::shared_ptr<WorkerListener> listener_;
  const TlsProtocol& protocol_;
  Accepted accepted_;
  const bool refusing_ = !accepted_.place;
  net::TlsServerSession* session_ = nullptr;  // the stream's
  net::Deadline deadline_;
  const Timestamp began_ = now();
  Timestamp due_{};
  bool closed_ = false;
};

}  // namespace

TlsProtocol::TlsProtocol(std::unique_ptr<H1Protocol> h1) : h1_(std::move(h1)) {}

TlsProtocol::~TlsProtocol() = default;

Protocol& TlsProtocol::next(std::string_view alpn) const noexcept {
  return alpn == "h2" && h1_->http2() ? *h1_->http2() : static_cast<Protocol&>(*h1_);
}

void TlsProtocol::open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) {
  if (!listener->tls) return h1_->open(listener, std::move(accepted));
  const TlsConnection::Ptr connection(new TlsConnection(listener, *this, std::move(accepted)));
  connection->begin();
}

}  // namespace forebay::server
