#include <string>
#include <utility>

#include "forebay/http/h1_writer.hpp"
#include "server/answer_head.hpp"
#include "server/edge_document.hpp"
#include "server/edge_error.hpp"
#include "server/h1_connection.hpp"

namespace forebay::server {

namespace {
constexpr std::size_t kFlushAt = 64 * 1024;
// A fast client must not monopolise the worker.
constexpr unsigned kPortionsPerTurn = 8;
}  // namespace

void H1Connection::interim(int status, http::FieldsView fields) {
  // The edge sends 100 itself, 101 is not supported, and HTTP/1.0 has no interim responses (RFC 9110 section 15.2).
  if (parser_.view().version == http::Version::Http10 || failure_ != nullptr || status < 102 || status > 199) return;
  http::append_status_line(out_.text(), status);
  http::append_lines(out_.text(), fields);
  out_.text() += "\r\n";
  kick();
}

void H1Connection::answer(H1Exchange& exchange, const AnswerHead& head, http::BodyCursor&& body) {
  exchange.head_at = out_.queued();
  exchange.numbers().status = head.status;
  const http::RequestView& request = exchange.request();
  const AnswerTo to{request.method, request.version,
                    !parser_.keep_alive() || !body_can_end() || listener_->drains() || listener_->handler.sends_away()};
  const auto plan =
      append_answer_head(out_.text(), head, body, to,
                         head.has_date ? std::string_view() : listener_->date_line(listener_->worker.now().wall));
  close_after_ = plan.close;
  writer_.start(std::move(body), plan.framing, plan.length);
  kick();
}

void H1Connection::end_is_leaving() {
  if (std::exchange(end_is_leaving_, true)) return;
  stream_.keep_alive();
  if (eof_) kick();
}

void H1Connection::cut() {
  // If the client's content is the cause, the client gets that error instead.
  if (failure_ != nullptr && !exchange_->answered()) return;
  cut_ = true;
  kick();
}

// True when the answer is wholly queued.
bool H1Connection::send_answer() {
  using Step = BodyWriter::Step;
  bool waits = false;
  for (unsigned portions = 0;;) {
    if ((out_.has_slices() || out_.pending() > kFlushAt) && !flush()) return false;
    const Step step = writer_.queue(out_, now());
    if (step == Step::Wait) {
      if (waits) return false;
      // A growing body is sent without waiting for more of it.
      if (!flush()) return false;
      writer_.cursor().wait(listener_->worker, body_ready_);
      waits = true;
      continue;
    }
    if (waits) body_ready_.stop_waiting();
    waits = false;
    if (step == Step::Done) {
      conclude();
      return true;
    }
    if (step == Step::Broken) {
      break_answer();
      return false;
    }
    if (++portions >= kPortionsPerTurn) {
      again();
      return false;
    }
  }
}

void H1Connection::conclude() {
  body_ready_.stop_waiting();
  H1Exchange& done = *exchange_;
  done.numbers().bytes_out = writer_.bytes();
  done.end_at = out_.queued();
  writer_.stop();
  ending_ |= close_after_ || failure_ != nullptr;
  uploading_ = ending_ && !decoder_.done();
  if (std::exchange(held_, false)) done.keep_bytes(in_.share());
  body_wanted_ = false;
  unsent_.push_back(std::move(exchange_));
  done.detach();
  if (out_.empty()) note_sent();
}

// The rest of the content will never come. Nothing may make the answer look complete: where only the end of the
// connection ends it, that end is a reset (RFC 9112 section 6.3).
void H1Connection::break_answer() {
  if (!blocked_) out_.write(stream_);
  note_sent();
  close(writer_.framing() == BodyWriter::Framing::UntilClose ? Ending::Reset : Ending::Plain);
}

// The request's content broke before there was an answer, or there is no memory for one: the client hears why, the
// handler sees a client that is gone.
void H1Connection::answer_failed_body() {
  H1Exchange& failed = *exchange_;
  failed.mark_answered();
  const auto detail = detail_of(*failure_, listener_->handler.settings(), {});
  const EdgeDocument document(*failure_, detail, listener_->handler.content_failed(failed, failure_->code, detail), {});
  const auto content = Chunk::copy_of(document.body.body);
  answer(failed, document.head(), http::BodyCursor(Owner(content), content->bytes()));
  failed.leave();
}

// Answers a message that never becomes a request. `cause`: what the parser says of a bad one.
void H1Connection::reject(const EdgeError& why, std::string_view cause) {
  count_rejection(why);
  const bool read = why.head_read;
  if (!read) parser_.read_before_fault(in_.bytes());
  const http::RequestView& head = parser_.view();
  const auto note = listener_->handler.note_refusal(head.fields);
  const auto detail = detail_of(why, listener_->handler.settings(), why.reason == Refusal::BadRequest ? cause : "");
  // Only a complete head has a usable Accept.
  const auto accept = read ? head.fields.value(http::FieldId::Accept).value_or("") : std::string_view();
  const EdgeDocument document(why, detail, note, accept);
  const AnswerTo to{read ? head.method : http::Method::Get, http::Version::Http11, true};
  const auto date = listener_->date_line(listener_->worker.now().wall);
  const auto plan = append_answer_head(out_.text(), document.head(), http::BodyCursor(), to, date);
  const bool has_content = plan.framing != BodyWriter::Framing::None;
  if (has_content) out_.text() += document.body.body;
  listener_->handler.refused(
      {why.reason, why.status, why.code, detail, head, has_content ? document.body.body.size() : 0, note.request_id},
      *peer_);
  ending_ = true;
  uploading_ = why.reason != Refusal::Overload;
}

}  // namespace forebay::server
