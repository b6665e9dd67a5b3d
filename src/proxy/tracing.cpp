#include "tracing.hpp"

namespace forebay::proxy {
namespace {

bool logged(const PendingRequest& pending) { return pending.exchange && pending.core.records(*pending.runtime); }

void note_link(PendingRequest& pending, const http::TraceContext& context) {
  if (!logged(pending)) return;
  auto& notes = pending.notes();
  const auto at = notes.text.size();
  http::append_span_name(notes.text, context);
  notes.trace_link = {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(notes.text.size() - at)};
}

void new_trace(PendingRequest& pending) {
  auto& core = pending.core;
  const double sample = pending.config().trace_sample;
  const bool sampled = sample >= 1 || core.random() < sample;
  const auto high = core.random_number(), low = core.random_number();
  pending.trace = {http::new_trace(high, low, core.random_number(), sampled), {}, true, false};
}

/// The span of the first fetch.
void make_trace(PendingRequest& pending, const std::optional<http::TraceContext>& sent) {
  if (!sent) return new_trace(pending);
  pending.trace = {*sent, http::tracestate_of(pending.request.fields), true, false};
  http::set_span(pending.trace.context, pending.core.random_number());
}

bool is_sent(http::FieldsView fields) { return fields.find("traceparent") != nullptr; }

}  // namespace

void begin_span(PendingRequest& pending, cache::Flight* flight) {
  if (!pending.config().propagate_trace) return;
  if (pending.facts().is_signed && is_sent(pending.request.fields)) return;
  auto& trace = pending.trace;
  if (!trace.made)
    make_trace(pending, http::traceparent_of(pending.request.fields));
  else if (trace.asked)
    http::set_span(trace.context, pending.core.random_number());
  trace.asked = true;
  if (flight) flight->note_trace(trace.context);
  if (!logged(pending)) return;
  auto& notes = pending.notes();
  if (notes.trace_id.size == 0) notes.trace_id = notes.keep(trace.context.trace_id());
  notes.span_id = notes.keep(trace.context.span_id());
}

void link_refresh(PendingRequest& pending) {
  if (!pending.config().propagate_trace || pending.facts().is_signed) return;
  new_trace(pending);
  note_link(pending, pending.trace.context);
}

void link_flight(PendingRequest& pending, const cache::Flight& flight) {
  if (flight.has_trace()) note_link(pending, flight.trace());
}

}  // namespace forebay::proxy
