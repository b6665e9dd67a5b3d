#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/http/message.hpp"

namespace forebay::http {

/// A request target, parsed once for matching, key and forwarding. The views point into the raw target or into the
/// internal buffer, so the object must not move while they are used; `read` reuses the buffer.
class Target {
 public:
  /// Reads origin-form, absolute-form (http and https) and, for OPTIONS, "*". In the path it removes dot segments
  /// (those that would leave the root stay at the root), decodes percent-encoded unreserved bytes, writes other escapes
  /// with upper-case digits and keeps "//" and "%2F" (RFC 3986 section 6.2.2). Refuses (`Malformed`) control bytes, raw
  /// bytes above 0x7E, "#" and "%00" anywhere, in the path a "%" without two hex digits (a query is forwarded as sent),
  /// authority-form, userinfo. Normalising is idempotent. Allocates nothing once its buffer has grown.
  Result<void> read(Method method, std::string_view raw);
  /// Moves the views from the raw target to a copy of it.
  void rebase(std::string_view raw, std::string_view copy) noexcept;

  std::string_view path() const noexcept { return path_; }  ///< Normalised, begins with '/' (or is "*").
  std::optional<std::string_view> query() const noexcept {
    return query_;
  }                                                                   ///< As sent, without '?'; absent is not empty.
  std::string_view scheme() const noexcept { return scheme_; }        ///< Only of absolute-form: "http" or "https".
  std::string_view authority() const noexcept { return authority_; }  ///< Only of absolute-form; as sent.

 private:
  std::string buffer_;
  std::string_view path_, scheme_, authority_;
  std::optional<std::string_view> query_;
};

/// Appends a segment of a path in the form in which paths are matched, keyed and forwarded (RFC 3986 section 6.2.2):
/// unreserved bytes as they are, other escapes with upper-case digits, and bytes that no target may have escaped. False
/// at a `%` without two hex digits.
bool append_normal_segment(std::string_view segment, std::string& out);

/// The same part of `copy`, a copy of `from`; `view` itself if it is not a part of `from`.
std::string_view rebased(std::string_view view, std::string_view from, std::string_view copy) noexcept;

/// Checks a Host value (or authority without userinfo) strictly by RFC 3986 section 3.2.2 and appends its normal form
/// to `out`: lower case, an empty or default port of `scheme` ("http" 80, "https" 443) removed. Refuses "[::1", ports
/// that are not 0..65535, bytes outside the grammar, and a comma. An empty host is `Malformed`.
Result<void> append_normal_host(std::string_view host, std::string_view scheme, std::string& out);
/// Whether `append_normal_host` accepts it.
bool is_valid_host(std::string_view host) noexcept;

/// RFC 3986 section 5.2 for Location and Content-Location: resolves `reference` against `scheme://host` + `base_path`.
/// Returns the normalised path with query if the result has the same scheme and host, else nothing.
std::optional<std::string> same_origin_target(std::string_view reference, std::string_view scheme,
                                              std::string_view host, std::string_view base_path);

/// One `name[=value]` of a query. Views into the query; nothing decoded.
struct QueryPair {
  std::string_view name;
  std::optional<std::string_view> value;
};
/// As in the query.
inline std::string_view whole_pair(const QueryPair& pair) noexcept {
  return {pair.name.data(), pair.name.size() + (pair.value ? 1 + pair.value->size() : 0)};
}
/// Splits at '&'; empty pieces are skipped.
template <class F>
void for_each_query_pair(std::string_view query, F&& f) {
  while (!query.empty()) {
    const auto amp = query.find('&');
    const auto piece = query.substr(0, amp);
    query.remove_prefix(amp == std::string_view::npos ? query.size() : amp + 1);
    if (piece.empty()) continue;
    const auto eq = piece.find('=');
    if (eq == std::string_view::npos)
      f(QueryPair{piece, std::nullopt});
    else
      f(QueryPair{piece.substr(0, eq), piece.substr(eq + 1)});
  }
}

}  // namespace forebay::http
