#include "forebay/proxy/inner_request.hpp"

#include <utility>

#include "core.hpp"
#include "forebay/base/guarded.hpp"

namespace forebay::proxy {
namespace {

/// Bytes of a step of the reader; they are not copied.
constexpr std::size_t kStep = std::size_t{1} << 20;

http::Request request_for(const InnerRequest::Url& url) {
  http::Fields fields;
  fields.add(http::FieldId::Host, url.authority);
  fields.add(http::FieldId::UserAgent, "forebay-warm");
  fields.add(http::FieldId::Accept, "*/*");
  return http::Request({http::Method::Get, "GET", url.target, http::Version::Http11, fields.view(), url.authority});
}

}  // namespace

InnerRequest::InnerRequest(net::Worker& worker, server::Handler& handler, const Url& url, Done done)
    : worker_(worker),
      handler_(handler),
      notes_(handler.make_notes()),
      request_(request_for(url)),
      view_(request_.view()),
      done_(std::move(done)) {
  peer_.address = "127.0.0.1";
  peer_.scheme = url.scheme == "https" ? "https" : "http";
  notes_->reset();
  const auto& now = worker.now();
  tally_.started = now.mono;
  tally_.started_wall = now.wall;
}

std::shared_ptr<InnerRequest> InnerRequest::ask(net::Worker& worker, server::Handler& handler, const Url& url,
                                                Timestamp until, Done done) {
  const std::shared_ptr<InnerRequest> self(new InnerRequest(worker, handler, url, std::move(done)));
  worker.deadlines().arm(self->deadline_, until);
  guarded([&] { handler.start(self); }, [&] { self->end_soon(false); });
  return self;
}

void InnerRequest::answer(const server::AnswerHead& head, http::BodyCursor body) {
  if (gone_ || answered_) return;
  answered_ = true;
  tally_.status = head.status;
  tally_.first_byte = worker_.now().mono;
  if (http::never_has_content(head.status)) return end_soon(true);
  cursor_ = std::move(body);
  read();
}

void InnerRequest::Reading::woken() {
  const auto kept = request.shared_from_this();
  guarded([this] { request.read(); }, [this] { request.end_soon(false); });
}

void InnerRequest::read() {
  Slice piece;
  while (!gone_) {
    auto state = cursor_.next(kStep, piece, worker_.now().mono);
    if (state == http::BodyCursor::State::Wait) {
      cursor_.wait(worker_, reading_);
      state = cursor_.next(kStep, piece, worker_.now().mono);
      if (state == http::BodyCursor::State::Wait) return;
      reading_.stop_waiting();
    }
    if (state != http::BodyCursor::State::Data) return end_soon(state == http::BodyCursor::State::End);
    tally_.bytes_out += piece.bytes.size();
  }
}

void InnerRequest::on_gone(Waiter* waiter) {
  gone_waiters_.clear();
  if (waiter != nullptr) gone_waiters_.push_back(*waiter);
}

// The handler may be in the middle of what it does.
void InnerRequest::end_soon(bool completed) {
  const auto self = std::static_pointer_cast<InnerRequest>(shared_from_this());
  worker_.post([self, completed] {
    self->worker_.tick();
    self->end(completed);
  });
}

void InnerRequest::leave() {
  if (over_) return;
  const auto self = shared_from_this();
  gone_ = true;
  if (!gone_waiters_.empty()) {
    auto& waiter = gone_waiters_.front();
    waiter.stop_waiting();
    waiter.woken();
  }
  end(false);
}

void InnerRequest::end(bool completed) {
  if (std::exchange(over_, true)) return;
  const auto self = shared_from_this();
  gone_ = true;
  deadline_.disarm();
  reading_.stop_waiting();
  cursor_ = {};
  tally_.finished = worker_.now().mono;
  tally_.completed = completed;
  guarded([this] { handler_.finished(*this); }, [] {});
  const auto& noted = static_cast<const RequestNotes&>(*notes_);
  const InnerOutcome outcome{tally_.status, completed, noted.stored, noted.result, noted.reason};
  notes_->reset();
  if (const auto done = std::exchange(done_, nullptr)) guarded([&] { done(outcome); }, [] {});
}

}  // namespace forebay::proxy
