#include "server/proxy_protocol.hpp"

#include <algorithm>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <string>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"
#include "forebay/http/proxy_header.hpp"
#include "forebay/server/peer_network.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

namespace {

// Room for the header and, most often, for the request that follows it in the same packet.
constexpr std::size_t kFirstRead = 1024;
// At a drain, a header may be on its way.
constexpr Duration kGrace = std::chrono::seconds{1};

// A warning once for each network: strangers must not fill the log.
void warn_once(Noticed& noticed, const WorkerListener& listener, const Peer& peer, std::string_view why) {
  if (!noticed.first(network_key(peer))) return;
  guarded(
      [&] {
        log::warn("listener " + listener.numbers->name + ": connections from " + network_name(peer) +
                  " are closed: " + std::string(why));
      },
      [] {});
}

// A connection whose header has not been read whole. It keeps itself alive until it is closed or passed on.
class Waiting final : public Connection, public boost::intrusive_ref_counter<Waiting, boost::thread_unsafe_counter> {
 public:
  using Ptr = boost::intrusive_ptr<Waiting>;

  Waiting(std::shared_ptr<WorkerListener> listener, Protocol& next, Accepted accepted)
      : listener_(std::move(listener)), next_(next), accepted_(std::move(accepted)), deadline_([this] { on_late(); }) {
    intrusive_ptr_add_ref(this);
    listener_->connections.push_back(*this);
    listener_->numbers->open.fetch_add(1, std::memory_order_relaxed);
  }

  void begin() {
    guarded(
        [this] {
          arm(listener_->handler.settings().timeouts.header);
          if (listener_->drains()) drain();
          read();
        },
        [this] { close(); });
  }

  void drain() override {
    if (due_ - now() > kGrace) arm(kGrace);
  }
  void abort() override { close(); }

 private:
  Timestamp now() const noexcept { return listener_->worker.now().mono; }
  void arm(Duration in) {
    due_ = now() + in;
    listener_->worker.deadlines().arm(deadline_, due_);
  }

  void read() {
    auto& bytes = accepted_.early;
    bytes.resize(std::max(kFirstRead, std::min(2 * held_, http::kMostProxyHeader + 1)));
    accepted_.stream.read({bytes.data() + held_, bytes.size() - held_},
                          [self = Ptr(this)](const net::IoResult& result) {
                            if (self->closed_) return;
                            self->listener_->worker.tick();
                            guarded([&] { self->on_read(result); }, [&] { self->close(); });
                          });
  }

  void on_read(const net::IoResult& result) {
    if (result.state != net::Io::Done) {
      // Without a byte it was a look at whether the port is open.
      if (result.state == net::Io::End && held_ != 0) return refuse("they end within the PROXY header");
      return close();
    }
    held_ += result.bytes;
    const auto header = http::read_proxy_header({accepted_.early.data(), held_});
    if (header) return pass_on(*header);
    if (header.error() == Errc::Incomplete) return read();
    refuse("they do not begin with a valid PROXY header, which proxy_protocol: true requires");
  }

  void on_late() {
    if (closed_) return;
    listener_->numbers->rejected_timeout.fetch_add(1, std::memory_order_relaxed);
    close();
  }

  void refuse(std::string_view why) {
    listener_->numbers->rejected_malformed.fetch_add(1, std::memory_order_relaxed);
    warn_once(listener_->numbers->malformed, *listener_, *accepted_.peer, why);
    close();
  }

  // The connection goes on as the client's: it counts for the client's address from now on.
  void pass_on(const http::ProxyHeader& header) {
    const Ptr self(this);
    accepted_.early.resize(held_);
    accepted_.early.erase(0, header.size);
    accepted_.peer = peer_after(header);
    if (!accepted_.place.admit(*accepted_.peer, listener_->handler.settings()) &&
        !listener_->may_refuse(*accepted_.peer, accepted_.place))
      return close();
    leave();
    guarded([&] { next_.open(listener_, std::move(accepted_)); },
            [&] { listener_->open.fetch_sub(1, std::memory_order_relaxed); });
  }

  std::shared_ptr<const Peer> peer_after(const http::ProxyHeader& header) const {
    if (header.source == http::ProxyHeader::Source::Balancer) return accepted_.peer;
    auto peer = std::make_shared<Peer>();
    peer->announced = true;
    peer->listener = accepted_.peer->listener;
    peer->scheme = header.tls ? "https" : accepted_.peer->scheme;
    if (header.source == http::ProxyHeader::Source::Ip) {
      peer->ip = header.ip;
      peer->port = header.port;
      peer->has_ip = true;
      peer->address = http::ip_text(header.ip);
    }
    return peer;
  }

  void close() {
    if (closed_) return;
    const Ptr self(this);
    accepted_.stream.close();
    leave();
    listener_->open.fetch_sub(1, std::memory_order_relaxed);
    accepted_.place = ConnectionLimits::Place();
  }

  // Takes it out of the listener.
  void leave() {
    closed_ = true;
    deadline_.disarm();
    unlink();
    listener_->numbers->open.fetch_sub(1, std::memory_order_relaxed);
    intrusive_ptr_release(this);
  }

  std::shared_ptr<WorkerListener> listener_;
  Protocol& next_;
  Accepted accepted_;
  std::size_t held_ = 0;  // bytes of `accepted_.early` that were read
  net::Deadline deadline_;
  Timestamp due_{};
  bool closed_ = false;
};

}  // namespace

void ProxyProtocol::open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) {
  if (!trusts(listener->handler.settings(), *accepted.peer)) {
    listener->numbers->rejected_malformed.fetch_add(1, std::memory_order_relaxed);
    warn_once(listener->numbers->strangers, *listener, *accepted.peer,
              "proxy_protocol: true, and these peers are not in server.trusted_proxies");
    listener->open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  // Who has no place is told so at once.
  if (!accepted.place) return next_->open(listener, std::move(accepted));
  const Waiting::Ptr waiting(new Waiting(listener, *next_, std::move(accepted)));
  waiting->begin();
}

}  // namespace forebay::server
