#include "upstream/running_fetch.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>

#include "forebay/base/duration_text.hpp"
#include "forebay/base/terminate.hpp"

namespace forebay::upstream {

namespace {
// Responses have more fields than requests (Set-Cookie), and the limit on their bytes applies anyway.
constexpr std::size_t kMaxFields = 1000;

http::HeadLimits limits_of(std::size_t response_header) {
  http::HeadLimits limits;
  limits.head = response_header;
  limits.fields = kMaxFields;
  return limits;
}

// Some origins never send a 100; clients wait about as long for theirs.
constexpr Duration kContinueAfter = std::chrono::seconds{1};

// A client without progress for this long gives way to requests that wait for a connection, which check for one at
// intervals.
constexpr Duration kStalled = std::chrono::seconds{1};
constexpr Duration kPress = std::chrono::milliseconds{100};
// Less than this counts as no progress.
constexpr std::size_t kMuch = 16 * 1024;
// Bytes that are read ahead of a response for a slow client, if they may complete it.
constexpr std::size_t kReadOn = 256 * 1024;
// The piece that fills the window may go beyond it by so much.
constexpr std::size_t kLastPiece = 64 * 1024;

// Delay before a retry, so that requests that failed together do not retry together.
Duration backoff(unsigned attempt) {
  constexpr Duration kBase = std::chrono::milliseconds{10};
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<int> percent(50, 100);
  return kBase * (1 << std::min(attempt, 5U)) * percent(random) / 100;
}
}  // namespace

RunningFetch::RunningFetch(Origin& asked, std::shared_ptr<Group> group, const FetchRequest& request,
                           std::size_t response_header)
    : group_(std::move(group)),
      balance_key_(request.balance_key),
      method_(request.method),
      limits_(limits_of(response_header)),
      sender_(request, &asked),
      bond_(std::static_pointer_cast<HeldConnection>(request.bond)),
      authenticates_(request.for_connection),
      repeatable_(request.repeatable || http::is_safe(request.method)),
      fails_over_(request.fails_over),
      parser_(limits_),
      retries_left_(settings().retries) {
  times_.requested = worker().now();
  times_.started = times_.requested.mono;
  times_.origin = settings().name;
  group_->add(*this);
}

RunningFetch::~RunningFetch() { cancel(); }

// By a post, so that the sink is not called before this returns.
void RunningFetch::start(net::Sink& sink) {
  sink_ = &sink;
  worker().post([self = shared_from_this()] { self->begin(); });
}

void RunningFetch::begin() {
  if (over()) return;
  worker().tick();
  guarded([this] {
    if (const auto limit = settings().timeouts.total; limit > Duration{0})
      worker().deadlines().arm(total_, times_.started, limit);
    if (group_->shared().admission) return ask_for_place();
    first_attempt();
  });
}

bool RunningFetch::may_enter(Phase next) const noexcept {
  switch (phase_) {
    case Phase::Seeking: return next == Phase::Dialling || next == Phase::Head || next == Phase::Over;
    case Phase::Resting: return next == Phase::Dialling || next == Phase::Over;
    // Another attempt is made: at another url, or after a rest.
    case Phase::Dialling:
      return next == Phase::Securing || next == Phase::Head || next == Phase::Resting || next == Phase::Seeking ||
             next == Phase::Over;
    case Phase::Securing:
      return next == Phase::Head || next == Phase::Resting || next == Phase::Seeking || next == Phase::Over;
    case Phase::Head:  // or a connection that broke is replaced
      return next == Phase::Content || next == Phase::Dialling || next == Phase::Resting || next == Phase::Seeking ||
             next == Phase::Over;
    case Phase::Content: return next == Phase::Over;
    case Phase::Over: break;
  }
  return false;
}

void RunningFetch::enter(Phase next) {
  ensure(may_enter(next), "a fetch has no such transition");
  phase_ = next;
}

bool RunningFetch::begun() const noexcept {
  return phase_ == Phase::Content || (connection_ && !connection_->input().empty());
}

// Repeating would take longer still.
void RunningFetch::out_of_total_time() {
  if (over()) return;
  const auto limit = settings().timeouts.total;
  if (phase_ == Phase::Content && flow_ == Flow::Paused)
    return fail(FetchError::ClientStalled,
                "the client did not take the answer within timeouts.total (" + duration_text(limit) + ')');
  const auto& where = address_.empty() ? settings().name : address_;
  fail(FetchError::TotalTimeout,
       out_of_time(where, phase_ == Phase::Content ? "the answer did not end" : "no answer", "timeouts.total", limit));
}

void RunningFetch::expired() {
  const auto& timeouts = settings().timeouts;
  switch (phase_) {
    case Phase::Seeking: return place_request_ ? wait_for_place() : wait_in_queue();
    case Phase::Resting: return dial(std::move(permit_));
    case Phase::Securing:
      return handshake_failed(net::TlsHandshake::Timeout, "the handshake did not end within timeouts.connect (" +
                                                              duration_text(timeouts.connect) + ')');
    case Phase::Head:
    case Phase::Content:
      if (sending_ == Sending::Held) return send_content();
      if (begun() && (phase_ == Phase::Content || worker().now().mono < head_due_)) {
        const auto setting = quiet_ > timeouts.between_bytes ? "server.timeouts.tunnel" : "timeouts.between_bytes";
        return attempt_failed(FetchError::BetweenBytesTimeout,
                              out_of_time(address_, "no more bytes", setting, between_bytes()));
      }
      return attempt_failed(FetchError::FirstByteTimeout,
                            out_of_time(address_, begun() ? "no whole head of an answer" : "no answer",
                                        "timeouts.first_byte", timeouts.first_byte));
    case Phase::Dialling:  // the dialler has deadlines of its own
    case Phase::Over: break;
  }
}

// --- the way to a connection ---

void RunningFetch::ask_for_place() {
  auto& admission = *group_->shared().admission;
  waiters_ = sink_->waiters();
  place_request_ = std::make_shared<AdmissionRequest>(waiters_);
  place_request_->signal.wait(worker(), place_wake_);
  const Timestamp now = worker().now().mono;
  auto taken = admission.take(place_request_, now);
  if (taken.outcome == Admission::Outcome::Queued) {
    asked_ = now;
    return wait_for_place();
  }
  place_wake_.stop_waiting();
  place_request_.reset();
  if (taken.outcome == Admission::Outcome::Full)
    return fail(FetchError::Queue, "too many requests wait for a place among those in flight");
  place_ = std::move(taken.place);
  first_attempt();
}

// Clients join and leave while it waits, which changes its turn.
void RunningFetch::wait_for_place() {
  const Duration timeout = settings().pool.queue_timeout;
  const Timestamp now = worker().now().mono;
  const Duration left = asked_ + timeout - now;
  if (left <= Duration{0}) times_.queued = waited_ + (now - asked_);
  if (left <= Duration{0})
    return fail(FetchError::Queue, std::string("no place among the requests in flight became free within "
                                               "pool.queue_timeout (") +
                                       duration_text(timeout) + ')');
  if (now > asked_) group_->press(now, std::min(kStalled, timeout / 4));
  if (const auto waiters = sink_->waiters(); waiters != waiters_)
    group_->shared().admission->update(*place_request_, waiters_ = waiters);
  group_->await_grant();
  arm(std::min(left, kPress));
}

void RunningFetch::place_woken() {
  if (over() || !place_request_) return;
  auto place = group_->shared().admission->granted(*place_request_);
  if (!place) return place_request_->signal.wait(worker(), place_wake_);
  place_request_.reset();
  place_ = std::move(place);
  deadline_.disarm();
  times_.queued = waited_ + (worker().tick().mono - asked_);
  first_attempt();
}

void RunningFetch::first_attempt() {
  // An authenticated connection is where its client's requests belong.
  if (auto held = bond_ ? bond_->take() : nullptr) {
    auto& breaker = group_->pool(bond_->url())->origin().condition->breaker;
    const bool counts = breaker.closed();  // else it goes on without being the one that tries the url
    take_url(bond_->url(), counts ? breaker.admit(worker().now().mono, Breaker::Others::Some).pass : Breaker::Pass{});
    return converse(std::move(held), true);
  }
  if (choose()) {
    group_->shared().budget.deposit(times_.started);
    return seek();
  }
  std::string why = settings().name + " is out of use";
  if (times_.retry_after > Duration{0})
    why += ", and is tried again in " + duration_text(std::chrono::ceil<std::chrono::seconds>(times_.retry_after));
  else if (!fails_over_)
    why += ", and another request is trying it";
  fail(FetchError::CircuitOpen, why);
}

// A request that may not be repeated does not try out a url.
bool RunningFetch::choose() {
  auto choice = group_->choose(tried_, balance_key_, {repeatable_, fails_over_});
  if (choice) return take_url(choice.url, std::move(choice.pass)), true;
  times_.retry_after = std::max(choice.open_until - worker().now().mono, Duration{0});
  return false;
}

void RunningFetch::take_url(unsigned url, Breaker::Pass pass) {
  leave_url();
  url_ = url;
  pool_ = group_->pool(url);
  pass_ = std::move(pass);
  origin().numbers.in_flight.fetch_add(1, std::memory_order_relaxed);
  unlink();
  pool_->add(*this);
}

void RunningFetch::leave_url() noexcept {
  pass_ = {};
  if (pool_) origin().numbers.in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void RunningFetch::seek() {
  if (auto idle = pool_->take_idle()) return converse(std::move(idle));
  permit_request_ = std::make_shared<PermitRequest>();
  permit_request_->signal.wait(worker(), permit_wake_);
  auto permit = origin().permits->take(permit_request_);
  if (permit) {
    permit_wake_.stop_waiting();
    permit_request_.reset();
    return dial(std::move(permit));
  }
  if (asked_ == Timestamp{}) asked_ = worker().now().mono;
  wait_in_queue();
}

// While no connection is free, fetches with slow clients are asked to give way.
void RunningFetch::wait_in_queue() {
  const Duration timeout = settings().pool.queue_timeout;
  const Timestamp now = worker().now().mono;
  const Duration left = asked_ + timeout - now;
  if (left <= Duration{0}) times_.queued = waited_ + (now - asked_);
  if (left <= Duration{0})
    return fail(FetchError::Queue, "no connection was free within pool.queue_timeout (" + duration_text(timeout) + ")");
  if (now > asked_) origin().permits->press(now, std::min(kStalled, timeout / 4));
  arm(std::min({left, kPress, std::max(timeout / 8, Duration{std::chrono::milliseconds{1}})}));
}

void RunningFetch::permit_woken() {
  if (over() || !permit_request_) return;
  auto grant = origin().permits->granted(*permit_request_);
  if (!grant) {
    permit_request_->signal.wait(worker(), permit_wake_);
    return;
  }
  permit_request_.reset();
  deadline_.disarm();
  times_.queued = waited_ + (worker().tick().mono - asked_);
  if (!grant->connection.stream) return dial(std::move(grant->permit));
  auto connection = std::make_shared<Connection>(worker().io(), pool_->shared(), std::move(grant->permit));
  if (connection->adopt(std::move(grant->connection)) && connection->quiet()) return converse(std::move(connection));
  dial(connection->close());
}

void RunningFetch::dial(Permit permit) {
  enter(Phase::Dialling);
  ++times_.attempts;
  deadline_.disarm();
  dialled_ = worker().now().mono;
  const auto done = [fetch = weak_from_this()](Dialler::Outcome&& outcome) {
    if (const auto self = fetch.lock()) self->guarded([&] { self->dialled(std::move(outcome)); });
  };
  dialler_ = std::make_shared<Dialler>(pool_, std::move(permit), done);
  const auto dialler = dialler_;  // it may be over at once
  dialler->start();
}

void RunningFetch::dialled(Dialler::Outcome outcome) {
  if (phase_ != Phase::Dialling) return;
  dialler_ = nullptr;
  if (outcome.connection) {
    if (settings().url.is_https()) return secure(std::move(outcome.connection));
    times_.connect = worker().now().mono - dialled_;
    return converse(std::move(outcome.connection));
  }
  permit_ = std::move(outcome.permit);
  address_ = std::move(outcome.address);
  times_.address = address_;
  attempt_failed(outcome.error, outcome.detail);
}

// The handshake has what the connect has left of `timeouts.connect`.
void RunningFetch::secure(ConnectionPtr connection) {
  enter(Phase::Securing);
  connection_ = std::move(connection);
  address_ = connection_->address();
  times_.address = address_;
  const auto tls = origin().tls();
  // Nothing is ever sent in plain text to an https origin.
  if (!tls) return fail(FetchError::Tls, address_ + ": TLS: nothing is there to speak it with");
  arm(std::max(settings().timeouts.connect - (worker().now().mono - dialled_), Duration{0}));
  connection_->secure(tls->session());
  connection_->stream().handshake([self = shared_from_this(), connection = connection_](net::Io state) {
    self->guarded([&] { self->secured(connection, state); });
  });
}

void RunningFetch::secured(const ConnectionPtr& connection, net::Io state) {
  if (connection != connection_ || phase_ != Phase::Securing) return;
  worker().tick();
  const auto& tls = *connection->tls();
  if (state == net::Io::Done) {
    origin().count_handshake(tls.result());
    times_.connect = worker().now().mono - dialled_;
    return converse(connection);
  }
  if (tls.failed()) return handshake_failed(tls.result(), tls.problem());
  handshake_failed(net::TlsHandshake::Closed, "it reset the connection in the handshake");
}

void RunningFetch::handshake_failed(net::TlsHandshake result, const std::string& why) {
  origin().count_handshake(result);
  const bool late = result == net::TlsHandshake::Timeout;
  attempt_failed(late ? FetchError::TlsTimeout : FetchError::Tls, address_ + ": TLS: " + why);
}

void RunningFetch::converse(ConnectionPtr connection, bool bound) {
  after_ = bound || authenticates_ ? After::Client : After::Pool;
  connection_ = std::move(connection);
  address_ = connection_->address();
  times_.address = address_;
  times_.requested = worker().now();
  if (connection_->reused()) {
    times_.connect = Duration{0};
    ++times_.attempts;
  }
  enter(Phase::Head);
  head_due_ = {};
  contact_ = Contact::Asked;
  parser_.reset();
  parser_.answer_to(method_);
  sender_.rewind(origin().config.url);
  sending_ = Sending::Ready;
  send();
  // An answer may come before the request has ended.
  if (phase_ == Phase::Head) read();
}

// --- the request ---

void RunningFetch::send() {
  if (sending_ == Sending::Writing || sending_ == Sending::Sent || sending_ == Sending::Stopped) return;
  switch (sender_.next()) {
    case RequestSender::Next::Sent: sending_ = Sending::Sent; break;
    case RequestSender::Next::Wait:
      sending_ = Sending::AwaitsContent;
      if (pass_.probe()) pass_ = {};  // how long a slow client takes says nothing of the url
      sender_.body()->wait(body_wake_);
      break;
    case RequestSender::Next::Hold:
      if (sending_ != Sending::Held) held_until_ = worker().now().mono + kContinueAfter;
      sending_ = Sending::Held;
      break;
    case RequestSender::Next::Broken:
      // Closing shows the origin that the request is incomplete (RFC 9112 section 8).
      return attempt_failed(FetchError::ClientBody, "the client's content ended early");
    case RequestSender::Next::Refused: return fail(FetchError::Credentials, sender_.refusal());
    case RequestSender::Next::Write:
      sending_ = Sending::Writing;
      connection_->stream().write(sender_.parts(),
                                  [self = shared_from_this(), connection = connection_](const net::IoResult& written) {
                                    self->guarded([&] { self->sent(connection, written); });
                                  });
      break;
  }
  watch_progress();
}

void RunningFetch::sent(const ConnectionPtr& connection, const net::IoResult& written) {
  if (connection != connection_ || over()) return;
  worker().tick();
  if (sending_ != Sending::Writing) return;
  sending_ = Sending::Ready;
  // The origin may have answered before it closed its side, so the verdict is left to the read.
  if (written.bytes == 0) return stop_sending();
  sender_.written(written.bytes);
  moved_ += written.bytes;
  head_due_ = {};
  send();
}

// Called by the client's connection in the middle of its own work, so ours waits its turn.
void RunningFetch::body_woken() {
  worker().post([self = shared_from_this(), connection = connection_] {
    if (self->over() || connection != self->connection_ || self->sending_ != Sending::AwaitsContent) return;
    self->worker().tick();
    self->sending_ = Sending::Ready;
    self->guarded([&] { self->send(); });
  });
}

// The origin has sent 100, or nothing for too long: pulling sends the client its 100.
void RunningFetch::send_content() {
  sender_.release();
  if (sending_ != Sending::Held) return;  // the head is still being written, or nothing more is sent
  sending_ = Sending::Ready;
  send();
}

void RunningFetch::stop_sending() noexcept {
  if (sending_ != Sending::Sent) sending_ = Sending::Stopped;
  body_wake_.stop_waiting();
}

// The origin's timeout runs only while we wait for the origin: not while the sink is full or the client sends nothing.
void RunningFetch::watch_progress() {
  if (over()) return;
  note_client();
  if (client_keeps_it()) {
    head_due_ = {};
    return deadline_.disarm();
  }
  if (sending_ == Sending::Held) return worker().deadlines().arm(deadline_, held_until_);
  if (phase_ == Phase::Content) return arm(between_bytes());
  // However it drips, and however many interim answers there are: the head has one time, since we last waited for the
  // client or sent something.
  const Timestamp now = worker().now().mono;
  if (head_due_ == Timestamp{}) head_due_ = now + settings().timeouts.first_byte;
  worker().deadlines().arm(deadline_, begun() ? std::min(head_due_, now + between_bytes()) : head_due_);
}

void RunningFetch::allow_quiet(Duration limit) {
  quiet_ = limit;
  if (deadline_.armed()) watch_progress();
}

void RunningFetch::note_client() {
  const bool waits = !over() && connection_ && client_keeps_it();
  if (waits == stalled_) return;
  stalled_ = waits;
  const Timestamp now = worker().now().mono;
  if (!waits) {
    moving_since_ = now;
    return pool_->moves(*this, stalled_since_);
  }
  if (moved_ >= kMuch) {
    stalled_since_ = now;
    moved_ = 0;
  } else {
    stalled_since_ += now - moving_since_;
  }
  pool_->stalls(*this, stalled_since_);
}

void RunningFetch::give_way() {
  guarded([this] { relieve_or_end(); });
}

void RunningFetch::relieve_or_end() {
  const bool paused = flow_ == Flow::Paused;
  if (paused && sink_->drop_slowest()) return resume();
  const bool bounded = parser_.framing() != http::Framing::Length || decoder_.remaining() <= kReadOn;
  if (paused && bounded && !std::exchange(relieved_, true) && sink_->take_more(kReadOn)) {
    read_on_ = kReadOn + kLastPiece;
    return resume();
  }
  fail(FetchError::ClientStalled, "the client was slow while other requests waited for its connection");
}

// --- the end ---

void RunningFetch::resume() {
  if (flow_ == Flow::Delivering) flow_ = Flow::Resumed;
  if (flow_ != Flow::Paused || over()) return;
  flow_ = Flow::Open;
  note_client();
  // By a post: the caller is often still reading our last piece.
  worker().post([self = shared_from_this()] {
    if (self->over() || self->flow_ == Flow::Paused) return;
    self->worker().tick();
    self->guarded([&] { self->go_on(); });
  });
}

void RunningFetch::cancel() {
  if (over()) return;
  if (phase_ == Phase::Content && decoder_.done()) settle_connection();
  finish();
}

net::Sink* RunningFetch::finish() {
  enter(Phase::Over);
  note_client();
  deadline_.disarm();
  total_.disarm();
  body_wake_.stop_waiting();
  place_wake_.stop_waiting();
  permit_wake_.stop_waiting();
  if (const auto request = std::exchange(place_request_, nullptr)) group_->shared().admission->leave(*request);
  if (const auto request = std::exchange(permit_request_, nullptr)) origin().permits->leave(*request);
  permit_.reset();
  if (const auto dialler = std::exchange(dialler_, nullptr)) dialler->cancel();
  if (const auto connection = std::exchange(connection_, nullptr)) connection->close();
  unlink();
  leave_url();
  place_.reset();
  return std::exchange(sink_, nullptr);
}

void RunningFetch::end_with(FetchError error, std::string_view detail) {
  // The text may be ours, and the sink may drop us.
  const std::string text(detail);
  if (error == FetchError::Protocol || error == FetchError::TooLarge || error == FetchError::Tls)
    origin().tell_refusal(error, text, worker().now().mono);
  if (auto* const sink = finish()) sink->on_failure(error, text);
}

void RunningFetch::fail(FetchError error, std::string_view detail) {
  if (over()) return;
  judge(error);
  end_with(error, detail);
}

// Whether a failure is one of the url, for which it had what it takes.
bool RunningFetch::was_tried(FetchError error) const noexcept {
  // Some servers close without a word when the content comes too slowly.
  if (error == FetchError::Reset && (sending_ == Sending::AwaitsContent || sending_ == Sending::Held)) return false;
  if (error != FetchError::TotalTimeout) return says_something_of_the_url(error);
  return phase_ == Phase::Dialling || phase_ == Phase::Securing || phase_ == Phase::Content ||
         (phase_ == Phase::Head && sending_ == Sending::Sent);
}

// A result of the url that was chosen.
void RunningFetch::judge(FetchError error) {
  if (error == FetchError::Queue) group_->shared().tell_overload(worker().now().mono);
  if (!pool_) return group_->shared().count_failure(error);
  origin().count_failure(error, phase_ == Phase::Content || !was_tried(error));
  // Whoever sends a head that is too large, or none that can be read, is there.
  if (!was_tried(error) || error == FetchError::TooLarge || error == FetchError::Protocol) return;
  if (!pass_) return;  // it was judged by its head
  const Timestamp now = worker().now().mono;
  origin().condition->fails_fast.store(error == FetchError::Reset && is_fast(now), std::memory_order_relaxed);
  origin().note(pass_.failed(now), to_string(error), now);
}

// Whether this attempt has taken less time than a probe may keep others waiting.
bool RunningFetch::is_fast(Timestamp now) const noexcept { return now - times_.requested.mono < Breaker::kProbe; }

namespace {
enum class Says : std::uint8_t { Works, Failed, Nothing };
/// What an answer says of its url. With Retry-After it works: the application refuses this request, and may answer
/// others. `fails_over`: an answer with a status of `failover_on` is dropped, and a 5xx among them counts as failed.
/// The same answer to a request that does not fail over says nothing: it must not bring a url back which others found
/// broken. A 404 among them is an answer like others.
Says said_by(const http::ResponseView& head, const config::Origin& origin, bool fails_over) {
  if (head.fields.has(http::FieldId::RetryAfter)) return Says::Works;
  if (expected(origin.passive.statuses, head.status)) return Says::Failed;
  const bool dropped = !origin.failover.empty() && head.status >= 500 && covers(origin.failover_on, head.status);
  return !dropped ? Says::Works : fails_over ? Says::Failed : Says::Nothing;
}
}  // namespace

void RunningFetch::judge(const http::ResponseView& head) {
  const auto says = said_by(head, settings(), fails_over_);
  if (says == Says::Nothing) {
    pass_ = {};
    return;
  }
  const Timestamp now = worker().now().mono;
  const bool failed = says == Says::Failed;
  if (failed && pass_) origin().condition->fails_fast.store(is_fast(now), std::memory_order_relaxed);
  const auto change = failed ? pass_.failed(now) : pass_.succeeded(now);
  if (change != Breaker::Change::None) origin().note(change, std::to_string(head.status), now);
}

// After failures on an old and a new connection of a url, a third attempt there is useless, and so is another one where
// nobody has answered in time.
bool RunningFetch::may_repeat_here(FetchError error) const noexcept {
  return error == FetchError::Connect || (error == FetchError::Tls && phase_ == Phase::Securing) ||
         (error == FetchError::Reset && !replaced_);
}

// RFC 9112 section 9.3.1: an idle connection may close at any time, so one that was reused and broke without a word is
// replaced once. Beyond that only safe methods are asked again, those that their client says may be, and any method
// that cannot have reached the origin. A url that gave no answer in time is not asked again, but another one is.
bool RunningFetch::may_repeat(FetchError error) {
  if (contact_ == Contact::Answering || phase_ == Phase::Content || !sender_.can_repeat()) return false;
  if (error == FetchError::Reset && connection_ && connection_->reused() && !replaced_ &&
      http::is_idempotent(method_)) {
    if (sink_->is_wanted()) return replaced_ = true;
    pass_ = {};  // the connection may just have been old
    return false;
  }
  const bool late = error == FetchError::Dns || error == FetchError::DnsTimeout ||
                    error == FetchError::ConnectTimeout || error == FetchError::TlsTimeout;
  const bool unreached =
      error == FetchError::Connect || late || (error == FetchError::Tls && phase_ == Phase::Securing);
  const bool unanswered = error == FetchError::Reset || error == FetchError::FirstByteTimeout;
  // On the connection that was replaced it may have taken effect.
  if (!(unreached && contact_ == Contact::None) && !((unreached || unanswered) && repeatable_)) return false;
  if (retries_left_ == 0) return not_again(error);
  const bool has_other = group_->has_other_than(tried_ | std::uint64_t{1} << url_, repeatable_);
  if (!may_repeat_here(error) && !has_other) return false;
  if (!sink_->is_wanted()) return false;
  if (error == FetchError::Reset && !sink_->wants_retry(has_other)) return false;
  if (!group_->shared().budget.withdraw(worker().now().mono)) {
    origin().numbers.retries_refused.fetch_add(1, std::memory_order_relaxed);
    not_repeated_ = "; it was not repeated: retry_budget is used up";
    return not_again(error);
  }
  --retries_left_;
  return true;
}

// After a reset at another url it is one of those who wait that asks next.
bool RunningFetch::not_again(FetchError error) {
  if (error == FetchError::Reset && tried_ != 0) sink_->wants_retry();
  return false;
}

void RunningFetch::attempt_failed(FetchError error, std::string_view detail) {
  const bool replaced_before = replaced_, here = may_repeat_here(error);
  if (!may_repeat(error)) return fail(error, std::string(detail).append(not_repeated_));
  // Before the sending stops: whether the content was slow decides.
  if (replaced_ == replaced_before) judge(error);
  stop_sending();
  if (const auto connection = std::exchange(connection_, nullptr)) permit_ = connection->close();
  note_client();
  if (replaced_ == replaced_before) return repeat(error, std::string(detail), here);
  origin().numbers.retries.fetch_add(1, std::memory_order_relaxed);
  dial(std::move(permit_));
}

void RunningFetch::repeat(FetchError error, std::string_view detail, bool here) {
  auto failed_by =
      std::string(to_string(error)).append(" at ").append(address_.empty() ? origin().config.url.text : address_);
  tried_ |= std::uint64_t{1} << url_;
  const auto before = pool_;
  // Another worker may have taken the other url's place for a probe meanwhile.
  if (!choose() || (pool_ == before && !here)) return end_with(error, detail);
  failed_by_ = std::move(failed_by);
  times_.failed_origin = settings().name;
  times_.failed_by = failed_by_;
  origin().numbers.retries.fetch_add(1, std::memory_order_relaxed);
  if (pool_ == before) {
    enter(Phase::Resting);
    return arm(backoff(times_.attempts));
  }
  // Its idle connections may be old, too.
  if (repeatable_) replaced_ = false;
  permit_.reset();
  asked_ = {};
  waited_ = times_.queued;
  enter(Phase::Seeking);
  seek();
}

}  // namespace forebay::upstream
