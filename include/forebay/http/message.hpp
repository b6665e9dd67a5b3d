#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/http/fields.hpp"

namespace forebay::http {

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Query, Trace, Connect, Other };

/// Case-sensitive, as methods are (RFC 9110 section 9.1).
Method method_of(std::string_view text) noexcept;
std::string_view to_string(Method m) noexcept;
/// RFC 9110 section 9.2.1. QUERY is safe (RFC 10008); an unknown method is not.
bool is_safe(Method m) noexcept;
/// RFC 9110 section 9.2.2.
bool is_idempotent(Method m) noexcept;

enum class Version : std::uint8_t { Http10, Http11, Http2 };

/// The standard reason phrase; empty for an unknown status.
std::string_view reason_phrase(int status) noexcept;
/// Statuses whose answers never have content (RFC 9110 section 6.4.1): 1xx, 204, 304.
constexpr bool never_has_content(int status) noexcept {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

/// A request head as a value. It borrows the connection's read buffer and lives until `Handler::start` returns.
struct RequestView {
  Method method = Method::Get;
  std::string_view method_text;
  std::string_view target;  ///< As sent.
  Version version = Version::Http11;
  FieldsView fields;
  /// Host and port as sent: of an absolute-form target, else of Host (RFC 9112 section 3.2.2); `:authority` in HTTP/2.
  /// Set by whoever reads the wire, so that nothing else asks for Host. Empty: HTTP/1.0 without either.
  std::string_view authority{};
};

/// A request head that owns its text, for requests that wait.
class Request {
 public:
  Request() = default;
  explicit Request(const RequestView& v)
      : method_(v.method),
        version_(v.version),
        fields_(v.fields, v.method_text.size() + v.target.size() + v.authority.size()),
        method_text_(fields_.keep(v.method_text)),
        target_(fields_.keep(v.target)),
        authority_(fields_.keep(v.authority)) {}
  Request(const Request& o) : Request(o.view()) {}
  Request(Request&&) noexcept = default;
  Request& operator=(Request&&) noexcept = default;

  RequestView view() const noexcept { return {method_, method_text_, target_, version_, fields_.view(), authority_}; }
  Method method() const noexcept { return method_; }
  const Fields& fields() const noexcept { return fields_; }
  Fields& fields() noexcept { return fields_; }

 private:
  Method method_ = Method::Get;
  Version version_ = Version::Http11;
  Fields fields_;
  std::string_view method_text_;
  std::string_view target_;
  std::string_view authority_;
};

/// A response head as a value; borrows like RequestView.
struct ResponseView {
  int status = 0;
  Version version = Version::Http11;
  FieldsView fields;
};

/// A response head that owns its text.
struct Response {
  int status = 0;
  Version version = Version::Http11;
  Fields fields;
  Response() = default;
  explicit Response(const ResponseView& v) : status(v.status), version(v.version), fields(v.fields) {}
  ResponseView view() const noexcept { return {status, version, fields.view()}; }
};

}  // namespace forebay::http
