#include "upstream/request_sender.hpp"

#include "forebay/base/text.hpp"
#include "forebay/http/h1_writer.hpp"

namespace forebay::upstream {

namespace {
// RFC 9110 section 8.6: Content-Length: 0 for a method that expects content.
bool expects_content(http::Method m) {
  return m == http::Method::Post || m == http::Method::Put || m == http::Method::Patch || m == http::Method::Query;
}

// More of a body than this is not kept for a second attempt.
constexpr std::size_t kKept = 64 * 1024;

bool goes_out(const http::Field& f) {
  return !http::is_hop_by_hop(f.id) && f.id != http::FieldId::ContentLength && f.id != http::FieldId::Expect;
}

std::string head_of(http::Method method, std::string_view method_text, std::string_view target, http::FieldsView fields,
                    std::string_view upgrade, bool has_body, std::optional<std::uint64_t> length) {
  std::string head;
  head.reserve(512);
  http::append_request_line(head, method_text, target);
  for (const auto& f : fields) {
    if (goes_out(f)) http::append_line(head, f.name, f.value);
  }
  if (!upgrade.empty()) {
    http::append_line(head, http::FieldId::Connection, "upgrade");
    http::append_line(head, http::FieldId::Upgrade, upgrade);
  }
  if (has_body && !length) {
    http::append_line(head, http::FieldId::TransferEncoding, "chunked");
  } else if (has_body || expects_content(method)) {
    head.append("Content-Length: ");
    append_number(head, length.value_or(0));
    head.append("\r\n");
  }
  return head;
}
}  // namespace

RequestSender::RequestSender(const FetchRequest& request, Origin* origin)
    : method_(request.method),
      method_text_(request.method_text),
      upgrade_(request.upgrade),
      origin_(origin),
      late_head_(request.head),
      body_(request.body),
      length_(body_ ? body_->length() : std::nullopt),
      keeping_((http::is_idempotent(request.method) || request.repeatable) &&
               (!body_ || (!body_->begun() && !body_->can_rewind()))) {
  if (!late_head_)
    head_ = head_of(method_, method_text_, request.target, request.fields, upgrade_, body_ != nullptr, length_);
  begin();
}

bool RequestSender::make_head() {
  if (!head_.empty()) return true;
  std::string target;
  http::Fields fields;
  refusal_ = late_head_->compose(*origin_, *url_, target, fields);
  if (!refusal_.empty()) return false;
  head_ = head_of(method_, method_text_, target, fields, upgrade_, body_ != nullptr, length_);
  return true;
}

// A head that was made for another url, or some time ago, is made again.
void RequestSender::rewind(const config::Url& url) {
  url_ = &url;
  if (late_head_) head_.clear();
  begin();
}

void RequestSender::begin() {
  left_ = length_.value_or(0);
  head_added_ = false;
  complete_ = body_ == nullptr;
  first_ = last_ = 0;
  resent_ = 0;
  // After a 100, a retry does not send Expect again.
  holding_ = body_ && kept_.empty() && body_->awaits_continue();
  if (body_ && body_->begun() && body_->can_rewind()) body_->rewind();
}

net::BodySource::State RequestSender::pull(std::string_view& bytes) {
  if (resent_ < kept_.size()) {
    bytes = std::string_view(kept_).substr(resent_);
    resent_ = kept_.size();
    return net::BodySource::State::Data;
  }
  const auto state = body_->pull(bytes);
  if (state != net::BodySource::State::Data || !keeping_) return state;
  keeping_ = kept_.size() + bytes.size() <= kKept;
  if (keeping_)
    kept_.append(bytes);
  else
    kept_ = {};
  resent_ = kept_.size();
  return state;
}

RequestSender::Next RequestSender::next() {
  if (first_ != last_) return Next::Write;
  first_ = last_ = 0;
  if (!head_added_) {
    if (!make_head()) return Next::Refused;
    head_added_ = true;
    add(head_);
    if (holding_) add("Expect: 100-continue\r\n");
    add("\r\n");
  }
  const auto otherwise = [this](Next next) { return last_ != 0 ? Next::Write : next; };
  if (complete_) return last_ != 0 ? Next::Write : sent();
  if (holding_) return otherwise(Next::Hold);
  std::string_view bytes;
  switch (pull(bytes)) {
    case net::BodySource::State::Data: return add_content(bytes);
    case net::BodySource::State::Wait: return otherwise(Next::Wait);
    case net::BodySource::State::End: return end_content() == Next::Broken ? Next::Broken : otherwise(Next::Sent);
    case net::BodySource::State::Broken:
    case net::BodySource::State::TooLarge: break;
  }
  return Next::Broken;
}

// The head is freed, since it can be generated again.
RequestSender::Next RequestSender::sent() noexcept {
  if (late_head_) std::string().swap(head_);
  return Next::Sent;
}

RequestSender::Next RequestSender::add_content(std::string_view bytes) {
  if (!length_) {
    frame_.clear();
    http::append_chunk_size(frame_, bytes.size());
    add(frame_);
    add(bytes);
    add("\r\n");
    return Next::Write;
  }
  if (bytes.size() > left_) return Next::Broken;
  left_ -= bytes.size();
  complete_ = left_ == 0;
  add(bytes);
  return Next::Write;
}

RequestSender::Next RequestSender::end_content() {
  if (left_ != 0) return Next::Broken;
  complete_ = true;
  if (length_) return Next::Sent;
  frame_.clear();
  http::Fields trailers = body_->trailers();
  if (late_head_ && !trailers.view().empty()) late_head_->trim(*origin_, trailers);
  http::append_last_chunk(frame_, trailers);
  add(frame_);
  return Next::Write;
}

void RequestSender::written(std::size_t n) noexcept {
  while (first_ != last_ && n >= parts_[first_].size()) n -= parts_[first_++].size();
  if (first_ != last_) parts_[first_].remove_prefix(n);
}

}  // namespace forebay::upstream
