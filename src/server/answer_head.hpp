#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/http/body.hpp"
#include "forebay/server/exchange.hpp"
#include "server/body_writer.hpp"

namespace forebay::server {

/// Decisions for the head of a response: the framing of its content, and whether the connection ends after it.
struct AnswerPlan {
  BodyWriter::Framing framing = BodyWriter::Framing::None;
  std::uint64_t length = 0;
  bool close = false;
};

/// Of the request: what its answer's framing depends on.
struct AnswerTo {
  http::Method method = http::Method::Get;
  http::Version version = http::Version::Http11;
  bool close = false;  ///< The connection must end whatever the answer says.
};

/// How the answer is framed, and the length that its head states, if any (RFC 9110 section 8.6).
struct AnswerFraming {
  BodyWriter::Framing framing = BodyWriter::Framing::None;
  std::optional<std::uint64_t> stated{};
};
AnswerFraming framing_of(const AnswerHead& head, const http::BodyCursor& body, http::Method method,
                         http::Version version);

/// Appends status line, field lines and the empty line. Framing fields are written only here (RFC 9112 sections 6.1 to
/// 6.3).
AnswerPlan append_answer_head(std::string& out, const AnswerHead& head, const http::BodyCursor& body,
                              const AnswerTo& to, std::string_view date_line);

}  // namespace forebay::server
