#include <algorithm>
#include <cstring>

#include "forebay/http/chars.hpp"
#include "forebay/http/h1_parser.hpp"
#include "forebay/http/list.hpp"
#include "http/h1_words.hpp"

namespace forebay::http {
namespace {

std::string at_byte(std::size_t index) { return " at byte " + std::to_string(index + 1); }

// A byte in readable form: untrusted bytes are not printed in messages.
std::string named(char c) {
  if (is_blank(c)) return "a space or tab";
  std::string name = "the byte 0x";
  append_hex(name, static_cast<unsigned char>(c));
  return name;
}

// The first byte that does not belong to the class, as "WHAT has a space or tab at byte 17"; empty when all do.
// `offset` is where `text` begins in its line.
std::string fault_of(std::string_view what, std::string_view text, std::size_t offset, unsigned bits) {
  const auto bad = std::find_if(text.begin(), text.end(), [bits](char c) { return !is_class(c, bits); });
  if (bad == text.end()) return {};
  return std::string(what) + " has " + named(*bad) + at_byte(offset + static_cast<std::size_t>(bad - text.begin()));
}

std::string_view without_end(std::string_view line, bool bare_lf) noexcept {
  line.remove_suffix(bare_lf ? 1 : 2);
  return line;
}

bool frames(FieldId id) noexcept { return id == FieldId::ContentLength || id == FieldId::TransferEncoding; }

}  // namespace

void ResponseParser::reset() {
  search_ = {};
  view_ = {};
  fields_.clear();
  unfolded_.clear();
  problem_.clear();
  content_length_ = 0;
  declared_length_.reset();
  framing_ = Framing::None;
  keep_alive_ = true;
  other_coding_ = bare_lf_ = false;
}

Errc ResponseParser::refuse(Errc error, std::size_t line, std::string_view rule) {
  problem_ = "line " + std::to_string(line) + ": ";
  problem_ += rule;
  return error;
}

// Scans lines up to the empty one. The limits apply to the received part, so that an endless head is refused as soon as
// it is too long. RFC 9112 section 2.2 allows LF alone as a line end: accepted if all lines of the head end so. In a
// head with both, an LF may be injected into a value.
Result<void> ResponseParser::find_end(std::string_view buffer) {
  auto& s = search_;
  while (true) {
    const char* const from = buffer.data() + s.searched;
    const auto* lf = static_cast<const char*>(
        s.searched < buffer.size() ? std::memchr(from, '\n', buffer.size() - s.searched) : nullptr);
    const std::size_t end = lf ? static_cast<std::size_t>(lf - buffer.data()) + 1 : buffer.size();
    if (end > limits_.head) {
      problem_ = "the head is longer than " + std::to_string(limits_.head) + " bytes";
      return Errc::HeaderTooLarge;
    }
    s.searched = end;
    if (!lf) return Errc::Incomplete;
    const std::size_t line = s.start_line == 0 ? 1 : s.fields + 2;
    const bool bare = end - s.line < 2 || buffer[end - 2] != '\r';
    if (s.start_line == 0) bare_lf_ = bare;
    if (bare != bare_lf_)
      return refuse(Errc::Malformed, line,
                    bare ? "ends in LF only, unlike the first line" : "ends in CRLF, unlike the first line");
    const bool empty = end - s.line == (bare ? 1U : 2U);
    s.line = end;
    if (s.start_line == 0) {
      if (empty) return refuse(Errc::Malformed, line, "is empty instead of a status line");
      s.start_line = end;
    } else if (empty) {
      s.end = end;
      return {};
    } else if (++s.fields > limits_.fields) {
      problem_ = "the head has more than " + std::to_string(limits_.fields) + " lines";
      return Errc::HeaderTooLarge;
    }
  }
}

Result<void> ResponseParser::parse(std::string_view buffer) {
  if (search_.end == 0) {
    if (const auto found = find_end(buffer); !found) return found;
  }
  const auto line = without_end(buffer.substr(0, search_.start_line), bare_lf_);
  if (const auto done = read_status_line(line); !done) return done;
  const auto section = buffer.substr(search_.start_line, search_.end - search_.start_line);
  if (const auto done = read_fields(section); !done) return done;
  view_.fields = FieldsView(fields_);
  return read_framing();
}

Result<void> ResponseParser::read_status_line(std::string_view line) {
  // "HTTP/1.1 200", with or without " " and a reason phrase, which is ignored (RFC 9112 section 4).
  constexpr std::size_t kShortest = 12;
  const auto version = read_version(line.substr(0, 8));
  if (version.major < 0) return refuse(Errc::Malformed, 1, "does not start with HTTP/1.x");
  if (version.major != 1) return refuse(Errc::Malformed, 1, "has a major version of HTTP other than 1");
  std::uint64_t status = 0;
  if (line.size() < kShortest || line[8] != ' ' || !parse_decimal(line.substr(9, 3), 999, status) || status < 100)
    return refuse(Errc::Malformed, 1, "has no three-digit status after one space");
  const auto rest = line.substr(kShortest);
  if (!rest.empty() && rest.front() != ' ') return refuse(Errc::Malformed, 1, "has no space after its status");
  if (const auto fault = fault_of("reason phrase", rest, kShortest, kText); !fault.empty())
    return refuse(Errc::Malformed, 1, fault);
  view_.status = static_cast<int>(status);
  view_.version = version.version;
  return {};
}

// Field lines and the empty line after them. Two repairs that a proxy must do: blanks before the colon are removed (RFC
// 9112 section 5.1), and a folded value becomes one line (section 5.2).
Result<void> ResponseParser::read_fields(std::string_view section) {
  fields_.clear();
  fields_.reserve(search_.fields);
  unfolded_.clear();
  for (std::size_t at = 0, number = 2;; ++number) {
    const auto end = section.find('\n', at) + 1;
    const auto line = without_end(section.substr(at, end - at), bare_lf_);
    at = end;
    if (line.empty()) return {};
    const auto done = is_blank(line.front()) ? unfold(line, number) : read_field(line, number);
    if (!done) return done;
  }
}

Result<void> ResponseParser::read_field(std::string_view line, std::size_t number) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return refuse(Errc::Malformed, number, "field has no colon");
  auto name = line.substr(0, colon);
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  if (name.empty()) return refuse(Errc::Malformed, number, "field has no name");
  if (const auto fault = fault_of("field name", name, 0, kTchar); !fault.empty())
    return refuse(Errc::Malformed, number, fault);
  if (const auto fault = fault_of("field value", line.substr(colon + 1), colon + 1, kText); !fault.empty())
    return refuse(Errc::Malformed, number, fault);
  fields_.push_back({name, trim(line.substr(colon + 1)), field_id(name)});
  return {};
}

// A folded framing field is refused: parsers disagree about it.
Result<void> ResponseParser::unfold(std::string_view line, std::size_t number) {
  if (fields_.empty()) return refuse(Errc::Malformed, number, "starts with a space or tab before any field");
  Field& field = fields_.back();
  if (frames(field.id)) return refuse(Errc::Malformed, number, "folds Content-Length or Transfer-Encoding");
  if (const auto fault = fault_of("field value", line, 0, kText); !fault.empty())
    return refuse(Errc::Malformed, number, fault);
  const auto more = trim(line);
  if (more.empty()) return refuse(Errc::Malformed, number, "has only spaces and tabs");
  const bool begun = !unfolded_.empty() && field.value.data() == unfolded_.back().data();
  auto& whole = begun ? unfolded_.back() : unfolded_.emplace_back(field.value);
  if (!whole.empty()) whole += ' ';
  whole += more;
  field.value = whole;
  return {};
}

// The field as it was received.
Errc ResponseParser::refuse_framing(Errc error, FieldId id, std::string_view rule) {
  const auto at = std::find_if(fields_.rbegin(), fields_.rend(), [id](const Field& f) { return f.id == id; });
  problem_ = at == fields_.rend() ? std::string() : std::string(at->name) + ": ";
  problem_ += rule;
  return error;
}

Result<void> ResponseParser::read_length(std::string_view value) {
  bool good = true, any = false, same = true;
  for_each_member(value, [&](std::string_view member) {
    std::uint64_t n = 0;
    good = good && read_length_digits(member, n);
    same = same && (!declared_length_ || *declared_length_ == n);
    declared_length_ = n;
    any = true;
  });
  if (!good || !any) return refuse_framing(Errc::Malformed, FieldId::ContentLength, "is not a decimal number");
  if (!same) return refuse_framing(Errc::Ambiguous, FieldId::ContentLength, "has two values");
  return {};
}

Result<void> ResponseParser::read_transfer_coding() {
  bool well_formed = true;
  std::size_t codings = 0, chunked = 0;
  bool last_is_chunked = false;
  for (const Field& f : fields_) {
    if (f.id != FieldId::TransferEncoding) continue;
    for_each_member(f.value, [&](std::string_view coding) {
      ++codings;
      last_is_chunked = iequals(coding, "chunked");
      chunked += last_is_chunked ? 1 : 0;
      const auto name = trim(coding.substr(0, coding.find(';')));
      // chunked has no parameters; other parsers may or may not recognise it.
      well_formed = well_formed && is_token(name) && (last_is_chunked || !iequals(name, "chunked"));
    });
  }
  if (!well_formed || codings == 0)
    return refuse_framing(Errc::Malformed, FieldId::TransferEncoding, "is not a list of codings");
  if (chunked > 1) return refuse_framing(Errc::Ambiguous, FieldId::TransferEncoding, "has chunked twice");
  framing_ = last_is_chunked ? Framing::Chunked : Framing::UntilClose;
  other_coding_ = codings > chunked;
  return {};
}

Result<void> ResponseParser::read_framing() {
  Persistence persistence;
  bool coded = false;
  declared_length_.reset();
  for (const Field& f : fields_) {
    if (f.id == FieldId::Connection) persistence.read(f.value);
    if (f.id == FieldId::TransferEncoding) coded = true;
    if (f.id != FieldId::ContentLength) continue;
    if (const auto done = read_length(f.value); !done) return done;
  }
  framing_ = declared_length_ ? Framing::Length : Framing::UntilClose;
  content_length_ = declared_length_.value_or(0);
  other_coding_ = false;
  if (coded) {
    // RFC 9112 sections 6.1 and 6.3: faulty framing.
    if (declared_length_)
      return refuse_framing(Errc::Ambiguous, FieldId::TransferEncoding, "appears together with Content-Length");
    if (view_.version == Version::Http10)
      return refuse_framing(Errc::Ambiguous, FieldId::TransferEncoding, "appears in an HTTP/1.0 response");
    if (const auto done = read_transfer_coding(); !done) return done;
  }
  if (method_ == Method::Head || never_has_content(view_.status)) {
    framing_ = Framing::None;
    content_length_ = 0;
  }
  keep_alive_ = persistence.lasts(view_.version) && framing_ != Framing::UntilClose;
  return {};
}

}  // namespace forebay::http
