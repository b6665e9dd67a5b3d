// Arbitrary bytes as the client's side of an HTTP/2 connection. The first byte chooses how they are cut into reads,
// what the handler does, and whether a valid preface comes first.
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "forebay/http/h1_parser.hpp"
#include "forebay/http/h1_writer.hpp"
#include "forebay/http/h2_session.hpp"
#include "forebay/http/target.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

const std::string kOpening("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 42);
const std::string kContent(40'000, 'c');

// A request that was accepted is one HTTP/1.1 request to every reader: written out it reads the same, and nothing
// follows it.
void check_request(const http::H2HeadReader& head, bool ended) {
  const http::RequestView& view = head.view();
  require(http::is_token(view.method_text) && !view.target.empty() && http::is_valid_host(view.authority));
  require(view.fields.count(http::FieldId::Host) == 1 && view.fields.count(http::FieldId::Cookie) <= 1);
  require(!view.fields.has(http::FieldId::TransferEncoding) && !view.fields.has(http::FieldId::Connection));
  require(!ended || head.content_length().value_or(0) == 0);
  std::string text;
  http::append_request_line(text, view.method_text, view.target);
  for (const http::Field& f : view.fields) {
    require(http::is_token(f.name) && http::is_field_value(f.value) && http::trim(f.value) == f.value);
    require(f.id == http::field_id(f.name));
    http::append_line(text, f.name, f.value);
  }
  text += "\r\n";
  http::RequestParser parser{http::HeadLimits{SIZE_MAX / 2, SIZE_MAX / 2, SIZE_MAX}};
  require(parser.parse(text).has_value() && parser.head_size() == text.size());
  require(parser.view().method_text == view.method_text && parser.view().target == view.target);
  require(parser.view().fields.size() == view.fields.size());
  require(parser.content_length() == head.content_length().value_or(0));
}

class Server final : public http::H2Events, public http::H2Output {
 public:
  explicit Server(unsigned choice) : choice_(choice), session(*this, limits()) {}

  http::H2Limits limits() const {
    http::H2Limits limits;
    limits.head = {200, 1000, 20};
    limits.streams = 5;
    limits.over_tls = (choice_ & 8) != 0;
    return limits;
  }
  void on_request(http::H2StreamId id, const http::H2HeadReader& head, bool ended) override {
    check_request(head, ended);
    Stream& stream = add(id, ended);
    if ((choice_ & 1) != 0) answer(stream);
  }
  void on_refused(http::H2StreamId id, const http::H2HeadReader& head, http::H2HeadReader::Verdict why,
                  bool ended) override {
    require(why != http::H2HeadReader::Verdict::Ok);
    require(head.view().method_text.empty() || http::is_token(head.view().method_text));
    if (why != http::H2HeadReader::Verdict::Malformed) answer(add(id, ended));
  }
  void on_content(http::H2Stream& stream, std::string_view bytes) override {
    require(!bytes.empty() && !stream.content_ended && known(stream));
    constexpr std::size_t kWindow = 64 * 1024;
    auto& its = static_cast<Stream&>(stream);
    its.held += bytes.size();
    held += bytes.size();
    require(its.held <= kWindow && held <= (refills_at_once() ? live_.size() : 4) * kWindow);
    if (refills_at_once()) session.refill(bytes.size());
    if ((choice_ & 2) != 0) give_back(its);
  }
  void on_content_end(http::H2Stream& stream, http::Fields& trailers) override {
    require(known(stream) && stream.content_left.value_or(0) == 0);
    for (const auto& f : trailers.view()) require(http::is_token(f.name) && http::is_field_value(f.value));
    answer(static_cast<Stream&>(stream));
  }
  void on_content_malformed(http::H2Stream& stream) override { require(known(stream)); }
  void on_credit(http::H2Stream* stream) override { require(stream == nullptr || known(*stream)); }
  http::H2Portion::State pull(http::H2Stream& stream, std::size_t most, http::H2Portion& portion) override {
    auto& its = static_cast<Stream&>(stream);
    require(known(stream) && most > 0);
    if (its.left == 30'000 && (choice_ & 4) != 0) return http::H2Portion::State::Broken;
    const std::size_t size = std::min({most, its.left, std::size_t{10'000}});
    portion.slices.push_back({Owner(), std::string_view(kContent).substr(0, size)});
    portion.bytes = size;
    its.left -= size;
    portion.ended = its.left == 0;
    return http::H2Portion::State::Data;
  }
  void on_head_sent(http::H2Stream& stream) override { require(known(stream)); }
  void on_content_sent(http::H2Stream& stream, std::size_t bytes) override { require(known(stream) && bytes <= 16384); }
  void on_end_sent(http::H2Stream& stream) override { require(known(stream)); }
  void on_closed(http::H2Stream& stream) override {
    require(known(stream));
    auto& its = static_cast<Stream&>(stream);
    if (!refills_at_once()) session.refill(its.held);
    held -= std::exchange(its.held, 0);
    live_.erase(&its);
  }
  void on_pong() override {}
  void text(std::string_view bytes) override { sent += bytes.size(); }
  void content(Slice&& slice) override { sent += slice.bytes.size(); }
  bool full() const override { return sent >= 64 * 1024; }

 private:
  struct Stream : http::H2Stream {
    std::size_t held = 0, left = 40'000;
    bool answered = false;
  };
  /// Whether the connection gets credit for content when it comes, and its stream alone bounds what is held.
  bool refills_at_once() const { return (choice_ & 128) != 0; }
  bool known(http::H2Stream& stream) const { return live_.contains(static_cast<Stream*>(&stream)); }
  Stream& add(http::H2StreamId id, bool ended) {
    require(id % 2 == 1);
    Stream& stream = streams_.emplace_back();
    live_[&stream] = id;
    stream.content_ended = ended;
    session.attach(id, stream);
    require(live_.size() <= 6);
    return stream;
  }
  void answer(Stream& stream) {
    if (std::exchange(stream.answered, true)) return;
    const http::Field field{"X-Name", "value", http::FieldId::Other};
    if ((choice_ & 16) != 0) session.interim(stream.id, 103, http::FieldsView({&field, 1}));
    session.answer(stream.id, {200, http::FieldsView({&field, 1}), {}, "today", stream.left}, true);
  }
  void give_back(Stream& stream) {
    session.refill(stream.id, stream.held);
    if (!refills_at_once()) session.refill(stream.held);
    held -= std::exchange(stream.held, 0);
  }

  unsigned choice_;
  std::deque<Stream> streams_;
  std::unordered_map<Stream*, http::H2StreamId> live_;

 public:
  std::size_t sent = 0, held = 0;
  http::H2Session session;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  std::string input = (choice & 32) != 0 ? std::string() : kOpening;
  input += fuzz::as_text(data + 1, size - 1);
  Server server(choice);
  const std::size_t step = (choice & 64) != 0 ? 7 : input.size();
  Timestamp now{std::chrono::hours{1}};
  for (std::size_t at = 0; at < input.size(); at += step) {
    const fuzz::Exact piece(std::string_view(input).substr(at, step));
    server.session.feed(piece.view(), now);
    now += std::chrono::milliseconds{1};
    server.sent = 0;
    server.session.produce(server);
    require(server.sent <= 64 * 1024 + 16384 + 32 * 1024);
  }
  server.session.terminate(http::H2Error::NoError);
  server.sent = 0;
  server.session.produce(server);
  return 0;
}
