// Requests as they end, to be watched live.
#include "answers.hpp"
#include "forebay/base/text.hpp"
#include "query.hpp"

namespace forebay::admin {

std::optional<Answer> answer_requests_stream(const Call& call) {
  std::string fault;
  const auto query = read_query(call.query, {"filter"}, fault, "filter");
  if (!query) return call.bad(fault);
  const auto written = query->find("filter");
  auto parsed = proxy::RequestFilter::parse(written == query->end() ? std::string_view() : written->second);
  if (const auto* wrong = std::get_if<proxy::RequestFilter::Fault>(&parsed))
    return call.bad("At byte " + std::to_string(wrong->at + 1) + " of the filter: " + as_utf8(wrong->why));
  if (call.head) return head_of_stream();
  call.admin.streams.tidy(call.now().mono);
  auto* const reader =
      call.admin.streams.watch_requests(std::move(std::get<proxy::RequestFilter>(parsed)), call.worker);
  if (!reader) return call.too_many_streams(proxy::RequestTap::kMostWatchers);
  return event_stream(*reader);
}

}  // namespace forebay::admin
