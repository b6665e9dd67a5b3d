#include "forebay/http/h2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <string>
#include <vector>

#include "forebay/base/guarded.hpp"
#include "forebay/http/structured_fields.hpp"
#include "http/h2_frames.hpp"

namespace forebay::http {
namespace {

constexpr std::string_view kPreface{NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN};
// A field section may decode to so many times its limit: it is read to its end, so that the client gets a 431.
constexpr std::size_t kMostDecoded = 4;
constexpr std::size_t kMostAcks = 500;  // queued; the budgets end such a client earlier

constexpr std::array<std::uint8_t, 8> kEndPing{'f', 'o', 'r', 'e', 'b', 'a', 'y', 0};

// Limits of the library that newer versions have; here the budgets of H2FrameScan come first. Where the library has
// them, its functions are the better match.
template <class T>
void nghttp2_option_set_max_continuations(T*, std::size_t) {}
template <class T>
void nghttp2_option_set_stream_reset_rate_limit(T*, std::uint64_t, std::uint64_t) {}

struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const noexcept { nghttp2_session_callbacks_del(callbacks); }
};
struct OptionDeleter {
  void operator()(nghttp2_option* option) const noexcept { nghttp2_option_del(option); }
};
struct SessionDeleter {
  void operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }
};
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>;
using Option = std::unique_ptr<nghttp2_option, OptionDeleter>;

/// Calls of the library fail where memory runs out, or where a stream or the session has ended meanwhile.
void checked(int result) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv line_of(std::string_view name, std::string_view value, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) noexcept {
  // The library takes pointers to what it only reads.
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

}  // namespace

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
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* owner);
  static ssize_t read_content(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t most,
                              std::uint32_t* flags, nghttp2_data_source* source, void* owner);
  static int send_content(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t size,
                          nghttp2_data_source* source, void* owner);
  static const nghttp2_session_callbacks* callbacks();
  static const nghttp2_option* options();

  /// Runs a step for the library, which cannot be left by an exception.
  template <class Step>
  static int shielded(void* owner, Step&& step) noexcept {
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
  // Streams that were closed last, not by the client: it may still send on them.
  std::array<H2StreamId, 256> left_open{};
  std::size_t left_open_next = 0;
  H2StreamId last_stream = 0, reset_by_client = 0;
  bool in_trailers = false, no_memory = false, opened = false, ended = false;
  bool closed_stream = false;  // the client has sent something on a stream that is closed
};

H2Session::Private::Private(H2Events& its_events, const H2Limits& its_limits)
    : events(its_events), limits(its_limits), scan(its_limits.head.head) {
  nghttp2_session* made = nullptr;
  checked(nghttp2_session_server_new2(&made, callbacks(), this, options()));
  session.reset(made);
  // With the allowance that clients add for each field (RFC 9113 section 6.5.2).
  const auto list =
      static_cast<std::uint32_t>(std::min<std::size_t>(limits.head.head + 32 * limits.head.fields, INT32_MAX));
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, list},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  checked(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings, std::size(settings)));
  checked(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0,
                                                static_cast<std::int32_t>(limits.connection_window)));
}

// Both are made once, and are only read afterwards.
const nghttp2_session_callbacks* H2Session::Private::callbacks() {
  static const Callbacks kCallbacks = [] {
    nghttp2_session_callbacks* made = nullptr;
    checked(nghttp2_session_callbacks_new(&made));
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, on_begin);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, send_content);
    return Callbacks(made);
  }();
  return kCallbacks.get();
}

const nghttp2_option* H2Session::Private::options() {
  static const Option kOption = [] {
    nghttp2_option* made = nullptr;
    checked(nghttp2_option_new(&made));
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_recv_client_magic(made, 1);
    // H2HeadReader checks messages, as RequestParser does for HTTP/1: one place that says why.
    nghttp2_option_set_no_http_messaging(made, 1);
    nghttp2_option_set_max_outbound_ack(made, kMostAcks);
    nghttp2_option_set_builtin_recv_extension_type(made, NGHTTP2_PRIORITY_UPDATE);
    nghttp2_option_set_max_continuations(made, std::size_t{1} << 20);
    nghttp2_option_set_stream_reset_rate_limit(made, std::uint64_t{1} << 30, std::uint64_t{1} << 30);
    return Option(made);
  }();
  return kOption.get();
}

// --- what the client sends ---

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
    static Fields none;
    const auto id = frame->hd.stream_id;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: self.end_section(*frame); break;
      case NGHTTP2_DATA:
        if (!ends && frame->hd.length != 0 && frame->hd.length == frame->data.padlen) self.note_abuse(H2Abuse::Empty);
        if (H2Stream* stream = ends ? self.find(id) : nullptr) self.end_content(*stream, none);
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

// RFC 9218 section 4; a value that is malformed counts as absent.
void H2Session::Private::set_priority(H2StreamId id, std::string_view value) {
  nghttp2_extpri priority{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 0};
  // Browsers write it in one way, with every request.
  if (value.size() >= 3 && value.starts_with("u=") && value[2] >= '0' && value[2] <= '7' &&
      (value.size() == 3 || value.substr(3) == ", i")) {
    priority.urgency = static_cast<std::uint32_t>(value[2] - '0');
    priority.inc = value.size() == 3 ? 0 : 1;
    checked(nghttp2_session_change_extpri_stream_priority(session.get(), id, &priority, 0));
    return;
  }
  const auto members = sf::parse_dictionary(value);
  if (!members) return;
  for (const auto& [key, member] : *members) {
    const auto* item = std::get_if<sf::Item>(&member);
    if (!item) continue;
    if (const auto* urgency = std::get_if<std::int64_t>(&item->value); key == "u" && urgency)
      if (*urgency >= 0 && *urgency <= NGHTTP2_EXTPRI_URGENCY_LOW)
        priority.urgency = static_cast<std::uint32_t>(*urgency);
    if (const auto* incremental = std::get_if<bool>(&item->value); key == "i" && incremental)
      priority.inc = *incremental ? 1 : 0;
  }
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

void H2Session::Private::reset(H2StreamId id, H2Error code) {
  checked(nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(code)));
}

int H2Session::Private::on_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* owner) {
  return shielded(owner, [&](Private& self) {
    if (id != self.reset_by_client && nghttp2_session_get_stream_remote_close(session, id) != 1)
      self.left_open[self.left_open_next++ % self.left_open.size()] = id;
    if (H2Stream* stream = self.find(id)) self.events.on_closed(*stream);
    return 0;
  });
}

// --- what the client gets ---

int H2Session::Private::on_sent(nghttp2_session*, const nghttp2_frame* frame, void* owner) {
  return shielded(owner, [&](Private& self) {
    const auto id = frame->hd.stream_id;
    switch (frame->hd.type) {
      case NGHTTP2_RST_STREAM: {
        // What a client makes us reset counts as what it resets.
        const auto code = static_cast<H2Error>(frame->rst_stream.error_code);
        if (code == H2Error::Protocol || code == H2Error::FlowControl || code == H2Error::StreamClosed ||
            code == H2Error::FrameSize || code == H2Error::RefusedStream)
          self.note_abuse(H2Abuse::Reset);
        return 0;
      }
      case NGHTTP2_DATA: self.scan.give(H2Abuse::Window, 4); break;
      case NGHTTP2_HEADERS: break;
      default: return 0;
    }
    H2Stream* stream = self.find(id);
    if (!stream) return 0;
    if (frame->hd.type == NGHTTP2_DATA)
      self.events.on_content_sent(*stream, frame->hd.length);
    else if (frame->headers.cat != NGHTTP2_HCAT_HEADERS)
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

// --- H2Session ---

H2Session::H2Session(H2Events& events, const H2Limits& limits) : p_(std::make_unique<Private>(events, limits)) {}
H2Session::~H2Session() = default;

void H2Session::Private::take_preface(std::string_view& bytes) {
  if (preface_seen == 0 && !bytes.empty()) preface_since = now;
  const auto take = std::min(bytes.size(), kPreface.size() - preface_seen);
  if (bytes.substr(0, take) != kPreface.substr(preface_seen, take)) {
    // RFC 9113 section 3.4.
    terminate(NGHTTP2_PROTOCOL_ERROR);
  }
  preface_seen += take;
  bytes.remove_prefix(take);
}

void H2Session::Private::check_abuse() {
  if (!ended && scan.abuse()) terminate(NGHTTP2_ENHANCE_YOUR_CALM);
}

void H2Session::Private::terminate(std::uint32_t code) {
  ended = true;
  checked(nghttp2_session_terminate_session(session.get(), code));
}

void H2Session::feed(std::string_view bytes, Timestamp now) {
  auto& p = *p_;
  p.now = now;
  if (p.ended) return;
  if (p.preface_seen < kPreface.size()) p.take_preface(bytes);
  if (p.ended || bytes.empty()) return;
  const auto allowed = bytes.substr(0, p.scan.scan(bytes, now));
  const auto taken =
      nghttp2_session_mem_recv(p.session.get(), reinterpret_cast<const std::uint8_t*>(allowed.data()), allowed.size());
  p.fail_if_out_of_memory();
  checked(static_cast<int>(std::min<ssize_t>(taken, 0)));
  p.check_abuse();
  if (p.ended) return;
  if (p.scan.broken()) return p.terminate(NGHTTP2_PROTOCOL_ERROR);
  if (p.closed_stream) return p.terminate(NGHTTP2_STREAM_CLOSED);
  // Too many answers to SETTINGS and PING are queued; nothing else is left by the checks before.
  if (taken < 0) p.terminate(taken == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_INTERNAL_ERROR);
}

bool H2Session::produce(H2Output& out) {
  auto& p = *p_;
  p.out = &out;
  while (!out.full()) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(p.session.get(), &bytes);
    p.fail_if_out_of_memory();
    checked(static_cast<int>(std::min<ssize_t>(size, 0)));
    if (size <= 0) {
      p.check_abuse();
      // The check may have queued a GOAWAY.
      return out.full() || nghttp2_session_want_write(p.session.get()) != 0;
    }
    out.text(text_of(bytes, static_cast<std::size_t>(size)));
  }
  return true;
}

void H2Session::attach(H2StreamId id, H2Stream& stream) {
  stream.id = id;
  stream.content_left = p_->head.content_length();
  checked(nghttp2_session_set_stream_user_data(p_->session.get(), id, &stream));
}

void H2Session::detach(H2Stream& stream) {
  (void)nghttp2_session_set_stream_user_data(p_->session.get(), stream.id, nullptr);
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

void H2Session::resume(H2StreamId id) { checked(nghttp2_session_resume_data(p_->session.get(), id)); }

void H2Session::reset(H2StreamId id, H2Error code) { p_->reset(id, code); }

void H2Session::consume(H2StreamId id, std::size_t bytes) {
  checked(nghttp2_session_consume(p_->session.get(), id, bytes));
}

void H2Session::drop(std::size_t bytes) { checked(nghttp2_session_consume_connection(p_->session.get(), bytes)); }

std::int32_t H2Session::credit(H2StreamId id) const noexcept {
  return nghttp2_session_get_stream_remote_window_size(p_->session.get(), id);
}

std::int32_t H2Session::credit() const noexcept { return nghttp2_session_get_remote_window_size(p_->session.get()); }

void H2Session::announce_end() {
  checked(nghttp2_submit_shutdown_notice(p_->session.get()));
  checked(nghttp2_submit_ping(p_->session.get(), NGHTTP2_FLAG_NONE, kEndPing.data()));
}

void H2Session::refuse_more() {
  auto* session = p_->session.get();
  checked(nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                                NGHTTP2_NO_ERROR, nullptr, 0));
}

void H2Session::terminate(H2Error code) {
  if (!p_->ended) p_->terminate(static_cast<std::uint32_t>(code));
}

Timestamp H2Session::head_since() const noexcept {
  return p_->preface_seen != 0 && !p_->opened ? p_->preface_since : p_->scan.head_since();
}

bool H2Session::opened() const noexcept { return p_->opened; }

std::optional<H2Abuse> H2Session::abuse() const noexcept { return p_->scan.abuse(); }

bool H2Session::over() const noexcept {
  return nghttp2_session_want_read(p_->session.get()) == 0 && nghttp2_session_want_write(p_->session.get()) == 0;
}

void H2Session::release() { p_->head.release(); }

}  // namespace forebay::http
