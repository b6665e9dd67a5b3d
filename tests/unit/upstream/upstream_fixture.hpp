#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forebay/net/resolver.hpp"
#include "forebay/net/stream.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/upstream/origin.hpp"
#include "support/dns_server.hpp"
#include "unit/upstream/scripted_origin.hpp"

namespace forebay::upstream {

/// Remembers what it heard.
class RecordingSink final : public net::Sink {
 public:
  void on_interim(const http::ResponseView& head) override { interims.push_back(head.status); }
  void on_switch(const http::ResponseView& head, net::Stream&& stream, std::string_view bytes) override {
    status = head.status;
    fields = http::Fields(head.fields);
    switched.emplace(std::move(stream));
    early = bytes;
  }
  void on_head(const http::ResponseView& head, const HeadFacts& f) override {
    status = head.status;
    fields = http::Fields(head.fields);
    facts = f;
    if (at_head) at_head();
  }
  bool on_data(std::string_view bytes) override {
    body.append(bytes);
    ++pieces;
    return at_data ? at_data() : true;
  }
  void on_end(const http::Fields& t) override {
    ended = true;
    trailers = t;
    if (at_end) at_end();
  }
  void on_failure(FetchError e, std::string_view d) override {
    failure = e;
    detail = d;
  }
  unsigned waiters() const override { return waiting; }
  bool over() const { return ended || failure.has_value() || switched.has_value(); }

  std::vector<int> interims;
  int status = 0;
  http::Fields fields, trailers;
  HeadFacts facts;
  std::string body, detail, early;
  std::optional<net::Stream> switched;
  int pieces = 0;
  unsigned waiting = 1;
  bool ended = false;
  std::optional<FetchError> failure;
  std::function<void()> at_head, at_end;
  std::function<bool()> at_data;
};

/// A client's body that comes as the test says. Out of steps, it waits.
class ScriptedBody final : public net::BodySource {
 public:
  struct Step {
    State state;
    std::string bytes;
  };
  ScriptedBody(std::deque<Step> steps, std::optional<std::uint64_t> length)
      : steps_(std::move(steps)), length_(length) {}
  static ScriptedBody whole(std::string bytes) {
    const auto length = bytes.size();
    return ScriptedBody({{State::Data, std::move(bytes)}, {State::End, {}}}, length);
  }

  State pull(std::string_view& out) override {
    if (steps_.empty()) return State::Wait;
    begun_ = true;
    current_ = std::move(steps_.front());
    if (current_.state != State::End) steps_.pop_front();
    out = current_.bytes;
    return current_.state;
  }
  void wait(Waiter& waiter) override {
    if (!waiter.waiting()) waiters_.push_back(waiter);
  }
  void more(Step step) {
    steps_.push_back(std::move(step));
    while (!waiters_.empty()) {
      Waiter& waiter = waiters_.front();
      waiter.stop_waiting();
      waiter.woken();
    }
  }
  std::optional<std::uint64_t> length() const override { return length_; }
  bool begun() const override { return begun_; }
  bool awaits_continue() const override { return expects && !begun_; }
  const http::Fields& trailers() const override { return trailers_; }
  http::Fields& trailers() { return trailers_; }
  bool expects = false;  ///< Its client waits for a 100.
  bool waited_for() const { return !waiters_.empty(); }

 private:
  std::deque<Step> steps_;
  Step current_{};
  std::optional<std::uint64_t> length_;
  WaiterList waiters_;
  http::Fields trailers_;
  bool begun_ = false;
};
using BodyState = net::BodySource::State;

/// The system's time, until a test takes it into its own hands: then no machine is too slow for a time-out that must
/// not run out.
class TestClock final : public Clock {
 public:
  Now now() const override { return stopped_ ? *stopped_ : system_.now(); }
  void stop() { stopped_ = system_.now(); }
  void go_on() { stopped_.reset(); }
  void advance(Duration d) {
    stopped_->mono += d;
    stopped_->wall += std::chrono::duration_cast<WallTime::duration>(d);
  }

 private:
  net::SystemClock system_;
  std::optional<Now> stopped_;
};

/// Asks this server alone.
inline net::Resolver::Settings asking(const test::DnsServer& server) {
  return {.servers = {{boost::asio::ip::make_address("127.0.0.1"), server.port()}}, .resolv_conf = "/dev/null"};
}

/// One worker, driven by the test, and an origin of it.
class UpstreamTest : public ::testing::Test {
 protected:
  static config::Origin settings(std::uint16_t port) {
    config::Origin o;
    o.name = "web";
    o.url.host = "127.0.0.1";
    o.url.port = port;
    o.retries = 0;
    o.timeouts = {5min, 5min, 5min};
    o.pool.queue_timeout = 5min;
    return o;
  }
  void use(config::Origin o) {
    state = std::make_shared<OriginState>(std::move(o), std::vector<Duration>{1ms, 1s, 60s});
    origin = std::make_unique<Origin>(worker, state);
  }
  void use(const ScriptedOrigin& o) { use(settings(o.port())); }

  net::SourcePtr fetch(net::Sink& sink, std::string_view method = "GET", net::BodySource* body = nullptr,
                       std::string_view target = "/", std::string_view upgrade = {}) {
    http::Fields fields;
    fields.add("Host", "example.org");
    FetchRequest request;
    request.method_text = method;
    request.method = http::method_of(method);
    request.target = target;
    request.fields = fields;
    request.body = body;
    request.upgrade = upgrade;
    request.fails_over = fails_over;
    auto running = origin->fetch(request, 16 * 1024);
    running->start(sink);
    return running;
  }
  /// Runs the worker until `done`, which something else than time must bring about.
  void run_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 120s;
    while (!done()) {
      worker.io().run_one_for(std::chrono::milliseconds(20));
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "nothing came of it";
    }
  }
  /// A whole fetch.
  RecordingSink& get(std::string_view method = "GET", net::BodySource* body = nullptr) {
    auto& sink = *sinks.emplace_back(std::make_unique<RecordingSink>());
    const auto running = fetch(sink, method, body);
    run_until([&] { return sink.over(); });
    return sink;
  }
  std::uint64_t errors(FetchError e) { return state->numbers().errors[static_cast<std::size_t>(e)]; }

  /// The stopped clock goes on by so much, and what is due then happens.
  void pass(Duration d) {
    clock.advance(d);
    worker.fire_deadlines();
    worker.io().poll();
  }

  bool fails_over = false;  ///< Of the requests.
  TestClock clock;
  net::Worker worker{0, clock};
  std::shared_ptr<OriginState> state;
  std::unique_ptr<Origin> origin;
  std::vector<std::unique_ptr<RecordingSink>> sinks;
};

}  // namespace forebay::upstream
