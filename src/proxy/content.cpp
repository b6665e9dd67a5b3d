#include "content.hpp"

#include "deliver.hpp"
#include "lookup.hpp"

namespace forebay::proxy {
namespace {

/// The part of the memory that unfinished content may take: one in so many.
constexpr std::uint64_t kHeldShare = 8;

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

std::optional<std::uint64_t> KeptSource::length() const {
  if (rest_) return rest_->body().length();
  return bytes_->bytes().size();
}

const http::Fields& KeptSource::trailers() const { return rest_ ? rest_->body().trailers() : none_; }

Gathered gather(net::BodySource& source, std::uint64_t body_max, std::string& bytes) {
  if (source.length().value_or(0) > body_max) return Gathered::TooLarge;
  for (;;) {
    std::string_view piece;
    switch (source.pull(piece)) {
      case net::BodySource::State::Data:
        bytes.append(piece);
        if (bytes.size() > body_max) return Gathered::TooLarge;
        break;
      case net::BodySource::State::Wait:
        return Gathered::Wait;
      case net::BodySource::State::End:
        return Gathered::Whole;
      case net::BodySource::State::Broken:
      case net::BodySource::State::TooLarge:
        return Gathered::Broken;
    }
  }
}

void deliver_content_error(Core& core, server::Exchange& exchange, std::string_view accept,
                           std::string_view request_id) {
  std::string_view rest;
  if (exchange.body().pull(rest) != net::BodySource::State::TooLarge) return;
  OwnError own;
  own.status = 413;
  own.reason = RequestError::BodyTooLarge;
  own.title = "Content Too Large";
  own.detail = "The request content is larger than this server accepts.";
  own.close = true;
  deliver_error(core, exchange, accept, request_id, own);
}

ReadTask::ReadTask(Core& core, StoryPtr story, std::string begun)
    : core_(core), story_(std::move(story)), bytes_(std::move(begun)) {}

ReadTask::~ReadTask() { core_.shared.content_held.fetch_sub(held_, std::memory_order_relaxed); }

void ReadTask::start() {
  core_.add(shared_from_this());
  story_->exchange->on_gone(&gone_);
  if (!hold()) return;
  story_->exchange->body().wait(more_);
}

/// What is held while its client takes its time is charged; where there is no room, the content is passed on unkeyed.
bool ReadTask::hold() {
  const auto cost = allocated_size(bytes_.capacity());
  if (cost <= charge_.bytes() || make_room(cost)) return true;
  finish();
  go_on(core_, story_, bytes_, Gathered::TooLarge);
  return false;
}

/// All unfinished content together evicts no more than a part of the store: else slow clients could empty it.
bool ReadTask::make_room(std::size_t cost) {
  auto& held = core_.shared.content_held;
  const auto more = cost - held_;
  const auto before = held.fetch_add(more, std::memory_order_relaxed);
  held_ += more;
  if (before + more > core_.shared.store.budget().limit() / kHeldShare) return false;
  auto charge = core_.shared.store.reserve(cost);
  if (charge.bytes() == 0) return false;
  charge_ = std::move(charge);
  return true;
}

void ReadTask::read() {
  const auto self = shared_from_this();
  if (done_) return;
  const auto outcome = gather(story_->exchange->body(), story_->route->route->key.body_max, bytes_);
  if (outcome == Gathered::Wait) {
    if (hold()) story_->exchange->body().wait(more_);
    return;
  }
  finish();
  if (!story_->wanted()) return;
  if (outcome == Gathered::Broken)
    return deliver_content_error(core_, *story_->exchange, story_->accept, story_->request_id);
  charge_ = {};  // what goes on is charged anew, by its size
  go_on(core_, story_, bytes_, outcome);
}

void ReadTask::client_gone() {
  const auto self = shared_from_this();
  if (!done_) finish();
}

void ReadTask::finish() {
  done_ = true;
  more_.stop_waiting();
  story_->exchange->on_gone(nullptr);
  core_.remove(shared_from_this());
}

void ReadTask::end() {
  done_ = true;
  more_.stop_waiting();
  gone_.stop_waiting();
}

}  // namespace forebay::proxy
