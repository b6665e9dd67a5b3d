#include <algorithm>
#include <vector>

#include "forebay/http/list.hpp"
#include "upstream/running_fetch.hpp"

namespace forebay::upstream {

namespace {
// Maximum number of interim responses.
constexpr unsigned kMaxInterims = 32;
// Pieces of content up to this size are joined before the sink gets them: an origin's tiny chunks cost nobody else
// anything.
constexpr std::size_t kSmallPiece = 4 * 1024;
}  // namespace

void RunningFetch::read() {
  watch_progress();
  connection_->stream().read(connection_->room(),
                             [self = shared_from_this(), connection = connection_](const net::IoResult& result) {
                               self->guarded([&] { self->received(connection, result); });
                             });
}

void RunningFetch::received(const ConnectionPtr& connection, const net::IoResult& result) {
  if (connection != connection_ || over()) return;
  worker().tick();
  if (result.state != net::Io::Done) return connection_ended(result.state);
  connection->received(result.bytes);
  contact_ = Contact::Answering;
  go_on();
}

// With TLS 1.3 an origin that wants another certificate of us says so behind our side of the handshake (RFC 8446
// section 4.4.2.4), when the request is on its way.
bool RunningFetch::refused_by_tls() const noexcept {
  const auto* const tls = connection_->tls();
  return tls != nullptr && tls->failed() && contact_ != Contact::Answering && !connection_->reused();
}

void RunningFetch::connection_ended(net::Io how) {
  if (phase_ == Phase::Head && how == net::Io::Failed && refused_by_tls())
    return attempt_failed(FetchError::Tls, address_ + ": TLS: " + connection_->tls()->problem());
  if (phase_ == Phase::Head) {
    return attempt_failed(FetchError::Reset,
                          address_ + (contact_ == Contact::Answering ? ": closed before the end of the head"
                                                                     : ": closed without an answer"));
  }
  // A reset means lost data; only an orderly close can end the content (RFC 9112 section 6.3).
  if (how == net::Io::End && decoder_.finish_at_eof()) return complete();
  const bool silent = how == net::Io::Failed && connection_->tls() != nullptr && !connection_->tls()->failed();
  attempt_failed(FetchError::Reset,
                 address_ + ": closed before the end of the content" + (silent ? ", or without close_notify" : ""));
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
    if (status == 101) return take_switch(), false;
    return status < 200 ? take_interim() : take_final();
  }
  const auto error = parsed.error();
  if (error == Errc::Incomplete) {
    read();
  } else {
    const bool large = error == Errc::HeaderTooLarge || error == Errc::TooLarge || error == Errc::TooMany;
    attempt_failed(large ? FetchError::TooLarge : FetchError::Protocol, refusal(error));
  }
  return false;
}

// For the log: which line of the head breaks which rule.
std::string RunningFetch::refusal(Errc error) const {
  const char* what = ": not an HTTP/1.1 response";
  if (error == Errc::Ambiguous) what = ": the length of the content is ambiguous";
  if (error == Errc::HeaderTooLarge) what = ": the head exceeds limits.response_header";
  const auto& rule = parser_.problem();
  return address_ + what + (rule.empty() ? "" : ": ") + rule;
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

namespace {
// RFC 9110 section 7.8: one of the protocols that were offered, named in Upgrade, which Connection lists.
bool switches_to_one_of(std::string_view offered, const http::ResponseView& head) {
  const auto protocol = head.fields.value(http::FieldId::Upgrade);
  return protocol && head.fields.count(http::FieldId::Upgrade) == 1 && http::has_member(offered, *protocol) &&
         http::connection_names(head.fields, "upgrade");
}
}  // namespace

void RunningFetch::take_switch() {
  const auto& head = parser_.view();
  if (sending_ != Sending::Sent || !switches_to_one_of(sender_.upgrade(), head))
    return attempt_failed(FetchError::Protocol,
                          address_ + (sender_.upgrade().empty() ? ": 101 without a request for it"
                                                                : ": 101 to a protocol that was not asked for"));
  times_.head = worker().now().mono;
  origin().count_head(head, times_.head - times_.requested.mono);
  judge(head);
  const auto connection = std::exchange(connection_, nullptr);
  connection->consume(parser_.head_size());
  // A WebSocket ends by its Close frame, and many servers then close the connection without another word.
  if (auto* const tls = connection->tls()) tls->accept_any_end();
  auto stream = connection->release();
  if (auto* const sink = finish()) sink->on_switch(head, std::move(stream), connection->input());
}

bool RunningFetch::take_final() {
  const auto connection = connection_;
  const auto& head = parser_.view();
  if (!prepare_decoder()) return false;
  for (const auto& f : head.fields) {
    const bool challenge = http::iequals(f.name, "WWW-Authenticate") || f.id == http::FieldId::ProxyAuthenticate;
    if (after_ == After::Pool && challenge && http::authenticates_connection(f.value)) after_ = After::Close;
  }
  net::Sink::HeadFacts facts;
  facts.content_length = parser_.declared_length();
  facts.length_delimited = parser_.framing() != http::Framing::UntilClose;
  decoder_.start(parser_.framing(), parser_.content_length(), limits_, http::Sender::Origin);
  facts.has_content = !decoder_.done();
  enter(Phase::Content);
  times_.head = worker().now().mono;
  origin().count_head(head, times_.head - times_.requested.mono);
  judge(head);
  // RFC 9112 section 9.5 wants an end of sending once the answer is a refusal. With another one, which may be made from
  // the content as it comes, sending goes on, unless the client still waits for a 100 and may never send any. In either
  // case nobody uses the connection after us.
  const bool early = sending_ != Sending::Sent;
  if (early) after_ = After::Close;
  if ((head.status >= 300 && early) || sender_.holding()) stop_sending();
  // Before the sink gets it: a sink that ends at a head without content leaves a clean connection.
  connection->consume(parser_.head_size());
  sink_->on_head(head, facts);
  return !over();
}

// Transfer codings are hop-by-hop (RFC 9112 section 7): content is decoded here. Others than the supported ones were
// not requested, since no TE is sent. False: the attempt has failed.
bool RunningFetch::prepare_decoder() {
  transfer_.reset();
  more_decoded_ = false;
  if (!parser_.other_coding() || parser_.framing() == http::Framing::None) return true;
  std::vector<std::string_view> codings;
  for (const auto& f : parser_.view().fields) {
    if (f.id != http::FieldId::TransferEncoding) continue;
    http::for_each_member(f.value, [&](std::string_view coding) { codings.push_back(coding); });
  }
  if (parser_.framing() == http::Framing::Chunked) codings.pop_back();
  // Obsolete since RFC 7230, and never a coding.
  std::erase_if(codings, [](std::string_view coding) { return http::iequals(coding, "identity"); });
  if (codings.empty()) return true;
  auto made = content::TransferDecoder::make(codings);
  if (!made) {
    attempt_failed(FetchError::Protocol, address_ + ": Transfer-Encoding: unsupported coding");
    return false;
  }
  transfer_ = std::move(*made);
  return true;
}

// True: more must be read.
bool RunningFetch::read_content() {
  if (!flush()) return false;
  while (!decoder_.done()) {
    const auto step = decoder_.step(connection_->input());
    if (!step) {
      // The sink gets the valid part, even if it is full.
      flush();
      if (over()) return false;
      const bool large = step.error() == Errc::TooLarge;
      attempt_failed(large ? FetchError::TooLarge : FetchError::Protocol,
                     address_ + ": bad chunked content: " + std::string(decoder_.problem()));
      return false;
    }
    if (step->consumed == 0) break;
    connection_->consume(step->consumed);
    if (!collect(step->data)) return false;
  }
  if (!flush()) {
    // A slow sink does not keep the origin's connection for the last piece.
    if (flow_ == Flow::Paused && decoder_.done() && !undelivered()) settle_connection();
    return false;
  }
  if (!decoder_.done()) return true;
  complete();
  return false;
}

// Adds a piece to the run for the sink. False: the sink is full.
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
  if (run_.empty()) {
    run_ = piece;
  } else {  // what a paused decoder has left
    Connection::move_down(run_.data() + run_.size(), piece);
    run_ = {run_.data(), run_.size() + piece.size()};
  }
  return more;
}

bool RunningFetch::flush() {
  if (transfer_) return flush_decoded();
  if (run_.empty()) return true;
  return deliver(std::exchange(run_, {}));
}

// Decodes the run in pieces of bounded size, so that content which inflates to a lot meets the sink's patience like any
// other. What is left of the run stays where it is: nothing is read before it is used up.
bool RunningFetch::flush_decoded() {
  constexpr std::size_t kPiece = 16 * 1024;
  while (undelivered()) {
    if (!decoded_) decoded_ = std::make_unique_for_overwrite<char[]>(kPiece);
    const auto made = transfer_->step(run_, decoded_.get(), kPiece);
    if (!made) {
      attempt_failed(FetchError::Protocol, address_ + ": the transfer coding is broken");
      return false;
    }
    more_decoded_ = *made == kPiece;
    if (*made != 0 && !deliver({decoded_.get(), *made})) return false;
  }
  return true;
}

// Passes content to the sink. False: it is full, or the fetch is over.
bool RunningFetch::deliver(std::string_view bytes) {
  const auto connection = connection_;  // the bytes may lie in its buffer
  flow_ = Flow::Delivering;
  const auto for_others = std::min(read_on_, bytes.size());
  read_on_ -= for_others;
  moved_ += bytes.size() - for_others;
  const bool more = sink_->on_data(bytes);
  if (over()) return false;
  flow_ = more || flow_ == Flow::Resumed ? Flow::Open : Flow::Paused;
  if (flow_ == Flow::Open) return true;
  deadline_.disarm();
  note_client();
  return false;
}

// RFC 9112 section 9.3: another request may follow when both messages have ended by their framing, and nothing else was
// said. What lies beyond the answer's end never becomes the next answer.
void RunningFetch::settle_connection() {
  const auto connection = std::exchange(connection_, nullptr);
  if (!connection) return;
  stop_sending();
  note_client();
  place_.reset();  // the origin is done, however slow the client is
  const bool reusable =
      parser_.framing() != http::Framing::UntilClose && parser_.keep_alive() && connection->input().empty();
  if (reusable && after_ == After::Pool) return pool_->put_back(connection);
  // One that is authenticated is nobody else's: it waits for its client's next request.
  if (reusable && after_ == After::Client && bond_) return bond_->put(connection, url_);
  connection->close();
}

void RunningFetch::complete() {
  if (transfer_ && !transfer_->finished())
    return attempt_failed(FetchError::Protocol, address_ + ": the transfer coding ends early");
  settle_connection();
  if (auto* const sink = finish()) sink->on_end(decoder_.trailers());
}

}  // namespace forebay::upstream
