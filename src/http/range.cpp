#include "forebay/http/range.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::http {
namespace {

constexpr std::string_view kUnit = "bytes";

// int-range or suffix-range of RFC 9110 section 14.1.1. A number too large to hold is as good as the largest.
std::optional<RangeSpec> parse_spec(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto read = [](std::string_view digits, std::optional<std::uint64_t>& into) {
    std::uint64_t n = 0;
    if (!parse_decimal(digits, UINT64_MAX, n)) return false;
    into = n;
    return true;
  };
  RangeSpec spec;
  const auto first = text.substr(0, dash);
  const auto last = text.substr(dash + 1);
  if (first.empty() && last.empty()) return std::nullopt;
  if (!first.empty() && !read(first, spec.first)) return std::nullopt;
  if (!last.empty() && !read(last, spec.last)) return std::nullopt;
  if (spec.first && spec.last && *spec.first > *spec.last) return std::nullopt;
  return spec;
}

bool overlap(const ByteRange& a, const ByteRange& b) noexcept {
  return a.first < b.first + b.length && b.first < a.first + a.length;
}

// Merges `r` with overlapping ranges, at the position of the earliest (RFC 9110 section 15.3.7.2): otherwise many
// overlapping ranges would make a response many times larger than the representation.
void add_coalescing(std::vector<ByteRange>& ranges, ByteRange r) {
  std::size_t place = ranges.size();
  for (std::size_t i = 0; i < ranges.size();) {
    if (!overlap(ranges[i], r)) {
      ++i;
      continue;
    }
    const auto end = std::max(ranges[i].first + ranges[i].length, r.first + r.length);
    r.first = std::min(ranges[i].first, r.first);
    r.length = end - r.first;
    place = std::min(place, i);
    ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(i));
    i = 0;  // the merged range may overlap an earlier one
  }
  place = std::min(place, ranges.size());
  ranges.insert(ranges.begin() + static_cast<std::ptrdiff_t>(place), r);
}

}  // namespace

std::optional<std::vector<RangeSpec>> parse_range(std::string_view value, std::size_t most) {
  if (value.size() <= kUnit.size() || !iequals(value.substr(0, kUnit.size()), kUnit) || value[kUnit.size()] != '=') {
    return std::nullopt;
  }
  std::vector<RangeSpec> specs;
  bool good = true;
  for_each_member(value.substr(kUnit.size() + 1), [&](std::string_view member) {
    const auto spec = parse_spec(member);
    good = spec && specs.size() < most;
    if (good) specs.push_back(*spec);
    return good;
  });
  if (!good || specs.empty()) return std::nullopt;
  return specs;
}

std::vector<ByteRange> resolve(const std::vector<RangeSpec>& specs, std::uint64_t size) {
  std::vector<ByteRange> ranges;
  for (const RangeSpec& spec : specs) {
    ByteRange r;
    if (spec.first) {
      if (*spec.first >= size) continue;
      r.first = *spec.first;
      r.length = std::min(spec.last.value_or(size - 1), size - 1) - r.first + 1;
    } else {
      r.length = std::min(spec.last.value_or(0), size);
      if (r.length == 0) continue;
      r.first = size - r.length;
    }
    add_coalescing(ranges, r);
  }
  return ranges;
}

std::string format_content_range(const ByteRange& r, std::uint64_t complete) {
  std::string out = "bytes ";
  append_number(out, r.first);
  out.push_back('-');
  append_number(out, r.first + r.length - 1);
  out.push_back('/');
  append_number(out, complete);
  return out;
}

}  // namespace forebay::http
