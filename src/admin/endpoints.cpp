#include "forebay/admin/endpoints.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "answer.hpp"
#include "audit.hpp"
#include "call.hpp"
#include "content_reader.hpp"
#include "endpoint_table.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "forebay/http/target.hpp"
#include "operators.hpp"
#include "stats_answers.hpp"
#include "stats_sample.hpp"

namespace forebay::admin {
namespace {

using namespace std::chrono_literals;

/// How long the client of an order waits for it.
constexpr auto kPatience = 30s;

/// Answers that are held for clients that do not read them, and from when on an answer counts. One may be longer.
constexpr std::size_t kMostUnsent = std::size_t{32} * 1024 * 1024;
constexpr std::size_t kLongAnswer = std::size_t{64} * 1024;

/// What is kept of a request while its content is read, or its answer is made elsewhere.
struct AdminNotes final : server::Notes {
  void reset() override {
    reader.reset();
    waiting.reset();
    endpoint = nullptr;
    counter = 0;
    held = 0;
    may_change = false;
    gzip = false;
    accept.clear();
    query.clear();
    captured.clear();
    change.clear();
  }
  ContentReader reader;
  std::shared_ptr<Later::Waiting> waiting;
  const Endpoint* endpoint = nullptr;
  std::size_t counter = 0;
  std::size_t held = 0;  // of `AdminState::unsent`
  bool may_change = false;
  bool gzip = false;  // the client accepts it
  std::string accept, query, captured;
  std::string change;  // the beginning of the audit line
};

AdminNotes& notes_of(server::Exchange& exchange) { return static_cast<AdminNotes&>(exchange.notes()); }

std::string size_text(std::size_t bytes) {
  return bytes % (1024 * 1024) == 0 ? std::to_string(bytes / 1024 / 1024) + " MiB"
                                    : std::to_string(bytes / 1024) + " KiB";
}

bool accepts_gzip(const http::FieldsView& fields) {
  std::string joined;
  const auto accepted = fields.combined(http::FieldId::AcceptEncoding, joined);
  // A client that states nothing accepts everything (RFC 9110 section 12.5.3), but may not be able to decode it.
  return accepted && http::AcceptedCodings(accepted).accept("gzip");
}

Answer refusal(const Access& access, std::string_view accept) {
  if (access.verdict == Access::Verdict::Forbidden) return problem(403, "forbidden", "Forbidden", access.why, accept);
  auto refused = problem(401, "unauthorized", "Unauthorized", access.why, accept);
  refused.fields.add("WWW-Authenticate", "Bearer realm=\"forebay\"");
  return refused;
}

Answer too_much_unsent(std::string_view accept) {
  auto refused = problem(
      503, "busy", "Too many long answers",
      "Clients have not read " + size_text(kMostUnsent) + " of long answers yet; read those, or try again in a second.",
      accept);
  refused.fields.add("Retry-After", "1");
  return refused;
}

Answer too_many(unsigned per_second, std::string_view accept) {
  auto refused = problem(429, "too_many_changes", "Too many requests",
                         "At most " + std::to_string(per_second) +
                             " changes a second are accepted (admin.changes_per_second); try again in a second.",
                         accept);
  refused.fields.add("Retry-After", "1");
  return refused;
}

}  // namespace

struct AdminHandler::Private {
  explicit Private(Sources sources) : state{std::move(sources)} {
    // Silent clients must not exhaust the admin listener (see also `limits_with_giving_way`).
    settings.max_connections = 256;
    settings.timeouts.header = 5s;
    settings.timeouts.idle = 10s;
    settings.timeouts.body = 10s;
    settings.request_body = 0;
    for (const auto& endpoint : endpoint_table())
      settings.request_body = std::max<std::uint64_t>(settings.request_body, endpoint.most_content);
  }
  void start(server::Exchange& exchange);
  /// Nothing: it may go on.
  std::optional<Answer> check(server::Exchange& exchange, const FoundEndpoint& found, std::string_view path);
  void perform(server::Exchange& exchange, std::string_view content);
  void postpone(server::Exchange& exchange);
  void each_second();
  void look();
  /// Counts it and sends it, unless clients leave too much unread.
  void give(server::Exchange& exchange, const Answer& answer);
  void send_counted(server::Exchange& exchange, const Answer& answer);

  AdminState state;
  config::Server settings;
  RateLimit changes_by_token, changes_from_here;
  RefusedChanges refused_changes;
  net::Worker* its_worker = nullptr;
  net::Deadline second{[this] { each_second(); }};
  Timestamp next{};
  Sampler sampler;
};

AdminHandler::AdminHandler(Sources sources) : p_(std::make_unique<Private>(std::move(sources))) {}
AdminHandler::~AdminHandler() = default;

void AdminHandler::begin(net::Worker& worker) {
  p_->its_worker = &worker;
  p_->next = worker.tick().mono;
  p_->each_second();
}

void AdminHandler::end_streams() {
  p_->second.disarm();
  p_->state.streams.end();
  p_->state.checker.stop();
  p_->state.warming.stop();
}

void AdminHandler::Private::each_second() {
  const auto& now = its_worker->now();
  // Without memory this second has no point.
  guarded([this] { look(); }, [] {});
  // In step with the first one, where nothing was late.
  next += Stats::kFine;
  if (next <= now.mono) next = now.mono + Stats::kFine;
  its_worker->deadlines().arm(second, next);
}

void AdminHandler::Private::look() {
  const auto& now = its_worker->now();
  state.stats.add(sampler.take(state.sources), now.mono);
  auto& streams = state.streams;
  if (!streams.stats.empty()) {
    const auto text =
        event_text("stats", second_json(state.stats, state.sources.status.state.load(std::memory_order_acquire), now));
    for (auto& reader : streams.stats) reader.send(text, now.mono);
  }
  streams.tidy(now.mono);
}

void AdminHandler::start(const server::ExchangePtr& exchange) { p_->start(*exchange); }

void AdminHandler::Private::start(server::Exchange& exchange) {
  const auto& request = exchange.request();
  auto& notes = notes_of(exchange);
  std::string joined;
  notes.accept = request.fields.combined(http::FieldId::Accept, joined).value_or("");

  notes.gzip = accepts_gzip(request.fields);

  http::Target target;
  if (!target.read(request.method, request.target))
    return give(exchange, problem(400, "bad_request", "Bad request", "The request target is malformed.", notes.accept));
  auto found = find_endpoint(request.method, target.path());
  if (target.path() == "/metrics" && !state.sources.runtime()->config->metrics.enabled) found = {};
  notes.counter = found.counter;
  if (auto refused = check(exchange, found, target.path())) return give(exchange, *refused);

  notes.endpoint = found.endpoint;
  notes.query = target.query().value_or("");
  notes.captured = std::move(found.captured);
  const auto most = found.endpoint->most_content;
  if (most == 0) return perform(exchange, {});
  notes.reader.start(exchange.body(), most,
                     [this, &exchange, most](ContentReader::Outcome outcome, const std::string& content) {
                       if (outcome == ContentReader::Outcome::Broken || exchange.gone()) return;
                       if (outcome == ContentReader::Outcome::Whole) return perform(exchange, content);
                       const auto& kept = notes_of(exchange);
                       const auto answer = problem(413, "too_large", "Content too large",
                                                   "The document is longer than " + size_text(most) + '.', kept.accept);
                       if (!kept.change.empty()) audit(kept.change, answer);
                       give(exchange, answer);
                     });
}

std::optional<Answer> AdminHandler::Private::check(server::Exchange& exchange, const FoundEndpoint& found,
                                                   std::string_view path) {
  const auto& request = exchange.request();
  auto& notes = notes_of(exchange);
  if (found.allowed.empty()) return problem(404, "not_found", "Not found", path_hint(path), notes.accept);
  const auto who = found.endpoint ? found.endpoint->who : found.least;
  const bool is_change = found.endpoint && who == Who::Write;
  const auto operators = state.sources.runtime()->config->operators;
  const auto refused = [&](Answer answer, std::string_view by) {
    if (is_change)
      refused_changes.note(change_text(request.method, path, exchange.peer(), by), answer,
                           exchange.worker().now().mono);
    return answer;
  };
  std::string_view by;
  if (who != Who::Public) {
    const auto access = may_operate(request, exchange.peer(), operators, who);
    if (access.verdict != Access::Verdict::Granted) return refused(refusal(access, notes.accept), access.by);
    by = access.by;
    notes.may_change = by != "admin.read_token";
  }
  if (!found.endpoint) return not_allowed(found.allowed, notes.accept);
  if (!is_change) return std::nullopt;
  // One for each right: a script with the token does not keep out an operator who is on this machine.
  auto& changes = request.fields.has(http::FieldId::Authorization) ? changes_by_token : changes_from_here;
  if (!changes.take(exchange.worker().now().mono, operators.changes_per_second))
    return refused(too_many(operators.changes_per_second, notes.accept), by);
  if (found.endpoint->audited) notes.change = change_text(request.method, path, exchange.peer(), by);
  return std::nullopt;
}

void AdminHandler::Private::perform(server::Exchange& exchange, std::string_view content) {
  auto& notes = notes_of(exchange);
  const std::function<Later()> later = [&] {
    postpone(exchange);
    // Its end may never be told: the process may end before.
    if (!notes.change.empty()) audit_accepted(notes.change);
    return Later(exchange.worker(), notes.waiting, notes.change);
  };
  const Call call{state,   notes.query,      notes.captured,
                  content, notes.accept,     exchange.worker(),
                  later,   notes.may_change, exchange.request().method == http::Method::Head};
  const auto answer = notes.endpoint->answer(call);
  if (!answer) return;
  if (!notes.change.empty()) audit(notes.change, *answer);
  give(exchange, *answer);
}

void AdminHandler::Private::postpone(server::Exchange& exchange) {
  auto& notes = notes_of(exchange);
  const auto conclude = [this, &exchange](const Answer& answer) {
    const auto waiting = std::exchange(notes_of(exchange).waiting, nullptr);
    if (waiting && !exchange.gone()) give(exchange, answer);
  };
  notes.waiting = std::make_shared<Later::Waiting>([conclude, accept = notes.accept] {
    conclude(problem(504, "timeout", "Not done in time",
                     "It takes longer than 30 s, and goes on; the log says how it ends.", accept));
  });
  notes.waiting->done = conclude;
  auto& worker = exchange.worker();
  worker.deadlines().arm(notes.waiting->deadline, worker.now().mono, kPatience);
}

void AdminHandler::Private::give(server::Exchange& exchange, const Answer& answer) {
  auto& notes = notes_of(exchange);
  const auto length = answer.body.size();
  // Those for everybody are short enough for each connection to have one.
  const bool counts = notes.endpoint && notes.endpoint->who != Who::Public && length > kLongAnswer;
  if (counts && state.unsent > 0 && state.unsent + length > kMostUnsent)
    return send_counted(exchange, too_much_unsent(notes.accept));
  if (counts) state.unsent += notes.held = length;
  send_counted(exchange, answer);
}

void AdminHandler::Private::send_counted(server::Exchange& exchange, const Answer& answer) {
  state.counters.requests[notes_of(exchange).counter][static_cast<std::size_t>(answer.status / 100 - 1)].add();
  send(exchange, answer, notes_of(exchange).gzip);
}

void AdminHandler::finished(server::Exchange& exchange) {
  auto& notes = notes_of(exchange);
  notes.waiting.reset();
  p_->state.unsent -= std::exchange(notes.held, 0);
}

std::unique_ptr<server::Notes> AdminHandler::make_notes() { return std::make_unique<AdminNotes>(); }

void AdminHandler::refused(const server::RefusedMessage& message, const server::Peer&) {
  const int status = message.status;
  if (status < 100 || status > 599) return;
  p_->state.counters.requests[0][static_cast<std::size_t>(status / 100 - 1)].add();
}

const config::Server& AdminHandler::settings() const { return p_->settings; }

// Probes are answered during the whole drain.
bool AdminHandler::draining() const {
  return p_->state.sources.status.state.load(std::memory_order_acquire) == State::Stopping;
}

}  // namespace forebay::admin
