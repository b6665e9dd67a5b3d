#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>

#include "content/inflater.hpp"

namespace forebay::content {
namespace {

// gzip (RFC 1952) is a sequence of members; zlib (RFC 1950) is one.
class ZlibInflater final : public Inflater {
 public:
  explicit ZlibInflater(bool gzip) : gzip_(gzip) {}
  ~ZlibInflater() override {
    if (open_) inflateEnd(&stream_);
  }
  bool open() {
    open_ = inflateInit2(&stream_, gzip_ ? MAX_WBITS + 16 : MAX_WBITS) == Z_OK;
    return open_;
  }

  Result<std::size_t> step(std::string_view& in, char* out, std::size_t room) override {
    std::size_t made = 0;
    while (made < room) {
      if (at_end_) {
        if (in.empty()) break;
        if (!gzip_) return Errc::Malformed;
        if (inflateReset(&stream_) != Z_OK) return Errc::Malformed;
        at_end_ = false;
        single_ = false;
      }
      const uInt given = limited(in.size());
      const uInt space = limited(room - made);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
      stream_.avail_in = given;
      stream_.next_out = reinterpret_cast<Bytef*>(out + made);
      stream_.avail_out = space;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const uInt taken = given - stream_.avail_in;
      const uInt wrote = space - stream_.avail_out;
      in.remove_prefix(taken);
      made += wrote;
      if (result == Z_STREAM_END) {
        at_end_ = true;
      } else if (result == Z_MEM_ERROR) {
        return Errc::OutOfMemory;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return Errc::Malformed;
      } else if (taken == 0 && wrote == 0) {
        break;
      }
    }
    return made;
  }
  bool finished() const noexcept override { return at_end_; }
  bool single() const noexcept override { return single_; }
  bool restart() noexcept override {
    at_end_ = false;
    single_ = true;
    return inflateReset(&stream_) == Z_OK;
  }

 private:
  static uInt limited(std::size_t n) noexcept {
    return static_cast<uInt>(std::min<std::size_t>(n, std::numeric_limits<uInt>::max()));
  }

  z_stream stream_{};
  bool gzip_;
  bool open_ = false;
  bool at_end_ = false;
  bool single_ = true;
};

class BrotliInflater final : public Inflater {
 public:
  bool open() { return state_ != nullptr; }

  Result<std::size_t> step(std::string_view& in, char* out, std::size_t room) override {
    auto* from = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* to = reinterpret_cast<std::uint8_t*>(out);
    std::size_t given = in.size();
    std::size_t space = room;
    if (!finished()) {
      const auto result = BrotliDecoderDecompressStream(state_.get(), &given, &from, &space, &to, nullptr);
      if (result == BROTLI_DECODER_RESULT_ERROR) {
        const auto code = BrotliDecoderGetErrorCode(state_.get());
        const bool memory =
            code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
        return memory ? Errc::OutOfMemory : Errc::Malformed;
      }
      in.remove_prefix(in.size() - given);
    }
    if (finished() && !in.empty()) return Errc::Malformed;
    return room - space;
  }
  bool finished() const noexcept override { return BrotliDecoderIsFinished(state_.get()) == BROTLI_TRUE; }

 private:
  struct Destroy {
    void operator()(BrotliDecoderState* state) const noexcept { BrotliDecoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliDecoderState, Destroy> state_{BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
};

// RFC 8878: a sequence of frames, including skippable ones. RFC 9659 bounds the window of this coding to 8 MiB.
class ZstdInflater final : public Inflater {
 public:
  bool open() {
    constexpr int kWindowLog = 23;
    return context_ && ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLog)) == 0;
  }

  Result<std::size_t> step(std::string_view& in, char* out, std::size_t room) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    while (to.pos < room) {
      const auto before = from.pos + to.pos;
      if (at_end_ && from.pos == from.size) break;
      if (at_end_) single_ = false;
      if (!check_magic(in.substr(from.pos))) return Errc::Malformed;
      single_ = single_ && !skippable_;
      const std::size_t result = ZSTD_decompressStream(context_.get(), &to, &from);
      if (ZSTD_isError(result) != 0) return error_of(result);
      begun_ = true;
      at_end_ = result == 0;
      if (at_end_) magic_ = 0;
      if (from.pos + to.pos == before) break;
    }
    in.remove_prefix(from.pos);
    return to.pos;
  }
  bool finished() const noexcept override { return begun_ && at_end_; }
  bool single() const noexcept override { return single_; }

 private:
  static Errc error_of(std::size_t result) noexcept {
    switch (ZSTD_getErrorCode(result)) {
      case ZSTD_error_frameParameter_windowTooLarge: return Errc::TooLarge;
      case ZSTD_error_memory_allocation: return Errc::OutOfMemory;
      default: return Errc::Malformed;
    }
  }
  // A frame begins with its magic number or a skippable frame's. The library also reads formats from before RFC 8878,
  // whose windows have no bound.
  bool check_magic(std::string_view in) noexcept {
    constexpr std::string_view kFrame = "\x28\xB5\x2F\xFD";
    constexpr std::string_view kSkippable = "\x50\x2A\x4D\x18";
    for (; magic_ < 4 && !in.empty(); ++magic_, in.remove_prefix(1)) {
      if (magic_ == 0) skippable_ = in.front() != kFrame.front();
      const int mask = skippable_ && magic_ == 0 ? 0xF0 : 0xFF;
      if ((in.front() & mask) != ((skippable_ ? kSkippable : kFrame)[magic_] & mask)) return false;
    }
    return true;
  }
  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  std::size_t magic_ = 0;  // bytes of the frame's magic number that have been seen
  bool skippable_ = false;
  bool single_ = true;
  bool begun_ = false;
  bool at_end_ = false;
};

template <class T, class... Args>
std::unique_ptr<Inflater> opened(Args... args) {
  auto inflater = std::make_unique<T>(args...);
  if (!inflater->open()) return nullptr;
  return inflater;
}

}  // namespace

std::unique_ptr<Inflater> make_zlib_inflater(bool gzip) { return opened<ZlibInflater>(gzip); }
std::unique_ptr<Inflater> make_brotli_inflater() { return opened<BrotliInflater>(); }
std::unique_ptr<Inflater> make_zstd_inflater() { return opened<ZstdInflater>(); }

}  // namespace forebay::content
