#include <algorithm>
#include <string>
#include <utility>

#include "server/answer_head.hpp"
#include "server/edge_document.hpp"
#include "server/edge_error.hpp"
#include "server/h2_connection.hpp"

namespace forebay::server {

namespace {

using Verdict = http::H2HeadReader::Verdict;

H2Exchange& exchange_of(http::H2Stream& stream) { return static_cast<H2Exchange&>(stream); }

const EdgeError& edge_error_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::TargetTooLong: return kTargetTooLong;
    case Verdict::TooLarge: return kHeaderTooLarge;
    case Verdict::TooManyFields: return kTooManyFields;
    case Verdict::Expectation: return kExpectation;
    case Verdict::Ok:
    case Verdict::Malformed:
    case Verdict::NoHost: break;
  }
  return kBadRequest;
}

}  // namespace

std::shared_ptr<H2Exchange> H2Connection::add_exchange(http::H2StreamId id, const http::H2HeadReader& head,
                                                       bool ended) {
  auto exchange = protocol_.make_exchange(*listener_);
  exchange->begin(*this, head, listener_->worker.now(), ended);
  const auto rate = listener_->handler.settings().min_rate;
  exchange->sending.begin(rate);
  exchange->taking.begin(rate);
  exchange->place = exchanges_.size();
  exchanges_.push_back(exchange);
  session_.attach(id, *exchange);
  ++requests_;
  return exchange;
}

void H2Connection::on_request(http::H2StreamId id, const http::H2HeadReader& head, bool ended) {
  if (closed_) return;
  if (head.content_length().value_or(0) > listener_->handler.settings().request_body)
    return refuse(id, head, kBodyTooLarge, {}, ended);
  const auto exchange = add_exchange(id, head, ended);
  guarded([&] { listener_->handler.start(exchange); }, [&] { exchange->out_of_memory(); });
}

void H2Connection::on_refused(http::H2StreamId id, const http::H2HeadReader& head, Verdict why, bool ended) {
  if (closed_) return;
  if (why == Verdict::Malformed) {
    count_rejection(kBadRequest);
    const auto note = listener_->handler.note_refusal(head.view().fields);
    listener_->handler.refused(
        {kBadRequest.reason, kBadRequest.status, kBadRequest.code, head.problem(), head.view(), 0, note.request_id},
        *peer_);
    return;
  }
  refuse(id, head, edge_error_for(why), why == Verdict::NoHost ? "The request has no authority." : "", ended);
}

// Answers a message that never becomes a request.
void H2Connection::refuse(http::H2StreamId id, const http::H2HeadReader& head, const EdgeError& why,
                          std::string_view cause, bool ended) {
  count_rejection(why);
  const http::RequestView& view = head.view();
  const auto note = listener_->handler.note_refusal(view.fields);
  const auto detail = detail_of(why, listener_->handler.settings(), cause);
  const EdgeDocument document(why, detail, note, view.fields.value(http::FieldId::Accept).value_or(""));
  const auto exchange = add_exchange(id, head, ended);
  exchange->own = true;
  exchange->mark_answered();
  const auto content = Chunk::copy_of(document.body.body);
  answer(*exchange, document.head(), http::BodyCursor(Owner(content), content->bytes()));
  const bool has_content = view.method != http::Method::Head;
  listener_->handler.refused(
      {why.reason, why.status, why.code, detail, view, has_content ? document.body.body.size() : 0, note.request_id},
      *peer_);
}

void H2Connection::count_rejection(const EdgeError& why) noexcept {
  auto& counter = why.reason == Refusal::Overload        ? listener_->numbers->rejected_limit
                  : why.reason == Refusal::ClientTimeout ? listener_->numbers->rejected_timeout
                                                         : listener_->numbers->rejected_malformed;
  counter.fetch_add(1, std::memory_order_relaxed);
}

// --- content of requests ---

void H2Connection::on_content(http::H2Stream& stream, std::string_view bytes) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.received += bytes.size();
  exchange.sending.moved(bytes.size(), now());
  exchange.over_limit |= exchange.received > listener_->handler.settings().request_body;
  // What nobody will read costs no memory, and this stream gets no credit for more. The handler may go on reading while
  // its answer is sent.
  if (exchange.own || exchange.over_limit || exchange.failure != nullptr) {
    session_.drop(bytes.size());
  } else {
    exchange.numbers().bytes_in += bytes.size();
    exchange.add_content(bytes);
  }
  if (exchange.body_due == Timestamp::max()) return;
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  exchange.wake_body_waiter();
}

void H2Connection::on_content_end(http::H2Stream& stream, http::Fields& trailers) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.request_trailers = std::move(trailers);
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  exchange.wake_body_waiter();
}

// The stream is being reset. The client gets no answer, and the handler sees a client that has left.
void H2Connection::on_content_malformed(http::H2Stream& stream) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.failure = &kBadBody;
  exchange.body_due = Timestamp::max();
  count_rejection(kBadBody);
  if (!exchange.answered()) {
    (void)listener_->handler.content_failed(exchange, kBadBody.code, kBadBody.detail);
    exchange.mark_answered();
  }
  exchange.leave();
  exchange.wake_body_waiter();
}

net::BodySource::State H2Connection::pull(H2Exchange& exchange, std::string_view& out) {
  using State = net::BodySource::State;
  if (exchange.failure != nullptr) return State::Broken;
  if (!exchange.lent.empty()) {
    const std::size_t used = exchange.lent.size();
    exchange.lent.clear();
    session_.consume(exchange.id, used);
    kick();
  }
  if (exchange.over_limit) return State::TooLarge;
  if (!exchange.incoming.empty()) {
    exchange.lent.swap(exchange.incoming);
    out = exchange.lent;
    return State::Data;
  }
  if (exchange.content_ended) return State::End;
  if (eof_) return State::Broken;
  if (exchange.awaits_continue()) {
    exchange.continued = true;
    session_.interim(exchange.id, 100, {});
    kick();
  }
  exchange.body_due = now() + listener_->handler.settings().timeouts.body;
  exchange.sending.wait(now());
  watch(std::min(exchange.body_due, exchange.sending.due()));
  return State::Wait;
}

// The content will never be complete. The client gets an error if no response has begun.
void H2Connection::fail_content(H2Exchange& exchange, const EdgeError& why) {
  exchange.failure = &why;
  exchange.body_due = Timestamp::max();
  exchange.sending.stop(now());
  count_rejection(why);
  failures_ = true;
  kick();
}

void H2Connection::out_of_memory(H2Exchange& exchange) noexcept {
  if (exchange.failure == nullptr) fail_content(exchange, kNoMemory);
}

void H2Connection::answer_failures() {
  failures_ = false;
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    const auto exchange = exchanges_[i];
    if (exchange->failure == nullptr || exchange->was_cut) continue;
    const bool begun = exchange->answered();
    exchange->wake_body_waiter();
    if (!exchange->attached()) continue;
    if (!exchange->answered())
      answer_failed(*exchange);
    else if (begun && !exchange->own && !exchange->closed)
      break_answer(*exchange);
  }
}

// The client hears why, the handler sees a client that is gone.
void H2Connection::answer_failed(H2Exchange& exchange) {
  exchange.mark_answered();
  const EdgeError& why = *exchange.failure;
  const auto detail = detail_of(why, listener_->handler.settings(), {});
  const EdgeDocument document(why, detail, listener_->handler.content_failed(exchange, why.code, detail), {});
  const auto content = Chunk::copy_of(document.body.body);
  answer(exchange, document.head(), http::BodyCursor(Owner(content), content->bytes()));
  exchange.leave();
}

// The answer has begun, and the content that it may depend on is not whole: it cannot be completed.
void H2Connection::break_answer(H2Exchange& exchange) {
  exchange.was_cut = true;
  session_.reset(exchange.id, http::H2Error::Cancel);
  exchange.leave();
  kick();
}

// --- answers ---

void H2Connection::interim(H2Exchange& exchange, int status, http::FieldsView fields) {
  // The edge sends 100 itself, and HTTP/2 has no 101 (RFC 9113 section 8.6).
  if (exchange.failure != nullptr || exchange.closed || status < 102 || status > 199) return;
  session_.interim(exchange.id, status, fields);
  kick();
}

void H2Connection::answer(H2Exchange& exchange, const AnswerHead& head, http::BodyCursor&& body) {
  using Framing = BodyWriter::Framing;
  exchange.numbers().status = head.status;
  const AnswerFraming framed = framing_of(head, body, exchange.request().method, http::Version::Http2);
  exchange.unsized = framed.framing == Framing::Chunked;
  exchange.content.start(std::move(body), framed.framing == Framing::None ? 0 : framed.stated.value_or(UINT64_MAX));
  std::string_view date;
  if (!head.has_date) {
    constexpr std::string_view kName = "Date: ", kEnd = "\r\n";
    date = listener_->date_line(listener_->worker.now().wall);
    date = date.substr(kName.size(), date.size() - kName.size() - kEnd.size());
  }
  const bool has_content = !exchange.content.ended();
  session_.answer(exchange.id, {head.status, head.fields.fields, head.added, date, framed.stated}, has_content);
  if (has_content) note_credit(exchange);
  if (exchange.failure != nullptr && !exchange.incoming.empty()) {
    session_.drop(exchange.incoming.size());
    exchange.incoming.clear();
  }
  kick();
}

void H2Connection::cut(H2Exchange& exchange) {
  // If the client's content is the cause, the client gets that error instead.
  if (exchange.failure != nullptr && !exchange.answered()) return;
  if (exchange.closed || std::exchange(exchange.was_cut, true)) return;
  guarded([&] { session_.reset(exchange.id, http::H2Error::Internal); }, [this] { broken_ = true; });
  kick();
}

// The loop calls it, which takes no exception.
void H2Connection::resume(H2Exchange& exchange) {
  exchange.waits = false;
  if (!exchange.closed) guarded([&] { session_.resume(exchange.id); }, [this] { broken_ = true; });
  kick();
}

http::H2Portion::State H2Connection::pull(http::H2Stream& stream, std::size_t most, http::H2Portion& portion) {
  using State = http::H2Portion::State;
  H2Exchange& exchange = exchange_of(stream);
  // For hits: a small body in one piece is copied after its head, without reference counting.
  if (const std::string_view whole = exchange.content.whole(std::min<std::size_t>(most, 16 * 1024)); !whole.empty()) {
    portion.slices.push_back({Owner(), whole});
    portion.bytes = whole.size();
    portion.ended = true;
    return State::Data;
  }
  for (;;) {
    switch (exchange.content.read(portion.slices, portion.bytes, most, now())) {
      case BodyReader::Step::Broken: exchange.was_cut = true; return State::Broken;
      case BodyReader::Step::Data:
      case BodyReader::Step::End:
        exchange.content_ready.stop_waiting();
        exchange.waits = false;
        portion.ended = exchange.content.ended();
        if (portion.ended && exchange.unsized) portion.trailers = exchange.content.trailers();
        return State::Data;
      case BodyReader::Step::Wait: break;
    }
    if (std::exchange(exchange.waits, true)) return State::Wait;
    exchange.content_ready.stop_waiting();
    exchange.content.cursor().wait(listener_->worker, exchange.content_ready);
  }
}

void H2Connection::on_head_sent(http::H2Stream& stream) {
  H2Exchange& exchange = exchange_of(stream);
  ++exchange.marks;
  marks_.push_back({&exchange, out_.queued(), false});
}

void H2Connection::on_content_sent(http::H2Stream& stream, std::size_t bytes) {
  H2Exchange& exchange = exchange_of(stream);
  if (starved_ && bytes != 0) {
    taking_.moved(bytes, now());
    write_due_ = now() + listener_->handler.settings().timeouts.write;
  }
  if (exchange.content.ended()) return;
  exchange.taking.moved(bytes, now());
  note_credit(exchange);
}

void H2Connection::on_end_sent(http::H2Stream& stream) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.end_produced = true;
  stall_until(exchange, Timestamp::max());
  exchange.taking.stop(now());
  ++exchange.marks;
  marks_.push_back({&exchange, out_.queued(), true});
}

void H2Connection::on_closed(http::H2Stream& stream) {
  H2Exchange& exchange = exchange_of(stream);
  exchange.closed = true;
  if (exchange.end_produced) return;  // its mark finishes it
  const auto held = exchange.shared_from_this();
  if (!exchange.was_cut) exchange.leave();
  if (exchange.attached()) finish(exchange, false);
}

void H2Connection::finish(H2Exchange& exchange, bool completed) {
  auto held = take_out(exchange);
  stall_until(exchange, Timestamp::max());
  Tally& tally = exchange.numbers();
  tally.finished = now();
  tally.completed = completed;
  tally.bytes_out = exchange.content.bytes();
  if (completed && tally.first_byte == Timestamp{}) tally.first_byte = tally.finished;
  exchange.content_ready.stop_waiting();
  exchange.content.stop();
  if (!closed_) {
    if (exchange.held() != 0) session_.drop(exchange.held());
    if (!exchange.closed) session_.detach(exchange);
  }
  // Without memory there is no line of the log.
  if (!exchange.own) guarded([&] { listener_->handler.finished(exchange); }, [] {});
  exchange.on_gone(nullptr);
  exchange.detach();
  if (held.use_count() > 1) exchange.keep(peer_);
  protocol_.give_back(std::move(held));
}

std::shared_ptr<H2Exchange> H2Connection::take_out(H2Exchange& exchange) {
  if (exchange.marks != 0)
    for (Mark& mark : marks_)
      if (mark.exchange == &exchange) mark.exchange = nullptr;
  const std::size_t place = exchange.place;
  auto taken = std::move(exchanges_[place]);
  if (place + 1 != exchanges_.size()) {
    exchanges_[place] = std::move(exchanges_.back());
    exchanges_[place]->place = place;
  }
  exchanges_.pop_back();
  if (exchanges_.empty()) idle_since_ = now();
  return taken;
}

}  // namespace forebay::server
