#include <utility>

#include "forebay/http/h1_writer.hpp"
#include "server/h1_connection.hpp"

namespace forebay::server {

using http::FieldId;

void H1Connection::upgrade(H1Exchange& exchange, const AnswerHead& head, std::string_view protocol,
                           Exchange::Taker&& taker) {
  auto& text = out_.text();
  exchange.head_at = out_.queued();
  exchange.numbers().status = head.status;
  http::append_status_line(text, head.status);
  http::append_lines(text, head.fields);
  for (const auto& f : head.added) http::append_line(text, f.name, f.value);
  if (!head.has_date) text += listener_->date_line(listener_->worker.now().wall);
  http::append_line(text, FieldId::Connection, "upgrade");
  http::append_line(text, FieldId::Upgrade, protocol);
  text += "\r\n";
  taker_ = std::move(taker);
  upgrading_ = true;
  kick();
}

// The 101 is sent first, and the read that watches the client is ended; then the stream goes with what was read after
// the request. From then on this object only keeps the connection's place, until `end_upgrade`. Always false: there is
// no further step.
bool H1Connection::hand_over() {
  if (handed_over_ || !flush()) return false;
  if (reading_) {
    stream_.cancel();
    return false;
  }
  handed_over_ = true;
  deadline_.disarm();
  write_due_ = Timestamp::max();
  taking_.stop(now());
  std::string early(in_.bytes());
  in_.clear();
  in_.release();
  out_.release();
  parser_.forget_fields();
  std::exchange(taker_, nullptr)(std::move(stream_), std::move(early));
  return false;
}

// A read under way when the connection was upgraded: what it has read goes with the stream. An end of the client's
// bytes, or a failure, is met again by whoever reads on.
void H1Connection::read_ended(net::IoResult read) {
  if (read.state == net::Io::Done) in_.commit(read.bytes);
  tidying_ = false;
  turn();
}

void H1Connection::end_upgrade(bool completed) {
  if (closed_) return;
  upgrade_completed_ = completed;
  close(Ending::Plain);
}

}  // namespace forebay::server
