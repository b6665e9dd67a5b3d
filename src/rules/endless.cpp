#include <algorithm>

#include "forebay/content/media_type.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules {
namespace {

constexpr std::string_view kTypes[] = {
    "text/event-stream",       "multipart/x-mixed-replace",         "application/x-ndjson", "application/ndjson",
    "application/jsonl",       "application/x-jsonlines",           "application/json-seq", "application/x-json-stream",
    "application/stream+json", "application/vnd.amazon.eventstream"};
// With whatever follows: `application/grpc+proto`, `application/grpc-web-text`.
constexpr std::string_view kFamilies[] = {"application/grpc", "application/connect+"};

bool is_endless_type(std::string_view type) noexcept {
  const auto essence = content::essence(type);
  const auto is = [&](std::string_view name) { return http::iequals(essence, name); };
  const auto begins = [&](std::string_view name) { return http::iequals(essence.substr(0, name.size()), name); };
  return std::any_of(std::begin(kTypes), std::end(kTypes), is) ||
         std::any_of(std::begin(kFamilies), std::end(kFamilies), begins);
}

}  // namespace

bool is_endless(const http::ResponseView& response) noexcept {
  return std::any_of(response.fields.begin(), response.fields.end(), [](const http::Field& f) {
    return f.id == http::FieldId::ContentType && is_endless_type(f.value);
  });
}

bool is_event_stream(const http::ResponseView& response) noexcept {
  return std::any_of(response.fields.begin(), response.fields.end(), [](const http::Field& f) {
    return f.id == http::FieldId::ContentType && http::iequals(content::essence(f.value), kTypes[0]);
  });
}

bool asks_for_endless(std::string_view accept) noexcept {
  bool any = false;
  http::for_each_member(accept, [&any](std::string_view range) noexcept {
    any = is_endless_type(range);
    return any;
  });
  return any;
}

}  // namespace forebay::rules
