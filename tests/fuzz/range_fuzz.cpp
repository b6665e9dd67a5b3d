#include <cstdint>
#include <string>

#include "forebay/http/range.hpp"
#include "invariant.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace forebay::http;
  using forebay::fuzz::require;
  const forebay::fuzz::Exact input(forebay::fuzz::as_text(data, size));
  if (const auto specs = parse_range(input.view())) {
    require(!specs->empty() && specs->size() <= 32);
    for (const std::uint64_t complete :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1000}, UINT64_MAX}) {
      const auto ranges = resolve(*specs, complete);
      std::uint64_t total = 0;
      for (const ByteRange& r : ranges) {
        require(r.length > 0 && r.first < complete && r.length <= complete - r.first);
        require(r.length <= complete - total);  // never more than the whole
        total += r.length;
        for (const ByteRange& other : ranges) {
          require(&other == &r || other.first >= r.first + r.length || r.first >= other.first + other.length);
        }
      }
    }
  }
  return 0;
}
