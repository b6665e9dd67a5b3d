#include <cstdint>
#include <string>

#include "forebay/http/list.hpp"
#include "forebay/http/trace_context.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay::http;
using forebay::fuzz::require;

/// What is read is written as a traceparent that reads as the same.
void check_parent(std::string_view text) {
  const auto read = read_traceparent(text);
  if (!read) return;
  require(read->trace_id() == text.substr(3, 32) && read->span_id() == text.substr(36, 16));
  require(read->flags <= 3);
  std::string written;
  append_traceparent(written, *read);
  const auto again = read_traceparent(written);
  require(again && again->trace == read->trace && again->span == read->span && again->flags == read->flags);
  auto child = *read;
  set_span(child, static_cast<std::uint64_t>(text.size()));
  written.clear();
  append_traceparent(written, child);
  require(read_traceparent(written).has_value());
}

void check_state(std::string_view first, std::string_view second) {
  Fields fields;
  fields.add("tracestate", first);
  fields.add("tracestate", second);
  const auto kept = tracestate_of(fields);
  if (kept.empty()) return;
  Fields again;
  again.add("tracestate", kept);
  require(tracestate_of(again) == kept);
  std::size_t members = 0;
  for_each_piece(kept, [&](std::string_view member) {
    ++members;
    require(member.find('=') != std::string_view::npos && member.size() <= 513);
  });
  require(members <= 32);
  for (const char c : kept) require(c >= 0x20 && c < 0x7f);
}

}  // namespace

// The first line of the input is a traceparent, the others are tracestate.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const forebay::fuzz::Exact input(forebay::fuzz::as_text(data, size));
  const auto text = input.view();
  const auto line = text.find('\n');
  check_parent(text.substr(0, line));
  if (line == std::string_view::npos) return 0;
  const auto rest = text.substr(line + 1);
  const auto second = rest.find('\n');
  check_state(rest.substr(0, second), second == std::string_view::npos ? std::string_view() : rest.substr(second + 1));
  return 0;
}
