#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/guarded.hpp"
#include "forebay/content/coding.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/upstream/origin.hpp"
#include "upstream/connection.hpp"
#include "upstream/held_connection.hpp"
#include "upstream/pool.hpp"
#include "upstream/request_sender.hpp"

namespace forebay::upstream {

/// One fetch from its start to its end: a place in the queue, a connection, the request, the answer, and further
/// attempts where they are safe. Everything happens on its worker. Its source is in two files: `running_fetch.cpp` has
/// the way to a connection, the request, and how things end; `running_fetch_answer.cpp` reads the answer.
class RunningFetch final : public net::Source, public std::enable_shared_from_this<RunningFetch>, public Cancellable {
 public:
  RunningFetch(std::shared_ptr<Pool> pool, const FetchRequest& request, std::size_t response_header);
  ~RunningFetch();

  void start(net::Sink& sink) override;
  void resume() override;
  void cancel() override;
  void give_way() override;
  bool asked() const noexcept override { return conversed_; }
  const net::SourceTimes& times() const noexcept override { return times_; }

 private:
  enum class Timer : std::uint8_t { Queue, Backoff, Connect, Continue, FirstByte, BetweenBytes };
  enum class Phase : std::uint8_t { Connecting, Head, Content, Over };

  /// Runs a step of it: every way from the loop into a fetch. Where memory runs out the fetch has failed.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    forebay::guarded(std::forward<Step>(step), [this] { fail(FetchError::Memory, "no memory"); });
  }

  /// Calls a member when its waiter is woken.
  class Wake final : public Waiter {
   public:
    using Then = void (RunningFetch::*)();
    Wake(RunningFetch& fetch, Then then) : fetch_(fetch), then_(then) {}
    void woken() override {
      fetch_.guarded([&fetch = fetch_, then = then_] { (fetch.*then)(); });
    }

   private:
    RunningFetch& fetch_;
    Then then_;
  };

  net::Worker& worker() noexcept { return pool_->worker(); }
  SharedOrigin& origin() noexcept { return pool_->origin(); }
  bool over() const noexcept { return phase_ == Phase::Over; }
  void begin();
  void arm(Timer timer, Duration in);
  void expired();

  // The way to a connection.
  void seek();
  void permit_woken();
  void wait_in_queue();
  void dial(Permit permit);
  void addresses_known(unsigned attempt, const AddressList& list, const std::string& why);
  void connect_next();
  void note_unreached(const std::string& why);
  void connected(const ConnectionPtr& connection, const boost::system::error_code& error);
  void converse(ConnectionPtr connection, bool bound = false);

  // The request.
  void send();
  void sent(const ConnectionPtr& connection, const net::IoResult& written);
  void body_woken();
  void send_content();
  void stop_sending() noexcept;
  void watch_progress();
  void relieve_or_end();
  void note_client();

  // The answer.
  void read();
  void received(const ConnectionPtr& connection, const net::IoResult& result);
  void connection_ended(net::Io how);
  void go_on();
  bool read_head();
  bool take_interim();
  bool take_final();
  bool read_content();
  bool collect(std::string_view piece);
  bool flush();
  bool flush_decoded();
  bool deliver(std::string_view bytes);
  bool undelivered() const noexcept { return !run_.empty() || more_decoded_; }
  bool prepare_decoder();
  std::string refusal(Errc error) const;
  void settle_connection();
  void rest_connection(const ConnectionPtr& connection);
  void complete();

  // The end.
  void attempt_failed(FetchError error, std::string_view detail);
  bool may_repeat(FetchError error);
  void fail(FetchError error, std::string_view detail);
  net::Sink* finish();

  const std::shared_ptr<Pool> pool_;
  net::Sink* sink_ = nullptr;
  const http::Method method_;
  const http::HeadLimits limits_;
  RequestSender sender_;
  const std::shared_ptr<HeldConnection> bond_;
  // The request, or a request before it on this connection, authenticates the connection (RFC 4559).
  const bool authenticates_;
  bool bound_ = false;
  bool challenged_ = false;  // the answer offers to
  net::SourceTimes times_;
  std::string address_;  // what times_.address shows

  Phase phase_ = Phase::Connecting;
  net::Deadline deadline_{[this] { guarded([this] { expired(); }); }};
  Timer timer_ = Timer::Connect;

  std::shared_ptr<PermitRequest> permit_request_;
  Wake permit_wake_{*this, &RunningFetch::permit_woken};
  Permit permit_;  // between attempts
  AddressList addresses_;
  std::size_t next_address_ = 0;
  unsigned dials_ = 0;
  Timestamp dialled_{}, asked_{};
  std::string unreached_;  // the addresses of this attempt that could not be reached, each with why

  ConnectionPtr connection_;
  Wake body_wake_{*this, &RunningFetch::body_woken};
  bool writing_ = false, waiting_for_body_ = false, request_sent_ = false, sending_over_ = false;
  Timestamp held_until_ = Timestamp::max();  // the content waits for a 100; max() when it does not

  http::ResponseParser parser_;
  http::BodyDecoder decoder_;
  std::string_view run_;  // content in the connection's buffer that the sink has not got yet
  std::optional<content::TransferDecoder> transfer_;  // of an answer with transfer codings beside chunked
  std::unique_ptr<char[]> decoded_;                   // a piece that came out of it
  bool more_decoded_ = false;                         // it may have more without further input
  unsigned interims_ = 0;
  bool answer_begun_ = false;  // a byte of it has come: never asked again
  bool early_ = false;         // the head came before the request had ended
  bool delivering_ = false, paused_ = false, resumed_ = false;

  // How long the client has kept the connection waiting, not counting the time in between, since it last moved much.
  bool stalled_ = false, relieved_ = false, conversed_ = false;
  Timestamp stalled_since_{}, moving_since_{};
  std::size_t moved_ = SIZE_MAX / 2;
  std::size_t read_on_ = 0;  // what is still read for others: no progress of the client's

  unsigned retries_left_;
  bool replaced_ = false;
};

}  // namespace forebay::upstream
