#pragma once

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "forebay/base/guarded.hpp"
#include "forebay/base/random.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/http/trace_context.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/handler.hpp"
#include "forebay/proxy/reading.hpp"
#include "forebay/proxy/runtime.hpp"
#include "forebay/rules/cache_status.hpp"
#include "forebay/server/exchange.hpp"
#include "tunnel_place.hpp"

namespace forebay::proxy {

/// One worker's data of one route.
struct RouteState {
  const config::Route* route = nullptr;  ///< Null: no route matched (`_none`).
  RouteCounters* counters = nullptr;
  upstream::Origin* origin = nullptr;    ///< Null: there is no origin for it.
  upstream::Origin* failover = nullptr;  ///< Asked where `origin` fails; null: none.
  std::uint64_t cost = 0;                ///< Of a request to `origin`, in the unit of `RouteCounters::saved_cost`.
};

/// One worker's part of a Runtime. Only that worker changes its reference count, so a copy is cheap.
struct WorkerRuntime {
  RuntimePtr runtime;
  std::vector<RouteState> routes;  ///< By Route::index.
  RouteState none;                 ///< Requests that no route matched.
  std::map<std::string, std::shared_ptr<upstream::Origin>> origins;
  bool log_requests = false;  ///< Whether an access log line may be wanted.

  const config::Config& config() const noexcept { return *runtime->config; }
};
using WorkerRuntimePtr = std::shared_ptr<const WorkerRuntime>;

/// The outcome of an exchange for log, counters and headers, besides the edge's counts.
class RequestNotes final : public server::Notes {
 public:
  void reset() override;

  WorkerRuntimePtr runtime;
  const RouteState* route = nullptr;
  rules::CacheResult result = rules::CacheResult::Error;
  rules::Reason reason = rules::Reason::None;
  rules::Reason cause = rules::Reason::None;  ///< Of pass memory.
  std::int64_t cause_left_s = 0;
  Source source = Source::Forebay;
  http::Method method = http::Method::Get;
  http::Version version = http::Version::Http11;
  bool counted_in_flight = false;
  bool own_error = false;  ///< An error document of ours was sent, and counted.
  bool has_key = false;
  bool stored = false;
  bool has_ttl = false;
  bool refresh_refused = false;  ///< The response says so.
  std::string_view scheme;       ///< As the key has it; a literal. Empty: the request was not read so far.
  std::string_view tunnel_end;   ///< How a tunnel has ended; a literal.
  Digest key_id;
  std::array<char, HeavyHitters::kMostText> key_start{};  ///< The beginning of the text of the key,
  std::size_t key_size = 0;                               ///< which has so many bytes.
  std::int64_t age_s = -1, ttl_s = 0;
  rules::TtlSource ttl_source = rules::TtlSource::None;
  std::string_view coding;  ///< In which Forebay has sent what is stored; a literal. Empty: as it is stored.
  Duration lookup{-1}, wait{-1};
  // The origin's part, where there was one.
  bool went_forward = false;
  bool origin_by_get = false;  ///< Though the client asked by HEAD.
  int origin_status = 0;
  unsigned origin_attempts = 0;
  Duration origin_queue{-1}, origin_connect{-1}, origin_ttfb{-1};
  std::string origin_name, origin_address, origin_error, origin_detail;
  /// The origin that was asked before that one, and why it did not do.
  std::string failed_origin, failed_by;
  std::string_view error_code;  ///< Of the error document that was sent; a literal.
  std::string error_detail;
  // Copies for the access log, in one reused buffer.
  std::string text;
  struct Span {
    std::uint32_t at = 0, size = 0;
  };
  Span method_text, host, path, query, request_id, trace_id, span_id, parent_id, trace_link, user_agent, referer,
      client, tunnel_protocol;
  bool has_query = false;

  void note_key(const cache::Key& key) noexcept {
    key_id = key.id();
    key_size = key.text().size();
    std::memcpy(key_start.data(), key.text().data(), std::min(key_size, key_start.size()));
  }
  Span keep(std::string_view s) {
    const Span span{static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(s.size())};
    text.append(s);
    return span;
  }
  std::string_view view(Span s) const noexcept { return std::string_view(text).substr(s.at, s.size); }
};

inline RequestNotes& notes_of(server::Exchange& exchange) { return static_cast<RequestNotes&>(exchange.notes()); }

/// A task of a worker that outlives `Handler::start`: a fetch, a wait. Held by its Core until `end` or its own finish.
class Task : public std::enable_shared_from_this<Task> {
 public:
  virtual ~Task() = default;
  /// The worker stops: release everything, call nothing.
  virtual void end() = 0;
  /// Whether no client waits for it.
  virtual bool background() const = 0;
  /// The process drains: what would go on for ever ends in order, within `Core::drain_delay`.
  virtual void drain() {}

  /// Runs a step of it: every way from the loop into a task. Where memory runs out the task ends, and its request with
  /// 503 or the end of its connection.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    forebay::guarded(std::forward<Step>(step), [this] { give_up(); });
  }

 private:
  virtual void give_up() noexcept = 0;
};

struct Core;

/// One request from its arrival to its response: its parsed form, and its progress. It borrows the connection's buffer
/// until `keep`. A hit is answered before that, and the next request reuses its object (`Core::take`).
struct PendingRequest {
  explicit PendingRequest(Core& c) : core(c) {}
  PendingRequest(const PendingRequest&) = delete;

  Core& core;
  server::ExchangePtr exchange;  ///< Null for a refresh that no client waits for.
  WorkerRuntimePtr runtime;
  const RouteState* route = nullptr;
  http::RequestView request;  ///< Without the fields that its Connection names.
  Reading reading;
  std::string_view peer;                                 ///< Address of the client, without port.
  std::string_view request_id;                           ///< Of the client; empty until `keep` if none is used.
  std::string_view target;                               ///< Set by `keep`: normalised path, with the query as sent.
  cache::Key key;                                        ///< If `keyed`.
  cache::Key search_key;                                 ///< Buffer for the look-up under a No-Vary-Search rule.
  std::string bytes;                                     ///< The content that was read, until it becomes `content`.
  ReadContent::State read = ReadContent::State::Unread;  ///< The state of `bytes`.
  Ref<const Chunk> content;                              ///< The content that was read; null: none.
  std::shared_ptr<const http::Fields> trailers;          ///< Of complete content that is not keyed; null: none.
  TunnelPlace tunnel;                                    ///< Of a request that may become one.
  Charge charge;               ///< Its memory while it waits; empty if there was none, so that it must not wait.
  bool kept = false;           ///< It owns its text.
  bool peer_trusted = false;   ///< Its peer is a trusted proxy.
  bool keyed = false;          ///< It is looked up, so that its answer may be stored and shared.
  bool searched = false;       ///< Its key is that of a No-Vary-Search rule.
  bool has_content = false;    ///< The request came with content.
  bool content_whole = false;  ///< `content` is complete.
  // How it has waited for others' fetches.
  bool waited_out = false;    ///< `coalesce.wait` has passed once; the next wait ends with its flight.
  bool tried_again = false;   ///< A fetch that it waited on has failed, and it waits for the second try.
  bool gave_way = false;      ///< Its own fetch has failed, and one of its followers makes the second try.
  bool wait_counted = false;  ///< Its wait has its outcome in forebay_coalesced_requests_total.
  bool followed = false;      ///< It has waited for another request's fetch.
  unsigned restarts = 0;      ///< Number of repeated look-ups.
  /// The span of its latest fetch; none before the first.
  struct Trace {
    http::TraceContext context;
    std::string state;  ///< tracestate; empty: none.
    bool made = false;
    bool asked = false;  ///< A fetch has this span.
  } trace;
  std::vector<http::Field> fields;  ///< Buffer: the request's fields without those that Connection names.

  /// Copies its text, so that it may outlive `Handler::start`. Charges the memory of a waiting request.
  void keep();
  /// Makes `bytes` its content, charged, when no more will be read.
  void keep_content();
  /// Its content, if it was read completely.
  std::optional<std::string_view> whole_content() const noexcept {
    if (read != ReadContent::State::Whole) return std::nullopt;
    return content ? content->bytes() : std::string_view(bytes);
  }
  /// Whether there is memory for one more waiting request.
  bool may_wait() const noexcept { return !kept || charge.bytes() != 0; }

  RequestNotes& notes() const { return notes_of(*exchange); }
  const config::Config& config() const noexcept { return runtime->config(); }
  std::string_view key_text() const noexcept { return keyed ? std::string_view(key.text()) : std::string_view(); }
  const rules::Policy& policy() const noexcept { return route->route->policy; }
  const rules::RequestFacts& facts() const noexcept { return reading.facts; }
  /// Amount of content that is read before it is forwarded.
  std::uint64_t request_buffer() const noexcept {
    return route->route ? policy().request_buffer : rules::Policy{}.request_buffer;
  }
  void keep_trailers() {
    if (const auto& sent = exchange->body().trailers(); !sent.view().empty())
      trailers = std::make_shared<const http::Fields>(sent);
  }
  std::string_view accept() const noexcept { return request.fields.value(http::FieldId::Accept).value_or(""); }
  /// Its client has sent its last byte while it waited for another's fetch. Most such clients have left, but it is not
  /// known: it still gets what others fetch, but nothing is fetched for it alone.
  bool has_left() const { return followed && exchange && exchange->ended(); }
  /// Whether a response is still wanted.
  bool wanted() const { return exchange && !exchange->gone() && !exchange->answered(); }

 private:
  http::Request own_;
};
using PendingRequestPtr = std::shared_ptr<PendingRequest>;

/// Buffers for one answer, which is sent before the next one is made.
struct AnswerText {
  http::Fields changed;  ///< The fields that the route has changed.
  /// Fields that an answer gets besides its own (Age, Cache-Status, X-Cache, ...), and the text of their values.
  boost::container::static_vector<http::Field, 9> added;
  std::string age, cache_status, server_timing, content_range;
  /// The fields of a compressed form, and its weak entity-tag.
  std::vector<http::Field> coded;
  std::string coded_etag;
};

/// What all requests of one worker share: its runtime and its tasks.
struct Core {
  Core(net::Worker& w, Shared& s) : worker(w), shared(s) {}
  virtual ~Core() = default;
  /// What an origin answers. Tests answer by themselves.
  virtual net::SourcePtr fetch(upstream::Origin& origin, const upstream::FetchRequest& request, std::size_t most_head) {
    return origin.fetch(request, most_head);
  }

  net::Worker& worker;
  Shared& shared;
  WorkerRuntimePtr runtime;
  std::unordered_set<std::shared_ptr<Task>> tasks;
  AnswerText answer;
  bool stopped = false;

  /// The pending of a new request. `give_back` takes it when `Handler::start` returns.
  PendingRequestPtr take(const server::ExchangePtr& exchange);
  void give_back(PendingRequestPtr pending);
  /// A kept request leaves its buffer for keys, with room for any, to the next one.
  void leave_buffer(cache::Key key) noexcept { spare_key_ = std::move(key); }

  const Now& now() const noexcept { return worker.now(); }
  /// Whether somebody reads of requests under this runtime: the access log, or who watches them live.
  bool records(const WorkerRuntime& under) const noexcept { return under.log_requests || shared.tap.open(); }
  /// In [0, 1).
  double random() noexcept { return random_.uniform(); }
  /// Exponentially distributed with mean 1.
  double exponential() noexcept;
  std::string make_request_id();
  std::uint64_t random_number() noexcept { return random_.next(); }
  /// When a task that would go on for ever ends once the process drains: not all at once, so that their clients do not
  /// come back all at once.
  Duration drain_delay() noexcept;
  void add(std::shared_ptr<Task> task) { tasks.insert(std::move(task)); }
  void remove(const std::shared_ptr<Task>& task) { tasks.erase(task); }

 private:
  cache::Key spare_key_;
  PendingRequestPtr spare_;  // of a request that was answered at once; its buffers are reused
  Random random_;
};

/// Executes the result of a look-up; called again for followers that start over.
void proceed(const PendingRequestPtr& pending, cache::Lookup lookup);
/// Looks up and proceeds.
void look_up_again(const PendingRequestPtr& pending);

}  // namespace forebay::proxy
