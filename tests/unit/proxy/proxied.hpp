#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forebay/config/load.hpp"
#include "proxy/arrival.hpp"

namespace forebay::proxy {

using FieldList = std::vector<std::pair<std::string, std::string>>;

/// A source that answers as the test says, and remembers what it was asked.
class ScriptedSource final : public net::Source {
 public:
  ScriptedSource(net::Worker& worker, upstream::Origin& asked, const upstream::FetchRequest& request)
      : method(request.method),
        content(request.body != nullptr),
        bond(request.bond),
        for_connection(request.for_connection),
        worker_(worker),
        origin_(asked),
        head_(request.head),
        body_(request.body) {
    times_.requested = worker.now();
    times_.origin = asked.state().config().name;
  }
  void start(net::Sink& sink) override {
    sink_ = &sink;
    head_->compose(origin_, origin_.state().config().url, target, fields);
  }
  void resume() override { ++resumes; }
  void allow_quiet(Duration limit) override { quiet = limit; }
  void cancel() override {
    cancelled = cancelled || sink_;
    sink_ = nullptr;
  }
  const net::SourceTimes& times() const override { return times_; }
  bool asked() const override { return sent; }

  /// `length`: of content that is stated. Without content the answer ends at once.
  void head(int status, const FieldList& list, std::optional<std::uint64_t> length = {}, bool has_content = true) {
    http::Fields answer;
    for (const auto& [name, value] : list) answer.add(name, value);
    sink_->on_head({status, http::Version::Http11, answer.view()}, {length, true, has_content});
    if (!has_content && sink_) end();
  }
  bool data(std::string_view bytes) { return sink_->on_data(bytes); }
  void end() { std::exchange(sink_, nullptr)->on_end({}); }
  void fail(net::FetchError error) { std::exchange(sink_, nullptr)->on_failure(error, "as the test says"); }
  /// A whole answer.
  void answer(int status, const FieldList& list, std::string_view text = "body") {
    head(status, list, text.size());
    if (sink_) data(text);
    if (sink_) end();
  }
  net::Sink& sink() { return *sink_; }
  bool wanted() const { return sink_ != nullptr; }
  const std::string& origin() const { return origin_.state().config().name; }
  net::BodySource& body() { return *body_; }

  const http::Method method;
  const bool content;
  const std::shared_ptr<upstream::Bond> bond;
  const bool for_connection;
  std::string target;
  http::Fields fields;
  bool sent = true;  ///< The other side may have seen the request.
  bool cancelled = false;
  int resumes = 0;
  Duration quiet{0};

 private:
  net::Worker& worker_;
  upstream::Origin& origin_;
  upstream::RequestHead* const head_;
  net::BodySource* const body_;
  net::Sink* sink_ = nullptr;
  net::SourceTimes times_;
};

/// Content of a request that comes as the test says.
class ScriptedContent final : public net::BodySource {
 public:
  State pull(std::string_view& out) override {
    if (pieces_.empty()) return whole_ ? State::End : State::Wait;
    begun_ = true;
    now_ = std::move(pieces_.front());
    pieces_.pop_front();
    out = now_;
    return State::Data;
  }
  void wait(Waiter& waiter) override {
    if (!waiter.waiting()) waiters_.push_back(waiter);
  }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  bool begun() const override { return begun_; }
  const http::Fields& trailers() const override { return none_; }

  enum class Is : std::uint8_t { Part, Last };
  void add(std::string bytes, Is what) {
    pieces_.push_back(std::move(bytes));
    whole_ = what == Is::Last;
    while (!waiters_.empty()) {
      auto& waiter = waiters_.front();
      waiter.stop_waiting();
      waiter.woken();
    }
  }

 private:
  std::deque<std::string> pieces_;
  std::string now_;
  bool whole_ = false, begun_ = false;
  WaiterList waiters_;
  http::Fields none_;
};

/// A client without a connection, which reads what the test has it read.
class FakeClient final : public server::Exchange {
 public:
  FakeClient(net::Worker& worker, http::Method method, std::string target, const FieldList& list,
             http::Version version = http::Version::Http11)
      : worker_(worker), target_(std::move(target)) {
    fields_.add("Host", "example.org");
    for (const auto& [name, value] : list) fields_.add(name, value);
    request_ = {method, http::to_string(method), target_, version, fields_.view()};
    request_.authority = "example.org";
    peer_.address = "192.0.2.1";
  }
  const http::RequestView& request() const override { return request_; }
  bool has_body() const override { return content.has_value(); }
  net::BodySource& body() override { return *content; }
  const server::Peer& peer() const override { return peer_; }
  net::Worker& worker() override { return worker_; }
  RequestNotes& notes() override { return notes_; }
  const server::Tally& tally() const override { return tally_; }
  void interim(int s, http::FieldsView fields) override {
    interims.push_back(s);
    interim_lines.clear();
    http::append_lines(interim_lines, fields);
  }
  void answer(const server::AnswerHead& head, http::BodyCursor body) override {
    ASSERT_FALSE(answered_);
    answered_ = true;
    status = head.status;
    lines.clear();
    http::append_lines(lines, head.fields);
    http::append_lines(lines, head.added);
    length = head.length;
    cursor_ = std::move(body);
  }
  void cut() override { was_cut = true; }
  bool gone() const override { return gone_; }
  bool ended() const override { return sent_last_byte; }
  void end_is_leaving() override { leaves_by_end = true; }
  void on_gone(Waiter* waiter) override { waiter_ = waiter; }
  std::shared_ptr<void>* companion() override { return connection; }

  void leave() {
    gone_ = true;
    cursor_ = {};
    if (auto* const waiter = std::exchange(waiter_, nullptr)) waiter->woken();
  }
  /// Reads what is there, up to `most` bytes.
  std::string read(std::size_t most = SIZE_MAX) {
    std::string text;
    Slice piece;
    while (text.size() < most) {
      last = cursor_.next(most - text.size(), piece, worker_.now().mono);
      if (last != http::BodyCursor::State::Data) break;
      text += piece.bytes;
    }
    return text;
  }
  bool read_all() {
    read();
    return last == http::BodyCursor::State::End;
  }
  bool broken() {
    read();
    return last == http::BodyCursor::State::Broken;
  }
  /// A field of the answer; empty: it has none.
  std::string field(const std::string& name) const {
    const auto at = lines.find("\r\n" + name + ": ");
    const auto from = lines.starts_with(name + ": ") ? name.size() + 2
                      : at == std::string::npos      ? at
                                                     : at + name.size() + 4;
    return from == std::string::npos ? "" : lines.substr(from, lines.find("\r\n", from) - from);
  }
  std::string cache() const { return field("X-Cache"); }

  std::optional<ScriptedContent> content;
  std::shared_ptr<void>* connection = nullptr;  ///< What is kept for its connection.
  std::vector<int> interims;
  std::string interim_lines;  ///< Of the last one.
  int status = 0;
  std::string lines;
  std::optional<std::uint64_t> length;
  bool was_cut = false, sent_last_byte = false, leaves_by_end = false;
  http::BodyCursor::State last = http::BodyCursor::State::Wait;

 private:
  net::Worker& worker_;
  const std::string target_;
  http::Fields fields_;
  http::RequestView request_;
  server::Peer peer_;
  RequestNotes notes_;
  server::Tally tally_;
  http::BodyCursor cursor_;
  bool gone_ = false;
  Waiter* waiter_ = nullptr;
};

/// One worker's proxy: its store, its clients, and the sources that it asks, at a time that the test moves. Nothing
/// opens a socket.
class ProxiedTest : public ::testing::Test {
 protected:
  /// Of every fill, in their order.
  struct TestCore final : Core {
    using Core::Core;
    net::SourcePtr fetch(upstream::Origin& asked, const upstream::FetchRequest& request, std::size_t) override {
      const auto source = sources.emplace_back(std::make_shared<ScriptedSource>(worker, asked, request));
      return {source.get(), [source](net::Source*) { source->cancel(); }};
    }
    std::vector<std::shared_ptr<ScriptedSource>> sources;
  };

  ProxiedTest() { configure(""); }
  ~ProxiedTest() override {
    for (const auto& task : std::exchange(core.tasks, {})) task->end();
    settle();
  }
  /// `route`: settings of the one route, as in `ttl: 60s, max_object: 10B`.
  void configure(const std::string& route) {
    configure_routes("{name: all, path: /**" + (route.empty() ? "" : ", " + route) + "}");
  }
  void configure_routes(const std::string& routes) {
    config::LoadRequest request;
    request.file = "forebay.yaml";
    request.text = origins_yaml + "diagnostics: {x_cache: true}\nroutes: [" + routes + "]\n";
    config::Surroundings machine;
    machine.cpus = 2;
    machine.memory_limit = std::uint64_t{8} << 30;
    machine.variable = [](const std::string&) { return std::nullopt; };
    const auto loaded = config::load(request, machine);
    ASSERT_TRUE(loaded.ok()) << config::to_text(loaded.diagnostics);
    const auto adjusted = std::make_shared<config::Config>(*loaded.config);
    if (adjust) adjust(*adjusted);
    auto runtime = std::make_shared<WorkerRuntime>();
    runtime->runtime = std::make_shared<Runtime>(Runtime{adjusted, config::RouteTable(*adjusted), {}, {}});
    for (const auto& [name, settings] : adjusted->origins)
      runtime->origins.emplace(
          name, std::make_shared<upstream::Origin>(
                    worker, std::make_shared<upstream::OriginState>(settings, std::vector<Duration>{1s})));
    const auto origin = [&](const std::string& name) {
      return name.empty() ? nullptr : runtime->origins.at(name).get();
    };
    for (const auto& r : adjusted->routes)
      runtime->routes.push_back(
          {&r, &counters.of(r.name, 0), origin(r.origin), origin(adjusted->origins.at(r.origin).failover)});
    runtime->none = {nullptr, &counters.of("_none", 0), nullptr, nullptr};
    core.runtime = std::move(runtime);
  }

  /// A request comes; its content, where it has some, is what `begin` adds to it.
  FakeClient& ask(http::Method method, const std::string& target, const FieldList& fields = {},
                  const std::function<void(ScriptedContent&)>& begin = {}) {
    auto& client = clients.emplace_back(std::make_shared<FakeClient>(worker, method, target, fields, version));
    client->connection = connection ? &*connection : nullptr;
    if (begin) begin(client->content.emplace());
    auto pending = core.take(client);
    EXPECT_TRUE(pending->reading.target.read(method, client->request().target));
    EXPECT_TRUE(read_host("example.org", {}, false, "http", pending->reading));
    go_to_route(pending);
    core.give_back(std::move(pending));
    return *client;
  }
  FakeClient& get(const std::string& target, const FieldList& fields = {}) {
    return ask(http::Method::Get, target, fields);
  }
  /// Everything that waits for its turn of the loop has it.
  void settle() {
    while (worker.io().poll() != 0) continue;
  }
  void pass(Duration by) {
    clock.advance(by);
    worker.fire_deadlines();
    settle();
  }
  /// The source that was asked last.
  ScriptedSource& source() { return *core.sources.back(); }
  std::size_t asked() const { return core.sources.size(); }
  /// Has an answer stored, some time ago.
  void store(const std::string& target, const FieldList& fields, std::string_view text = "stored") {
    get(target);
    source().answer(200, fields, text);
    settle();
    ASSERT_EQ(counters.of("all", 0).stored.read(), ++stored_);
  }
  bool is_hit(const std::string& target) {
    const auto before = asked();
    return get(target).cache() == "HIT" && asked() == before;
  }

  std::string origins_yaml = "origin: http://127.0.0.1:3000\n";  ///< Of the next configuration.
  std::function<void(config::Config&)> adjust;                   ///< Changes it further.
  http::Version version = http::Version::Http11;                 ///< Of the requests that come.
  std::optional<std::shared_ptr<void>> connection;               ///< The one that all of them come on.
  ManualClock clock;
  net::Worker worker{0, clock};
  cache::Store cache{{16 * 1024 * 1024, 2}};
  CounterRegistry counters{1, {1'000'000}, 10};
  Shared shared{cache, counters, "0123", false, cache::PersistedQueries(), cache::SearchRules()};
  TestCore core{worker, shared};
  std::vector<std::shared_ptr<FakeClient>> clients;

 private:
  std::uint64_t stored_ = 0;
};

inline const FieldList kForAMinute{{"Cache-Control", "max-age=60"}};
inline const FieldList kTagged{{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}};
inline const FieldList kPrivate{{"Cache-Control", "private"}};

}  // namespace forebay::proxy
