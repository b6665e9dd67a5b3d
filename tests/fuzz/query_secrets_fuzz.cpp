#include <cstdint>
#include <string>

#include "forebay/rules/query_secrets.hpp"
#include "invariant.hpp"

using namespace forebay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  const auto query = input.view();
  const auto end = rules::signed_until(query);
  (void)rules::names_secret(query);
  // Another parameter takes no end away, and one that states an earlier end is obeyed.
  const auto longer = rules::signed_until("a=b&" + std::string(query));
  require(longer == end);
  const auto earlier = rules::signed_until(std::string(query) + "&X-Amz-Date=19700101T000000Z&X-Amz-Expires=1");
  require(earlier.has_value() && *earlier <= WallTime{Seconds{1}});
  if (end) require(*end == WallTime::min() || *end >= WallTime{});
  return 0;
}
