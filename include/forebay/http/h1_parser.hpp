#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"
#include "forebay/http/message.hpp"

namespace forebay::http {

struct HeadLimits {
  std::size_t target = 16 * 1024;
  std::size_t head = 32 * 1024;  ///< Bytes of the whole head, start line and final empty line included.
  std::size_t fields = 100;
  bool operator==(const HeadLimits&) const = default;
};

/// How a message's content is delimited (RFC 9112 section 6.3). A request with `Content-Length: 0` has None.
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

/// State of the search for the end of a head, so that each byte is examined once.
struct HeadSearch {
  std::size_t start = 0;       ///< First byte of the start line.
  std::size_t line = 0;        ///< First byte of the line that has not ended yet.
  std::size_t searched = 0;    ///< Before this there is no further line end.
  std::size_t start_line = 0;  ///< Behind the start line; 0 while that has not ended.
  std::size_t fields = 0;      ///< Field lines that have ended.
  std::size_t skipped = 0;     ///< Empty lines before the start line.
  std::size_t end = 0;         ///< Behind the head; 0 while that has not ended.
};

/// Reads request heads from a growing buffer. Strict on top of Beast's basic_parser: exactly one Host (none allowed in
/// HTTP/1.0), Transfer-Encoding only `chunked`, alone, in HTTP/1.1, never with Content-Length; one Content-Length of
/// digits; no obs-fold, bare CR or LF, NUL; target bytes checked. Leading empty lines are skipped (at most 4). A parser
/// serves one connection and is reused; nothing is allocated once its vectors have grown.
class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits) : limits_(limits) {}

  /// `buffer` holds all bytes from the message's first on. `Incomplete`: call again with more (the same bytes in front;
  /// the search goes on where it ended). Limits count before the head is whole. Called again after success, it updates
  /// the views for a buffer that has moved. On success the head is `buffer.substr(0, head_size())` and `view()` points
  /// into `buffer`. Errors: Malformed and Ambiguous (400), TargetTooLong (414), HeaderTooLarge (431), Unsupported (501:
  /// an unknown transfer coding; 505: `bad_version()`).
  Result<void> parse(std::string_view buffer);
  void reset();
  /// Frees the memory of the fields; `view()` has no fields then.
  void forget_fields();
  /// For a message that `parse` has refused, or whose head is incomplete: sets `view()` to the part of `buffer` before
  /// the error, for the log and the error document. It has the method if it is a token, the target as far as received,
  /// and the field lines up to the first malformed one; nothing else was checked.
  void read_before_fault(std::string_view buffer);

  const RequestView& view() const noexcept { return view_; }
  std::size_t head_size() const noexcept { return search_.end; }
  Framing framing() const noexcept { return framing_; }
  std::uint64_t content_length() const noexcept { return content_length_; }
  /// RFC 9112 section 9.3.
  bool keep_alive() const noexcept { return keep_alive_; }
  bool expects_continue() const noexcept { return expects_continue_; }
  /// An Expect other than 100-continue (417).
  bool unknown_expectation() const noexcept { return unknown_expectation_; }
  /// With `Unsupported`: the major version is not 1 (505).
  bool bad_version() const noexcept { return bad_version_; }
  /// With `HeaderTooLarge`: there are too many fields, rather than too many bytes.
  bool too_many_fields() const noexcept { return search_.fields > limits_.fields; }
  /// What is wrong with a head that was refused as malformed, ambiguous or of another version, as a sentence without
  /// text of the head. Empty if the error code says enough.
  std::string_view problem() const noexcept { return problem_; }

 private:
  Result<void> read_request_line(std::string_view line);
  Result<void> read_framing();
  Errc refuse(std::string_view why, Errc as = Errc::Malformed) noexcept {
    problem_ = why;
    return as;
  }

  HeadLimits limits_;
  std::vector<Field> fields_;
  RequestView view_;
  HeadSearch search_;
  std::string_view problem_;
  std::uint64_t content_length_ = 0;
  Framing framing_ = Framing::None;
  bool keep_alive_ = true, expects_continue_ = false, unknown_expectation_ = false, bad_version_ = false;
};

/// Reads response heads of an origin, strict about framing. A missing reason phrase and equal Content-Lengths are
/// taken; blanks before a colon are removed (RFC 9112 section 5.1), a folded value becomes one line (section 5.2; not
/// of Content-Length or Transfer-Encoding), and LF alone ends lines if it ends all of them (section 2.2).
/// Transfer-Encoding that does not end in chunked runs until close; both lengths at once, differing Content-Lengths,
/// chunked twice, or Transfer-Encoding in HTTP/1.0 are `Ambiguous`. Other errors: Malformed, HeaderTooLarge.
class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits) : limits_(limits) {}

  Result<void> parse(std::string_view buffer);
  /// Line and rule of what was refused, for a log: "line 3: field name has a space or tab at byte 17". Lines and bytes
  /// count from 1. It contains no text of the message except names of framing fields.
  const std::string& problem() const noexcept { return problem_; }
  void reset();
  /// The request decides the framing: HEAD has no content.
  void answer_to(Method m) noexcept { method_ = m; }

  const ResponseView& view() const noexcept { return view_; }
  std::size_t head_size() const noexcept { return search_.end; }
  Framing framing() const noexcept { return framing_; }
  std::uint64_t content_length() const noexcept { return content_length_; }
  /// Content-Length as a field, also where the message has no content (HEAD, 304).
  std::optional<std::uint64_t> declared_length() const noexcept { return declared_length_; }
  bool keep_alive() const noexcept { return keep_alive_; }
  /// Whether the transfer coding holds more than chunked (then the content is not the representation's bytes).
  bool other_coding() const noexcept { return other_coding_; }

 private:
  Result<void> find_end(std::string_view buffer);
  Result<void> read_status_line(std::string_view line);
  Result<void> read_fields(std::string_view section);
  Result<void> read_field(std::string_view line, std::size_t number);
  Result<void> unfold(std::string_view line, std::size_t number);
  Result<void> read_framing();
  Result<void> read_transfer_coding();
  Result<void> read_length(std::string_view value);
  Errc refuse(Errc error, std::size_t line, std::string_view rule);
  Errc refuse_framing(Errc error, FieldId id, std::string_view rule);

  HeadLimits limits_;
  std::vector<Field> fields_;
  std::deque<std::string> unfolded_;  // values that stood on several lines
  std::string problem_;
  ResponseView view_;
  Method method_ = Method::Get;
  HeadSearch search_;
  std::uint64_t content_length_ = 0;
  std::optional<std::uint64_t> declared_length_;
  Framing framing_ = Framing::None;
  bool keep_alive_ = true, other_coding_ = false, bare_lf_ = false;
};

/// The sender of a body: clients are parsed strictly; origins get the leniency of other HTTP clients.
enum class Sender : std::uint8_t { Client, Origin };

/// Extracts the content from a connection's bytes, for any framing. Strict chunked (RFC 9112 section 7.1): CRLF only,
/// sizes of at most 16 hex digits, well-formed extensions dropped up to 4 KiB a body, trailer section checked and kept
/// apart from the head, its size under the head limits. Of an origin, blanks at the end of a chunk's size line and
/// before the colon of a trailer field are accepted and dropped.
class BodyDecoder {
 public:
  void start(Framing framing, std::uint64_t content_length, const HeadLimits& limits, Sender sender = Sender::Client);

  struct Step {
    std::size_t consumed = 0;  ///< Bytes of the input that were used (framing included).
    std::string_view data;     ///< Content among them; a view into the input. May be empty while consumed is not.
  };
  /// One step: framing bytes and at most one piece of content. Call until `done()` or nothing is consumed (more bytes
  /// are needed). Errors: Malformed, TooLarge (extensions or trailers over their limit).
  Result<Step> step(std::string_view input);
  bool done() const noexcept { return state_ == State::Done; }
  /// Which rule the body has broken, for a log; after an error of `step`.
  std::string_view problem() const noexcept { return problem_; }
  /// The connection has ended. True when that completes the content (UntilClose, or it was done already).
  bool finish_at_eof() noexcept;
  /// Content bytes so far.
  std::uint64_t delivered() const noexcept { return delivered_; }
  /// Remaining bytes under Length framing.
  std::uint64_t remaining() const noexcept { return remaining_; }
  /// Trailer fields, after `done()`; empty unless chunked. Fields that are allowed only in a head are removed.
  const Fields& trailers() const noexcept { return trailers_; }

 private:
  enum class State : std::uint8_t {
    Length,
    UntilClose,
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailer,
    Done,
    Failed
  };
  // Position in `*( BWS ";" BWS name [ BWS "=" BWS value ] )`.
  enum class Ext : std::uint8_t { Semicolon, NameStart, Name, NameEnd, ValueStart, Token, Quoted, Escaped, QuotedEnd };

  std::string_view rule_of(State state, Errc error) const noexcept;
  Result<std::size_t> take_framing(std::string_view input);
  bool framing_byte(char c) noexcept;
  bool size_byte(char c) noexcept;
  bool extension_byte(char c) noexcept;
  Result<std::size_t> take_trailer(std::string_view input);
  bool add_trailer(std::string_view line);
  Step take_data(std::string_view input, std::size_t at) noexcept;

  State state_ = State::Done;
  Sender sender_ = Sender::Client;
  std::string_view problem_;
  Ext ext_ = Ext::Semicolon;
  unsigned digits_ = 0;
  std::uint64_t remaining_ = 0, delivered_ = 0;
  std::size_t extension_bytes_ = 0, trailer_bytes_ = 0, trailer_lines_ = 0;
  HeadLimits limits_;
  std::string line_;  // a trailer line that spans reads
  Fields trailers_;
};

}  // namespace forebay::http
