#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "forebay/content/encoder.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::content {
namespace {

constexpr std::array<std::string_view, kCompressions> kNames{"gzip", "br", "zstd"};

class GzipEncoder final : public Encoder {
 public:
  explicit GzipEncoder(std::uint64_t) {}
  ~GzipEncoder() override {
    if (open_) deflateEnd(&stream_);
  }
  bool open() {
    constexpr int kLevel = 6, kMemory = 8;
    open_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, MAX_WBITS + 16, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
    return open_;
  }

  Result<std::size_t> take(std::string_view& in, char* out, std::size_t room) override {
    std::size_t made = 0;
    while (made < room && !in.empty()) made += step(in, out + made, room - made, Z_NO_FLUSH);
    return made;
  }
  Result<std::size_t> finish(char* out, std::size_t room) override {
    std::size_t made = 0;
    std::string_view none;
    while (made < room && !ended_) made += step(none, out + made, room - made, Z_FINISH);
    return made;
  }

 private:
  std::size_t step(std::string_view& in, char* out, std::size_t room, int flush) {
    const uInt given = limited(in.size());
    const uInt space = limited(room);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = given;
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = space;
    // All memory was allocated by deflateInit2, so that nothing can fail from here on.
    ended_ = deflate(&stream_, flush) == Z_STREAM_END;
    in.remove_prefix(given - stream_.avail_in);
    return space - stream_.avail_out;
  }
  static uInt limited(std::size_t n) noexcept {
    return static_cast<uInt>(std::min<std::size_t>(n, std::numeric_limits<uInt>::max()));
  }

  z_stream stream_{};
  bool open_ = false;
  bool ended_ = false;
};

class BrotliEncoder final : public Encoder {
 public:
  explicit BrotliEncoder(std::uint64_t length) : length_(length) {}
  bool open() {
    constexpr std::uint32_t kQuality = 5;
    // A window larger than the content only costs memory.
    const int bits = static_cast<int>(std::bit_width(length_ + 16));
    const auto window = static_cast<std::uint32_t>(std::clamp(bits, BROTLI_MIN_WINDOW_BITS + 6, 20));
    const auto hint = static_cast<std::uint32_t>(std::min<std::uint64_t>(length_, 1U << 30));
    return state_ && set(BROTLI_PARAM_QUALITY, kQuality) && set(BROTLI_PARAM_LGWIN, window) &&
           set(BROTLI_PARAM_SIZE_HINT, hint);
  }

  Result<std::size_t> take(std::string_view& in, char* out, std::size_t room) override {
    return step(in, out, room, BROTLI_OPERATION_PROCESS);
  }
  Result<std::size_t> finish(char* out, std::size_t room) override {
    std::string_view none;
    return step(none, out, room, BROTLI_OPERATION_FINISH);
  }

 private:
  bool set(BrotliEncoderParameter parameter, std::uint32_t value) {
    return BrotliEncoderSetParameter(state_.get(), parameter, value) == BROTLI_TRUE;
  }
  Result<std::size_t> step(std::string_view& in, char* out, std::size_t room, BrotliEncoderOperation operation) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* to = reinterpret_cast<std::uint8_t*>(out);
    std::size_t given = in.size(), space = room;
    while (space != 0) {
      const std::size_t before = given + space;
      if (BrotliEncoderCompressStream(state_.get(), operation, &given, &from, &space, &to, nullptr) != BROTLI_TRUE)
        return Errc::OutOfMemory;
      if (given + space == before || BrotliEncoderIsFinished(state_.get()) == BROTLI_TRUE) break;
    }
    in.remove_prefix(in.size() - given);
    return room - space;
  }
  struct Destroy {
    void operator()(BrotliEncoderState* state) const noexcept { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_{BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)};
  const std::uint64_t length_;
};

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(std::uint64_t length) : length_(length) {}
  bool open() {
    constexpr int kLevel = 3;
    // The size chooses the window, and stands in the frame's head.
    return context_ && set(ZSTD_c_compressionLevel, kLevel) &&
           ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context_.get(), length_)) == 0;
  }

  Result<std::size_t> take(std::string_view& in, char* out, std::size_t room) override {
    return step(in, out, room, ZSTD_e_continue);
  }
  Result<std::size_t> finish(char* out, std::size_t room) override {
    std::string_view none;
    return step(none, out, room, ZSTD_e_end);
  }

 private:
  bool set(ZSTD_cParameter parameter, int value) {
    return ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)) == 0;
  }
  Result<std::size_t> step(std::string_view& in, char* out, std::size_t room, ZSTD_EndDirective operation) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    while (to.pos < room && !ended_ && (operation == ZSTD_e_end || from.pos < from.size)) {
      const std::size_t left = ZSTD_compressStream2(context_.get(), &to, &from, operation);
      if (ZSTD_isError(left) != 0) return Errc::OutOfMemory;
      ended_ = operation == ZSTD_e_end && left == 0;
    }
    in.remove_prefix(from.pos);
    return to.pos;
  }
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_{ZSTD_createCCtx()};
  const std::uint64_t length_;
  bool ended_ = false;
};

template <class T>
std::unique_ptr<Encoder> opened(std::uint64_t length) {
  auto encoder = std::make_unique<T>(length);
  if (!encoder->open()) return nullptr;
  return encoder;
}

}  // namespace

std::string_view to_string(Compression coding) noexcept { return kNames[static_cast<std::size_t>(coding)]; }

std::optional<Compression> compression_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kCompressions; ++i)
    if (http::iequals(kNames[i], name)) return static_cast<Compression>(i);
  return std::nullopt;
}

std::unique_ptr<Encoder> Encoder::make(Compression coding, std::uint64_t length) {
  switch (coding) {
    case Compression::Gzip: return opened<GzipEncoder>(length);
    case Compression::Brotli: return opened<BrotliEncoder>(length);
    case Compression::Zstd: return opened<ZstdEncoder>(length);
  }
  return nullptr;
}

}  // namespace forebay::content
