#include "content.hpp"

#include "arrival.hpp"
#include "deliver.hpp"
#include "forebay/server/problem.hpp"
#include "lookup.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

/// The part of the memory that unfinished content may take: one in so many.
constexpr std::uint64_t kHeldShare = 8;

/// So many times `server.timeouts.body` content for a key may take in all.
constexpr int kWholeWithin = 2;

}  // namespace

net::BodySource::State KeptSource::pull(std::string_view& out) {
  if (!std::exchange(given_, true) && !bytes_->bytes().empty()) {
    out = bytes_->bytes();
    return State::Data;
  }
  return rest_ ? rest_->body().pull(out) : State::End;
}

void KeptSource::wait(Waiter& waiter) {
  if (rest_) rest_->body().wait(waiter);
}

// Only chunked content has trailer fields (RFC 9112 section 7.1.2).
std::optional<std::uint64_t> KeptSource::length() const {
  if (rest_) return rest_->body().length();
  if (trailers_) return std::nullopt;
  return bytes_->bytes().size();
}

const http::Fields& KeptSource::trailers() const {
  static const http::Fields kNone;
  if (rest_) return rest_->body().trailers();
  return trailers_ ? *trailers_ : kNone;
}

bool KeptSource::awaits_continue() const {
  return rest_ && !given_ && bytes_->bytes().empty() && rest_->body().awaits_continue();
}

namespace {

Gathered take(net::BodySource& source, std::uint64_t most, std::string& bytes, bool until_over) {
  for (;;) {
    std::string_view piece;
    switch (source.pull(piece)) {
      case net::BodySource::State::Data:
        bytes.append(piece);
        if (bytes.size() > most) return Gathered::TooLarge;
        // No more is read from the client than can be kept.
        if (!until_over && bytes.size() == most && source.length() != most) return Gathered::TooLarge;
        break;
      case net::BodySource::State::Wait: return Gathered::Wait;
      case net::BodySource::State::End: return Gathered::Whole;
      case net::BodySource::State::Broken:
      case net::BodySource::State::TooLarge: return Gathered::Broken;
    }
  }
}

}  // namespace

Gathered gather(net::BodySource& source, std::uint64_t body_max, std::string& bytes) {
  if (source.length().value_or(0) > body_max) return Gathered::TooLarge;
  return take(source, body_max, bytes, true);
}

Gathered fill(net::BodySource& source, std::uint64_t most, std::string& bytes) {
  if (bytes.size() >= most && source.length() != bytes.size()) return Gathered::TooLarge;
  return take(source, most, bytes, false);
}

namespace {

using State = ReadContent::State;

using Purpose = ReadTask::Purpose;

const config::Signing& signing_of(const PendingRequest& pending) noexcept {
  return pending.route->origin->state().config().sign;
}

bool needs_whole(const config::Signing& sign, const PendingRequest& pending) {
  return sign.on() && pending.has_content && (sign.signs_content() || !pending.exchange->body().length());
}

/// Without the whole content the request cannot be sent.
bool origin_needs_whole(const PendingRequest& pending) { return needs_whole(signing_of(pending), pending); }

/// How much is read to sign it. More than a failover signs is sent to the origin all the same.
std::uint64_t most_to_sign(const PendingRequest& pending) {
  if (origin_needs_whole(pending)) return signing_of(pending).body_max;
  return pending.route->failover->state().config().sign.body_max;
}

/// Reads more for this purpose. Except for a wait, only the origin reads the rest.
Gathered read_on(PendingRequest& pending, Purpose purpose) {
  auto& body = pending.exchange->body();
  const auto most = [&] {
    return purpose == Purpose::Sign ? most_to_sign(pending) : pending.route->route->key.body_max;
  };
  const auto outcome = purpose == Purpose::Forward ? fill(body, pending.request_buffer(), pending.bytes)
                                                   : gather(body, most(), pending.bytes);
  if (outcome == Gathered::Whole) pending.read = State::Whole;
  if (outcome == Gathered::TooLarge) pending.read = State::TooLarge;
  return outcome;
}

constexpr OwnError kTooLargeToSign{413,
                                   RequestError::BodyTooLarge,
                                   "Content Too Large",
                                   "The content is longer than what can be signed for the origin (sign.body_max).",
                                   {},
                                   {},
                                   true};

}  // namespace

bool must_read_to_sign(const PendingRequest& pending) {
  if (origin_needs_whole(pending)) return true;
  auto* const other = pending.route->failover;
  return other && http::is_safe(pending.request.method) && needs_whole(other->state().config().sign, pending);
}

bool read_content(const PendingRequestPtr& pending, ReadTask::Purpose purpose, rules::Reason reason) {
  const auto outcome = read_on(*pending, purpose);
  if (outcome == Gathered::Broken) deliver_content_error(*pending);
  if (outcome == Gathered::TooLarge && purpose == Purpose::Sign && origin_needs_whole(*pending)) {
    deliver_error(*pending, kTooLargeToSign);
    return false;
  }
  if (outcome == Gathered::Wait) {
    pending->keep();
    std::make_shared<ReadTask>(pending, purpose, reason)->start();
  }
  return outcome == Gathered::Whole || outcome == Gathered::TooLarge;
}

ReadTask::ReadTask(PendingRequestPtr pending, Purpose purpose, rules::Reason reason)
    : core_(pending->core), pending_(std::move(pending)), purpose_(purpose), reason_(reason) {}

ReadTask::~ReadTask() { core_.shared.content_held.fetch_sub(held_, std::memory_order_relaxed); }

void ReadTask::start() {
  guarded([this] { begin(); });
}

void ReadTask::begin() {
  core_.add(shared_from_this());
  pending_->exchange->on_gone(&gone_);
  if (!hold()) return;
  if (purpose_ != Purpose::Forward)
    core_.worker.deadlines().arm(deadline_, core_.now().mono, kWholeWithin * pending_->config().server.timeouts.body);
  pending_->exchange->body().wait(more_);
}

/// Content that is held for a slow client is charged; without memory, it is forwarded as it arrives.
bool ReadTask::hold() {
  const auto cost = allocated_size(pending_->bytes.capacity());
  if (cost <= charge_.bytes() || make_room(cost)) return true;
  finish();
  pending_->read = State::TooLarge;
  go_on();
  return false;
}

/// All unfinished content together evicts only a part of the store: else slow clients could empty it.
bool ReadTask::make_room(std::size_t cost) {
  auto& held = core_.shared.content_held;
  const auto more = cost - held_;
  const auto before = held.fetch_add(more, std::memory_order_relaxed);
  held_ += more;
  if (before + more > core_.shared.store.budget().limit() / kHeldShare) return false;
  // What it grows by: content that comes in small pieces evicts no more than other content.
  auto charge = core_.shared.store.reserve(cost - charge_.bytes());
  if (charge.bytes() == 0) return false;
  charge_.merge(std::move(charge));
  return true;
}

void ReadTask::read() {
  if (done_) return;
  const auto outcome = read_on(*pending_, purpose_);
  if (outcome == Gathered::Wait) {
    if (hold()) pending_->exchange->body().wait(more_);
    return;
  }
  finish();
  if (!pending_->wanted()) return;
  if (outcome == Gathered::Broken) return deliver_content_error(*pending_);
  if (outcome == Gathered::TooLarge && purpose_ == Purpose::Sign && origin_needs_whole(*pending_))
    return deliver_error(*pending_, kTooLargeToSign);
  go_on();
}

void ReadTask::go_on() {
  charge_ = {};  // the rest is charged by its size
  if (purpose_ == Purpose::Route) return go_to_route(pending_);
  if (purpose_ == Purpose::Key) return go_on_to_key(pending_);
  // It cannot be forwarded in part, so it is refused where there is no memory for it.
  if (purpose_ == Purpose::Sign && pending_->read != State::Whole && origin_needs_whole(*pending_))
    return pending_->exchange->out_of_memory();
  forward(pending_, bypass_status(reason_));
}

void ReadTask::client_gone() {
  if (!done_) finish();
}

void ReadTask::too_late() {
  if (done_) return;
  finish();
  OwnError own;
  own.status = 408;
  own.reason = RequestError::ClientTimeout;
  own.title = "Request Timeout";
  const auto detail = server::content_too_late(pending_->config().server, kWholeWithin);
  own.detail = detail;
  own.close = true;
  deliver_error(*pending_, own);
}

void ReadTask::finish() {
  done_ = true;
  deadline_.disarm();
  more_.stop_waiting();
  pending_->exchange->on_gone(nullptr);
  core_.remove(shared_from_this());
}

void ReadTask::give_up() noexcept {
  if (!done_) finish();
  if (pending_->exchange) pending_->exchange->out_of_memory();
}

void ReadTask::end() {
  done_ = true;
  deadline_.disarm();
  more_.stop_waiting();
  gone_.stop_waiting();
}

}  // namespace forebay::proxy
