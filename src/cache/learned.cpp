#include "forebay/cache/learned.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>
#include "forebay/base/mutex.hpp"

#include "forebay/base/text.hpp"

namespace forebay::cache {
namespace {

constexpr std::size_t kStripes = 16;
// A set holds the values of one hash. A new value goes to the front and evicts the last one.
constexpr std::size_t kWays = 4;

template <class T>
std::string_view bytes_of(const T& value) noexcept {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A bounded table in stripes with one lock each; its memory is allocated on first use. Sets are found by a seeded
/// hash, so that clients cannot choose what they evict. `Value{}` is nothing.
template <class Name, class Value>
class SetTable {
 public:
  explicit SetTable(std::size_t slots) : sets_(std::max<std::size_t>(slots / (kStripes * kWays), 1)) {}

  /// Returns the removed value, so that it is freed without the lock.
  Value put(const Name& name, Value value) {
    const auto place = place_of(name);
    Stripe& stripe = place.stripe;
    const MutexLock lock(stripe.mutex);
    auto& slots = stripe.slots;
    if (slots.empty()) slots.resize(sets_ * kWays);
    const auto first = slots.begin() + static_cast<std::ptrdiff_t>(place.set * kWays);
    const auto end = first + kWays;
    const auto known = std::find_if(first, end, [&](const Slot& s) { return s.name == name; });
    const auto at = known == end ? end - 1 : known;
    at->name = name;
    std::swap(at->value, value);
    std::rotate(first, at, at + 1);
    return value;
  }
  Value find(const Name& name) const {
    const auto place = place_of(name);
    Stripe& stripe = place.stripe;
    const MutexLock lock(stripe.mutex);
    auto& slots = stripe.slots;
    for (std::size_t i = 0; i < kWays && !slots.empty(); ++i) {
      const Slot& slot = slots[place.set * kWays + i];
      if (slot.name == name) return slot.value;
    }
    return {};
  }
  Value take(const Name& name) {
    const auto place = place_of(name);
    Stripe& stripe = place.stripe;
    const MutexLock lock(stripe.mutex);
    auto& slots = stripe.slots;
    for (std::size_t i = 0; i < kWays && !slots.empty(); ++i) {
      Slot& slot = slots[place.set * kWays + i];
      if (slot.name == name) return std::exchange(slot, Slot{}).value;
    }
    return {};
  }

 private:
  struct Slot {
    Name name{};
    Value value{};
  };
  struct alignas(64) Stripe {
    Mutex mutex;
    std::vector<Slot> slots FOREBAY_GUARDED_BY(mutex);
  };
  struct Place {
    Stripe& stripe;
    std::size_t set;
  };
  Place place_of(const Name& name) const noexcept {
    const auto hash = table_hash(bytes_of(name));
    return {stripes_[hash % kStripes], static_cast<std::size_t>(hash / kStripes) % sets_};
  }

  std::size_t sets_;
  mutable std::array<Stripe, kStripes> stripes_;
};

using Sha256 = std::array<Digest, 2>;

std::optional<Sha256> read_sha256(std::string_view hash) noexcept {
  if (hash.size() != 64 || !is_lower_hex(hash)) return std::nullopt;
  const auto part = [hash](std::size_t i) {
    std::uint64_t n = 0;
    std::from_chars(hash.data() + i * 16, hash.data() + (i + 1) * 16, n, 16);
    return n;
  };
  return Sha256{Digest{part(0), part(1)}, Digest{part(2), part(3)}};
}

// Maximum bytes of names in a rule: the field can be as long as a head, and thousands of rules are kept.
constexpr std::size_t kRuleBytes = 4096;

bool is_small(const rules::NoVarySearch& rule) noexcept {
  std::size_t bytes = 0;
  for (const auto& name : rule.names) bytes += sizeof(std::string) + name.size();
  return bytes <= kRuleBytes;
}

}  // namespace

struct PersistedQueries::Private {
  SetTable<Sha256, std::optional<Document>> documents;
  const PersistedQueries* behind = nullptr;
};

PersistedQueries::PersistedQueries(std::size_t slots) : p_(new Private{decltype(Private::documents)(slots)}) {}
PersistedQueries::PersistedQueries(const PersistedQueries* behind, std::size_t slots)
    : p_(new Private{decltype(Private::documents)(slots), behind}) {}
PersistedQueries::~PersistedQueries() = default;

void PersistedQueries::learn(std::string_view hash, const Document& document) {
  if (const auto name = read_sha256(hash)) p_->documents.put(*name, document);
}

std::optional<PersistedQueries::Document> PersistedQueries::find(std::string_view hash) const {
  const auto name = read_sha256(hash);
  auto found = name ? p_->documents.find(*name) : std::nullopt;
  return found || !p_->behind ? found : p_->behind->find(hash);
}

struct SearchRules::Private {
  SetTable<Digest, std::shared_ptr<const rules::NoVarySearch>> rules;
};

SearchRules::SearchRules(std::size_t slots) : p_(new Private{decltype(Private::rules)(slots)}) {}
SearchRules::~SearchRules() = default;

bool SearchRules::learn(const Digest& base, const rules::NoVarySearch& rule) {
  if (!is_small(rule)) {
    forget(base);
    return false;
  }
  const auto known = find(base);
  if (!known || *known != rule) p_->rules.put(base, std::make_shared<const rules::NoVarySearch>(rule));
  return true;
}

void SearchRules::forget(const Digest& base) { p_->rules.take(base); }

std::shared_ptr<const rules::NoVarySearch> SearchRules::find(const Digest& base) const { return p_->rules.find(base); }

}  // namespace forebay::cache
