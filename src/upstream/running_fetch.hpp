#pragma once

#include <algorithm>
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
#include "upstream/dialler.hpp"
#include "upstream/group.hpp"
#include "upstream/held_connection.hpp"
#include "upstream/request_sender.hpp"

namespace forebay::upstream {

/// One fetch from its start to its end: a place among the requests in flight, a url, a connection, the request, the
/// answer, and further attempts where they are safe. Everything happens on its worker. Its source is in two files:
/// `running_fetch.cpp` has the way to a connection, the request, and how things end; `running_fetch_answer.cpp` reads
/// the answer.
class RunningFetch final : public net::Source, public std::enable_shared_from_this<RunningFetch>, public Cancellable {
 public:
  /// `asked`: whose group it is.
  RunningFetch(Origin& asked, std::shared_ptr<Group> group, const FetchRequest& request, std::size_t response_header);
  ~RunningFetch();

  void start(net::Sink& sink) override;
  void resume() override;
  void cancel() override;
  void allow_quiet(Duration limit) override;
  void give_way() override;
  bool asked() const noexcept override { return contact_ != Contact::None; }
  const net::SourceTimes& times() const noexcept override { return times_; }

 private:
  enum class Phase : std::uint8_t {
    Seeking,   ///< It waits for a place, chooses a url, looks for a connection, or waits for a permit to make one.
    Resting,   ///< An attempt has failed, and the next one waits a little.
    Dialling,  ///< A name is resolved, a connection made.
    Securing,  ///< The connection shakes hands. Nothing of the request has been sent.
    Head,      ///< The request goes out; no final head has come.
    Content,   ///< The content of the answer comes.
    Over,
  };
  bool may_enter(Phase next) const noexcept;
  void enter(Phase next);

  /// The request, of this attempt.
  enum class Sending : std::uint8_t {
    Ready,
    Writing,
    AwaitsContent,  ///< Of its client.
    Held,           ///< Until a 100, or `held_until_`.
    Sent,
    Stopped,  ///< The rest is not sent.
  };
  /// How the answer's content goes to the sink.
  enum class Flow : std::uint8_t {
    Open,
    Delivering,
    Resumed,  ///< While it was delivering.
    Paused,
  };
  /// What the origin has seen and said, over all attempts.
  enum class Contact : std::uint8_t {
    None,
    Asked,      ///< A request may have reached it.
    Answering,  ///< A byte of an answer has come: it is never asked again.
  };
  /// Where the connection goes once the answer is whole.
  enum class After : std::uint8_t { Pool, Client, Close };

  /// Runs a step of it: every way from the loop into a fetch. Where memory runs out the fetch has failed.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    forebay::guarded(std::forward<Step>(step), [this] { fail(FetchError::Memory, "no memory"); });
  }

  /// Calls a member function when its waiter is woken.
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

  net::Worker& worker() noexcept { return group_->worker(); }
  const config::Origin& settings() const noexcept { return group_->config(); }
  /// Of the url that was chosen.
  SharedOrigin& origin() noexcept { return pool_->origin(); }
  bool over() const noexcept { return phase_ == Phase::Over; }
  void begin();
  void arm(Duration in) { worker().deadlines().arm(deadline_, worker().now().mono, in); }
  /// Something of the answer is there.
  bool begun() const noexcept;
  Duration between_bytes() const noexcept { return std::max(settings().timeouts.between_bytes, quiet_); }
  /// Its sink wants no more, or its client sends nothing.
  bool client_keeps_it() const noexcept { return flow_ == Flow::Paused || sending_ == Sending::AwaitsContent; }
  void expired();
  void out_of_total_time();

  // The way to a connection.
  void ask_for_place();
  void wait_for_place();
  void place_woken();
  void first_attempt();
  bool choose();
  void take_url(unsigned url, Breaker::Pass pass);
  void leave_url() noexcept;
  void seek();
  void permit_woken();
  void wait_in_queue();
  void dial(Permit permit);
  void dialled(Dialler::Outcome outcome);
  void secure(ConnectionPtr connection);
  void secured(const ConnectionPtr& connection, net::Io state);
  void handshake_failed(net::TlsHandshake result, const std::string& why);
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
  bool refused_by_tls() const noexcept;
  void go_on();
  bool read_head();
  bool take_interim();
  void take_switch();
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
  void complete();

  // The end.
  void attempt_failed(FetchError error, std::string_view detail);
  bool may_repeat(FetchError error);
  bool not_again(FetchError error);
  bool is_fast(Timestamp now) const noexcept;
  bool may_repeat_here(FetchError error) const noexcept;
  bool was_tried(FetchError error) const noexcept;
  void judge(const http::ResponseView& head);
  void judge(FetchError error);
  void repeat(FetchError error, std::string_view detail, bool here);
  void end_with(FetchError error, std::string_view detail);
  void fail(FetchError error, std::string_view detail);
  net::Sink* finish();

  const std::shared_ptr<Group> group_;
  std::shared_ptr<Pool> pool_;  // of the url that was chosen; null: none was
  unsigned url_ = 0;
  std::uint64_t tried_ = 0;  // bit i: url i
  const std::uint64_t balance_key_;
  Breaker::Pass pass_;
  net::Sink* sink_ = nullptr;
  const http::Method method_;
  const http::HeadLimits limits_;
  RequestSender sender_;
  const std::shared_ptr<HeldConnection> bond_;
  // The request, or a request before it on this connection, authenticates the connection (RFC 4559).
  const bool authenticates_;
  const bool repeatable_;
  const bool fails_over_;
  After after_ = After::Pool;
  net::SourceTimes times_;
  std::string address_;    // what times_.address shows
  std::string failed_by_;  // what times_.failed_by shows
  std::string_view not_repeated_;

  Phase phase_ = Phase::Seeking;
  Contact contact_ = Contact::None;
  net::Deadline deadline_{[this] { guarded([this] { expired(); }); }};

  net::Deadline total_{[this] { guarded([this] { out_of_total_time(); }); }};

  std::shared_ptr<AdmissionRequest> place_request_;
  Wake place_wake_{*this, &RunningFetch::place_woken};
  unsigned waiters_ = 0;  // as the queue knows them
  Place place_;
  std::shared_ptr<PermitRequest> permit_request_;
  Wake permit_wake_{*this, &RunningFetch::permit_woken};
  Permit permit_;  // between attempts
  std::shared_ptr<Dialler> dialler_;
  Timestamp dialled_{}, asked_{};
  Duration waited_{};  // for places and connections in earlier attempts

  ConnectionPtr connection_;
  Wake body_wake_{*this, &RunningFetch::body_woken};
  Sending sending_ = Sending::Ready;
  Timestamp held_until_{};
  Timestamp head_due_{};  // when the head of the answer has to be there

  http::ResponseParser parser_;
  http::BodyDecoder decoder_;
  std::string_view run_;  // content in the connection's buffer that the sink has not got yet
  std::optional<content::TransferDecoder> transfer_;  // of an answer with transfer codings beside chunked
  std::unique_ptr<char[]> decoded_;                   // a piece that came out of it
  bool more_decoded_ = false;                         // it may have more without further input
  unsigned interims_ = 0;
  Duration quiet_{0};  // how long the content may rest, where that is more than `timeouts.between_bytes`
  Flow flow_ = Flow::Open;

  // How long the client has kept the connection waiting, not counting the time in between, since it last moved much.
  bool stalled_ = false, relieved_ = false;
  Timestamp stalled_since_{}, moving_since_{};
  std::size_t moved_ = SIZE_MAX / 2;
  std::size_t read_on_ = 0;  // what is still read for others: no progress of the client's

  unsigned retries_left_;
  bool replaced_ = false;
};

}  // namespace forebay::upstream
