#include <cstdint>
#include <string>
#include <vector>

#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/cache_control.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

// One field a line; a line without a colon is a Cache-Control.
http::Fields read_lines(std::string_view text) {
  http::Fields fields;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto colon = line.find(':');
    const auto name = colon == std::string_view::npos ? std::string_view("Cache-Control") : line.substr(0, colon);
    const auto value = colon == std::string_view::npos ? line : line.substr(colon + 1);
    if (http::is_token(name) && http::is_field_value(value)) fields.add(name, value);
  }
  return fields;
}

void check_lifetime(const std::optional<Seconds>& lifetime) {
  if (lifetime) require(*lifetime >= Seconds{0} && lifetime->count() <= std::int64_t{1} << 31);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const http::Fields fields = read_lines(fuzz::as_text(data, size));
  for (const std::vector<std::string>& targeted :
       {std::vector<std::string>{}, std::vector<std::string>{"Forebay-Cache-Control", "CDN-Cache-Control"},
        std::vector<std::string>{"Surrogate-Control"}}) {
    const auto response = rules::read_response_directives(fields, targeted);
    check_lifetime(response.max_age);
    check_lifetime(response.s_maxage);
    check_lifetime(response.stale_while_revalidate);
    check_lifetime(response.stale_if_error);
    if (response.targeted) require(response.present && !targeted.empty());
    if (!response.present) require(!response.no_store && !response.max_age && !response.s_maxage);
  }
  // What stands between two commas restricts, whatever the quotes do, unless they hold and hide it.
  for (const auto& f : fields.view()) {
    if (f.id != http::FieldId::CacheControl || http::quotes_hold(f.value)) continue;
    const auto read = rules::read_response_directives(fields, {});
    const auto asked = rules::read_request_directives(fields);
    http::for_each_piece(f.value, [&](std::string_view piece) {
      if (http::iequals(piece, "no-store")) require(read.no_store && asked.no_store);
      if (http::iequals(piece, "private")) require(read.private_);
      if (http::iequals(piece, "no-cache")) require(read.no_cache && asked.no_cache);
    });
  }
  const auto request = rules::read_request_directives(fields);
  check_lifetime(request.max_age);
  check_lifetime(request.min_fresh);
  if (request.max_stale) require(*request.max_stale >= Seconds{0});
  return 0;
}
