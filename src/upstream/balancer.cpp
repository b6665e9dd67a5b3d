#include "upstream/balancer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "forebay/base/hash.hpp"
#include "forebay/base/terminate.hpp"

namespace forebay::upstream {

namespace {
constexpr std::uint64_t bit(unsigned i) noexcept { return std::uint64_t{1} << i; }

template <class Visit>
void for_each(std::uint64_t set, Visit&& visit) {
  for (; set != 0; set &= set - 1) visit(static_cast<unsigned>(std::countr_zero(set)));
}

// The last step of MurmurHash3: every bit of the input changes every bit of the output with probability 1/2.
std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ x >> 33) * 0xFF51'AFD7'ED55'8CCDU;
  x = (x ^ x >> 33) * 0xC4CE'B9FE'1A85'EC53U;
  return x ^ x >> 33;
}
}  // namespace

unsigned SlowStart::share(Timestamp now) const noexcept {
  constexpr unsigned kLeast = kFull / 10;
  const Duration since = std::max(now - since_.load(std::memory_order_relaxed), Duration{0});
  if (since >= length_) return kFull;
  return kLeast + static_cast<unsigned>((kFull - kLeast) * (since / 1us) / std::max<std::int64_t>(length_ / 1us, 1));
}

Balancer::Balancer(Balance how, std::span<const Url> urls, unsigned worker) : how_(how) {
  ensure(urls.size() <= kMostUrls, "an origin has at most 64 urls");
  urls_.reserve(urls.size());
  for (const auto& url : urls) urls_.push_back({digest_of(url.text).lo, std::max(url.weight, 1U)});
  const std::array<UrlView, kMostUrls> all{};
  const std::uint64_t every = urls_.empty() ? 0 : ~std::uint64_t{0} >> (kMostUrls - urls_.size());
  for (; worker != 0 && every != 0; --worker) by_turns(all, every);
}

std::optional<unsigned> Balancer::choose(std::span<const UrlView> views, std::uint64_t tried,
                                         std::uint64_t key) noexcept {
  ensure(views.size() == urls_.size(), "a choice sees every url");
  std::uint64_t eligible = 0;
  for (unsigned i = 0; i < views.size(); ++i)
    if (views[i].available) eligible |= bit(i);
  eligible &= ~tried;
  if (eligible == 0) return std::nullopt;
  if (how_ == Balance::Hash) return by_hash(views, eligible, key);
  if (how_ == Balance::LeastConnections) eligible = least_busy(views, eligible);
  return by_turns(views, eligible);
}

// The url with the smallest of numbers that are distributed exponentially, at the rate of its weight, is each url with
// the probability of its weight. Without one of them the others keep their order.
unsigned Balancer::by_hash(std::span<const UrlView> views, std::uint64_t eligible, std::uint64_t key) const noexcept {
  auto chosen = static_cast<unsigned>(std::countr_zero(eligible));
  double least = HUGE_VAL;
  for_each(eligible, [&](unsigned i) {
    const double uniform = (static_cast<double>(mix(key ^ urls_[i].hash) >> 11) + 0.5) * 0x1.0p-53;  // in (0, 1)
    const double drawn = -std::log(uniform) / static_cast<double>(weight(views, i));
    if (drawn >= least) return;
    least = drawn;
    chosen = i;
  });
  return chosen;
}

std::uint64_t Balancer::least_busy(std::span<const UrlView> views, std::uint64_t eligible) const noexcept {
  auto least = static_cast<unsigned>(std::countr_zero(eligible));
  std::uint64_t equals = 0;
  for_each(eligible, [&](unsigned i) {
    const std::int64_t mine = views[i].in_flight * weight(views, least);
    const std::int64_t its = views[least].in_flight * weight(views, i);
    if (mine < its) {
      least = i;
      equals = 0;
    }
    if (mine <= its) equals |= bit(i);
  });
  return equals;
}

// Each url gets credit by its weight, and the one with the most pays for all. The credits of all urls sum up to zero,
// whichever of them take part.
unsigned Balancer::by_turns(std::span<const UrlView> views, std::uint64_t eligible) noexcept {
  std::int64_t total = 0;
  auto chosen = static_cast<unsigned>(std::countr_zero(eligible));
  for_each(eligible, [&](unsigned i) {
    total += weight(views, i);
    urls_[i].credit += weight(views, i);
    if (urls_[i].credit > urls_[chosen].credit) chosen = i;
  });
  urls_[chosen].credit -= total;
  return chosen;
}

}  // namespace forebay::upstream
