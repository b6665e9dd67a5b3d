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
  if (exchange.failure != nullptr) forget_content(exchange);
  kick();
}

void H2Connection::end_is_leaving(H2Exchange& exchange) {
  if (std::exchange(exchange.leaves_by_end, true)) return;
  stream_.keep_alive();
  if (!eof_) return;
  failures_ = true;
  kick();
}

void H2Connection::cut(H2Exchange& exchange) {
  // If the client's content is the cause, the client gets that error instead.
  if (exchange.failure != nullptr && !exchange.answered()) return;
  if (exchange.closed || exchange.was_cut) return;
  mark_cut(exchange);
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
      case BodyReader::Step::Broken: mark_cut(exchange); return State::Broken;
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
  if (exchange.held() != 0) let_go(exchange, exchange.held());
  if (!closed_ && !exchange.closed) session_.detach(exchange);
  // Without memory there is no line of the log.
  if (!exchange.own) guarded([&] { listener_->handler.finished(exchange); }, [] {});
  exchange.on_gone(nullptr);
  exchange.detach();
  if (held.use_count() > 1)
    exchange.keep(peer_);
  else
    exchange.free_content();
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
