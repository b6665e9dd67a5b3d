#include <algorithm>

#include "forebay/http/chars.hpp"
#include "forebay/http/h1_parser.hpp"
#include "http/h1_words.hpp"

namespace forebay::http {
namespace {

constexpr std::size_t kMaxExtensionBytes = 4096;
constexpr unsigned kMaxSizeDigits = 16;

}  // namespace

bool may_be_trailer(FieldId id) noexcept {
  if (is_hop_by_hop(id)) return false;
  switch (id) {
    case FieldId::Age:
    case FieldId::Authorization:
    case FieldId::CacheControl:
    case FieldId::CdnCacheControl:
    case FieldId::CdnLoop:
    case FieldId::ContentEncoding:
    case FieldId::ContentLength:
    case FieldId::ContentLocation:
    case FieldId::ContentRange:
    case FieldId::ContentType:
    case FieldId::Cookie:
    case FieldId::Date:
    case FieldId::Expect:
    case FieldId::Expires:
    case FieldId::ForebayCacheControl:
    case FieldId::Forwarded:
    case FieldId::Host:
    case FieldId::IfMatch:
    case FieldId::IfModifiedSince:
    case FieldId::IfNoneMatch:
    case FieldId::IfRange:
    case FieldId::IfUnmodifiedSince:
    case FieldId::Location:
    case FieldId::Pragma:
    case FieldId::Range:
    case FieldId::RetryAfter:
    case FieldId::SetCookie:
    case FieldId::SurrogateControl:
    case FieldId::Vary:
    case FieldId::Via:
    case FieldId::Warning:
    case FieldId::XForwardedFor:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedPort:
    case FieldId::XForwardedProto: return false;
    default: return true;
  }
}

void BodyDecoder::start(Framing framing, std::uint64_t content_length, const HeadLimits& limits, Sender sender) {
  limits_ = limits;
  sender_ = sender;
  problem_ = {};
  delivered_ = 0;
  remaining_ = framing == Framing::Length ? content_length : 0;
  digits_ = 0;
  extension_bytes_ = trailer_bytes_ = trailer_lines_ = 0;
  line_.clear();
  trailers_.clear();
  switch (framing) {
    case Framing::None: state_ = State::Done; break;
    case Framing::Length: state_ = remaining_ > 0 ? State::Length : State::Done; break;
    case Framing::Chunked: state_ = State::Size; break;
    case Framing::UntilClose: state_ = State::UntilClose; break;
  }
}

std::string_view BodyDecoder::rule_of(State state, Errc error) const noexcept {
  const bool large = error == Errc::TooLarge;
  switch (state) {
    case State::Size:
      if (digits_ > 0 && digits_ <= kMaxSizeDigits) return rule_of(State::Extension, error);
      return "a chunk does not start with a size of up to 16 hex digits";
    case State::Extension:
    case State::SizeLf:
      return large ? "chunk extensions are longer than 4096 bytes"
                   : "a chunk size is followed by more than extensions, or its line does not end in CRLF";
    case State::DataCr:
    case State::DataLf: return "a chunk is longer than its size says, or does not end in CRLF";
    default:
      return large ? "the trailer section exceeds the limits of a head"
                   : "a line of the trailer section is not a field";
  }
}

Result<BodyDecoder::Step> BodyDecoder::step(std::string_view input) {
  switch (state_) {
    case State::Failed: return Errc::Malformed;
    case State::Done: return Step{};
    case State::UntilClose: delivered_ += input.size(); return Step{input.size(), input};
    case State::Length: {
      const Step taken = take_data(input, 0);
      if (remaining_ == 0) state_ = State::Done;
      return taken;
    }
    default: break;
  }
  const auto framing = take_framing(input);
  if (!framing) {
    problem_ = rule_of(state_, framing.error());
    state_ = State::Failed;
    return framing.error();
  }
  if (state_ != State::Data) return Step{*framing, {}};
  const Step taken = take_data(input, *framing);
  if (remaining_ == 0) state_ = State::DataCr;
  return taken;
}

bool BodyDecoder::finish_at_eof() noexcept {
  if (state_ == State::UntilClose) state_ = State::Done;
  return state_ == State::Done;
}

BodyDecoder::Step BodyDecoder::take_data(std::string_view input, std::size_t at) noexcept {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
  remaining_ -= n;
  delivered_ += n;
  return {at + n, input.substr(at, n)};
}

// Chunk headers, line ends and trailers, up to the next byte of content.
Result<std::size_t> BodyDecoder::take_framing(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::Data && state_ != State::Done) {
    if (state_ == State::Trailer) {
      const auto taken = take_trailer(input.substr(at));
      if (!taken) return taken.error();
      at += *taken;
      continue;
    }
    const State before = state_;
    if (!framing_byte(input[at++])) {
      state_ = before;
      return Errc::Malformed;
    }
    if (extension_bytes_ > kMaxExtensionBytes) return Errc::TooLarge;
  }
  return at;
}

bool BodyDecoder::framing_byte(char c) noexcept {
  switch (state_) {
    case State::Size: return size_byte(c);
    case State::Extension: return extension_byte(c);
    case State::SizeLf: state_ = remaining_ > 0 ? State::Data : State::Trailer; return c == '\n';
    case State::DataCr: state_ = State::DataLf; return c == '\r';
    case State::DataLf:
      state_ = State::Size;
      digits_ = 0;
      return c == '\n';
    default: return false;
  }
}

bool BodyDecoder::size_byte(char c) noexcept {
  if (const int digit = hex_value(c); digit >= 0) {
    remaining_ = remaining_ << 4 | static_cast<unsigned>(digit);
    return ++digits_ <= kMaxSizeDigits;
  }
  if (digits_ == 0) return false;
  if (c == '\r') {
    state_ = State::SizeLf;
    return true;
  }
  state_ = State::Extension;
  ext_ = Ext::Semicolon;
  return extension_byte(c);
}

// RFC 9112 section 7.1.1, with the erratum that allows white space around "=" and ";" but none at the end.
bool BodyDecoder::extension_byte(char c) noexcept {
  ++extension_bytes_;
  bool may_end = ext_ == Ext::Name || ext_ == Ext::Token || ext_ == Ext::QuotedEnd;
  // Some servers pad the size with blanks; all clients accept that.
  if (sender_ == Sender::Origin) may_end = may_end || ext_ == Ext::Semicolon || ext_ == Ext::NameEnd;
  if (c == '\r' && may_end) {
    state_ = State::SizeLf;
    return true;
  }
  const auto go = [this](Ext next) {
    ext_ = next;
    return true;
  };
  switch (ext_) {
    case Ext::Semicolon:
      if (is_blank(c)) return true;
      return c == ';' && go(Ext::NameStart);
    case Ext::NameStart:
      if (is_blank(c)) return true;
      return is_class(c, kTchar) && go(Ext::Name);
    case Ext::Name:
      if (is_class(c, kTchar)) return true;
      [[fallthrough]];
    case Ext::NameEnd:
      if (is_blank(c)) return go(Ext::NameEnd);
      if (c == ';') return go(Ext::NameStart);
      return c == '=' && go(Ext::ValueStart);
    case Ext::ValueStart:
      if (is_blank(c)) return true;
      if (c == '"') return go(Ext::Quoted);
      return is_class(c, kTchar) && go(Ext::Token);
    case Ext::Token:
      if (is_class(c, kTchar)) return true;
      [[fallthrough]];
    case Ext::QuotedEnd:
      if (is_blank(c)) return go(Ext::Semicolon);
      return c == ';' && go(Ext::NameStart);
    case Ext::Quoted:
      if (c == '"') return go(Ext::QuotedEnd);
      if (c == '\\') return go(Ext::Escaped);
      return is_class(c, kText);
    case Ext::Escaped: return is_class(c, kText) && go(Ext::Quoted);
  }
  return false;
}

// One line of the trailer section, or its available part.
Result<std::size_t> BodyDecoder::take_trailer(std::string_view input) {
  const auto lf = input.find('\n');
  const auto piece = input.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  trailer_bytes_ += piece.size();
  if (trailer_bytes_ > limits_.head) return Errc::TooLarge;
  if (lf == std::string_view::npos || !line_.empty()) line_.append(piece);
  if (lf == std::string_view::npos) return piece.size();
  const std::string_view line = line_.empty() ? piece : std::string_view(line_);
  if (!line.ends_with("\r\n")) return Errc::Malformed;
  if (line.size() == 2) {
    state_ = State::Done;
  } else if (++trailer_lines_ > limits_.fields) {
    return Errc::TooLarge;
  } else if (!add_trailer(line.substr(0, line.size() - 2))) {
    return Errc::Malformed;
  }
  line_.clear();
  return piece.size();
}

bool BodyDecoder::add_trailer(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  auto name = line.substr(0, colon);
  // RFC 9112 section 5.1.
  while (sender_ == Sender::Origin && !name.empty() && is_blank(name.back())) name.remove_suffix(1);
  const auto value = trim(line.substr(colon + 1));
  if (!is_token(name) || !is_field_value(value)) return false;
  if (may_be_trailer(field_id(name))) trailers_.add(name, value);
  return true;
}

}  // namespace forebay::http
