#pragma once

#include <boost/container/static_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "forebay/base/bytes.hpp"
#include "forebay/base/clock.hpp"
#include "forebay/http/h2_head.hpp"

namespace forebay::http {

using H2StreamId = std::int32_t;

/// RFC 9113 section 7.
enum class H2Error : std::uint32_t {
  NoError = 0,
  Protocol = 1,
  Internal = 2,
  FlowControl = 3,
  SettingsTimeout = 4,
  StreamClosed = 5,
  FrameSize = 6,
  RefusedStream = 7,
  Cancel = 8,
  Compression = 9,
  Connect = 10,
  EnhanceYourCalm = 11,
};

/// What a client does more often than any use of HTTP/2 needs (RFC 9113 section 10.5). Each has its budget, which
/// refills with time; whoever exceeds one gets GOAWAY with ENHANCE_YOUR_CALM. The label `kind` of
/// forebay_http2_abuse_total.
enum class H2Abuse : std::uint8_t {
  Reset,         ///< Streams that the client resets, or makes us reset.
  Continuation,  ///< CONTINUATION frames of one field section, or their size.
  Headers,       ///< A field section that decodes to much more than the limit.
  Settings,
  Ping,
  Priority,  ///< PRIORITY and PRIORITY_UPDATE.
  Window,    ///< WINDOW_UPDATE, beyond what the content that we send explains.
  Empty,     ///< Frames without content: DATA, HEADERS.
  Other,     ///< GOAWAY and frames of unknown types.
  kCount
};
std::string_view to_string(H2Abuse kind) noexcept;

struct H2Limits {
  HeadLimits head;
  unsigned streams = 100;                        ///< At a time.
  std::uint32_t stream_window = 64 * 1024;       ///< Content of a request that may come before it is consumed.
  std::uint32_t connection_window = 256 * 1024;  ///< The same for all requests together, before it is refilled.
  bool over_tls = false;
};

/// A stream, as the session and its owner share it. The owner derives its own from it.
struct H2Stream {
  H2StreamId id = 0;
  std::optional<std::uint64_t> content_left{};  ///< Of the stated Content-Length.
  bool content_ended = false;                   ///< The client has sent END_STREAM.
};

/// Content for one DATA frame.
struct H2Portion {
  enum class State : std::uint8_t { Data, Wait, Broken };
  boost::container::static_vector<Slice, 16> slices;
  std::size_t bytes = 0;
  bool ended = false;                ///< Nothing follows.
  const Fields* trailers = nullptr;  ///< With `ended`: sent behind it.
};

/// Where a session's output goes.
class H2Output {
 public:
  /// Bytes to be copied.
  virtual void text(std::string_view bytes) = 0;
  virtual void content(Slice&& slice) = 0;
  /// Whether nothing more should come now.
  virtual bool full() const = 0;

 protected:
  ~H2Output() = default;
};

/// What a session tells its owner, during `feed` and `produce`. A call may use all of the session but these two.
class H2Events {
 public:
  /// A request that follows the rules. `attach` its stream here. `ended`: it has no content.
  virtual void on_request(H2StreamId id, const H2HeadReader& head, bool ended) = 0;
  /// One that does not. If it is malformed its stream is reset; else the owner answers it, if it attaches a stream.
  virtual void on_refused(H2StreamId id, const H2HeadReader& head, H2HeadReader::Verdict why, bool ended) = 0;
  /// Content. Give the credit of the stream and that of the connection back by `refill`, each once for each byte; that
  /// of a stream that ends may be kept.
  virtual void on_content(H2Stream& stream, std::string_view bytes) = 0;
  virtual void on_content_end(H2Stream& stream, Fields& trailers) = 0;
  /// The content breaks a rule; the stream is reset.
  virtual void on_content_malformed(H2Stream& stream) = 0;
  /// The client takes more content of this stream; null: of any.
  virtual void on_credit(H2Stream* stream) = 0;
  /// For a DATA frame of at most `most` bytes. After Wait: `resume`. Broken: the stream is reset with INTERNAL_ERROR.
  virtual H2Portion::State pull(H2Stream& stream, std::size_t most, H2Portion& portion) = 0;
  /// The output has the final head, content, or the end of the answer.
  virtual void on_head_sent(H2Stream& stream) = 0;
  virtual void on_content_sent(H2Stream& stream, std::size_t bytes) = 0;
  virtual void on_end_sent(H2Stream& stream) = 0;
  /// The stream is gone, and the session has forgotten it.
  virtual void on_closed(H2Stream& stream) = 0;
  /// The client has answered `ping`.
  virtual void on_pong() = 0;

 protected:
  ~H2Events() = default;
};

/// The head of an answer. Views are valid during the call.
struct H2AnswerHead {
  int status = 200;
  FieldsView fields{}, added{};
  std::string_view date{};  ///< Empty: there is one among the fields.
  std::optional<std::uint64_t> length{};
};

/// The server's side of an HTTP/2 connection (RFC 9113) without a socket: bytes in, events and bytes out. Frames,
/// HPACK, flow control and priorities (RFC 9218) are libnghttp2's; messages, limits and budgets are checked here.
/// Throws nothing but std::bad_alloc; after that it must not be used.
class H2Session {
 public:
  H2Session(H2Events& events, const H2Limits& limits);
  H2Session(const H2Session&) = delete;
  ~H2Session();

  /// What the client has sent, the connection preface first. Takes all of it.
  void feed(std::string_view bytes, Timestamp now);
  /// Gives what there is to be sent until `out` is full. False when nothing is left.
  bool produce(H2Output& out);

  void attach(H2StreamId id, H2Stream& stream);
  /// The stream's owner leaves it; a stream that is still open goes on without events.
  void detach(H2Stream& stream);
  /// `has_content`: it is pulled. Otherwise the head ends the answer.
  void answer(H2StreamId id, const H2AnswerHead& head, bool has_content);
  void interim(H2StreamId id, int status, FieldsView fields);
  void resume(H2StreamId id);
  void reset(H2StreamId id, H2Error code);
  /// So much of the content that came in the stream has left: as much more may come in it.
  void refill(H2StreamId id, std::size_t bytes);
  /// As much more content may come in the connection as came before.
  void refill(std::size_t bytes);
  /// How much content the client takes now.
  std::int32_t credit(H2StreamId id) const noexcept;
  std::int32_t credit() const noexcept;
  /// How much content the client may send now, of all requests together.
  std::int32_t room() const noexcept;

  /// GOAWAY that refuses nothing yet, and a PING: RFC 9113 section 6.8.
  void announce_end();
  /// GOAWAY with the last stream that is handled. Streams that are open go on.
  void refuse_more();
  /// GOAWAY, and nothing goes on.
  void terminate(H2Error code);

  /// Since when a field section is on its way; max() while none is, and once nothing is read any more.
  Timestamp head_since() const noexcept;
  /// Whether the connection preface, SETTINGS included, has come.
  bool opened() const noexcept;
  /// Why it was terminated by the session itself, if so.
  std::optional<H2Abuse> abuse() const noexcept;
  /// Whether the connection is to be closed once all output has gone.
  bool over() const noexcept;
  /// Frees buffers that are not needed while no request is on its way.
  void release();

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::http
