#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "forebay/base/guarded.hpp"
#include "forebay/http/h2_session.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/net/handler_memory.hpp"
#include "forebay/net/stream.hpp"
#include "server/connection_limits.hpp"
#include "server/h2_protocol.hpp"
#include "server/min_rate.hpp"
#include "server/output.hpp"
#include "server/read_buffer.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

/// An HTTP/2 connection to a client: gives what it reads to a session, hands the requests to the handler as they come,
/// and sends what the session makes of the answers.
///
/// A read is processed as a whole, and all that it leads to leaves in one write. Calls of the handler only set state
/// and request a turn, in which the output is made and sent.
class H2Connection final : public Connection,
                           public boost::intrusive_ref_counter<H2Connection, boost::thread_unsafe_counter>,
                           private http::H2Events,
                           private http::H2Output {
 public:
  using Ptr = boost::intrusive_ptr<H2Connection>;

  /// On the listener's thread; counted in `listener.open` by the caller already. It keeps itself alive until it is
  /// closed.
  H2Connection(std::shared_ptr<WorkerListener> listener, H2Protocol& protocol, Accepted accepted);
  /// Takes requests. `early` was read already.
  void begin(std::string_view early);
  /// Tells the client that there are too many connections, and closes.
  void begin_refusal(const EdgeError& why);

  void drain() override;
  void abort() override;
  bool pins() const override;

  // --- what an exchange calls ---
  const Peer& peer() const noexcept { return *peer_; }
  void interim(H2Exchange& exchange, int status, http::FieldsView fields);
  void answer(H2Exchange& exchange, const AnswerHead& head, http::BodyCursor&& body);
  void cut(H2Exchange& exchange);
  void out_of_memory(H2Exchange& exchange) noexcept;
  net::BodySource::State pull(H2Exchange& exchange, std::string_view& out);
  void resume(H2Exchange& exchange);
  bool ended() const noexcept { return eof_; }
  void end_is_leaving(H2Exchange& exchange);

 private:
  enum class Ending : std::uint8_t { Plain, Reset };
  /// A place in the output that tells something of an exchange once it was sent.
  struct Mark {
    H2Exchange* exchange;
    std::uint64_t at;
    bool end;
  };

  // h2_connection.cpp: the order of events
  void turn();
  template <class Step>
  void or_close(Step&& step);
  void feed(std::string_view bytes);
  void pump();
  void settle();
  void kick();
  void again();
  bool flush();
  void note_sent();
  void note_abuse();
  void on_writable(net::Io state);
  void arm_read();
  void defer_read();
  void on_read(net::IoResult read);
  void on_end_of_input();
  void linger();
  void close(Ending how);
  void start_drain();
  void refuse_more();
  Timestamp now() const noexcept { return listener_->worker.now().mono; }

  // h2_requests.cpp and h2_content.cpp: requests, their content, and answers
  void on_request(http::H2StreamId id, const http::H2HeadReader& head, bool ended) override;
  void on_refused(http::H2StreamId id, const http::H2HeadReader& head, http::H2HeadReader::Verdict why,
                  bool ended) override;
  void on_content(http::H2Stream& stream, std::string_view bytes) override;
  void on_content_end(http::H2Stream& stream, http::Fields& trailers) override;
  void on_content_malformed(http::H2Stream& stream) override;
  void on_credit(http::H2Stream* stream) override;
  http::H2Portion::State pull(http::H2Stream& stream, std::size_t most, http::H2Portion& portion) override;
  void on_head_sent(http::H2Stream& stream) override;
  void on_content_sent(http::H2Stream& stream, std::size_t bytes) override;
  void on_end_sent(http::H2Stream& stream) override;
  void on_closed(http::H2Stream& stream) override;
  void on_pong() override;
  void text(std::string_view bytes) override;
  void content(Slice&& slice) override;
  bool full() const override;

  std::shared_ptr<H2Exchange> add_exchange(http::H2StreamId id, const http::H2HeadReader& head, bool ended);
  void refuse(http::H2StreamId id, const http::H2HeadReader& head, const EdgeError& why, std::string_view cause,
              bool ended);
  void hold(H2Exchange& exchange, std::string_view bytes);
  bool share(H2Exchange& exchange, std::size_t bytes);
  void let_go(H2Exchange& exchange, std::size_t bytes);
  void forget_content(H2Exchange& exchange);
  void look_for_room();
  void fail_content(H2Exchange& exchange, const EdgeError& why);
  void answer_failed(H2Exchange& exchange);
  void answer_failures();
  void break_answer(H2Exchange& exchange);
  void finish(H2Exchange& exchange, bool completed);
  void leave_all();
  std::shared_ptr<H2Exchange> take_out(H2Exchange& exchange);
  void count_rejection(const EdgeError& why) noexcept;

  // h2_deadlines.cpp
  void watch(Timestamp due);
  void watch_all();
  Timestamp connection_due() const noexcept;
  void note_credit(H2Exchange& exchange);
  void mark_cut(H2Exchange& exchange);
  void stall_until(H2Exchange& exchange, Timestamp due);
  void note_stall();
  void note_taken(std::size_t unsent);
  void on_deadline();
  void check_exchanges();
  bool check_connection();
  void tidy();

  std::shared_ptr<WorkerListener> listener_;
  H2Protocol& protocol_;
  net::Stream stream_;
  std::shared_ptr<const Peer> peer_;
  ConnectionLimits::Place place_;

  ReadBuffer in_;
  Output out_;
  http::H2Session session_;
  std::vector<std::shared_ptr<H2Exchange>> exchanges_;
  std::vector<Mark> marks_;  // in the order of the output

  net::HandlerMemory kick_memory_;
  net::Deadline deadline_;
  Timestamp armed_for_{};
  Timestamp idle_since_{};
  Timestamp write_due_ = Timestamp::max(), drain_due_ = Timestamp::max(), linger_until_ = Timestamp::max();
  Timestamp tidy_due_ = Timestamp::max(), room_due_ = Timestamp::max();
  MinRate taking_{2 * MinRate::kWindow};  // of the whole output
  std::uint64_t taken_ = 0;               // bytes that the client has acknowledged, when we last asked
  std::size_t backlog_ = 0;               // what the kernel held when the socket was full, or when we last asked
  std::uint64_t linger_left_ = 0;
  std::uint64_t requests_ = 0;
  std::size_t withheld_ = 0;      // content that is held, and for which the client has no credit in the connection
  unsigned stalled_streams_ = 0;  // for which the client gives no credit

  bool reading_ = false, blocked_ = false, deferred_ = false, kicked_ = false;  // operations under way
  bool busy_ = false;                                                           // in a turn
  bool eof_ = false;                                                            // the client has sent all it will
  bool filled_ = false;    // the last read took all the room there was
  bool broken_ = false;    // memory has run out where nothing could be undone: the next turn closes it
  bool failures_ = false;  // some exchange has content that failed, no memory, or a client that left by its last byte
  bool starved_ = false;   // the client gives no credit for the whole connection
  bool draining_ = false, refusing_more_ = false;
  bool abuse_noted_ = false;
  bool lingering_ = false, closed_ = false, refusing_ = false, tidying_ = false;
};

/// A step outside of a turn. Where memory runs out in it the connection is closed.
template <class Step>
void H2Connection::or_close(Step&& step) {
  const Ptr self(this);
  guarded(std::forward<Step>(step), [this] { close(Ending::Reset); });
}

}  // namespace forebay::server
