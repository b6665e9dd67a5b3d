#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/config/config.hpp"
#include "forebay/http/body.hpp"
#include "forebay/http/message.hpp"
#include "forebay/net/body_source.hpp"
#include "forebay/net/stream.hpp"
#include "forebay/net/tls_peer.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::server {

/// The peer of a connection, and its listener. Lives as long as the connection. Behind a load balancer that sends
/// PROXY headers it is the client that the balancer names.
struct Peer {
  std::string address;  ///< Without port; empty for a Unix socket, and where it is not known.
  std::uint16_t port = 0;
  std::array<std::uint8_t, 16> ip{};  ///< IPv4 mapped.
  bool has_ip = false;
  bool unix_socket = false;  ///< A process of this machine, by a Unix socket.
  bool announced = false;    ///< A PROXY header names it.
  std::string listener;      ///< Metric label.
  std::string_view scheme = "http";
  std::shared_ptr<const net::TlsPeer> tls;  ///< Null without TLS.
};

/// Whether the peer is in `server.trusted_proxies`. One whose address is not known never is.
inline bool trusts(const config::Server& settings, const Peer& peer) noexcept {
  const auto& trusted = settings.trusted_proxies;
  if (peer.has_ip) return !trusted.networks.empty() && http::contains_any(trusted.networks, peer.ip);
  return peer.unix_socket && trusted.unix_sockets;
}

/// The head of a response. Views must be valid only during the call.
struct AnswerHead {
  int status = 200;
  /// Without Content-Length, Transfer-Encoding and Connection: those are the edge's.
  http::FieldBlock fields{};
  /// More fields, made for this request (Age, Cache-Status).
  http::FieldsView added{};
  /// Content-Length to state. Absent with a body: chunked for HTTP/1.1, until close for 1.0. For HEAD and 304 it is
  /// stated without a body.
  std::optional<std::uint64_t> length{};
  bool has_date = true;  ///< False: the edge adds Date.
  bool close = false;    ///< End the connection after this answer.
};

/// The handler's data about an exchange, from `start` to `finished`. Created once per Exchange object and reused.
class Notes {
 public:
  virtual ~Notes() = default;
  virtual void reset() = 0;
};

/// What the edge itself counted; complete when `Handler::finished` is called.
struct Tally {
  Timestamp started{};     ///< End of the request head.
  Timestamp first_byte{};  ///< Head of the answer handed to the kernel.
  Timestamp finished{};
  WallTime started_wall{};
  int status = 0;               ///< 0: no answer was sent.
  std::uint64_t bytes_in = 0;   ///< Request content.
  std::uint64_t bytes_out = 0;  ///< Response content.
  bool completed = false;       ///< The complete response was sent.
};

/// One request and the means to answer it. Belongs to one worker; all calls are made on its thread. The edge holds it
/// until the response was sent; a task of the handler that outlives that holds it too and sees `gone()`.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  virtual ~Exchange() = default;

  /// Valid until `Handler::start` returns. A handler that waits copies the request first (http::Request).
  virtual const http::RequestView& request() const = 0;
  virtual bool has_body() const = 0;
  /// The request's content; alive as long as this object. Pulling after the exchange is over gives Broken.
  virtual net::BodySource& body() = 0;
  virtual const Peer& peer() const = 0;
  virtual net::Worker& worker() = 0;
  virtual Notes& notes() = 0;
  virtual const Tally& tally() const = 0;
  /// The handler's data of the client's connection, destroyed with it. Null without a connection.
  virtual std::shared_ptr<void>* companion() { return nullptr; }

  /// Sends an interim response (102, 103); ignored for HTTP/1.0. `fields` as in AnswerHead.
  virtual void interim(int status, http::FieldsView fields) = 0;
  /// Sends the response; called once. The edge pulls from the cursor as the client reads. If the cursor breaks, the
  /// connection is closed, so that a short body never looks complete. For HEAD, 204 and 304 the cursor is ignored.
  virtual void answer(const AnswerHead& head, http::BodyCursor body) = 0;
  /// Takes the client's connection over. `early`: bytes that the client has sent after its request.
  using Taker = std::function<void(net::Stream&& stream, std::string early)>;
  /// In place of `answer`: switches protocols (101, RFC 9110 section 7.8). `taker` is called once the head was sent,
  /// not from within this call, and not if the client leaves before that. The exchange lasts until `end_upgrade`; if
  /// the connection has to end at once, `gone` becomes true. `head` has neither Connection nor Upgrade: they are the
  /// edge's. False: this version of HTTP has no upgrade, and nothing was done.
  virtual bool upgrade(const AnswerHead&, std::string_view /*protocol*/, Taker&&) { return false; }
  /// What was taken over has ended, with so many bytes from and to the client. `completed`: in order.
  virtual void end_upgrade(std::uint64_t /*in*/, std::uint64_t /*out*/, bool /*completed*/) {}
  /// No response is possible: resets the connection.
  virtual void cut() = 0;
  /// There is no memory to answer it: 503, and the end of the connection. Without effect once it is answered.
  virtual void out_of_memory() noexcept { cut(); }
  /// The client has left (reset, or timed out); a response would not reach it.
  virtual bool gone() const = 0;
  /// The client has sent its last byte. It may still read, but most such clients have left.
  virtual bool ended() const { return false; }
  /// From now on a client that has sent its last byte counts as gone, since its answer has no end of its own and may be
  /// silent for long. The kernel asks a silent client whether it is still there (`Stream::keep_alive`).
  virtual void end_is_leaving() {}
  /// One waiter, woken on this thread when `gone` becomes true. Null to take it back.
  virtual void on_gone(Waiter* waiter) = 0;
  bool answered() const noexcept { return answered_; }

 protected:
  bool answered_ = false;
};
using ExchangePtr = std::shared_ptr<Exchange>;

/// Errors that the edge answers by itself; the label `reason` of forebay_request_errors_total.
enum class Refusal : std::uint8_t { BadRequest, HeaderTooLarge, TargetTooLong, BodyTooLarge, ClientTimeout, Overload };

/// The handler's additions to an error document of the edge.
struct RefusalNote {
  std::string request_id;  ///< Empty: the document has none.
  std::string field;       ///< The name of the field that carries it.
};

/// A message that the edge has refused before `start`. Views are valid during the call.
struct RefusedMessage {
  Refusal reason = Refusal::BadRequest;
  int status = 400;             ///< Goes to the client if it still reads.
  std::string_view code;        ///< Of the document, such as `body_too_large`.
  std::string_view detail;      ///< Its description of the error, without text of the message.
  http::RequestView head;       ///< The part read before the error; without a method if nothing was read.
  std::uint64_t bytes_out = 0;  ///< Content of the document.
  std::string_view request_id;
};

/// Handles each request. One per worker and kind of listener, used only by that worker.
class Handler {
 public:
  virtual ~Handler() = default;
  /// A complete head has arrived. May answer before it returns.
  virtual void start(const ExchangePtr& exchange) = 0;
  /// The last byte was sent, or the exchange has ended without it. Called once for each `start`.
  virtual void finished(Exchange& exchange) = 0;
  virtual std::unique_ptr<Notes> make_notes() = 0;
  /// Additions to the error document of a message that the edge is about to refuse; `refused` follows. `fields` are
  /// those before the error.
  virtual RefusalNote note_refusal(http::FieldsView) { return {}; }
  /// The edge refuses a message before `start`.
  virtual void refused(const RefusedMessage& message, const Peer& peer) = 0;
  /// The edge answers a request that was started, whose content is malformed, late or cut short, or for which there is
  /// no memory; `finished` follows.
  /// `code` is a literal, `detail` lives for the call.
  virtual RefusalNote content_failed(Exchange&, std::string_view /*code*/, std::string_view /*detail*/) { return {}; }
  /// Limits and timeouts in force; read at the start of each request.
  virtual const config::Server& settings() const = 0;
  /// Whether clients that do not read hold too much memory of responses that the store has dropped. Then the edge
  /// resets the connection that has waited longest.
  virtual bool overpinned() const { return false; }
  /// Whether the process drains: responses have `Connection: close`, idle connections are closed.
  virtual bool draining() const = 0;
  /// Whether clients are to go elsewhere while all are still served: answers have `Connection: close`, and connections
  /// of HTTP/2 end after their first answer. Nothing is closed before its client was told.
  virtual bool sends_away() const { return false; }
};

}  // namespace forebay::server
