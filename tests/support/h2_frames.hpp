#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP/2 frames for tests, written by hand: what a client may send and what it must not. Field sections are encoded as
/// literals without indexing; those of the server are decoded by the inflater of libnghttp2.
namespace forebay::test::h2 {

enum Type : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRstStream,
  kSettings,
  kPushPromise,
  kPing,
  kGoaway,
  kWindowUpdate,
  kContinuation,
  kPriorityUpdate = 0x10
};
inline constexpr std::uint8_t kEndStream = 0x1, kAck = 0x1, kEndHeaders = 0x4, kPadded = 0x8, kHasPriority = 0x20;

enum Code : std::uint32_t {
  kNoError,
  kProtocolError,
  kInternalError,
  kFlowControlError,
  kSettingsTimeout,
  kStreamClosed,
  kFrameSizeError,
  kRefusedStream,
  kCancel,
  kCompressionError,
  kConnectError,
  kEnhanceYourCalm
};

using Lines = std::vector<std::pair<std::string, std::string>>;

inline const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string number(std::uint32_t value, unsigned bytes = 4) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>((value >> (8 * bytes)) & 0xff);
  return out;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string out = number(static_cast<std::uint32_t>(payload.size()), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out += number(stream);
  return out += payload;
}

/// A prefixed integer (RFC 7541 section 5.1).
inline std::string integer(std::uint8_t pattern, unsigned prefix, std::size_t value) {
  const std::size_t most = (std::size_t{1} << prefix) - 1;
  if (value < most) return {static_cast<char>(pattern | value)};
  std::string out(1, static_cast<char>(pattern | most));
  for (value -= most; value >= 128; value /= 128) out += static_cast<char>(value % 128 + 128);
  return out += static_cast<char>(value);
}

/// Literals without indexing, new names, no Huffman coding.
inline std::string hpack(const Lines& lines) {
  std::string out;
  for (const auto& [name, value] : lines) {
    out += '\0';
    out.append(integer(0, 7, name.size())).append(name);
    out.append(integer(0, 7, value.size())).append(value);
  }
  return out;
}

inline std::string settings(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& values = {}) {
  std::string payload;
  for (const auto& [id, value] : values) payload.append(number(id, 2)).append(number(value));
  return frame(kSettings, 0, 0, payload);
}
inline std::string settings_ack() { return frame(kSettings, kAck, 0); }
inline std::string window_update(std::uint32_t stream, std::uint32_t credit) {
  return frame(kWindowUpdate, 0, stream, number(credit));
}
inline std::string rst_stream(std::uint32_t stream, std::uint32_t code = kCancel) {
  return frame(kRstStream, 0, stream, number(code));
}
inline std::string ping(std::string_view data = "12345678", std::uint8_t flags = 0) {
  return frame(kPing, flags, 0, data);
}
inline std::string data(std::uint32_t stream, std::string_view bytes, bool ends) {
  return frame(kData, ends ? kEndStream : 0, stream, bytes);
}
inline std::string headers(std::uint32_t stream, const Lines& lines, bool ends) {
  return frame(kHeaders, static_cast<std::uint8_t>(kEndHeaders | (ends ? kEndStream : 0)), stream, hpack(lines));
}
inline std::string priority(std::uint32_t stream, std::uint32_t on, std::uint8_t weight = 15) {
  return frame(kPriority, 0, stream, number(on) + static_cast<char>(weight));
}

/// The pseudo-header fields of a GET, and more lines.
inline Lines request(std::string_view path = "/", const Lines& more = {}, std::string_view method = "GET") {
  Lines lines{
      {":method", std::string(method)}, {":scheme", "http"}, {":authority", "shop.test"}, {":path", std::string(path)}};
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}
inline std::string get(std::uint32_t stream, std::string_view path = "/", const Lines& more = {}) {
  return headers(stream, request(path, more), true);
}

struct Frame {
  std::uint8_t type = 0, flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

struct Message {
  int status = 0;  ///< 0: no head yet.
  Lines fields;
  std::size_t field(std::string_view name) const {
    std::size_t n = 0;
    for (const auto& line : fields) n += line.first == name ? 1 : 0;
    return n;
  }
  std::string get(std::string_view name) const {
    for (const auto& line : fields)
      if (line.first == name) return line.second;
    return "-";
  }
};

/// What the server has sent on one stream.
struct Stream : Message {
  std::vector<Message> interim;
  std::string body;
  Lines trailers;
  std::size_t data_frames = 0;
  bool ended = false;
  std::optional<std::uint32_t> reset;
  std::uint64_t credit = 0;  ///< By WINDOW_UPDATE.
};

/// Reads what the server sends. Throws nothing; `fault` says what a server must not send.
class Incoming {
 public:
  Incoming() {
    nghttp2_hd_inflater* made = nullptr;
    nghttp2_hd_inflate_new(&made);
    inflater_.reset(made);
  }

  void feed(std::string_view bytes) {
    buffer_ += bytes;
    while (buffer_.size() >= kHeaderSize) {
      const auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(buffer_[i]));
      };
      const std::size_t length = (byte(0) << 16) | (byte(1) << 8) | byte(2);
      if (buffer_.size() < kHeaderSize + length) return;
      Frame f;
      f.type = static_cast<std::uint8_t>(byte(3));
      f.flags = static_cast<std::uint8_t>(byte(4));
      f.stream = value_at(5) & 0x7fffffff;
      f.payload = buffer_.substr(kHeaderSize, length);
      buffer_.erase(0, kHeaderSize + length);
      if (length > 16384) fault = "a frame longer than SETTINGS_MAX_FRAME_SIZE";
      on_frame(f);
      frames.push_back(std::move(f));
    }
  }
  Stream& on(std::uint32_t id) { return streams[id]; }

  std::vector<Frame> frames;
  std::map<std::uint32_t, Stream> streams;
  std::map<std::uint16_t, std::uint32_t> settings;
  std::size_t settings_acks = 0, pongs = 0, pings = 0;
  std::vector<std::string> ping_data;
  std::uint64_t credit = 0;                                      ///< Of the connection, by WINDOW_UPDATE.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> goaways;  ///< Last stream, code.
  std::string fault;

 private:
  static constexpr std::size_t kHeaderSize = 9;
  struct Deleter {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };

  std::uint32_t value_at(std::size_t i) const { return value_of(std::string_view(buffer_).substr(i, 4)); }
  static std::uint32_t value_of(std::string_view four) {
    std::uint32_t out = 0;
    for (const char c : four) out = (out << 8) | static_cast<unsigned char>(c);
    return out;
  }

  void on_frame(const Frame& f) {
    Stream& s = streams[f.stream];
    switch (f.type) {
      case kData:
        s.body += f.payload;
        ++s.data_frames;
        if (s.status == 0 || s.ended) fault = "DATA where none belongs";
        s.ended |= (f.flags & kEndStream) != 0;
        break;
      case kHeaders:
        block_.clear();
        block_ends_stream_ = (f.flags & kEndStream) != 0;
        [[fallthrough]];
      case kContinuation:
        block_ += f.payload;
        if ((f.flags & kEndHeaders) != 0) on_section(s);
        break;
      case kRstStream: s.reset = value_of(f.payload); break;
      case kSettings:
        if ((f.flags & kAck) != 0) {
          ++settings_acks;
          break;
        }
        for (std::size_t i = 0; i + 6 <= f.payload.size(); i += 6)
          settings[static_cast<std::uint16_t>(value_of(std::string_view(f.payload).substr(i, 2)))] =
              value_of(std::string_view(f.payload).substr(i + 2, 4));
        break;
      case kPing:
        ++((f.flags & kAck) != 0 ? pongs : pings);
        ping_data.push_back(f.payload);
        break;
      case kGoaway:
        goaways.emplace_back(value_of(std::string_view(f.payload).substr(0, 4)),
                             value_of(std::string_view(f.payload).substr(4, 4)));
        break;
      case kWindowUpdate: (f.stream == 0 ? credit : s.credit) += value_of(f.payload); break;
      default: fault = "a frame of an unexpected type"; break;
    }
    if (f.stream == 0) streams.erase(0);
  }

  void on_section(Stream& s) {
    Message message;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block_.data());
    std::size_t left = block_.size();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
      nghttp2_nv nv;
      const auto used = nghttp2_hd_inflate_hd2(inflater_.get(), &nv, &flags, in, left, 1);
      if (used < 0) {
        fault = "a field section that cannot be decoded";
        break;
      }
      in += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
        message.fields.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                                    std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
    }
    nghttp2_hd_inflate_end_headers(inflater_.get());
    for (const auto& [name, value] : message.fields) {
      for (const char c : name)
        if (c >= 'A' && c <= 'Z') fault = "an upper-case name: " + name;
      if (name == "connection" || name == "transfer-encoding" || name == "keep-alive")
        fault = "a connection-specific field: " + name;
    }
    const bool has_status = !message.fields.empty() && message.fields.front().first == ":status";
    if (!has_status) {
      if (s.status == 0 || !block_ends_stream_) fault = "trailers where none belong";
      s.trailers = message.fields;
    } else {
      message.status = std::atoi(message.fields.front().second.c_str());
      if (message.status < 200) {
        if (s.status != 0 || block_ends_stream_) fault = "an interim response where none belongs";
        s.interim.push_back(message);
      } else {
        if (s.status != 0) fault = "two responses";
        static_cast<Message&>(s) = message;
      }
    }
    s.ended |= block_ends_stream_;
  }

  std::string buffer_, block_;
  bool block_ends_stream_ = false;
  std::unique_ptr<nghttp2_hd_inflater, Deleter> inflater_;
};

}  // namespace forebay::test::h2
