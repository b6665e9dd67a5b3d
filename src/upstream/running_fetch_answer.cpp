#include <boost/asio/error.hpp>

#include "upstream/running_fetch.hpp"

namespace forebay::upstream {

namespace {
// An origin that sends more interim answers than this is broken, or wants to keep us for ever.
constexpr unsigned kMaxInterims = 32;
// Pieces of content up to this size are joined before the sink gets them: an origin's tiny chunks cost nobody else
// anything.
constexpr std::size_t kSmallPiece = 4 * 1024;
}  // namespace

void RunningFetch::read() {
  watch_progress();
  connection_->socket().async_read_some(connection_->room(), [self = shared_from_this(), connection = connection_](
                                                                 const boost::system::error_code& e, std::size_t n) {
    self->received(connection, e, n);
  });
}

void RunningFetch::received(const ConnectionPtr& connection, const boost::system::error_code& error, std::size_t n) {
  if (connection != connection_ || over()) return;
  worker().tick();
  if (error) return connection_ended(error);
  connection->received(n);
  answer_begun_ = true;
  go_on();
}

void RunningFetch::connection_ended(const boost::system::error_code& error) {
  const bool clean = error == boost::asio::error::eof;
  if (phase_ == Phase::Head) {
    return attempt_failed(FetchError::Reset,
                          address_ + (answer_begun_ ? ": closed within the head" : ": closed without an answer"));
  }
  // A reset says that something is lost; only an orderly end can be the end of the content (RFC 9112 section 6.3).
  if (clean && decoder_.finish_at_eof()) return complete();
  attempt_failed(FetchError::Reset, address_ + ": closed within the content");
}

// Uses what has been read, then reads on. A read takes no more than its buffer and completes by way of the loop, so a
// turn's work is bounded.
void RunningFetch::go_on() {
  while (phase_ == Phase::Head) {
    if (!read_head()) return;
  }
  if (phase_ == Phase::Content && read_content()) read();
}

// False: nothing more to do in this turn.
bool RunningFetch::read_head() {
  const auto parsed = parser_.parse(connection_->input());
  if (parsed) {
    const int status = parser_.view().status;
    // Nobody asked for another protocol (RFC 9110 section 15.2.2).
    if (status == 101) return attempt_failed(FetchError::Protocol, "101 without Upgrade"), false;
    return status < 200 ? take_interim() : take_final();
  }
  switch (parsed.error()) {
    case Errc::Incomplete:
      read();
      break;
    case Errc::HeaderTooLarge:
    case Errc::TooLarge:
    case Errc::TooMany:
      attempt_failed(FetchError::TooLarge, address_ + ": the head is over limits.response_header");
      break;
    case Errc::Ambiguous:
      attempt_failed(FetchError::Protocol, address_ + ": the head says two things about the content's length");
      break;
    default:
      attempt_failed(FetchError::Protocol, address_ + ": not an HTTP/1.1 response");
      break;
  }
  return false;
}

bool RunningFetch::take_interim() {
  if (++interims_ > kMaxInterims) {
    attempt_failed(FetchError::Protocol, address_ + ": too many interim responses");
    return false;
  }
  const auto connection = connection_;
  const auto& head = parser_.view();
  origin().count_head(head, {});
  // 100 is between the origin and us, and what held back the content; the client gets its own when that is first
  // pulled.
  const bool go_ahead = head.status == 100 && sender_.holding();
  if (head.status != 100) sink_->on_interim(head);
  if (over()) return false;
  connection->consume(parser_.head_size());
  parser_.reset();
  parser_.answer_to(method_);
  if (go_ahead) send_content();
  return connection == connection_;
}

bool RunningFetch::take_final() {
  const auto connection = connection_;
  const auto& head = parser_.view();
  FetchSink::HeadFacts facts;
  facts.content_length = parser_.declared_length();
  facts.proven = parser_.framing() != http::Framing::UntilClose;
  decoder_.start(parser_.framing(), parser_.content_length(), limits_);
  facts.has_content = !decoder_.done();
  phase_ = Phase::Content;
  times_.head = worker().now().mono;
  origin().count_head(head, times_.head - times_.requested.mono);
  origin().count_recovery();
  // RFC 9112 section 9.5 wants an end of sending once the answer is a refusal. With another one, which may be made from
  // the content as it comes, sending goes on, unless the client still waits for a 100 and may never send any. In either
  // case nobody uses the connection after us.
  early_ = !request_sent_;
  if ((head.status >= 300 && early_) || sender_.holding()) stop_sending();
  sink_->on_head(head, facts);
  if (over()) return false;
  connection->consume(parser_.head_size());
  return true;
}

// True: more must be read.
bool RunningFetch::read_content() {
  if (!flush()) return false;
  while (!decoder_.done()) {
    const auto step = decoder_.step(connection_->input());
    if (!step) {
      // What was right so far is the sink's, whether it wants more or not.
      flush();
      if (over()) return false;
      const bool large = step.error() == Errc::TooLarge;
      attempt_failed(large ? FetchError::TooLarge : FetchError::Protocol, address_ + ": bad chunked content");
      return false;
    }
    if (step->consumed == 0) break;
    connection_->consume(step->consumed);
    if (!collect(step->data)) return false;
  }
  if (!flush()) {
    // A sink that takes its time over the last piece does not keep the origin's connection.
    if (paused_ && decoder_.done()) settle_connection();
    return false;
  }
  if (!decoder_.done()) return true;
  complete();
  return false;
}

// Adds a piece to the run that goes to the sink at once. False: the sink has enough.
bool RunningFetch::collect(std::string_view piece) {
  if (piece.empty()) return true;
  const char* const end = run_.data() + run_.size();
  if (!run_.empty() && (piece.data() == end || piece.size() <= kSmallPiece)) {
    if (piece.data() != end) Connection::move_down(end, piece);
    run_ = {run_.data(), run_.size() + piece.size()};
    return true;
  }
  const bool more = flush();
  if (over()) return false;
  run_ = piece;
  return more;
}

bool RunningFetch::flush() {
  if (run_.empty()) return true;
  const auto connection = connection_;  // the run lies in its buffer
  const auto run = std::exchange(run_, {});
  resumed_ = false;
  delivering_ = true;
  const bool more = sink_->on_data(run);
  delivering_ = false;
  if (over()) return false;
  if (more || resumed_) return true;
  paused_ = true;
  deadline_.disarm();
  return false;
}

// RFC 9112 section 9.3: another request may follow when both messages have ended by their framing, and nothing else was
// said. What lies beyond the answer's end never becomes the next answer.
void RunningFetch::settle_connection() {
  const auto connection = std::exchange(connection_, nullptr);
  if (!connection) return;
  stop_sending();
  const bool proven = parser_.framing() != http::Framing::UntilClose;
  if (!early_ && proven && parser_.keep_alive() && connection->input().empty())
    pool_->put_back(connection);
  else
    connection->close();
}

void RunningFetch::complete() {
  settle_connection();
  if (auto* const sink = finish()) sink->on_end(decoder_.trailers());
}

}  // namespace forebay::upstream
