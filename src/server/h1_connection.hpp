#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "forebay/base/guarded.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/net/handler_memory.hpp"
#include "forebay/net/stream.hpp"
#include "server/body_writer.hpp"
#include "server/connection_limits.hpp"
#include "server/h1_protocol.hpp"
#include "server/min_rate.hpp"
#include "server/output.hpp"
#include "server/read_buffer.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

/// Credit per byte of an upload that is dropped after a refusal: 1 KiB/s keeps the connection.
inline constexpr Duration kUploadByte = Duration{std::chrono::seconds{1}} / 1024;

/// A message, or a client, that the edge refuses.
struct EdgeError;

/// An HTTP/1.1 connection to a client: reads requests, hands them to the handler one after the other, sends the answers
/// in order.
///
/// Everything happens in `turn`, which runs until it must wait. Calls of the handler only set state and request another
/// turn, so callbacks are never re-entrant.
class H1Connection final : public Connection,
                           public boost::intrusive_ref_counter<H1Connection, boost::thread_unsafe_counter> {
 public:
  using Ptr = boost::intrusive_ptr<H1Connection>;

  /// On the listener's thread; counted in `listener.open` by the caller already. It keeps itself alive until it is
  /// closed.
  H1Connection(std::shared_ptr<WorkerListener> listener, H1Protocol& protocol, Accepted accepted);
  /// Takes requests. `early` was read already.
  void begin(std::string_view early);
  /// Tells the client why it is not served, and closes.
  void begin_refusal(const EdgeError& why);

  void drain() override;
  void abort() override;
  bool pins() const override;
  Timestamp silent_since() const override;

  // --- what an exchange calls ---
  const Peer& peer() const noexcept { return *peer_; }
  std::shared_ptr<void>& companion() noexcept { return companion_; }
  void interim(int status, http::FieldsView fields);
  void answer(H1Exchange& exchange, const AnswerHead& head, http::BodyCursor&& body);
  void upgrade(H1Exchange& exchange, const AnswerHead& head, std::string_view protocol, Exchange::Taker&& taker);
  void end_upgrade(bool completed);
  void cut();
  void out_of_memory() noexcept;
  net::BodySource::State pull(H1Exchange& exchange, std::string_view& out);
  const http::Fields& trailers() const noexcept { return decoder_.trailers(); }
  bool awaits_continue(const H1Exchange& exchange) const noexcept;
  bool ended() const noexcept { return eof_; }
  void end_is_leaving();

 private:
  enum class Ending : std::uint8_t { Plain, Reset };
  enum class Awaiting : std::uint8_t { Nothing, Request, Head, Body, Leaving };
  struct BodyReady final : Waiter {
    explicit BodyReady(H1Connection& connection) : owner(connection) {}
    void woken() override { owner.turn(); }
    H1Connection& owner;
  };

  // h1_connection.cpp: the order of events
  void turn();
  template <class Step>
  void or_close(Step&& step);
  bool step();
  void settle();
  void settle_between_requests();
  void await_last_request();
  void kick();
  void again();
  bool flush();
  void note_sent();
  void on_writable(net::Io state);
  void finish(std::shared_ptr<H1Exchange> exchange, bool completed);
  void linger();
  void await_leaving();
  void close(Ending how);
  bool idle() const noexcept;
  bool waits_for_answer() const noexcept;
  Timestamp now() const noexcept { return listener_->worker.now().mono; }

  // h1_reading.cpp: from bytes to requests and their content
  void arm_read();
  void defer_read();
  void on_read(net::IoResult read);
  bool next_request();
  bool go_on_as_http2(std::string_view bytes);
  void start_request(const config::Server& settings);
  bool skip_body();
  void fail_body(const EdgeError& why);
  void count_rejection(const EdgeError& why) noexcept;
  bool body_can_end() const noexcept;
  void tidy();

  // h1_answering.cpp: answers, the handler's and the edge's own
  bool send_answer();
  void conclude();
  void break_answer();
  void answer_failed_body();
  void reject(const EdgeError& why, std::string_view cause = {});

  // h1_upgrade.cpp: the connection is handed over
  bool hand_over();
  void read_ended(net::IoResult read);

  // h1_deadlines.cpp: deadlines
  void await(Awaiting what, Timestamp until);
  void watch();
  void note_taken(std::size_t unsent);
  void on_deadline();
  void on_write_deadline();
  void on_read_deadline();

  std::shared_ptr<WorkerListener> listener_;
  H1Protocol& protocol_;
  net::Stream stream_;
  std::shared_ptr<const Peer> peer_;
  ConnectionLimits::Place place_;

  ReadBuffer in_;
  Output out_;
  http::HeadLimits limits_;
  http::RequestParser parser_;
  http::BodyDecoder decoder_;
  BodyWriter writer_;
  BodyReady body_ready_{*this};

  std::shared_ptr<void> companion_;                  // the handler's, until the connection is closed
  std::shared_ptr<H1Exchange> exchange_;             // the one being answered
  std::vector<std::shared_ptr<H1Exchange>> unsent_;  // wholly queued, not wholly sent
  Timestamp head_began_{};                           // when the first byte of the current head arrived
  std::uint64_t skipped_ = 0;                        // of the content of a request that was answered
  std::uint64_t requests_ = 0;
  unsigned turn_requests_ = 0;  // begun in this turn
  std::uint64_t linger_left_ = 0;
  Timestamp linger_until_{};
  Timestamp linger_earned_{};           // by bytes: a slow trickle does not keep the connection
  std::size_t backlog_ = 0;             // what the kernel held when the socket was full, or when we last asked
  Exchange::Taker taker_;               // of a connection that switches protocols, until it is handed over
  const EdgeError* failure_ = nullptr;  // content that is malformed, late or cut short; or no memory for the request

  net::Deadline deadline_;
  Timestamp armed_for_{};
  Timestamp read_due_ = Timestamp::max(), write_due_ = Timestamp::max(), tidy_due_ = Timestamp::max();
  Awaiting awaiting_ = Awaiting::Nothing;
  Timestamp awaiting_since_{};
  MinRate sending_{MinRate::kWindow};     // of the content of a request
  MinRate taking_{2 * MinRate::kWindow};  // of answers
  std::uint64_t taken_ = 0;               // bytes of answers that the client has acknowledged, when we last asked

  net::HandlerMemory kick_memory_;
  bool reading_ = false, blocked_ = false, deferred_ = false, kicked_ = false;  // operations under way
  bool turning_ = false;
  bool upgrading_ = false;    // 101 is the answer: HTTP ends here
  bool handed_over_ = false;  // the stream is somebody else's; kept until `end_upgrade`
  bool upgrade_completed_ = false;
  bool eof_ = false;     // the client has sent all it will
  bool filled_ = false;  // the last read took all the room there was
  bool held_ = false;    // a view of content is in use: the read buffer must not move
  bool body_wanted_ = false, body_news_ = false, body_over_limit_ = false, continued_ = false;
  bool close_after_ = false;     // this answer
  bool end_is_leaving_ = false;  // the client of this request leaves by its last byte
  bool ending_ = false;          // nothing more is read; close when all is sent
  bool uploading_ = false;       // what the client still sends belongs to a request that was answered
  bool cut_ = false, lingering_ = false, closed_ = false, refusing_ = false, tidying_ = false;
};

/// A step outside of a turn. Where memory runs out in it the connection is closed.
template <class Step>
void H1Connection::or_close(Step&& step) {
  const Ptr self(this);
  guarded(std::forward<Step>(step), [this] { close(Ending::Reset); });
}

}  // namespace forebay::server
