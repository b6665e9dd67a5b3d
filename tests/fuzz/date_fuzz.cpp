#include <cstdint>

#include "forebay/http/date.hpp"
#include "invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace forebay;
  using fuzz::require;
  const WallTime now{Seconds{1704067200}};
  const fuzz::Exact input(fuzz::as_text(data, size));
  const auto time = http::parse_date(input.view(), now);
  if (!time) return 0;
  require(size >= 24 && size <= 33);
  require(time->time_since_epoch() % Seconds{1} == Duration::zero());
  const std::string text = http::format_date(*time);
  require(text.size() == 29);
  require(http::parse_date(text, now) == time);
  // Only the RFC 850 form depends on the present.
  if (input.view()[3] == ',' || input.view()[3] == ' ') {
    require(http::parse_date(input.view(), now + std::chrono::hours{24 * 365 * 40}) == time);
  }
  return 0;
}
