#pragma once

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace forebay::content {

/// Content under a coding, for tests.
inline std::string zlib_coded(std::string_view content, int window_bits) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}
inline std::string gzip(std::string_view content) { return zlib_coded(content, MAX_WBITS + 16); }
inline std::string deflated(std::string_view content) { return zlib_coded(content, MAX_WBITS); }
inline std::string raw_deflated(std::string_view content) { return zlib_coded(content, -MAX_WBITS); }

inline std::string brotli(std::string_view content) {
  std::size_t size = BrotliEncoderMaxCompressedSize(content.size()) + 16;
  std::string out(size, '\0');
  if (BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, content.size(),
                            reinterpret_cast<const std::uint8_t*>(content.data()), &size,
                            reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_FALSE)
    throw std::runtime_error("brotli");
  out.resize(size);
  return out;
}

/// `window_log` above zero states the window in the frame's head, instead of the content's size.
inline std::string zstd(std::string_view content, int window_log = 0) {
  std::string out(ZSTD_compressBound(content.size()) + 64, '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log > 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  ZSTD_inBuffer from{content.data(), content.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // In two steps, so that the size of the content cannot shrink the window.
  if (window_log > 0) ZSTD_compressStream2(context, &to, &from, ZSTD_e_continue);
  const std::size_t left = ZSTD_compressStream2(context, &to, &from, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  if (left != 0) throw std::runtime_error("zstd");
  out.resize(to.pos);
  return out;
}

}  // namespace forebay::content
