#pragma once

#include <string>
#include <string_view>

namespace forebay::test {

// Content codings made by the libraries themselves: a second opinion that shares no code with the product.
std::string gzip(std::string_view text);
std::string zlib_deflate(std::string_view text);
std::string brotli(std::string_view text);
std::string zstd(std::string_view text);

/// The content under a Content-Encoding of one of those, or none; "(broken)" for what does not decode to its end.
std::string decoded(std::string_view coding, std::string_view bytes);

/// Lower-case hex of the SHA-256.
std::string sha256_hex(std::string_view text);

/// The chunked form of a body, in chunks of so many bytes.
std::string chunked(std::string_view body, std::size_t chunk = 1000);

/// Percent-encodes everything but unreserved bytes.
std::string percent_encoded(std::string_view text);
/// The other way round; a `%` without two hex digits stays.
std::string percent_decoded(std::string_view text);

}  // namespace forebay::test
