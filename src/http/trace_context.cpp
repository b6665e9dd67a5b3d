#include "forebay/http/trace_context.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"

namespace forebay::http {
namespace {

constexpr std::size_t kLength = 55;  // 00-TRACEID-SPANID-FLAGS
constexpr std::size_t kMostMembers = 32;

bool is_id(std::string_view text) noexcept {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

/// Writes the 16 digits of a number.
void write_hex(std::uint64_t number, char* out) noexcept {
  for (int shift = 60; shift >= 0; shift -= 4) *out++ = kLowerHex[(number >> shift) & 15];
}

// The keys of level 2: the tenant of `tenant@system` is part of the key.
bool is_key(std::string_view key) noexcept {
  const auto first = [](char c) { return is_lower(c) || is_digit(c); };
  const auto rest = [&](char c) { return first(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@'; };
  return !key.empty() && key.size() <= 256 && first(key.front()) && std::all_of(key.begin(), key.end(), rest);
}

bool is_value(std::string_view value) noexcept {
  const auto allowed = [](char c) { return c >= 0x20 && c < 0x7f && c != ',' && c != '='; };
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(), allowed);
}

/// Whether a list of members, without empty ones, has a member of this key.
bool has_key(std::string_view list, std::string_view key) noexcept {
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    const auto member = list.substr(at, end - at);
    if (member.substr(0, member.find('=')) == key) return true;
    at = end + 1;
  }
  return false;
}

/// The members of one line behind those that are in `out`. False: the list is malformed.
bool take_line(std::string_view line, std::string& out, std::size_t& members) {
  while (!line.empty()) {
    const auto end = std::min(line.find(','), line.size());
    const auto member = trim(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    if (member.empty()) continue;
    const auto equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const auto key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
    if (++members > kMostMembers || has_key(out, key)) return false;
    if (!out.empty()) out += ',';
    out += member;
  }
  return true;
}

}  // namespace

std::optional<TraceContext> read_traceparent(std::string_view value) noexcept {
  if (value.size() < kLength || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  const auto version = value.substr(0, 2);
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (value.size() > kLength && (version == "00" || value[kLength] != '-')) return std::nullopt;
  const auto trace = value.substr(3, 32), span = value.substr(36, 16), flags = value.substr(53, 2);
  if (!is_id(trace) || !is_id(span) || !is_lower_hex(flags)) return std::nullopt;
  TraceContext context;
  std::copy(trace.begin(), trace.end(), context.trace.begin());
  std::copy(span.begin(), span.end(), context.span.begin());
  const int sent = hex_value(flags[0]) * 16 + hex_value(flags[1]);
  context.flags = static_cast<std::uint8_t>(sent & (TraceContext::kSampled | TraceContext::kRandomId));
  return context;
}

std::optional<TraceContext> traceparent_of(FieldsView fields) noexcept {
  const Field* only = nullptr;
  for (const auto& f : fields) {
    if (f.id != FieldId::Other || !iequals(f.name, "traceparent")) continue;
    if (only) return std::nullopt;
    only = &f;
  }
  return only ? read_traceparent(only->value) : std::nullopt;
}

void set_span(TraceContext& context, std::uint64_t random) noexcept {
  write_hex(random == 0 ? 1 : random, context.span.data());
}

TraceContext new_trace(std::uint64_t high, std::uint64_t low, std::uint64_t span, bool sampled) noexcept {
  TraceContext context;
  write_hex(high, context.trace.data());
  write_hex(low == 0 ? 1 : low, context.trace.data() + 16);
  set_span(context, span);
  context.flags = static_cast<std::uint8_t>(TraceContext::kRandomId | (sampled ? TraceContext::kSampled : 0));
  return context;
}

void append_traceparent(std::string& out, const TraceContext& context) {
  out.append("00-").append(context.trace_id()).append("-").append(context.span_id()).append("-0");
  out += static_cast<char>('0' + context.flags);
}

void append_span_name(std::string& out, const TraceContext& context) {
  out.append(context.trace_id()).append("-").append(context.span_id());
}

std::string tracestate_of(FieldsView fields) {
  std::string out;
  std::size_t members = 0;
  for (const auto& f : fields) {
    if (f.id != FieldId::Other || !iequals(f.name, "tracestate")) continue;
    if (!take_line(f.value, out, members)) return {};
  }
  return out;
}

}  // namespace forebay::http
