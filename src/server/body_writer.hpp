#pragma once

#include <cstdint>

#include "forebay/base/clock.hpp"
#include "forebay/http/body.hpp"
#include "server/body_reader.hpp"
#include "server/output.hpp"

namespace forebay::server {

/// Moves a response's content from its cursor to a connection's output, as the client reads. Content beyond the stated
/// length is cut off, shorter content is `Broken`: the framing is always correct (RFC 9112 section 6.3).
class BodyWriter {
 public:
  enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };
  enum class Step : std::uint8_t { Queued, Wait, Done, Broken };

  void start(http::BodyCursor&& body, Framing framing, std::uint64_t length);
  /// Queues what there is, up to a portion; only while the output has no slices. Queued: send them, then call again.
  Step queue(Output& out, Timestamp now);
  http::BodyCursor& cursor() noexcept { return body_.cursor(); }
  const http::BodyCursor& cursor() const noexcept { return body_.cursor(); }
  Framing framing() const noexcept { return framing_; }
  /// Content queued so far.
  std::uint64_t bytes() const noexcept { return body_.bytes(); }
  /// Lets the body go.
  void stop() { body_.stop(); }

 private:
  Step finish(Output& out);

  BodyReader body_;
  Framing framing_ = Framing::None;
  bool finished_ = true;
};

}  // namespace forebay::server
