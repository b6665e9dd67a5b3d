#include "forebay/http/h2_head.hpp"

#include <algorithm>

#include "forebay/http/chars.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/target.hpp"
#include "http/h1_words.hpp"

namespace forebay::http {
namespace {

// ": " and CR LF: heads count as they would in HTTP/1.1.
constexpr std::size_t kLineBytes = 4;

// RFC 9113 section 8.2.1. Any upper-case letter makes the message malformed.
bool is_lower_token(std::string_view name) noexcept {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_class(c, kTchar) && !(c >= 'A' && c <= 'Z'); });
}

// The same section: no CR, LF or NUL, no blank at either end. RFC 9110 section 5.5 refuses the other control bytes.
bool is_clean_value(std::string_view value) noexcept { return is_field_value(value) && trim(value) == value; }

std::string normal_host(std::string_view host, std::string_view scheme) {
  std::string out;
  if (!append_normal_host(host, scheme, out)) out.clear();
  return out;
}

}  // namespace

void H2HeadReader::begin(const HeadLimits& limits, bool over_tls) {
  limits_ = limits;
  over_tls_ = over_tls;
  text_.clear();
  lines_.clear();
  fields_.clear();
  for (Piece& piece : pseudo_) piece = {};
  view_ = {};
  view_.version = Version::Http2;
  problem_ = {};
  content_length_.reset();
  decoded_ = head_bytes_ = field_count_ = cookies_ = 0;
  host_ = priority_ = -1;
  expects_continue_ = unknown_expectation_ = target_too_long_ = false;
}

void H2HeadReader::release() {
  view_ = {};
  std::string().swap(text_);
  std::vector<Line>().swap(lines_);
  std::vector<Field>().swap(fields_);
}

H2HeadReader::Piece H2HeadReader::keep(std::string_view text) {
  const Piece piece{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size()), true};
  text_ += text;
  return piece;
}

void H2HeadReader::add(std::string_view name, std::string_view value) {
  decoded_ += name.size() + value.size();
  head_bytes_ += name.size() + value.size() + kLineBytes;
  if (name.starts_with(':'))
    add_pseudo(name, value);
  else
    add_field(name, value);
}

void H2HeadReader::add_pseudo(std::string_view name, std::string_view value) {
  constexpr std::string_view kNames[] = {":method", ":scheme", ":authority", ":path"};
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  // Among the unknown ones is `:protocol` of RFC 8441, which no SETTINGS of ours has allowed.
  if (found == std::end(kNames)) return refuse("The request has an unknown pseudo-header field.");
  if (field_count_ != 0) return refuse("A pseudo-header field follows a header field.");
  const auto which = static_cast<Pseudo>(found - std::begin(kNames));
  if (pseudo(which).set) return refuse("A pseudo-header field appears twice.");
  pseudo(which).set = true;
  if (which == Pseudo::Path && value.size() > limits_.target) target_too_long_ = true;
  if (head_bytes_ <= limits_.head) pseudo(which) = keep(value);
}

void H2HeadReader::add_field(std::string_view name, std::string_view value) {
  ++field_count_;
  if (!is_lower_token(name)) return refuse("The name of a header field is malformed.");
  if (!is_clean_value(value)) return refuse("The value of a header field is malformed.");
  if (head_bytes_ > limits_.head) return;
  const FieldId id = field_id(name);
  // A client may split Cookie into crumbs (RFC 9113 section 8.2.3), which are one field to the limit as well.
  if (id == FieldId::Cookie && cookies_++ != 0) --field_count_;
  if (field_count_ > limits_.fields) return;
  check_framing_field(id, value);
  if (id == FieldId::Host) host_ = static_cast<int>(lines_.size());
  if (id == FieldId::Other && name == "priority") priority_ = static_cast<int>(lines_.size());
  const Piece its_name = keep(name);
  lines_.push_back({its_name, keep(value), id});
}

void H2HeadReader::check_framing_field(FieldId id, std::string_view value) {
  switch (id) {
    // RFC 9113 section 8.2.2.
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade: return refuse("The request has a connection-specific header field.");
    case FieldId::Te:
      if (!iequals(value, "trailers")) refuse("TE is not trailers.");
      return;
    case FieldId::Host:
      if (host_ >= 0) refuse("Host appears more than once.");
      return;
    case FieldId::ContentLength: {
      std::uint64_t length = 0;
      if (content_length_) refuse("Content-Length appears more than once.");
      if (!read_length_digits(value, length)) refuse("Content-Length is not a number.");
      content_length_ = length;
      return;
    }
    case FieldId::Expect:
      for_each_member(value, [this](std::string_view m) {
        (iequals(m, "100-continue") ? expects_continue_ : unknown_expectation_) = true;
      });
      return;
    default: return;
  }
}

std::string_view H2HeadReader::priority() const noexcept {
  return priority_ < 0 ? std::string_view() : text(lines_[static_cast<std::size_t>(priority_)].value);
}

H2HeadReader::Verdict H2HeadReader::finish(bool ended) {
  join_cookies();
  set_view();
  const Verdict verdict = judge(ended);
  if (verdict == Verdict::Ok && host_ < 0)
    fields_.push_back({field_name(FieldId::Host), view_.authority, FieldId::Host});
  view_.fields = FieldsView(fields_);
  return verdict;
}

// RFC 9113 section 8.2.3: to an HTTP/1.1 origin the crumbs are one field.
void H2HeadReader::join_cookies() {
  if (cookies_ < 2) return;
  std::string joined;
  Line* first = nullptr;
  for (Line& line : lines_) {
    if (line.id != FieldId::Cookie) continue;
    if (!first) first = &line;
    const auto crumb = text(line.value);
    if (crumb.empty()) continue;  // a value does not end with a blank
    if (!joined.empty()) joined += "; ";
    joined += crumb;
  }
  if (!first) return;
  first->value = keep(joined);
  const auto kept = static_cast<std::size_t>(first - lines_.data()) + 1;
  const auto rest = std::remove_if(lines_.begin() + static_cast<std::ptrdiff_t>(kept), lines_.end(),
                                   [](const Line& line) { return line.id == FieldId::Cookie; });
  lines_.erase(rest, lines_.end());
  host_ = priority_ = -1;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].id == FieldId::Host) host_ = static_cast<int>(i);
    if (lines_[i].id == FieldId::Other && text(lines_[i].name) == "priority") priority_ = static_cast<int>(i);
  }
}

void H2HeadReader::set_view() {
  for (const Line& line : lines_) fields_.push_back({text(line.name), text(line.value), line.id});
  view_.fields = FieldsView(fields_);
  // A refused request goes into the log; what cannot be part of any request does not.
  if (const auto method = pseudo_text(Pseudo::Method); is_token(method)) {
    view_.method_text = method;
    view_.method = method_of(method);
  }
  view_.target = pseudo_text(Pseudo::Path);
  view_.authority = pseudo_text(Pseudo::Authority);
  if (view_.authority.empty() && host_ >= 0) view_.authority = text(lines_[static_cast<std::size_t>(host_)].value);
}

H2HeadReader::Verdict H2HeadReader::judge(bool ended) {
  check_pseudo();
  if (problem_.empty() && ended && content_length_.value_or(0) != 0)
    refuse("The content is shorter than Content-Length.");
  if (!problem_.empty()) return Verdict::Malformed;
  if (target_too_long_) return Verdict::TargetTooLong;
  if (head_bytes_ > limits_.head) return Verdict::TooLarge;
  if (field_count_ > limits_.fields) return Verdict::TooManyFields;
  if (view_.authority.empty()) return Verdict::NoHost;
  check_host();
  if (!problem_.empty()) return Verdict::Malformed;
  return unknown_expectation_ ? Verdict::Expectation : Verdict::Ok;
}

// RFC 9113 section 8.3.1. What is too large was counted only.
void H2HeadReader::check_pseudo() {
  const auto whole = [this](Pseudo which) { return pseudo(which).set && pseudo_text(which).empty(); };
  const bool kept = head_bytes_ <= limits_.head;
  if (!pseudo(Pseudo::Method).set || (kept && view_.method_text.empty()))
    return refuse("The :method is missing or malformed.");
  if (view_.method == Method::Connect) {
    // Section 8.5. The target is the authority, as in HTTP/1.1.
    if (pseudo(Pseudo::Scheme).set || pseudo(Pseudo::Path).set || view_.authority.empty())
      return refuse("A CONNECT request has only :method and :authority.");
    view_.target = view_.authority;
    return;
  }
  if (!pseudo(Pseudo::Scheme).set || !pseudo(Pseudo::Path).set) return refuse("The :scheme or :path is missing.");
  if (!kept) return;
  const auto scheme = pseudo_text(Pseudo::Scheme);
  if (!iequals(scheme, "https") && (over_tls_ || !iequals(scheme, "http")))
    return refuse("The :scheme is not that of this listener.");
  if (whole(Pseudo::Authority)) return refuse("The :authority is empty.");
  const bool asterisk = view_.target == "*" && view_.method == Method::Options;
  if (!asterisk && !view_.target.starts_with('/')) return refuse("The :path does not begin with a slash.");
  if (!std::all_of(view_.target.begin(), view_.target.end(), [](char c) { return is_class(c, kTarget); }))
    refuse("The :path has a byte that must be percent-encoded.");
}

// Two names for the authority would let a cache and an origin disagree about which one counts.
void H2HeadReader::check_host() {
  if (!is_valid_host(view_.authority)) return refuse("The authority is invalid.");
  if (host_ < 0 || !pseudo(Pseudo::Authority).set) return;
  const auto host = text(lines_[static_cast<std::size_t>(host_)].value);
  if (host == view_.authority) return;
  const std::string_view scheme = over_tls_ ? "https" : "http";
  if (normal_host(host, scheme) != normal_host(view_.authority, scheme)) refuse("Host and :authority are different.");
}

// --- H2TrailerReader ---

void H2TrailerReader::begin(const HeadLimits& limits) {
  limits_ = limits;
  fields_ = Fields();
  decoded_ = bytes_ = count_ = 0;
  ok_ = true;
}

void H2TrailerReader::add(std::string_view name, std::string_view value) {
  decoded_ += name.size() + value.size();
  bytes_ += name.size() + value.size() + kLineBytes;
  if (bytes_ > limits_.head || ++count_ > limits_.fields || !is_lower_token(name) || !is_clean_value(value))
    ok_ = false;
  if (!ok_) return;
  const FieldId id = field_id(name);
  switch (id) {
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade: ok_ = false; return;
    default: break;
  }
  if (may_be_trailer(id)) fields_.add(name, value);
}

}  // namespace forebay::http
