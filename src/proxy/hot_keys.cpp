#include "forebay/proxy/hot_keys.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace forebay::proxy {

void HeavyHitters::add(const Digest& id, const Text& text, std::uint64_t n) {
  if (buckets_.empty()) {
    // Both or, without memory, none.
    std::vector<Bucket> buckets(std::size_t{1} << kBits);
    std::vector<Name> names(buckets.size() * kWays);
    buckets_.swap(buckets);
    names_.swap(names);
  }
  total_ += n;
  const auto at = bucket_of(id);
  const auto tag = tag_of(id);
  auto& bucket = buckets_[at];
  for (std::size_t i = 0; i < kWays; ++i)
    if (bucket.tag[i] == tag) {
      bucket.sum[i] += n;
      return;
    }
  replace(at, id, text, n);
}

void HeavyHitters::replace(std::size_t at, const Digest& id, const Text& text, std::uint64_t n) {
  auto& bucket = buckets_[at];
  const auto way =
      static_cast<std::size_t>(std::min_element(bucket.sum.begin(), bucket.sum.end()) - bucket.sum.begin());
  bucket.tag[way] = tag_of(id);
  bucket.error[way] = bucket.sum[way];
  bucket.sum[way] += n;
  auto& name = names_[at * kWays + way];
  name.id = id;
  name.cut = text.size > kMostText;
  name.size = static_cast<std::uint8_t>(std::min(text.start.size(), kMostText));
  std::memcpy(name.text.data(), text.start.data(), name.size);
}

void HeavyHitters::clear() noexcept {
  total_ = 0;
  std::fill(buckets_.begin(), buckets_.end(), Bucket{});
}

HeavyHitters::Sum HeavyHitters::of(const Digest& id) const noexcept {
  if (buckets_.empty()) return {};
  const auto& bucket = buckets_[bucket_of(id)];
  for (std::size_t i = 0; i < kWays; ++i)
    if (bucket.tag[i] == tag_of(id)) return {bucket.sum[i], bucket.error[i]};
  const auto least = *std::min_element(bucket.sum.begin(), bucket.sum.end());
  return {least, least};
}

std::vector<HeavyHitters::Key> HeavyHitters::keys() const {
  std::vector<Key> out;
  for (std::size_t b = 0; b < buckets_.size(); ++b)
    for (std::size_t i = 0; i < kWays; ++i) {
      if (buckets_[b].tag[i] == 0) continue;
      const auto& name = names_[b * kWays + i];
      out.push_back({name.id, {name.text.data(), name.size}, name.cut, {buckets_[b].sum[i], buckets_[b].error[i]}});
    }
  return out;
}

std::string_view to_string(HotBy by) noexcept {
  switch (by) {
    case HotBy::Requests: return "requests";
    case HotBy::Misses: return "misses";
    case HotBy::Bytes: return "bytes";
    case HotBy::Uncacheable: return "uncacheable";
    case HotBy::kCount: break;
  }
  return "";
}

namespace {
std::array<HeavyHitters, static_cast<std::size_t>(HotBy::kCount)> sketches(std::uint64_t seed) {
  return {HeavyHitters(seed), HeavyHitters(seed), HeavyHitters(seed), HeavyHitters(seed)};
}
}  // namespace

HotKeys::HotKeys(std::uint64_t seed) : periods_{sketches(seed), sketches(seed)} {}

void HotKeys::turn(Timestamp now) {
  const bool kept = period_ends_ != Timestamp{} && now < period_ends_ + kPeriod;
  std::swap(periods_[0], periods_[1]);
  for (auto& sketch : periods_[0]) sketch.clear();
  if (!kept)
    for (auto& sketch : periods_[1]) sketch.clear();
  since_ = kept ? period_ends_ - kPeriod : now;
  period_ends_ = kept ? period_ends_ + kPeriod : now + kPeriod;
}

HotKeys::Copy HotKeys::copy(HotBy by, Timestamp now) {
  if (period_ends_ != Timestamp{} && now >= period_ends_) turn(now);
  const auto i = static_cast<std::size_t>(by);
  return {{periods_[0][i], periods_[1][i]}, since_};
}

HotKeysOfAll::HotKeysOfAll(std::size_t workers) {
  std::random_device random;
  for (std::size_t i = 0; i < workers; ++i)
    workers_.push_back(std::make_unique<HotKeys>(std::uint64_t{random()} << 32 | random()));
}

}  // namespace forebay::proxy
