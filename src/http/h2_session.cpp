#include "forebay/http/h2_session.hpp"

#include <algorithm>
#include <utility>

#include "http/h2_private.hpp"

namespace forebay::http {
namespace {

constexpr std::string_view kPreface{NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN};
constexpr std::size_t kMostAcks = 500;  // queued; the budgets end such a client earlier

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
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>;
using Option = std::unique_ptr<nghttp2_option, OptionDeleter>;

}  // namespace

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
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid);
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

void H2Session::resume(H2StreamId id) { checked(nghttp2_session_resume_data(p_->session.get(), id)); }

void H2Session::reset(H2StreamId id, H2Error code) { p_->reset(id, code); }

void H2Session::refill(H2StreamId id, std::size_t bytes) {
  checked(nghttp2_session_consume_stream(p_->session.get(), id, bytes));
}

void H2Session::refill(std::size_t bytes) { checked(nghttp2_session_consume_connection(p_->session.get(), bytes)); }

std::int32_t H2Session::credit(H2StreamId id) const noexcept {
  return nghttp2_session_get_stream_remote_window_size(p_->session.get(), id);
}

std::int32_t H2Session::credit() const noexcept { return nghttp2_session_get_remote_window_size(p_->session.get()); }

std::int32_t H2Session::room() const noexcept { return nghttp2_session_get_local_window_size(p_->session.get()); }

void H2Session::announce_end() {
  checked(nghttp2_submit_shutdown_notice(p_->session.get()));
  checked(nghttp2_submit_ping(p_->session.get(), NGHTTP2_FLAG_NONE, kEndPing.data()));
}

void H2Session::refuse_more() {
  auto* session = p_->session.get();
  p_->refusing = true;
  checked(nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                                NGHTTP2_NO_ERROR, nullptr, 0));
}

void H2Session::terminate(H2Error code) {
  if (!p_->ended) p_->terminate(static_cast<std::uint32_t>(code));
}

Timestamp H2Session::head_since() const noexcept {
  if (p_->ended) return Timestamp::max();
  return p_->preface_seen != 0 && !p_->opened ? p_->preface_since : p_->scan.head_since();
}

bool H2Session::opened() const noexcept { return p_->opened; }

std::optional<H2Abuse> H2Session::abuse() const noexcept { return p_->scan.abuse(); }

bool H2Session::over() const noexcept {
  return nghttp2_session_want_read(p_->session.get()) == 0 && nghttp2_session_want_write(p_->session.get()) == 0;
}

void H2Session::release() { p_->head.release(); }

}  // namespace forebay::http
