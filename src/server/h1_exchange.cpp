#include "server/h1_exchange.hpp"

#include "forebay/base/guarded.hpp"
#include "forebay/base/terminate.hpp"
#include "server/h1_connection.hpp"

namespace forebay::server {

void H1Exchange::begin(H1Connection& connection, const http::RequestParser& parser, const Now& now) {
  connection_ = &connection;
  std::optional<std::uint64_t> length;
  if (parser.framing() != http::Framing::Chunked) length = parser.content_length();
  begin_request(parser.view(), connection.peer(), now, parser.framing() != http::Framing::None, length);
  head_at = end_at = 0;
  kept_bytes_.reset();
}

std::shared_ptr<void>* H1Exchange::companion() { return connection_ ? &connection_->companion() : nullptr; }

void H1Exchange::interim(int status, http::FieldsView fields) {
  if (!connection_ || answered_) return;
  guarded([&] { connection_->interim(status, fields); }, [&] { connection_->cut(); });
}

void H1Exchange::answer(const AnswerHead& head, http::BodyCursor body) {
  ensure(head.status >= 200 && head.status <= 999, "an answer has a final status");
  ensure(!answered_ || gone_ || !connection_, "a request is answered once");
  if (!connection_ || answered_) return;
  answered_ = true;
  // Where it fails half of the head may be queued.
  guarded([&] { connection_->answer(*this, head, std::move(body)); }, [&] { connection_->cut(); });
}

bool H1Exchange::upgrade(const AnswerHead& head, std::string_view protocol, Taker&& taker) {
  ensure(head.status == 101, "an upgrade has the status 101");
  if (!connection_ || answered_ || request().version != http::Version::Http11) return false;
  answered_ = true;
  guarded([&] { connection_->upgrade(*this, head, protocol, std::move(taker)); }, [&] { connection_->cut(); });
  return true;
}

void H1Exchange::end_upgrade(std::uint64_t in, std::uint64_t out, bool completed) {
  numbers().bytes_in = in;
  numbers().bytes_out = out;
  if (connection_) connection_->end_upgrade(completed);
}

void H1Exchange::cut() {
  if (connection_ && !gone_) connection_->cut();
}

void H1Exchange::out_of_memory() noexcept {
  if (connection_ && !gone_ && !answered_) connection_->out_of_memory();
}

net::BodySource::State H1Exchange::pull(std::string_view& out) {
  if (!connection_) return State::Broken;
  const State state = connection_->pull(*this, out);
  begun_ |= state == State::Data;
  return state;
}

const http::Fields& H1Exchange::trailers() const {
  static const http::Fields kNone;
  return connection_ ? connection_->trailers() : kNone;
}

bool H1Exchange::ended() const { return !connection_ || connection_->ended(); }

void H1Exchange::end_is_leaving() {
  if (connection_) connection_->end_is_leaving();
}

bool H1Exchange::awaits_continue() const { return connection_ && connection_->awaits_continue(*this); }

void H1Exchange::detach() {
  connection_ = nullptr;
  wake_body_waiter();
}

}  // namespace forebay::server
