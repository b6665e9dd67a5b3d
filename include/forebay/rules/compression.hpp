#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "forebay/content/encoder.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules {

/// Longer bodies are not compressed: a form in the making is not charged.
inline constexpr std::uint64_t kMostCompressed = 16 * 1024 * 1024;

/// Why a stored response is sent as it is stored, first that applies; None: it may be compressed.
enum class Uncompressed : std::uint8_t {
  None,
  Off,          ///< The route has no `compress`.
  Status,       ///< A part, or a status without content.
  Encoded,      ///< The origin has encoded it.
  NoTransform,  ///< Cache-Control of the response or of the request says so.
  SetCookie,    ///< It has a Set-Cookie.
  Private,      ///< It may be one client's: a credential is in the key or in Vary, or a secret in the query.
  Signed,       ///< It has a signature (RFC 9421) over its fields.
  Type,         ///< Its Content-Type is none of `compress_types`, or absent.
  Small,        ///< It is shorter than `compress_min`.
  Large,        ///< It is longer than `kMostCompressed`.
};
std::string_view to_string(Uncompressed why) noexcept;

/// Whether a stored response may be compressed, by its head alone. Then every client's answer varies on
/// Accept-Encoding. `length`: of the content, where it is known.
Uncompressed may_compress(int status, http::FieldsView fields, std::optional<std::uint64_t> length,
                          const Policy& policy) noexcept;
/// Whether this request may get a compressed form: NoTransform or Private if not. Compression shows in its length what
/// content has in common with what the client sent (BREACH), so nothing is compressed that may be one client's.
Uncompressed may_get_compressed(const RequestFacts& facts, http::FieldsView request, const Policy& policy) noexcept;

/// The codings that a request accepts no less than identity, best first.
struct CodingChoice {
  std::array<content::Compression, content::kCompressions> codings{};
  std::size_t count = 0;
  std::span<const content::Compression> list() const noexcept { return {codings.data(), count}; }
};
/// `accept_encoding`: all lines, joined; nothing when there is none, which asks for identity. By weight, and by `order`
/// among equals. Identity is preferred where it is named with a higher weight.
CodingChoice choose_codings(std::optional<std::string_view> accept_encoding,
                            std::span<const content::Compression> order) noexcept;

/// Whether a field of the identity form belongs on a compressed one: not its digests and checksums, nor Accept-Ranges,
/// since parts are cut from identity alone.
bool belongs_on_compressed(const http::Field& field) noexcept;
/// Whether the Range of a request is about the identity form. With If-Range by a date it may be about a compressed one,
/// which has the same Last-Modified, and by a weak tag it never applies (RFC 9110 section 13.1.5).
bool ranges_over_identity(http::FieldsView request) noexcept;

}  // namespace forebay::rules
