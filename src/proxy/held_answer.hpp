#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "forebay/base/budget.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/net/source.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/purger.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// A source whose answer goes on when something has been done that the answer asks for. Where that reads the content,
/// the head is held until the content has come; an answer that is longer than is held, or for which there is no memory,
/// goes on without it.
class HeldAnswer final : public net::Source, public std::enable_shared_from_this<HeldAnswer> {
 public:
  struct Rules {
    std::uint64_t most = 0;  ///< Bytes of content.
    /// Whether the content of an answer with this head is held. Empty: of none.
    std::function<bool(const http::ResponseView&, const net::Sink::HeadFacts&)> holds;
    std::function<Charge(std::size_t)> reserve;  ///< Memory; an empty Charge where there is none.
    /// Called before the head goes on, once. What the answer has to wait for; null: nothing.
    std::function<PurgeEndPtr(const http::ResponseView&)> before;
  };
  HeldAnswer(net::Worker& worker, net::SourcePtr source, Rules rules)
      : worker_(worker), source_(std::move(source)), rules_(std::move(rules)) {}
  /// Cancelled when the last reference goes.
  static net::SourcePtr own(std::shared_ptr<HeldAnswer> held);

  enum class Content : std::uint8_t {
    NotHeld,
    Whole,
    TooLarge,
    Cut,  ///< Its end has not come.
  };
  /// In `before`: what is known of the content.
  Content state() const noexcept { return state_; }
  std::string_view content() const noexcept { return bytes_; }

  void start(net::Sink& sink) override;
  void resume() override;
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
    void on_head(const http::ResponseView& head, const HeadFacts& facts) override;
    bool on_data(std::string_view bytes) override { return h_.take_data(bytes); }
    bool drop_slowest() override { return !h_.holds() && h_.sink_->drop_slowest(); }
    bool take_more(std::size_t bytes) override {
      return h_.end_of_wait_ ? h_.make_room(bytes) : !h_.holding_ && h_.sink_->take_more(bytes);
    }
    void on_end(const http::Fields& trailers) override;
    bool wants_retry(bool elsewhere) override { return h_.sink_->wants_retry(elsewhere); }
    bool is_wanted() const override { return h_.sink_->is_wanted(); }
    unsigned waiters() const override { return h_.sink_->waiters(); }
    void on_failure(net::FetchError error, std::string_view detail) override;

   private:
    HeldAnswer& h_;
  };

  /// How the content has ended while the answer waited.
  struct End {
    bool failed = false;
    http::Fields trailers;
    net::FetchError error{};
    std::string detail;
  };

  /// While the answer waits, so much of the content is taken, so that a usual one frees its connection.
  static constexpr std::size_t kAhead = std::size_t{64} * 1024;

  bool holds() const noexcept { return holding_ || end_of_wait_; }
  void take_head(const http::ResponseView& head, const net::Sink::HeadFacts& facts);
  bool take_data(std::string_view bytes);
  bool make_room(std::size_t bytes);
  void take_end(End end);
  bool release(Content state);
  bool waits_for(PurgeEndPtr end);
  void look();
  void go_on();
  bool give_held();
  void give_end(const End& end);
  void run_out_of_memory() noexcept;
  /// Without memory, the sink hears of it.
  template <class F>
  void guarded(F&& f) noexcept {
    const auto self = shared_from_this();
    forebay::guarded(std::forward<F>(f), [this] { run_out_of_memory(); });
  }

  net::Worker& worker_;
  const net::SourcePtr source_;
  const Rules rules_;
  net::Sink* sink_ = nullptr;  // null: it is cancelled, or has heard the end
  Hears hears_{*this};
  bool holding_ = false;       // what comes, for its content
  PurgeEndPtr end_of_wait_;    // while the answer waits
  bool paused_ = false;        // the source has been told to wait
  std::size_t room_ = kAhead;  // bytes that may come while the answer waits
  Content state_ = Content::NotHeld;
  http::Response head_;  // of what is held
  net::Sink::HeadFacts facts_;
  std::string bytes_;
  Charge charge_;
  std::optional<End> ended_;
  Watch<HeldAnswer> changed_{*this, &HeldAnswer::look};
  net::Deadline deadline_{[this] { guarded([this] { go_on(); }); }};

  friend class Watch<HeldAnswer>;
};

}  // namespace forebay::proxy
