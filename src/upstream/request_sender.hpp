#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forebay/upstream/origin.hpp"

namespace forebay::upstream {

/// Serialises a request: its head, then its content as it is pulled, framed for HTTP/1.1 (RFC 9112 section 6). An
/// incomplete body never looks complete. The head is generated for each attempt, when there is a connection.
class RequestSender {
 public:
  /// `origin`: outlives it; null where the request has no `head`.
  explicit RequestSender(const FetchRequest& request, Origin* origin = nullptr);

  enum class Next : std::uint8_t {
    Write,    ///< `parts` are to be written, then `written`.
    Wait,     ///< For the body: see `BodySource::wait`.
    Hold,     ///< The head asks for a 100 before the content (RFC 9110 section 10.1.1): `release` sends that.
    Sent,     ///< All is written.
    Broken,   ///< The content ended before its end: close the connection.
    Refused,  ///< It must not be sent: see `refusal`. Nothing was written.
  };
  Next next();
  const std::string& refusal() const noexcept { return refusal_; }
  std::span<const std::string_view> parts() const noexcept { return {parts_.data() + first_, last_ - first_}; }
  void written(std::size_t n) noexcept;
  /// Sends the content though there was no 100, or since there was one.
  void release() noexcept { holding_ = false; }
  bool holding() const noexcept { return holding_; }

  /// Whether it can be sent once more from its first byte.
  bool can_repeat() const { return body_ == nullptr || !body_->begun() || keeping_ || body_->can_rewind(); }
  /// Begins with the first byte, for a connection to this url of the origin, which lives until the next `rewind`.
  void rewind(const config::Url& url);
  net::BodySource* body() const noexcept { return body_; }
  /// The protocols that it asks for; empty: none.
  std::string_view upgrade() const noexcept { return upgrade_; }

 private:
  void add(std::string_view bytes) noexcept { parts_[last_++] = bytes; }
  bool make_head();
  void begin();
  Next sent() noexcept;
  net::BodySource::State pull(std::string_view& bytes);
  Next add_content(std::string_view bytes);
  Next end_content();

  const http::Method method_;
  const std::string method_text_;
  const std::string upgrade_;
  Origin* const origin_;
  const config::Url* url_ = nullptr;
  RequestHead* const late_head_;
  std::string head_;  // without its empty line
  std::string refusal_;
  net::BodySource* const body_;
  const std::optional<std::uint64_t> length_;
  std::uint64_t left_ = 0;
  bool head_added_ = false, complete_ = false, holding_ = false;
  // What has been pulled of a small body under an idempotent method, to be sent again on another connection.
  bool keeping_;
  std::string kept_;
  std::size_t resent_ = 0;
  std::string frame_;  // a chunk's size, or the last chunk
  std::array<std::string_view, 5> parts_;
  std::size_t first_ = 0, last_ = 0;
};

}  // namespace forebay::upstream
