#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "forebay/base/guarded.hpp"
#include "forebay/http/h2_session.hpp"
#include "http/h2_frames.hpp"

// What h2_session, h2_receiving and h2_sending share. Nothing else includes it: libnghttp2 is theirs alone.

namespace forebay::http {

struct SessionDeleter {
  void operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }
};

/// Calls of the library fail where memory runs out, or where a stream or the session has ended meanwhile.
inline void checked(int result) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// Of the PING at the end of a connection.
inline constexpr std::array<std::uint8_t, 8> kEndPing{'f', 'o', 'r', 'e', 'b', 'a', 'y', 0};

struct H2Session::Private {
  Private(H2Events& its_events, const H2Limits& its_limits);

  // What the library calls. `Owner` is this.
  static int on_begin(nghttp2_session* session, const nghttp2_frame_hd* frame, void* owner);
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* owner);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t flags, void* owner);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* owner);
  static int on_data(nghttp2_session*, std::uint8_t flags, std::int32_t id, const std::uint8_t* data, std::size_t size,
                     void* owner);
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* owner);
  static int on_invalid(nghttp2_session*, const nghttp2_frame* frame, int error, void* owner);
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* owner);
  static ssize_t read_content(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t most,
                              std::uint32_t* flags, nghttp2_data_source* source, void* owner);
  static int send_content(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t size,
                          nghttp2_data_source* source, void* owner);
  static const nghttp2_session_callbacks* callbacks();
  static const nghttp2_option* options();

  /// Runs a step for the library, whose state would not survive that memory runs out in it. Any other exception is a
  /// mistake of ours, and ends the process where it was thrown.
  template <class Step>
  static int shielded(void* owner, Step&& step) {
    auto& self = *static_cast<Private*>(owner);
    int result = 0;
    guarded([&] { result = step(self); },
            [&] {
              self.no_memory = true;
              result = NGHTTP2_ERR_CALLBACK_FAILURE;
            });
    return result;
  }
  H2Stream* find(H2StreamId id) const noexcept {
    return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session.get(), id));
  }
  void begin_section(const nghttp2_frame& frame);
  int add_line(std::string_view name, std::string_view value);
  void end_section(const nghttp2_frame& frame);
  void end_head(H2StreamId id, bool ended);
  void set_priority(H2StreamId id, std::string_view value);
  void end_content(H2Stream& stream, Fields& trailers);
  void malformed(H2Stream& stream);
  void reset(H2StreamId id, H2Error code);
  void start_lines(int status);
  void add_lines(FieldsView fields);
  void fail_if_out_of_memory() const {
    if (no_memory) throw std::bad_alloc();
  }
  void note_abuse(H2Abuse kind) { scan.count(kind, now); }
  void take_preface(std::string_view& bytes);
  void leave_open(H2StreamId id);
  void check_abuse();
  void terminate(std::uint32_t code);

  H2Events& events;
  H2Limits limits;
  std::unique_ptr<nghttp2_session, SessionDeleter> session;
  H2FrameScan scan;
  H2HeadReader head;
  H2TrailerReader trailers;
  H2Portion portion;
  std::vector<nghttp2_nv> lines;
  H2Output* out = nullptr;
  Timestamp now{}, preface_since = Timestamp::max();
  std::size_t preface_seen = 0;
  char status_text[4]{}, length_text[24]{};
  // Streams that were closed last, not by the client: it may still send on them. In a ring, once there are many.
  std::vector<H2StreamId> left_open;
  std::size_t left_open_next = 0;
  H2StreamId last_stream = 0, reset_by_client = 0;
  bool in_trailers = false, no_memory = false, opened = false, ended = false;
  bool refusing = false;       // no stream is opened any more
  bool closed_stream = false;  // the client has sent something on a stream that is closed
};

}  // namespace forebay::http
