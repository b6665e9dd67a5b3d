#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/http/fields.hpp"

namespace forebay::http {

/// One span of a trace: the content of a traceparent (W3C Trace Context, level 2). Ids are lower-case hex digits, and
/// not all zeros.
struct TraceContext {
  static constexpr std::uint8_t kSampled = 1;   ///< The caller may have recorded the trace.
  static constexpr std::uint8_t kRandomId = 2;  ///< At least the right-most 7 bytes of the trace id are random.

  std::array<char, 32> trace{};
  std::array<char, 16> span{};
  std::uint8_t flags = 0;  ///< The known ones of those that were sent.

  std::string_view trace_id() const noexcept { return {trace.data(), trace.size()}; }
  std::string_view span_id() const noexcept { return {span.data(), span.size()}; }
};

/// Reads one traceparent. Version 00 has exactly its four parts. Of a higher version these parts are read, and what
/// follows behind a "-" is left out; ff is no version. Nothing for anything else.
std::optional<TraceContext> read_traceparent(std::string_view value) noexcept;
/// The traceparent of a request; nothing for none, for a malformed one, and for several lines.
std::optional<TraceContext> traceparent_of(FieldsView fields) noexcept;
/// Sets `span` to the id that is made of this random number. Zero is replaced.
void set_span(TraceContext& context, std::uint64_t random) noexcept;
/// The root of a new trace, from random numbers. `kRandomId` is set.
TraceContext new_trace(std::uint64_t high, std::uint64_t low, std::uint64_t span, bool sampled) noexcept;
/// Appends the traceparent, of version 00.
void append_traceparent(std::string& out, const TraceContext& context);
/// `TRACEID-SPANID`: how the log names a span of another trace.
void append_span_name(std::string& out, const TraceContext& context);

/// All lines of tracestate as one, without blanks around its members and without empty ones. Empty when there is no
/// member, and when a line is malformed, a key stands twice, or there are more than 32 members: then none is kept.
std::string tracestate_of(FieldsView fields);

}  // namespace forebay::http
