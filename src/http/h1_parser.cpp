#include "forebay/http/h1_parser.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <cstring>

#include "forebay/http/chars.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/target.hpp"
#include "http/h1_words.hpp"

namespace forebay::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t kMaxMethod = 64;
constexpr std::size_t kMaxEmptyLines = 4;

// --- finding the end of a head ---

// Checks the beginning of an incomplete request line. Everything refused here is also refused in the complete line, so
// that the result does not depend on how the bytes arrive.
std::optional<Errc> look_at_request_line(std::string_view begun, std::size_t max_target,
                                         std::string_view& why) noexcept {
  if (begun.empty() || begun.front() == '\r') return std::nullopt;
  constexpr char kTlsHandshake = 0x16;  // RFC 8446 section 5.1
  why = begun.front() == kTlsHandshake ? "The client uses TLS (https), but this listener uses plain HTTP."
                                       : "The request line does not begin with a method.";
  if (!is_class(begun.front(), kTchar)) return Errc::Malformed;
  if (begun.size() <= std::min(kMaxMethod, max_target)) return std::nullopt;
  const auto space = begun.substr(0, kMaxMethod + 1).find(' ');
  if (space == std::string_view::npos) {
    return begun.size() > kMaxMethod ? std::optional(Errc::Malformed) : std::nullopt;
  }
  const auto target = begun.substr(space + 1);
  if (target.size() > max_target && target.find(' ') > max_target) return Errc::TargetTooLong;
  return std::nullopt;
}

// Scans lines up to the empty one. Bare LF and obs-fold are refused at once (RFC 9112 sections 2.2 and 5.2). The limits
// apply to the received part, so that an endless head is refused as soon as it is too long.
std::optional<Errc> find_head_end(HeadSearch& s, std::string_view buffer, const HeadLimits& limits,
                                  std::string_view& why) noexcept {
  while (true) {
    why = "A line starts with a space or tab: folded lines are not accepted.";
    if (s.start_line != 0 && s.line < buffer.size() && (buffer[s.line] == ' ' || buffer[s.line] == '\t')) {
      return Errc::Malformed;
    }
    const char* const from = buffer.data() + s.searched;
    const auto* lf = static_cast<const char*>(
        s.searched < buffer.size() ? std::memchr(from, '\n', buffer.size() - s.searched) : nullptr);
    const std::size_t end = lf ? static_cast<std::size_t>(lf - buffer.data()) + 1 : buffer.size();
    if (s.start_line == 0) {
      const auto begun = buffer.substr(s.line, end - s.line - (lf ? 1 : 0));
      if (const auto error = look_at_request_line(begun, limits.target, why)) return error;
    }
    if (end - s.start > limits.head) {
      return s.start_line == 0 ? Errc::TargetTooLong : Errc::HeaderTooLarge;
    }
    s.searched = end;
    if (!lf) return Errc::Incomplete;
    why = "A line does not end with CR LF.";
    if (end - s.line < 2 || buffer[end - 2] != '\r') return Errc::Malformed;
    const bool empty = end - s.line == 2;
    s.line = end;
    if (s.start_line == 0) {
      if (!empty) {
        s.start_line = end;
        continue;
      }
      why = "There are too many empty lines before the request.";
      if (++s.skipped > kMaxEmptyLines) return Errc::Malformed;
      s.start = end;
    } else if (empty) {
      s.end = end;
      return std::nullopt;
    } else if (++s.fields > limits.fields) {
      return Errc::HeaderTooLarge;
    }
  }
}

// --- field lines ---

// Maps Beast's field numbers to ours. Zero for fields without a number of ours, and for names that Beast does not know.
const std::array<FieldId, 512> kIdOfBeastField = [] {
  std::array<FieldId, 512> ids{};
  for (std::size_t i = 1; i < static_cast<std::size_t>(FieldId::kCount); ++i) {
    const auto name = field_name(static_cast<FieldId>(i));
    const auto theirs = static_cast<std::size_t>(beast::http::string_to_field({name.data(), name.size()}));
    if (theirs > 0 && theirs < ids.size()) ids[theirs] = static_cast<FieldId>(i);
  }
  return ids;
}();

FieldId id_of(beast::http::field theirs, std::string_view name) noexcept {
  const auto i = static_cast<std::size_t>(theirs);
  return i == 0 || i >= kIdOfBeastField.size() ? field_id(name) : kIdOfBeastField[i];
}

// Collects the field lines from Beast's parser; start line and framing are parsed here.
class FieldSink final : public beast::http::basic_parser<true> {
 public:
  explicit FieldSink(std::vector<Field>& fields) noexcept : fields_(fields) {
    header_limit(0xFFFFFFFF);
    body_limit(boost::none);
  }

 private:
  using Error = beast::error_code;
  using View = beast::string_view;

  void on_field_impl(beast::http::field known, View name, View value, Error& ec) override {
    const std::string_view text(name.data(), name.size());
    fields_.push_back({text, {value.data(), value.size()}, id_of(known, text)});
    ec = {};
  }
  void on_request_impl(beast::http::verb, View, View, int, Error& ec) override { ec = {}; }
  void on_response_impl(int, View, int, Error& ec) override { ec = {}; }
  void on_header_impl(Error& ec) override { ec = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error& ec) override { ec = {}; }
  std::size_t on_body_impl(View, Error&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, View, Error& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, View, Error&) override { return 0; }
  void on_finish_impl(Error& ec) override { ec = {}; }

  std::vector<Field>& fields_;
};

// `section` is all field lines and the empty line behind them. Beast sees a start line that it knows, since the real
// one has been read already, and more leniently in its version and its reason phrase than Beast would.
std::optional<Errc> read_fields(std::string_view section, std::vector<Field>& fields) {
  constexpr std::string_view kStandIn = "GET / HTTP/1.1\r\n";
  fields.clear();
  FieldSink sink(fields);
  beast::error_code ec;
  sink.put({kStandIn.data(), kStandIn.size()}, ec);
  if (ec != beast::http::error::need_more) return Errc::Malformed;
  const std::size_t taken = sink.put({section.data(), section.size()}, ec);
  // Content-Length with chunked, or chunked twice.
  if (ec == beast::http::error::bad_transfer_encoding) return Errc::Ambiguous;
  if (ec == beast::http::error::multiple_content_length) return Errc::Ambiguous;
  if (ec == beast::http::error::bad_content_length && FieldsView(fields).has(FieldId::TransferEncoding)) {
    return Errc::Ambiguous;
  }
  if (ec || taken != section.size()) return Errc::Malformed;
  return std::nullopt;
}

// Other codings with chunked once at the end: well formed, but not supported.
bool is_known_coding_chain(std::string_view value) noexcept {
  bool known = true, ended = false;
  std::ptrdiff_t codings = 0;
  for_each_member(value, [&](std::string_view coding) {
    ++codings;
    const bool chunked = iequals(coding, "chunked");
    const bool compression = iequals(coding, "gzip") || iequals(coding, "x-gzip") || iequals(coding, "deflate") ||
                             iequals(coding, "compress") || iequals(coding, "x-compress");
    known = known && !ended && (chunked || compression);
    ended = ended || chunked;
  });
  // Empty members are legal, but some parsers misread them.
  return known && ended && std::count(value.begin(), value.end(), ',') == codings - 1 && codings > 1;
}

// RFC 9112 section 3.2.2: the authority of an absolute-form target replaces Host.
std::string_view authority_of(std::string_view target, std::string_view host) noexcept {
  if (target.front() == '/') return host;
  const auto colon = target.find("://");
  if (colon == std::string_view::npos || colon > target.find_first_of("/?")) return host;
  const auto rest = target.substr(colon + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

// --- RequestParser ---

void RequestParser::reset() {
  search_ = {};
  view_ = {};
  fields_.clear();
  content_length_ = 0;
  framing_ = Framing::None;
  keep_alive_ = true;
  expects_continue_ = unknown_expectation_ = bad_version_ = false;
}

void RequestParser::forget_fields() {
  view_.fields = {};
  std::vector<Field>().swap(fields_);
}

Result<void> RequestParser::parse(std::string_view buffer) {
  if (search_.end == 0) {
    if (const auto error = find_head_end(search_, buffer, limits_, problem_)) return *error;
  }
  const auto line = buffer.substr(search_.start, search_.start_line - search_.start - 2);
  if (const auto done = read_request_line(line); !done) return done;
  const auto section = buffer.substr(search_.start_line, search_.end - search_.start_line);
  if (const auto error = read_fields(section, fields_))
    return refuse(*error == Errc::Ambiguous ? "The request gives the length of its content in more than one way."
                                            : "A header field is malformed.",
                  *error);
  view_.fields = FieldsView(fields_);
  return read_framing();
}

void RequestParser::read_before_fault(std::string_view buffer) {
  view_ = {};
  fields_.clear();
  const auto begun = buffer.substr(std::min(search_.start, buffer.size()));
  const auto line = begun.substr(0, begun.find_first_of("\r\n"));
  const auto method_end = line.find(' ');
  if (method_end == std::string_view::npos || !is_token(line.substr(0, method_end))) return;
  view_.method_text = line.substr(0, method_end);
  view_.method = method_of(view_.method_text);
  const auto target_end = line.find(' ', method_end + 1);
  view_.target = line.substr(method_end + 1, target_end - method_end - 1);
  if (target_end != std::string_view::npos) view_.version = read_version(line.substr(target_end + 1)).version;
  if (search_.start_line == 0) return;
  auto section = buffer.substr(search_.start_line);
  while (fields_.size() < limits_.fields) {
    const auto end = section.find("\r\n");
    if (end == std::string_view::npos) break;
    const auto field = section.substr(0, end);
    const auto colon = field.find(':');
    if (colon == std::string_view::npos || !is_token(field.substr(0, colon))) break;
    const auto value = trim(field.substr(colon + 1));
    if (!is_field_value(value)) break;
    fields_.push_back({field.substr(0, colon), value, field_id(field.substr(0, colon))});
    section.remove_prefix(end + 2);
  }
  view_.fields = FieldsView(fields_);
  if (!view_.target.empty())
    view_.authority = authority_of(view_.target, view_.fields.value(FieldId::Host).value_or(""));
}

Result<void> RequestParser::read_request_line(std::string_view line) {
  const auto method_end = line.find(' ');
  constexpr std::string_view kForm = "The request line is not a method, a target and a version.";
  if (method_end == std::string_view::npos) return refuse(kForm);
  const auto target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return refuse(kForm);
  view_.method_text = line.substr(0, method_end);
  view_.target = line.substr(method_end + 1, target_end - method_end - 1);
  view_.method = method_of(view_.method_text);
  if (view_.method == Method::Other && !is_token(view_.method_text))
    return refuse("The request line does not begin with a method.");
  if (view_.target.empty() ||
      !std::all_of(view_.target.begin(), view_.target.end(), [](char c) { return is_class(c, kTarget); })) {
    return refuse("The request target has a byte that must be percent-encoded.");
  }
  const auto version = read_version(line.substr(target_end + 1));
  if (version.major < 0) return refuse("The request line does not end with a version such as HTTP/1.1.");
  bad_version_ = version.major != 1;
  // RFC 9113 section 3.4: the preface.
  const bool preface = view_.method_text == "PRI" && view_.target == "*";
  if (bad_version_)
    return refuse(preface ? "The client uses HTTP/2, but this listener supports only HTTP/1.1 and HTTP/1.0." : "",
                  Errc::Unsupported);
  view_.version = version.version;
  return {};
}

Result<void> RequestParser::read_framing() {
  const Field* host = nullptr;
  const Field* length = nullptr;
  const Field* coding = nullptr;
  bool twice = false;
  const auto once = [&twice](const Field*& slot, const Field& f) {
    twice = twice || slot != nullptr;
    slot = &f;
  };
  Persistence persistence;
  expects_continue_ = unknown_expectation_ = false;
  for (const Field& f : fields_) {
    switch (f.id) {
      case FieldId::Host: once(host, f); break;
      case FieldId::ContentLength: once(length, f); break;
      case FieldId::TransferEncoding: once(coding, f); break;
      case FieldId::Connection: persistence.read(f.value); break;
      case FieldId::Expect:
        for_each_member(f.value, [this](std::string_view m) {
          (iequals(m, "100-continue") ? expects_continue_ : unknown_expectation_) = true;
        });
        break;
      default: break;
    }
  }
  const bool old = view_.version == Version::Http10;
  if (twice)
    return refuse("Host, Content-Length or Transfer-Encoding appears more than once.",
                  length && coding ? Errc::Ambiguous : Errc::Malformed);
  // RFC 9112 section 3.2.
  if (host ? !is_valid_host(host->value) : !old)
    return refuse(host ? "The Host field is invalid." : "The Host field is missing.");
  view_.authority = authority_of(view_.target, host ? host->value : std::string_view());
  if (old) expects_continue_ = unknown_expectation_ = false;  // RFC 9110 section 10.1.1
  keep_alive_ = persistence.lasts(view_.version);

  framing_ = Framing::None;
  content_length_ = 0;
  if (coding) {
    if (length) return refuse("The request has both Transfer-Encoding and Content-Length.", Errc::Ambiguous);
    if (old) return refuse("HTTP/1.0 has no Transfer-Encoding.");
    if (!iequals(coding->value, "chunked")) {
      return refuse("Transfer-Encoding is not chunked.",
                    is_known_coding_chain(coding->value) ? Errc::Unsupported : Errc::Malformed);
    }
    framing_ = Framing::Chunked;
  } else if (length) {
    if (!read_length_digits(length->value, content_length_)) return refuse("Content-Length is not a number.");
    if (content_length_ > 0) framing_ = Framing::Length;
  }
  return {};
}

}  // namespace forebay::http
