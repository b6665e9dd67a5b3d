#pragma once

#include <functional>
#include <memory>
#include <string>

#include "forebay/base/budget.hpp"
#include "forebay/net/source.hpp"

namespace forebay::proxy {

/// A source that passes the head of an answer on when its content has come, so that the sink can read both before
/// anything of it goes further. Bounded: an answer that is longer, or for which there is no memory, goes on as it
/// comes.
class HeldAnswer final : public net::Source, public std::enable_shared_from_this<HeldAnswer> {
 public:
  struct Rules {
    std::uint64_t most = 0;  ///< Bytes of content.
    /// Whether an answer with this head is held.
    std::function<bool(const http::ResponseView&, const net::Sink::HeadFacts&)> holds;
    std::function<Charge(std::size_t)> reserve;  ///< Memory; an empty Charge where there is none.
  };
  HeldAnswer(net::SourcePtr source, Rules rules) : source_(std::move(source)), rules_(std::move(rules)) {}
  /// Cancelled when the last reference goes.
  static net::SourcePtr own(std::shared_ptr<HeldAnswer> held);

  enum class Content : std::uint8_t {
    NotHeld,
    Whole,
    TooLarge,
    Cut,  ///< Its end has not come.
  };
  /// While the sink has its head: what is known of the content.
  Content state() const noexcept { return state_; }
  std::string_view content() const noexcept { return bytes_; }

  void start(net::Sink& sink) override;
  void resume() override { source_->resume(); }
  void cancel() override;
  void allow_quiet(Duration limit) override { source_->allow_quiet(limit); }
  const net::SourceTimes& times() const override { return source_->times(); }
  bool asked() const override { return source_->asked(); }

 private:
  /// What the source says.
  class Hears final : public net::Sink {
   public:
    explicit Hears(HeldAnswer& owner) : h_(owner) {}
    void on_interim(const http::ResponseView& head) override { h_.sink_->on_interim(head); }
    void on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) override;
    void on_head(const http::ResponseView& head, const HeadFacts& facts) override { h_.take_head(head, facts); }
    bool on_data(std::string_view bytes) override { return h_.take_data(bytes); }
    bool drop_slowest() override { return !h_.holding_ && h_.sink_->drop_slowest(); }
    bool take_more(std::size_t bytes) override { return !h_.holding_ && h_.sink_->take_more(bytes); }
    void on_end(const http::Fields& trailers) override;
    bool wants_retry(bool elsewhere) override { return h_.sink_->wants_retry(elsewhere); }
    bool is_wanted() const override { return h_.sink_->is_wanted(); }
    unsigned waiters() const override { return h_.sink_->waiters(); }
    void on_failure(net::FetchError error, std::string_view detail) override;

   private:
    HeldAnswer& h_;
  };

  void take_head(const http::ResponseView& head, const net::Sink::HeadFacts& facts);
  bool take_data(std::string_view bytes);
  bool release(Content state);

  const net::SourcePtr source_;
  const Rules rules_;
  net::Sink* sink_ = nullptr;  // null: it is cancelled, or has heard the end
  Hears hears_{*this};
  bool holding_ = false;
  Content state_ = Content::NotHeld;
  http::Response head_;  // of what is held
  net::Sink::HeadFacts facts_;
  std::string bytes_;
  Charge charge_;
};

}  // namespace forebay::proxy
