#include "forebay/upstream/failover.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "forebay/base/events.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"
#include "forebay/upstream/origin.hpp"

namespace forebay::upstream {

namespace {

// Content of an answer that is not used is read up to this, so that its connection can be used again.
constexpr std::uint64_t kDrained = 64 * 1024;
// How long no request must have failed over before they count as back.
constexpr Duration kBack = std::chrono::seconds{10};

class Failover final : public net::Source {
 public:
  Failover(net::Worker& worker, Origin& asked, net::SourcePtr first, OtherOrigin& other)
      : worker_(worker), asked_(asked), other_(other), first_(std::move(first)) {}

  void start(net::Sink& sink) override {
    sink_ = &sink;
    first_->start(hears_first_);
  }
  void resume() override { current().resume(); }
  void cancel() override {
    phase_ = Phase::Over;
    sink_ = nullptr;
    if (second_) second_->cancel();
    first_->cancel();
  }
  void allow_quiet(Duration limit) override { current().allow_quiet(limit); }
  bool asked() const override { return current().asked(); }
  const net::SourceTimes& times() const override;

 private:
  enum class Phase : std::uint8_t {
    First,     // nothing has come of it
    Answered,  // by the first, with an answer that is used
    Second,    // the first has failed; the rest of an answer of it may still be read
    Over,
  };

  // What the first source says.
  class HearsFirst final : public net::Sink {
   public:
    explicit HearsFirst(Failover& owner) : f_(owner) {}
    void on_interim(const http::ResponseView& head) override { f_.sink_->on_interim(head); }
    void on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) override {
      f_.answered();
      f_.finish()->on_switch(head, std::move(stream), early);
    }
    void on_head(const http::ResponseView& head, const HeadFacts& facts) override {
      if (covers(f_.settings().failover_on, head.status) && f_.may_go_over()) return f_.drop_answer(head, facts);
      f_.answered(covers(f_.settings().failover_on, head.status));
      f_.sink_->on_head(head, facts);
    }
    bool on_data(std::string_view bytes) override { return is_used() ? f_.sink_->on_data(bytes) : f_.drain(bytes); }
    void on_end(const http::Fields& trailers) override {
      if (is_used()) f_.finish()->on_end(trailers);
    }
    bool drop_slowest() override { return is_used() && f_.sink_->drop_slowest(); }
    bool take_more(std::size_t bytes) override { return is_used() && f_.sink_->take_more(bytes); }
    bool wants_retry(bool elsewhere) override { return f_.sink_->wants_retry(elsewhere); }
    bool is_wanted() const override { return f_.sink_->is_wanted(); }
    unsigned waiters() const override { return f_.sink_->waiters(); }
    void on_failure(FetchError error, std::string_view detail) override {
      if (f_.phase_ == Phase::First && covers(f_.settings().failover_on, error) && f_.may_go_over())
        return f_.go_over(to_string(error), detail);
      if (f_.phase_ != Phase::Second) f_.fail(error, detail);
    }

   private:
    bool is_used() const noexcept { return f_.phase_ == Phase::Answered; }
    Failover& f_;
  };

  // What the second one says goes on.
  class HearsSecond final : public net::Sink {
   public:
    explicit HearsSecond(Failover& owner) : f_(owner) {}
    void on_interim(const http::ResponseView& head) override { f_.sink_->on_interim(head); }
    void on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view early) override {
      f_.finish()->on_switch(head, std::move(stream), early);
    }
    void on_head(const http::ResponseView& head, const HeadFacts& facts) override {
      has_head_ = true;
      f_.first_->cancel();  // what has not ended by now would keep its connection and its place
      f_.sink_->on_head(head, facts);
    }
    bool on_data(std::string_view bytes) override { return f_.sink_->on_data(bytes); }
    void on_end(const http::Fields& trailers) override { f_.finish()->on_end(trailers); }
    bool drop_slowest() override { return f_.sink_->drop_slowest(); }
    bool take_more(std::size_t bytes) override { return f_.sink_->take_more(bytes); }
    bool wants_retry(bool elsewhere) override { return f_.sink_->wants_retry(elsewhere); }
    bool is_wanted() const override { return f_.sink_->is_wanted(); }
    unsigned waiters() const override { return f_.sink_->waiters(); }
    void on_failure(FetchError error, std::string_view detail) override {
      std::string both;
      if (!has_head_ && error != FetchError::Memory)
        guarded([&] { both = std::string(detail) + "; before it " + f_.settings().name + ": " + f_.failed_because_; },
                [] {});
      f_.fail(error, both.empty() ? detail : both);
    }

   private:
    Failover& f_;
    bool has_head_ = false;
  };

  const config::Origin& settings() const noexcept { return asked_.state().config(); }
  net::Source& current() const noexcept { return second_ ? *second_ : *first_; }
  net::Sink* finish() noexcept {
    phase_ = Phase::Over;
    return std::exchange(sink_, nullptr);
  }
  void fail(FetchError error, std::string_view detail) {
    if (auto* const sink = finish()) sink->on_failure(error, detail);
  }
  void answered(bool badly = false) {
    phase_ = Phase::Answered;
    if (!badly) asked_.state().failovers().answered(settings(), worker_.now().mono);
  }
  bool may_go_over() { return sink_->is_wanted() && other_.may_ask(); }
  void drop_answer(const http::ResponseView& head, const net::Sink::HeadFacts& facts);
  bool drain(std::string_view bytes);
  void go_over(std::string_view by, std::string_view because);

  net::Worker& worker_;
  Origin& asked_;
  OtherOrigin& other_;
  net::Sink* sink_ = nullptr;
  Phase phase_ = Phase::First;
  std::uint64_t drained_ = 0;
  std::string failed_by_, failed_because_;
  mutable net::SourceTimes times_;
  HearsFirst hears_first_{*this};
  HearsSecond hears_second_{*this};
  const net::SourcePtr first_;
  net::SourcePtr second_;  // null: it is not asked
};

const net::SourceTimes& Failover::times() const {
  if (!second_) return first_->times();
  times_ = second_->times();
  times_.started = first_->times().started;
  times_.queued += first_->times().queued;
  times_.failed_origin = settings().name;
  times_.failed_by = failed_by_;
  return times_;
}

void Failover::drop_answer(const http::ResponseView& head, const net::Sink::HeadFacts& facts) {
  const auto status = std::to_string(head.status);
  const bool short_enough = facts.length_delimited && facts.content_length.value_or(0) <= kDrained;
  if (other_.has_content() || (facts.has_content && !short_enough)) first_->cancel();
  go_over(status, "it answered " + status);
}

bool Failover::drain(std::string_view bytes) {
  drained_ += bytes.size();
  if (drained_ > kDrained) first_->cancel();
  return true;
}

void Failover::go_over(std::string_view by, std::string_view because) {
  phase_ = Phase::Second;
  guarded(
      [&] {
        failed_by_ = by;
        failed_because_ = because;
        asked_.state().failovers().failed_over(settings(), because, worker_.now().mono);
        second_ = other_.ask();
        second_->start(hears_second_);
      },
      [this] { fail(FetchError::Memory, "no memory"); });
}

}  // namespace

net::SourcePtr fail_over(net::Worker& worker, Origin& asked, net::SourcePtr first, OtherOrigin& other) {
  const auto made = std::make_shared<Failover>(worker, asked, std::move(first), other);
  return {made.get(), [made](net::Source*) { made->cancel(); }};
}

bool covers(const config::Origin::FailoverOn& on, FetchError error) noexcept {
  // Failures of any kind take an origin out of use, and nobody but the failover could answer then.
  if (error == FetchError::CircuitOpen) return true;
  if (!net::is_the_origins(error)) return false;
  return net::is_timeout(error) ? on.timeout : on.connect;
}

bool covers(const config::Origin::FailoverOn& on, int status) noexcept {
  return std::any_of(on.statuses.begin(), on.statuses.end(), [&](const auto& s) { return s.matches(status); });
}

void Failovers::failed_over(const config::Origin& origin, std::string_view why, Timestamp now) {
  total_.fetch_add(1, std::memory_order_relaxed);
  last_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (away_.load(std::memory_order_relaxed) || away_.exchange(true, std::memory_order_relaxed)) return;
  guarded(
      [&] {
        const auto text =
            "origin " + origin.name + " fails, and its requests go to " + origin.failover + ": " + std::string(why);
        log::warn(text);
        events::record(now, events::Kind::Failover, text,
                       {{"origin", origin.name}, {"to", origin.failover}, {"state", "away"}});
      },
      [] {});
}

void Failovers::answered(const config::Origin& origin, Timestamp now) {
  if (!away_.load(std::memory_order_relaxed)) return;
  if (now.time_since_epoch().count() - last_.load(std::memory_order_relaxed) < kBack.count()) return;
  if (!away_.exchange(false, std::memory_order_relaxed)) return;
  guarded(
      [&] {
        const auto text =
            "origin " + origin.name + " answers again: no request has gone to " + origin.failover + " for ten seconds";
        log::info(text);
        events::record(now, events::Kind::Failover, text,
                       {{"origin", origin.name}, {"to", origin.failover}, {"state", "back"}});
      },
      [] {});
}

}  // namespace forebay::upstream
