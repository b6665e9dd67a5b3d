#include <charconv>
#include <utility>

#include "http/h2_private.hpp"

// What the client gets.

namespace forebay::http {
namespace {

nghttp2_nv line_of(std::string_view name, std::string_view value, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) noexcept {
  // The library takes pointers to what it only reads.
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

// The library's category tells only which HEADERS frame was the first, which may be that of an interim response, and
// trailers have no status (RFC 9113 section 8.1).
bool is_final_head(const nghttp2_headers& headers) noexcept {
  if (headers.nvlen == 0) return false;
  const nghttp2_nv& first = headers.nva[0];
  return text_of(first.name, first.namelen) == ":status" && first.valuelen != 0 && first.value[0] != '1';
}

}  // namespace

int H2Session::Private::on_sent(nghttp2_session*, const nghttp2_frame* frame, void* owner) {
  return shielded(owner, [&](Private& self) {
    const auto id = frame->hd.stream_id;
    switch (frame->hd.type) {
      case NGHTTP2_DATA: self.scan.give(H2Abuse::Window, 4); break;
      case NGHTTP2_HEADERS: break;
      default: return 0;
    }
    H2Stream* stream = self.find(id);
    if (!stream) return 0;
    if (frame->hd.type == NGHTTP2_DATA)
      self.events.on_content_sent(*stream, frame->hd.length);
    else if (is_final_head(frame->headers))
      self.events.on_head_sent(*stream);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      // RFC 9113 section 8.1: the rest of the content is not needed.
      if (!stream->content_ended) self.reset(id, H2Error::NoError);
      self.events.on_end_sent(*stream);
    }
    return 0;
  });
}

ssize_t H2Session::Private::read_content(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t most,
                                         std::uint32_t* flags, nghttp2_data_source*, void* owner) {
  ssize_t bytes = 0;
  const int result = shielded(owner, [&](Private& self) -> int {
    H2Portion& portion = self.portion;
    portion.slices.clear();
    portion.bytes = 0;
    portion.ended = false;
    portion.trailers = nullptr;
    H2Stream* stream = self.find(id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    switch (self.events.pull(*stream, most, portion)) {
      case H2Portion::State::Wait: return NGHTTP2_ERR_DEFERRED;
      case H2Portion::State::Broken: return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      case H2Portion::State::Data: break;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (portion.ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (portion.trailers != nullptr && !portion.trailers->view().empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        self.lines.clear();
        self.add_lines(portion.trailers->view());
        checked(nghttp2_submit_trailer(session, id, self.lines.data(), self.lines.size()));
      }
    }
    bytes = static_cast<ssize_t>(portion.bytes);
    return 0;
  });
  return result != 0 ? result : bytes;
}

int H2Session::Private::send_content(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header, std::size_t,
                                     nghttp2_data_source*, void* owner) {
  constexpr std::size_t kFrameHeader = 9;
  return shielded(owner, [&](Private& self) -> int {
    if (self.out->full()) return NGHTTP2_ERR_WOULDBLOCK;
    self.out->text(text_of(header, kFrameHeader));
    for (Slice& slice : self.portion.slices) self.out->content(std::move(slice));
    self.portion.slices.clear();
    return 0;
  });
}

void H2Session::Private::start_lines(int status) {
  lines.clear();
  for (int i = 2, rest = status; i >= 0; --i, rest /= 10) status_text[i] = static_cast<char>('0' + rest % 10);
  lines.push_back(line_of(":status", {status_text, 3}));
}

// The library writes names in lower case as it copies them. Cookies and challenges stay out of the compression state.
void H2Session::Private::add_lines(FieldsView fields) {
  for (const Field& f : fields) {
    const bool secret = f.id == FieldId::SetCookie || f.id == FieldId::ProxyAuthenticate;
    lines.push_back(line_of(f.name, f.value, secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE));
  }
}

void H2Session::answer(H2StreamId id, const H2AnswerHead& head, bool has_content) {
  auto& p = *p_;
  p.start_lines(head.status);
  p.add_lines(head.fields);
  p.add_lines(head.added);
  if (!head.date.empty()) p.lines.push_back(line_of("date", head.date));
  if (head.length) {
    const char* end = std::to_chars(std::begin(p.length_text), std::end(p.length_text), *head.length).ptr;
    p.lines.push_back(line_of("content-length", {p.length_text, static_cast<std::size_t>(end - p.length_text)}));
  }
  nghttp2_data_provider content{};
  content.read_callback = Private::read_content;
  checked(
      nghttp2_submit_response(p.session.get(), id, p.lines.data(), p.lines.size(), has_content ? &content : nullptr));
}

void H2Session::interim(H2StreamId id, int status, FieldsView fields) {
  auto& p = *p_;
  p.start_lines(status);
  p.add_lines(fields);
  checked(
      nghttp2_submit_headers(p.session.get(), NGHTTP2_FLAG_NONE, id, nullptr, p.lines.data(), p.lines.size(), nullptr));
}

}  // namespace forebay::http
