#pragma once

#include <string_view>

#include "event_stream.hpp"
#include "fill_body.hpp"
#include "fill_plan.hpp"
#include "origin_ask.hpp"
#include "storing.hpp"
#include "write_effects.hpp"

namespace forebay::proxy {

/// One response from a source, from the question to the last byte: has the answer judged, publishes it on the flight,
/// streams it to those who follow and to the client that caused it, and has it stored (the steps 7 and 9 of
/// docs/architecture.md). A pass does the same without followers. What a source is asked is `OriginAsk`'s, what
/// concerns the store `Storing`'s, what the client hears fill_client.hpp's.
class Fill final : public Task, public net::Sink {
 public:
  Fill(PendingRequestPtr pending, FillPlan plan);
  void start();

  void end() override;
  bool background() const override { return !pending_->wanted(); }
  void drain() override;

  void on_interim(const http::ResponseView& head) override;
  void on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) override;
  void on_head(const http::ResponseView& head, const HeadFacts& facts) override;
  bool on_data(std::string_view bytes) override;
  bool drop_slowest() override;
  bool take_more(std::size_t bytes) override;
  void on_end(const http::Fields& trailers) override;
  bool wants_retry(bool elsewhere) override;
  bool is_wanted() const override;
  unsigned waiters() const override;
  void on_failure(net::FetchError error, std::string_view detail) override;

 private:
  enum class Phase : std::uint8_t {
    Asking,   ///< No head has come.
    Judging,  ///< A head has come; what becomes of it is not settled.
    Storing,  ///< The body is kept whole, for the store and for whoever joins.
    Passing,  ///< The body goes through a window.
    Paused,   ///< The window is full, and the source waits.
    Over,
  };
  bool may_enter(Phase next) const noexcept;
  void enter(Phase next);
  bool over() const noexcept { return phase_ == Phase::Over; }

  void ask(OriginAsk::What what);
  void ask_again(OriginAsk::What what);
  void take_head(const http::ResponseView& head, const HeadFacts& facts);
  void not_modified(const http::ResponseView& head);
  void judge(const http::ResponseView& head, const HeadFacts& facts);
  void store(const http::ResponseView& head, const HeadFacts& facts, const rules::Storability& verdict);
  void pass_on(const http::ResponseView& head, const HeadFacts& facts, rules::Reason reason, bool by_request);
  Ref<const cache::PublishedHead> to_send(const http::ResponseView& head, const std::vector<std::string>& drop) const;
  void answer_client(const Ref<const cache::PublishedHead>& head, const HeadFacts& facts);
  void follow_events(const http::ResponseView& head, const HeadFacts& facts);
  bool pass_events(std::string_view bytes);
  void end_events();
  bool keep(std::string_view bytes, Charge& charge);
  bool go_on();
  void room();
  void give_way(cache::Failure failure);
  void fail(net::FetchError error, std::string_view detail);
  void give_up() noexcept override;
  void client_gone();
  void stop();
  void finish();
  rules::ExchangeTimes times() const;

  Core& core_;
  PendingRequestPtr pending_;
  FillPlan plan_;
  Phase phase_ = Phase::Asking;
  OriginAsk ask_;
  Storing storing_;
  WriteEffects effects_;
  FillBody body_;
  net::SourcePtr source_;
  int status_ = 0;                       // of the answer that is judged or under way; 0: none
  std::optional<std::uint64_t> stated_;  // the length of its content
  std::unique_ptr<EventStream> events_;  // of an event stream whose events can be told apart
  bool gives_way_ = false;               // one of those who wait makes the second try
  Now requested_;
  Watch<Fill> gone_{*this, &Fill::client_gone};
};

}  // namespace forebay::proxy
