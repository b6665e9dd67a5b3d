#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/h1_parser.hpp"
#include "forebay/http/message.hpp"

namespace forebay::http {

/// The field section of one HTTP/2 request, checked by RFC 9113 section 8 and made into a RequestView. As strict as
/// RequestParser: what is accepted here goes to an HTTP/1.1 origin and means the same there. A reader serves one
/// connection and is reused; nothing is allocated once its buffers have grown.
class H2HeadReader {
 public:
  enum class Verdict : std::uint8_t {
    Ok,
    Malformed,      ///< RFC 9113 section 8.1.1: a stream error; `problem` says why.
    NoHost,         ///< Neither `:authority` nor Host (400).
    TargetTooLong,  ///< 414
    TooLarge,       ///< 431
    TooManyFields,  ///< 431
    Expectation,    ///< An Expect other than 100-continue (417).
  };

  /// `over_tls`: the connection is secured, so that `:scheme` cannot be "http".
  void begin(const HeadLimits& limits, bool over_tls);
  /// One field line, decoded. What exceeds the limits is counted and not kept.
  void add(std::string_view name, std::string_view value);
  /// After the last line. `ended`: the request has no content. Sets `view`, also of a refused request, to what is
  /// known.
  Verdict finish(bool ended);

  /// Points into the reader, until the next `begin`.
  const RequestView& view() const noexcept { return view_; }
  /// A sentence without text of the request.
  std::string_view problem() const noexcept { return problem_; }
  std::optional<std::uint64_t> content_length() const noexcept { return content_length_; }
  bool expects_continue() const noexcept { return expects_continue_; }
  /// Value of `priority` (RFC 9218); empty without one.
  std::string_view priority() const noexcept;
  /// Bytes of all names and values so far, those not kept included.
  std::size_t decoded() const noexcept { return decoded_; }
  /// Frees the memory; `view` is empty then.
  void release();

 private:
  struct Piece {
    std::uint32_t at = 0, size = 0;
    bool set = false;
  };
  struct Line {
    Piece name, value;
    FieldId id = FieldId::Other;
  };
  enum class Pseudo : std::uint8_t { Method, Scheme, Authority, Path, kCount };

  Piece keep(std::string_view text);
  std::string_view text(Piece piece) const noexcept { return std::string_view(text_).substr(piece.at, piece.size); }
  Piece& pseudo(Pseudo which) noexcept { return pseudo_[static_cast<std::size_t>(which)]; }
  std::string_view pseudo_text(Pseudo which) const noexcept { return text(pseudo_[static_cast<std::size_t>(which)]); }
  void refuse(std::string_view why) noexcept {
    if (problem_.empty()) problem_ = why;
  }
  void add_pseudo(std::string_view name, std::string_view value);
  void add_field(std::string_view name, std::string_view value);
  void check_framing_field(FieldId id, std::string_view value);
  void join_cookies();
  void set_view();
  Verdict judge(bool ended);
  void check_pseudo();
  void check_host();

  HeadLimits limits_;
  std::string text_;
  std::vector<Line> lines_;
  std::vector<Field> fields_;
  Piece pseudo_[static_cast<std::size_t>(Pseudo::kCount)];
  RequestView view_;
  std::string_view problem_;
  std::optional<std::uint64_t> content_length_;
  std::size_t decoded_ = 0, head_bytes_ = 0, field_count_ = 0, cookies_ = 0;
  int host_ = -1, priority_ = -1;  // lines
  bool over_tls_ = false, expects_continue_ = false, unknown_expectation_ = false, target_too_long_ = false;
};

/// The trailer section of a request (RFC 9113 section 8.1).
class H2TrailerReader {
 public:
  void begin(const HeadLimits& limits);
  void add(std::string_view name, std::string_view value);
  /// False: malformed or too large.
  bool ok() const noexcept { return ok_; }
  std::size_t decoded() const noexcept { return decoded_; }
  /// Without the fields that are allowed only in a head.
  Fields& fields() noexcept { return fields_; }

 private:
  HeadLimits limits_;
  Fields fields_;
  std::size_t decoded_ = 0, bytes_ = 0, count_ = 0;
  bool ok_ = true;
};

}  // namespace forebay::http
