#include "server/h2_exchange.hpp"

#include "forebay/base/guarded.hpp"
#include "forebay/base/terminate.hpp"
#include "server/h2_connection.hpp"

namespace forebay::server {

namespace {
// Buffers that a burst has made larger than this are not kept for the next request.
constexpr std::size_t kKeptCapacity = 4 * 1024;

void empty(std::string& buffer) {
  if (buffer.capacity() > kKeptCapacity)
    std::string().swap(buffer);
  else
    buffer.clear();
}
}  // namespace

void H2Exchange::begin(H2Connection& connection, const http::H2HeadReader& head, const Now& now, bool ended) {
  connection_ = &connection;
  std::optional<std::uint64_t> length = head.content_length();
  if (ended) length = 0;
  begin_request(head.view(), connection.peer(), now, !ended, length);
  content_ended = ended;
  free_content();
  received = 0;
  shared = 0;
  marks = 0;
  request_trailers.clear();
  content.start_empty();
  failure = nullptr;
  body_due = write_due = Timestamp::max();
  own = over_limit = continued = unsized = waits = end_produced = closed = was_cut = leaves_by_end = false;
  expects_continue = head.expects_continue();
}

void H2Exchange::interim(int status, http::FieldsView fields) {
  if (!connection_ || answered_) return;
  guarded([&] { connection_->interim(*this, status, fields); }, [&] { connection_->cut(*this); });
}

void H2Exchange::answer(const AnswerHead& head, http::BodyCursor body) {
  ensure(head.status >= 200 && head.status <= 999, "an answer has a final status");
  ensure(!answered_ || gone_ || !connection_, "a request is answered once");
  if (!connection_ || answered_) return;
  answered_ = true;
  guarded([&] { connection_->answer(*this, head, std::move(body)); }, [&] { connection_->cut(*this); });
}

void H2Exchange::cut() {
  if (connection_ && !gone_) connection_->cut(*this);
}

void H2Exchange::out_of_memory() noexcept {
  if (connection_ && !gone_ && !answered_) connection_->out_of_memory(*this);
}

bool H2Exchange::ended() const { return !connection_ || connection_->ended(); }

void H2Exchange::end_is_leaving() {
  if (connection_) connection_->end_is_leaving(*this);
}

net::BodySource::State H2Exchange::pull(std::string_view& out) {
  if (!connection_) return State::Broken;
  const State state = connection_->pull(*this, out);
  begun_ |= state == State::Data;
  return state;
}

// RFC 9110 section 10.1.1: not where content has come already, nor after the final answer.
bool H2Exchange::awaits_continue() const {
  return connection_ && expects_continue && !continued && !answered() && received == 0 && !content_ended;
}

// What was lent may still be in use, the rest is not.
void H2Exchange::detach() {
  connection_ = nullptr;
  empty(incoming);
  wake_body_waiter();
}

void H2Exchange::ContentReady::woken() {
  if (owner.connection_) owner.connection_->resume(owner);
}

void H2Exchange::free_content() {
  empty(incoming);
  empty(lent);
}

void H2Exchange::add_content(std::string_view bytes) { incoming += bytes; }

}  // namespace forebay::server
