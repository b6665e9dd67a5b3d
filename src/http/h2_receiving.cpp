#include <algorithm>

#include "http/h2_priority.hpp"
#include "http/h2_private.hpp"

// What the client sends, as the library tells it.

namespace forebay::http {
namespace {

// A field section may decode to so many times its limit: it is read to its end, so that the client gets a 431.
constexpr std::size_t kMostDecoded = 4;

}  // namespace

// Of streams that the client may not know to be closed there are no more than are open at a time, and those that were
// refused, which have a budget.
void H2Session::Private::leave_open(H2StreamId id) {
  constexpr std::size_t kRefused = 400;
  const std::size_t most = limits.streams + kRefused;
  if (left_open.size() < most)
    left_open.push_back(id);
  else
    left_open[left_open_next++ % most] = id;
}

// RFC 9113 section 5.1, "closed": what follows on a stream that the client has ended or reset, or that it has skipped,
// is an error. It is not where we have ended the stream, since the client may not know that yet.
int H2Session::Private::on_begin(nghttp2_session* session, const nghttp2_frame_hd* frame, void* owner) {
  return shielded(owner, [&](Private& self) -> int {
    const auto id = frame->stream_id;
    if (frame->type == NGHTTP2_HEADERS && id > self.last_stream) {
      self.last_stream = id;
      return 0;
    }
    if ((frame->type != NGHTTP2_HEADERS && frame->type != NGHTTP2_DATA) || id <= 0 || id > self.last_stream) return 0;
    if (id % 2 == 0 || nghttp2_session_find_stream(session, id) != nullptr) return 0;
    if (std::find(self.left_open.begin(), self.left_open.end(), id) != self.left_open.end()) return 0;
    // After our GOAWAY the library skips new streams, which the client may have begun before it knew.
    if (self.refusing && id > nghttp2_session_get_last_proc_stream_id(session)) return 0;
    self.closed_stream = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  });
}

int H2Session::Private::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* owner) {
  return shielded(owner, [&](Private& self) {
    self.begin_section(*frame);
    return 0;
  });
}

int H2Session::Private::on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                                  std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                                  std::uint8_t, void* owner) {
  return shielded(owner,
                  [&](Private& self) { return self.add_line(text_of(name, name_size), text_of(value, value_size)); });
}

void H2Session::Private::begin_section(const nghttp2_frame& frame) {
  in_trailers = frame.headers.cat != NGHTTP2_HCAT_REQUEST;
  if (in_trailers)
    trailers.begin(limits.head);
  else
    head.begin(limits.head, limits.over_tls);
}

int H2Session::Private::add_line(std::string_view name, std::string_view value) {
  in_trailers ? trailers.add(name, value) : head.add(name, value);
  const std::size_t decoded = in_trailers ? trailers.decoded() : head.decoded();
  if (decoded <= kMostDecoded * limits.head.head) return 0;
  scan.condemn(H2Abuse::Headers);
  return NGHTTP2_ERR_PAUSE;
}

int H2Session::Private::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* owner) {
  return shielded(owner, [&](Private& self) {
    const auto id = frame->hd.stream_id;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: self.end_section(*frame); break;
      case NGHTTP2_DATA:
        if (!ends && frame->hd.length != 0 && frame->hd.length == frame->data.padlen) self.note_abuse(H2Abuse::Empty);
        if (H2Stream* stream = ends ? self.find(id) : nullptr) {
          Fields none;  // its owner takes it
          self.end_content(*stream, none);
        }
        break;
      case NGHTTP2_SETTINGS:
        self.opened = true;
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) self.events.on_credit(nullptr);
        break;
      case NGHTTP2_WINDOW_UPDATE:
        if (id == 0) {
          self.events.on_credit(nullptr);
        } else if (H2Stream* stream = self.find(id)) {
          self.events.on_credit(stream);
        }
        break;
      case NGHTTP2_RST_STREAM: self.reset_by_client = id; break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
            std::equal(kEndPing.begin(), kEndPing.end(), frame->ping.opaque_data))
          self.events.on_pong();
        break;
      default: break;
    }
    return 0;
  });
}

void H2Session::Private::end_section(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!in_trailers) return end_head(frame.hd.stream_id, ends);
  H2Stream* stream = find(frame.hd.stream_id);
  if (!stream) return;
  // RFC 9113 section 8.1: trailers end the stream.
  if (!ends || !trailers.ok()) return malformed(*stream);
  end_content(*stream, trailers.fields());
}

void H2Session::Private::end_head(H2StreamId id, bool ends) {
  using Verdict = H2HeadReader::Verdict;
  const Verdict verdict = head.finish(ends);
  if (verdict == Verdict::Ok) {
    if (const auto priority = head.priority(); !priority.empty()) set_priority(id, priority);
    events.on_request(id, head, ends);
  } else {
    if (verdict == Verdict::Malformed) reset(id, H2Error::Protocol);
    events.on_refused(id, head, verdict, ends);
  }
}

void H2Session::Private::set_priority(H2StreamId id, std::string_view value) {
  const auto wanted = parse_priority(value);
  if (!wanted) return;
  const nghttp2_extpri priority{wanted->urgency, wanted->incremental ? 1 : 0};
  checked(nghttp2_session_change_extpri_stream_priority(session.get(), id, &priority, 0));
}

int H2Session::Private::on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                                std::size_t size, void* owner) {
  return shielded(owner, [&](Private& self) {
    H2Stream* stream = self.find(id);
    if (!stream) {
      checked(nghttp2_session_consume_connection(session, size));
      return 0;
    }
    if (stream->content_left) {
      if (*stream->content_left < size) {
        checked(nghttp2_session_consume_connection(session, size));
        self.malformed(*stream);
        return 0;
      }
      *stream->content_left -= size;
    }
    self.events.on_content(*stream, text_of(data, size));
    return 0;
  });
}

void H2Session::Private::end_content(H2Stream& stream, Fields& fields) {
  if (stream.content_left.value_or(0) != 0) return malformed(stream);
  stream.content_ended = true;
  events.on_content_end(stream, fields);
}

void H2Session::Private::malformed(H2Stream& stream) {
  reset(stream.id, H2Error::Protocol);
  events.on_content_malformed(stream);
}

// A stream that the client makes us reset counts as one that it resets. It counts now: the frame may have to wait.
void H2Session::Private::reset(H2StreamId id, H2Error code) {
  if (code == H2Error::Protocol) note_abuse(H2Abuse::Reset);
  checked(nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(code)));
}

// The library refuses or resets the stream. One that it refuses was never opened; its content may be on its way.
int H2Session::Private::on_invalid(nghttp2_session* session, const nghttp2_frame* frame, int error, void* owner) {
  return shielded(owner, [&](Private& self) {
    self.note_abuse(H2Abuse::Reset);
    const auto id = frame->hd.stream_id;
    if (error == NGHTTP2_ERR_REFUSED_STREAM && nghttp2_session_find_stream(session, id) == nullptr) self.leave_open(id);
    return 0;
  });
}

int H2Session::Private::on_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* owner) {
  return shielded(owner, [&](Private& self) {
    if (id != self.reset_by_client && nghttp2_session_get_stream_remote_close(session, id) != 1) self.leave_open(id);
    if (H2Stream* stream = self.find(id)) self.events.on_closed(*stream);
    return 0;
  });
}

}  // namespace forebay::http
